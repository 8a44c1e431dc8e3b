/*
 * The engine's data in C: 4-level tables of 4 KiB in one pool, entries as x86-64 has them, and what is known of each table without
 * reading it. A physical address below 4 GiB is an offset in the pool; modelled memory starts at 4 GiB.
 */
#ifndef TABLES_H
#define TABLES_H

#include <stddef.h>
#include <stdint.h>

#define PRESENT ((uint64_t)1)
#define WRITABLE ((uint64_t)1 << 1)
#define ACCESSED ((uint64_t)1 << 5)
#define DIRTY ((uint64_t)1 << 6)
#define PROTNONE ((uint64_t)1 << 8)
#define SPECIAL ((uint64_t)1 << 9)
#define UFFD_WP ((uint64_t)1 << 10)
#define SAVED_DIRTY ((uint64_t)1 << 58)
#define DIRTY_TO_SAVED 52
#define PFN_MASK 0x000ffffffffff000u
#define TABLE_FLAGS ((uint64_t)0x67)
#define PROTECTION_READ 0x8000000000000025u
#define MARKER 0xfffffffffffffc00u
#define MARKER_TYPE 31
#define SWAP_TYPE_SHIFT 59
#define SWAP_UFFD_WP ((uint64_t)1 << 2)
#define FIRST_FRAME_PFN ((uint64_t)1 << 20)

#define TABLE_BYTES 4096
#define ENTRIES 512
#define WRITTEN_WORDS 8

/* Counts are exact at all times: a pass knows before its loop what a table holds. */
struct table_info {
  uint16_t occupied, markers, swapped;
  uint8_t has_shadow; /* whether the shadow of its pages may hold a permission */
};

enum counter {
  ARMED_NONE, ARMED_PAGE, ARMED_ZERO, DISARMED_MARKER, DISARMED_PAGE, DISARMED_ZERO, VISITED,
  ZERO_PAGE_FAULTS, ALLOCATE_FAULTS, COPY_FAULTS, REUSE_FAULTS, MARKER_FAULTS, WP_FAULTS, WRITES, READS, COUNTERS,
};

struct space {
  uint64_t first_page;
  size_t pages;
  char *pool; /* blocks of 4 KiB; the first one is the PGD */
  size_t blocks, capacity;
  struct table_info *info;
  uint64_t (*written)[WRITTEN_WORDS]; /* of each table: entries that are not write-protected */
  uint8_t *shadow; /* of each page: 1 it may be read, 2 it may be written and holds `value` already */
  uint64_t value;
  uint64_t *contents;
  uint32_t frames;
  uint64_t counters[COUNTERS];
};

void create_space(struct space *space, uint64_t first_page, size_t pages);
void destroy_space(struct space *space);

/* The last-level table for a page, made if there is none. */
uint64_t *ensure_table(struct space *space, uint64_t page);

static inline uint64_t *table_of(const struct space *space, uint64_t entry) {
  return (uint64_t *)(space->pool + (entry & PFN_MASK));
}

/* The last-level table for a page, which must be there. */
static inline uint64_t *find_table(const struct space *space, uint64_t page) {
  uint64_t *pud = table_of(space, ((uint64_t *)space->pool)[(page >> 27) % ENTRIES]);
  uint64_t *pmd = table_of(space, pud[(page >> 18) % ENTRIES]);
  return table_of(space, pmd[(page >> 9) % ENTRIES]);
}

static inline size_t block_of(const struct space *space, const uint64_t *table) {
  return (size_t)((const char *)table - space->pool) / TABLE_BYTES;
}

/* Entries that are protected now, by what was armed and disarmed. */
uint64_t protected_entries(const struct space *space);

/* Of a writable private mapping that is write-protected as a whole (UFFDIO_WRITEPROTECT). */
void protect(struct space *space, uint64_t first_page, size_t pages);
void unprotect(struct space *space, uint64_t first_page, size_t pages);

/* The same with a loop for mixed tables that branches at each entry, as the kernel's does. */
void protect_branchy(struct space *space, uint64_t first_page, size_t pages);

struct scan_region {
  uint64_t first, end, categories;
};

/* Runs of pages that are written (PAGE_IS_WRITTEN); returns how many. */
size_t scan_written(const struct space *space, struct scan_region *regions);

/* Replays records; a write-protect fault is answered by unprotecting the page (sync) or resolved at once (async): the entries are the same. */
void replay(struct space *space, const uint64_t *records, size_t count, uint64_t value);

#endif
