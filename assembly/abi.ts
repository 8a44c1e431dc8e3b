/**
 * The numbers that the engine and its host agree on. One source for both languages: AssemblyScript and TypeScript compile this file as it
 * is, so every constant is a plain integer without a type. It imports nothing. `docs/abi.md` draws the layouts.
 */

// ------------------------------------------------------------------------------------------------------------------- status
// What an exported function returns when it could not do its work: a negated Linux errno. Counts and addresses are never negative.

export const OK = 0;
export const ENOENT = -2;
export const EAGAIN = -11;
export const ENOMEM = -12;
export const EFAULT = -14;
export const EBUSY = -16;
export const EEXIST = -17;
export const EINVAL = -22;
export const ENOSPC = -28;

// -------------------------------------------------------------------------------------------------------------- region table
// What a fault may do at an address. The host publishes the regions of an address space sorted by page, without overlap.
//
//   0        8       16      20      24       28       32       40
//   ┌────────┬────────┬───────┬───────┬────────┬────────┬────────┐
//   │ first  │ end    │ flags │ tag   │ object │ owner  │ offset │
//   └────────┴────────┴───────┴───────┴────────┴────────┴────────┘
//
// first, end: page numbers (u64), end exclusive; tag: the host's own number. object: handle of what a mapping of shared memory or of a file
// maps, and offset: the page of it at `first` (u64). owner: handle of the set of reserved huge pages that a private hugetlb mapping has
// used up (0: it has no reservation).

export const REGION_BYTES = 40;
export const REGION_FIRST = 0;
export const REGION_END = 8;
export const REGION_FLAGS = 16;
export const REGION_TAG = 20;
export const REGION_OBJECT = 24;
export const REGION_OWNER = 28;
export const REGION_OFFSET = 32;

/** VM_READ: pages may be read. */
export const REGION_READ = 1;
/** VM_WRITE: pages may be written. */
export const REGION_WRITE = 2;
/** VM_UFFD_MISSING: a fault on an entry that maps nothing is the userfaultfd's to resolve. */
export const REGION_UFFD_MISSING = 4;
/** VM_UFFD_WP: a write to an entry with the uffd-wp bit is the userfaultfd's to resolve; markers keep the bit. */
export const REGION_UFFD_WP = 8;
/** UFFD_FEATURE_WP_ASYNC of the registered context: write-protect faults are resolved without a message. */
export const REGION_WP_ASYNC = 16;
/** UFFD_FEATURE_SIGBUS of the registered context: a fault that would give a message gives SIGBUS. */
export const REGION_SIGBUS = 32;
/** UFFD_USER_MODE_ONLY of the registered context: a fault of the kernel itself gives no message but fails. */
export const REGION_USER_MODE_ONLY = 64;
/** Set by the engine when a fault asks for a page of its own here: the mapping has an `anon_vma` from then on (`vmf_anon_prepare`). */
export const REGION_ANON_VMA = 128;
/** VM_UFFD_MINOR: a fault on an entry that maps nothing, while the object has the page, is the userfaultfd's to resolve. */
export const REGION_UFFD_MINOR = 256;
/** VM_SHARED: writes go to the object. */
export const REGION_SHARED = 512;
/** What is mapped: shared memory (tmpfs), a regular file, huge pages of hugetlbfs; none of the three: anonymous memory. */
export const REGION_SHMEM = 1024;
export const REGION_FILE = 2048;
export const REGION_HUGETLB = 4096;
/** A fault may map 2 MiB at once: anonymous memory by the THP policy, an object's huge page unless MADV_NOHUGEPAGE forbids it. */
export const REGION_THP = 8192;
/** A fault that makes a page of tmpfs makes a huge one, by its policy; one that reads a page of a file reads the 2 MiB around it (MADV_HUGEPAGE). */
export const REGION_MAKES_HUGE = 16384;
/** A failed copy on write of the owner took a huge page away from this mapping: its faults end in SIGBUS (HPAGE_RESV_UNMAPPED). */
export const REGION_RESERVE_LOST = 32768;
/** Shared pages are writable at once, also where writes are to be noticed (kernels before 6.2). */
export const REGION_NO_WRITE_NOTIFY = 65536;

// ------------------------------------------------------------------------------------------------------------------- access

export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
/** A write to a byte of the page that is not part of its modelled content. */
export const ACCESS_WRITE_ELSEWHERE = 3;

/** The access was carried out. */
export const OUTCOME_DONE = 0;
/** The fault waits for the userfaultfd: nothing is mapped (message flags 0, or 1 for a write). */
export const OUTCOME_MISSING = 1;
/** The fault waits for the userfaultfd: a write to a protected page (message flags 3). */
export const OUTCOME_WP = 2;
/** No region allows the access. */
export const OUTCOME_SIGSEGV = 3;
/** The userfaultfd asked for a signal instead of a message. */
export const OUTCOME_SIGBUS = 4;
/** The entry is a poison marker: SIGBUS for an access, EHWPOISON for a populate. */
export const OUTCOME_POISONED = 5;
/** The fault waits for the userfaultfd: the object has the page, and nothing maps it (message flags 4, or 5 for a write). */
export const OUTCOME_MINOR = 6;
/** The fault starts again for ever. */
export const OUTCOME_HANG = 7;
/** The owner of a private hugetlb mapping gets no copy of a page: the host takes the page from the others and has the access resumed. */
export const OUTCOME_UNMAP_OTHERS = 8;

// -------------------------------------------------------------------------------------------------------------- result block
// Where a call leaves what does not fit into one number. Valid until the next call.

export const RESULT_BYTES = 64;
/** Faults of the last access that were counted as minor (u32), as `ru_minflt` does. */
export const RESULT_MINFLT = 0;
/** Faults of the last access that were counted as major (u32). */
export const RESULT_MAJFLT = 4;
/** What a read found (u64). */
export const RESULT_VALUE = 8;
/** Why a range call stopped early: an OUTCOME_ or a negated errno (i32); OK when it did not. */
export const RESULT_REASON = 16;
/** Fault records that a replay wrote (u32). */
export const RESULT_RECORDS = 20;
/** 1 if the fault that waits has read a page from swap or from a file: it will be charged as major (u32). */
export const RESULT_TRIED = 24;

// ------------------------------------------------------------------------------------------------------------- access record
// One access of a trace, as the host puts it into the replay buffer: a u64.
//
//   63      62      61            35 34                    0
//   ┌───────┬───────┬───────────────┬──────────────────────┐
//   │ write │ fetch │ 0             │ page number          │
//   └───────┴───────┴───────────────┴──────────────────────┘

export const ACCESS_RECORD_BYTES = 8;
export const ACCESS_RECORD_PAGE_BITS = 35;

// -------------------------------------------------------------------------------------------------------------- fault record
// One fault of a replay that concerns the host.
//
//   0        8       12      16        24
//   ┌────────┬───────┬───────┬─────────┐   page: u64; index: of the access in the block; kind: an OUTCOME_, 256 added for a write;
//   │ page   │ index │ kind  │ content │   content: what a protected page held at the fault (u64), for whoever saves it
//   └────────┴───────┴───────┴─────────┘

export const FAULT_RECORD_BYTES = 24;
export const FAULT_RECORD_PAGE = 0;
export const FAULT_RECORD_INDEX = 8;
export const FAULT_RECORD_KIND = 12;
export const FAULT_RECORD_CONTENT = 16;
export const FAULT_RECORD_WRITE = 256;

/** Replay policy: a write-protect fault is recorded and its page unprotected at once, as a handler that resolves page by page does. */
export const REPLAY_UNPROTECT = 1;
/** Replay policy: an access that ends in a signal is recorded and passed over. */
export const REPLAY_PASS_SIGNALS = 2;
/** Replay policy: do not write records for faults that are resolved inside; they are counted all the same. */
export const REPLAY_QUIET = 4;
/** Replay policy: log2 of the pages that are unprotected at once, aligned to as many, from this bit on. */
export const REPLAY_CLUSTER_SHIFT = 8;

// --------------------------------------------------------------------------------------------------------------- range flags

/** Protect: leave markers in entries that are none, allocating page tables (`userfaultfd_wp_use_markers`). */
export const PROTECT_UNPOPULATED = 1;
/** Protect: the mapping is not anonymous: a huge page of its object is unmapped, since markers need a table. */
export const PROTECT_OBJECT = 2;
/** Unprotect, mprotect: exclusive anonymous pages get their write bit back (MM_CP_TRY_CHANGE_WRITABLE, private mapping). */
export const UPGRADE_WRITABLE = 1;
/** mprotect: the region is registered for uffd-wp, so entries with the bit are not upgraded. */
export const UPGRADE_NOT_UFFD_WP = 2;
/** The new protection is PROT_NONE. */
export const PROTECTION_NONE = 4;
/** The new protection lets everybody write: a shared mapping without write notification. */
export const PROTECTION_SHARED_WRITE = 8;
/** Unprotect, mprotect: dirty pages get their write bit back (MM_CP_TRY_CHANGE_WRITABLE, shared mapping of a file). */
export const UPGRADE_DIRTY = 16;
/** Zap: free a last-level table whose whole 2 MiB lie in the range and that is empty afterwards (PT_RECLAIM). */
export const ZAP_RECLAIM = 1;
/** Zap: markers of all kinds go too, as the mapping itself does (ZAP_FLAG_DROP_MARKER). */
export const ZAP_DROP_MARKERS = 2;
/** Zap: the mapping is not anonymous: uffd-wp markers stay unless they are dropped. */
export const ZAP_OBJECT = 4;
/** Zap: the mapping is registered for uffd-wp: what was protected leaves a marker, if the mapping is not anonymous. */
export const ZAP_UFFD_WP = 8;
/** Zap: private copies stay, as when a hole is punched into the object. */
export const ZAP_SPARE_COPIES = 16;
/** Zap: nothing but pages of the object goes, as when they are unmapped one by one (`try_to_unmap`). */
export const ZAP_OBJECT_PAGES = 32;
/** Fill: leave the uffd-wp bit set (UFFDIO_COPY_MODE_WP). */
export const FILL_WP = 2;
/** Move: pages that the source does not have are passed over (UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES). */
export const MOVE_ALLOW_HOLES = 1;
/** Moving entries: uffd-wp bits and markers are left behind, since the mapping loses its registration. */
export const MOVE_CLEAR_UFFD_WP = 1;
/** Moving entries: whole last-level tables may change their place instead. */
export const MOVE_TABLES = 2;
/** Fork: the child's mapping is registered for uffd-wp, so bits and markers are copied. */
export const COPY_UFFD_WP = 1;
/** Fork: the mapping is private, so both sides lose write permission. */
export const COPY_PRIVATE = 2;
/** Fork: the mapping is not anonymous: huge pages of its object are not copied, faults bring them back. */
export const COPY_OBJECT = 4;

// -------------------------------------------------------------------------------------------------------------------- object
// What shared mappings and mappings of files map. Its pages hang below its PGD as those of a space do; it has no region table.

/** Kinds: tmpfs file, regular file, hugetlbfs file. */
export const OBJECT_SHMEM = 1;
export const OBJECT_FILE = 2;
export const OBJECT_HUGETLB = 3;
/** Not an object but a set of page numbers, such as the reserved huge pages that a private mapping has used up. */
export const OBJECT_SET = 4;
/** OBJECT_ number of the kind (u32). */
export const OBJECT_KIND = 16;
/** Pages up to the end of the file (u64). */
export const OBJECT_PAGES = 24;
/** Of a hugetlbfs file: the set of huge pages that are reserved (u32). */
export const OBJECT_RESERVES = 32;

// --------------------------------------------------------------------------------------------------------------------- scan
// State of a PAGEMAP_SCAN across the regions of one call; the host fills it in and reads it afterwards.

export const SCAN_BYTES = 72;
/** Regions are written here (u32 address; 0: the call has no output vector). */
export const SCAN_VECTOR = 0;
/** Regions that may still be written, `vec_len` (u32). */
export const SCAN_VECTOR_LEFT = 4;
/** Regions in the kernel's bounce buffer, the one under construction not counted (u32). */
export const SCAN_BUFFERED = 8;
/** The masks of `struct pm_scan_arg`, as 9-bit category sets (u32 each). */
export const SCAN_INVERTED = 12;
export const SCAN_MASK = 16;
export const SCAN_ANYOF = 20;
export const SCAN_RETURN = 24;
/** SCAN_WP_MATCHING or 0 (u32). */
export const SCAN_FLAGS = 28;
/** `max_pages`; all ones for no limit (u64). */
export const SCAN_MAX_PAGES = 32;
/** Pages put out so far (u64). */
export const SCAN_FOUND_PAGES = 40;
/** Page at which the walk stopped early, `walk_end` (u64). */
export const SCAN_WALK_END = 48;
/** Categories of the region that is being walked: CATEGORY_WPALLOWED or 0 (u32). */
export const SCAN_REGION_CATEGORIES = 56;
/** Categories of pages without a page table in this region: CATEGORY_WRITTEN for a region registered for uffd-wp, else 0 (u32). */
export const SCAN_HOLE_CATEGORIES = 60;
/** REGION_ flags of the region that is being walked (u32). */
export const SCAN_REGION_FLAGS = 64;

/** PM_SCAN_WP_MATCHING: write-protect what was put out. */
export const SCAN_WP_MATCHING = 1;

/** Regions that the kernel gathers before it copies them out: PAGEMAP_WALK_SIZE >> PAGE_SHIFT. */
export const SCAN_BOUNCE_REGIONS = 512;

// struct page_region, with page numbers in place of addresses
export const SCAN_REGION_BYTES = 24;
export const SCAN_REGION_FIRST = 0;
export const SCAN_REGION_END = 8;
export const SCAN_REGION_CATEGORY_SET = 16;

export const CATEGORY_WPALLOWED = 1;
export const CATEGORY_WRITTEN = 2;
export const CATEGORY_FILE = 4;
export const CATEGORY_PRESENT = 8;
export const CATEGORY_SWAPPED = 16;
export const CATEGORY_PFNZERO = 32;
export const CATEGORY_HUGE = 64;
export const CATEGORY_SOFT_DIRTY = 128;
export const CATEGORY_GUARD = 256;

// ------------------------------------------------------------------------------------------------------------------- picture
// A tile of the picture of an address space: 256 × 256 cells, row by row, of 2^zoom × 2^zoom pages each. A cell is a u32:
//
//   31          24 23          16 15           8 7            0
//   ┌─────────────┬──────────────┬──────────────┬─────────────┐   usual: the state that most of its pages have; notable: of the others the
//   │ flags       │ share        │ notable      │ usual       │   one with the highest number, and `usual` where there are none; share: of
//   └─────────────┴──────────────┴──────────────┴─────────────┘   the notable state, in 255ths, at least 1. A cell beyond user space is 0.

export const TILE_CELLS = 256;
export const TILE_ZOOM_LIMIT = 13;
export const CELL_NOTABLE_SHIFT = 8;
export const CELL_SHARE_SHIFT = 16;
export const CELL_FLAGS_SHIFT = 24;

/** States of an entry, from what is dull to what is notable. HUGE: the PMD entry maps the page. WP: write-protected by userfaultfd. */
export const STATE_NONE = 0;
export const STATE_MARKER = 1;
export const STATE_ZERO = 2;
export const STATE_ZERO_WP = 3;
export const STATE_CLEAN = 4;
export const STATE_HUGE_CLEAN = 5;
export const STATE_WP = 6;
export const STATE_HUGE_WP = 7;
export const STATE_SWAP = 8;
export const STATE_SWAP_WP = 9;
export const STATE_HUGE_DIRTY = 10;
export const STATE_DIRTY = 11;
export const STATE_GUARD = 12;
export const STATE_POISON = 13;
export const STATE_COUNT = 14;

/** Some of the cell's pages have a last-level table of the space's own, a shared one, none; or are mapped by the PMD entry. */
export const CELL_PTE_REAL = 1;
export const CELL_PTE_SHARED = 2;
export const CELL_PTE_MISSING = 4;
export const CELL_HUGE = 8;
/** The same of the PMD table and the PUD table above them; neither: there is none. */
export const CELL_PMD_REAL = 16;
export const CELL_PMD_SHARED = 32;
export const CELL_PUD_REAL = 64;
export const CELL_PUD_SHARED = 128;

// -------------------------------------------------------------------------------------------------------------------- space
// Control block of an address space. Counters are u64 and only grow, except the three numbers of tables and the resident pages.

export const SPACE_PGD = 0;
export const SPACE_REGIONS = 4;
export const SPACE_REGION_COUNT = 8;
export const SPACE_REGION_CAPACITY = 12;
/** KERNEL_ bits: what the space's kernel does differently from the newest one (u32). */
export const SPACE_KERNEL = 16;
export const SPACE_COUNTERS = 64;

/** A fault that waited once is charged as major: it begins without the VMA's lock (before 6.6). */
export const KERNEL_WAIT_IS_MAJOR = 1;
/** A write to the huge zero page splits it (before 6.13). */
export const KERNEL_SPLITS_HUGE_ZERO = 2;
/** PAGEMAP_SCAN does not call entries written that are none (before 6.18). */
export const KERNEL_NONE_NOT_WRITTEN = 4;
/** A read fault maps no more of a huge page than of others (before 6.18). */
export const KERNEL_SMALL_FAULT_AROUND = 8;

/** Tables at each level below the PGD, live now. The kernel's VmPTE is 4 KiB times their sum: it does not count the PGD. */
export const COUNTER_PUD_TABLES = 0;
export const COUNTER_PMD_TABLES = 1;
export const COUNTER_PTE_TABLES = 2;
/** Anonymous pages resident now (RssAnon); the shared zero page does not count. */
export const COUNTER_ANON_PAGES = 3;
/**
 * Page-fault exceptions by x86 error code: 4 read, 6 write to a page that is not present (also one of PROT_NONE, whose present bit is
 * clear); 7 write to a present read-only page.
 */
export const COUNTER_EXCEPTION_READ_NOT_PRESENT = 4;
export const COUNTER_EXCEPTION_WRITE_NOT_PRESENT = 5;
export const COUNTER_EXCEPTION_WRITE_PROTECTED = 6;
/** Faults that were completed, as the kernel charges them to the thread. */
export const COUNTER_MINFLT = 7;
export const COUNTER_MAJFLT = 8;
/** What faults did: mapped the zero page, allocated a page, copied the zero page, made a read-only page writable. */
export const COUNTER_ZERO_PAGE_FAULTS = 9;
export const COUNTER_ALLOCATE_FAULTS = 10;
export const COUNTER_COPY_FAULTS = 11;
export const COUNTER_REUSE_FAULTS = 12;
/** Of the above, faults that found a marker and kept its protection. */
export const COUNTER_MARKER_FAULTS = 13;
/** Write-protect faults resolved by the kernel itself (UFFD_FEATURE_WP_ASYNC). */
export const COUNTER_WP_ASYNC_FAULTS = 14;
/** Messages that faults put on a userfaultfd; faults that ended in VM_FAULT_SIGSEGV and VM_FAULT_SIGBUS. */
export const COUNTER_MISSING_MESSAGES = 15;
export const COUNTER_WP_MESSAGES = 16;
export const COUNTER_SIGSEGV = 17;
export const COUNTER_SIGBUS = 18;
/** Entries changed by write-protecting: none → marker, page, zero page. */
export const COUNTER_ARMED_NONE = 19;
export const COUNTER_ARMED_PAGE = 20;
export const COUNTER_ARMED_ZERO = 21;
/** Entries changed by removing write protection: marker → none, page, zero page. */
export const COUNTER_DISARMED_MARKER = 22;
export const COUNTER_DISARMED_PAGE = 23;
export const COUNTER_DISARMED_ZERO = 24;
/** Entries that were visited by write-protecting in tables that exist, changed or not. */
export const COUNTER_PROTECT_VISITED = 25;
/** Entries removed by zapping: pages, zero pages, markers. */
export const COUNTER_ZAPPED_PAGE = 26;
export const COUNTER_ZAPPED_ZERO = 27;
export const COUNTER_ZAPPED_MARKER = 28;
/** Pages put in by UFFDIO_COPY and UFFDIO_ZEROPAGE. */
export const COUNTER_FILLED_COPY = 29;
export const COUNTER_FILLED_ZERO = 30;
/** Accesses carried out by replay. */
export const COUNTER_REPLAYED_READS = 31;
export const COUNTER_REPLAYED_WRITES = 32;
/** Last-level tables allocated ever, and freed ever. */
export const COUNTER_PTE_TABLES_ALLOCATED = 33;
export const COUNTER_PTE_TABLES_FREED = 34;
/** Pages that a scan put out, and entries that it write-protected. */
export const COUNTER_SCAN_PAGES = 35;
export const COUNTER_SCAN_PROTECTED = 36;
/** Resident pages of files (RssFile) and of shared memory (RssShmem), and swap entries (VmSwap), now. */
export const COUNTER_FILE_PAGES = 37;
export const COUNTER_SHMEM_PAGES = 38;
export const COUNTER_SWAP_ENTRIES = 39;
/** Minor-fault messages that faults put on a userfaultfd. */
export const COUNTER_MINOR_MESSAGES = 40;
/** Tables of the space's own that are there in memory now, the PGD not included; the others are templates that are shared. */
export const COUNTER_REAL_TABLES = 41;
export const COUNTER_COUNT = 42;

// ---------------------------------------------------------------------------------------------------------- physical layout

/**
 * Frames of modelled memory start at this PFN (4 GiB). Below it, a physical address is an offset in linear memory, where the page tables
 * are. Frame 0 is the shared zero page.
 */
export const FIRST_FRAME_PFN = 1048576;

/** Page numbers are below this: user addresses end at 2^47 - 4096. */
export const PAGE_LIMIT_BITS = 35;
