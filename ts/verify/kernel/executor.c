/*
 * executor.c: carries scenarios out on the running kernel. kernel.ts starts one for each CPU that it uses.
 *
 *   executor CPU FOLDER     FOLDER: where files for `kind: file` are made (unlinked at once)
 *
 * The supervisor (this program as it is started) owns every descriptor: it makes the ioctls of userfaultfd, reads the
 * messages and answers them, reads pagemap and status. The memory under test belongs to subjects: processes that are
 * cloned from the supervisor and from one another with one table of descriptors for all. Thread 0 of a subject makes
 * system calls that are asked for, threads 1 and up access memory and may wait in a page fault for good.
 *
 * What makes runs equal:
 *
 *  - Everything is on one CPU, SCHED_RR with one priority. So a sched_yield() of the supervisor returns when all others
 *    have run until they wait; threads that were woken go on in the order of waking.
 *  - All that a subject writes for itself (jobs, stacks) is in the arena, shared memory that fork() does not copy. It is
 *    mapped before the first reading of its counters, and so is the program's text: what changes later is the scenario's.
 *  - The TLB is emptied before an access, and fences keep the processor from looking ahead at the next page.
 *
 * Words are u64 in the byte order of the machine. Request and steps are records of RECORD_WORDS words; see protocol.ts for
 * the reply.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* What the installed headers may be too old for. */
struct range_result { u64 start, length, mode; s64 done; }; /* of zeropage, continue and poison alike */
struct move_args { u64 to, from, length, mode; s64 done; };
struct scan_region { u64 start, end, categories; };
struct scan_args {
  u64 size, flags, start, end, walk_end, vector, vector_length, max_pages, inverted, mask, any_of, returned;
};
#define IOCTL_CONTINUE _IOWR(UFFDIO, 0x07, struct range_result)
#define IOCTL_POISON _IOWR(UFFDIO, 0x08, struct range_result)
#define IOCTL_MOVE _IOWR(UFFDIO, 0x05, struct move_args)
#define IOCTL_PAGEMAP_SCAN _IOWR('f', 16, struct scan_args)
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB (21u << 26)
#endif

enum { PAGE = 4096, HUGE_PAGE = 2 << 20, STACK = 16384, FLUSHED_PAGES = 40, MAX_SPANS = 32 };
/* Mirrored in protocol.ts, as are the operations and the records of a reply. */
enum limit {
  MAX_PROCESSES = 16,
  MAX_DESCRIPTORS = 64,
  MAX_MAPPINGS = 512,
  MAX_STEPS = 16384,
  MAX_REGIONS = 65536,
  RECORD_WORDS = 16,
  PATH_BYTES = 16,
};
enum { THREADS = 17, COPY_BYTES = 64 << 20, REPLY_WORDS = 8 << 20, PAGEMAP_CHUNK = 8192, MAX_RETRIES = 64 };

enum operation {
  OP_MMAP, OP_MUNMAP, OP_MPROTECT, OP_MADVISE, OP_MREMAP, OP_FORK, OP_UFFD, OP_MOVE,
  /* the operations up to here are system calls by the subject's thread 0 */
  OP_EXIT, OP_CLOSE, OP_REGISTER, OP_UNREGISTER, OP_WAKE, OP_WRITEPROTECT, OP_COPY, OP_ZEROPAGE, OP_CONTINUE, OP_POISON,
  OP_ACCESS, OP_RESUME, OP_PAGEMAP, OP_SCAN, OP_STAT,
};
enum record { RECORD_RESULT, RECORD_HANG, RECORD_MESSAGE };
enum status { STATUS_BLOCKED = 1000, STATUS_UNSUPPORTED = 1001 }; /* beside 0 and the numbers of errno */
enum kind { KIND_ANON, KIND_SHMEM, KIND_FILE, KIND_HUGETLB };
enum answer { ANSWER_NONE, ANSWER_COPY, ANSWER_ZEROPAGE, ANSWER_POISON, ANSWER_UNPROTECT, ANSWER_CONTINUE };
enum { NOT_BEGUN = 97 }; /* exit code */
enum outcome { OUTCOME_OK, OUTCOME_BLOCKED, OUTCOME_SIGBUS, OUTCOME_SIGSEGV, OUTCOMES };

/* ------------------------------------------------------------------------------------------------ subjects */

enum task { TASK_CALL, TASK_FORK, TASK_THREAD, TASK_ACCESS };

/* What a thread is to do, and what came of it. */
struct job {
  _Atomic u32 ticket; /* a futex; raised to start the task */
  _Atomic u32 ends;   /* the task makes no further access after the one in progress */
  enum task task;
  s64 tid;
  u64 args[7];
  u64 value; /* to be written, or that was read last */
  s64 returned;
  u64 outcomes[OUTCOMES];
  u64 faults_before[2], faults[2]; /* minor, major */
} __attribute__((aligned(256)));

/* All that a subject writes for itself. Slices are aligned, so that each takes the same number of page tables. */
struct slice {
  struct job jobs[THREADS];
  struct move_args move;
  char stacks[THREADS][STACK] __attribute__((aligned(PAGE)));
  char flushed[FLUSHED_PAGES][PAGE];
} __attribute__((aligned(512 << 10)));

static struct slice *arena;
static int replies[2]; /* a pipe: number of the thread whose task has ended, as u16 */
static struct span { u64 start, end; } spans[MAX_SPANS]; /* of this program, that are only read */
static int span_count;

static long call(long number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register u64 r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

/*
 * clone_onto(flags, stack, entry, argument): clone() whose child calls entry(argument) on a stack of its own.
 *
 * load_*, store_*: the only instructions that touch memory under test; they return 0 or the number of the signal that the
 * access gave. Between the fences the processor cannot meet the next page, which would put it into the TLB as it is before
 * its fault.
 */
asm("clone_onto:\n"
    "  mov %rdx, %r9\n"
    "  mov %rcx, %r8\n"
    "  xor %edx, %edx\n"
    "  xor %r10d, %r10d\n"
    "  mov $56, %eax\n"
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jz 1f\n"
    "  ret\n"
    "1: xor %ebp, %ebp\n"
    "  mov %r8, %rdi\n"
    "  call *%r9\n"
    "  ud2\n"
    "accesses_start:\n"
    "load_word:  lfence\n mov (%rdi), %rax\n lfence\n mov %rax, (%rsi)\n xor %eax, %eax\n ret\n"
    "load_byte:  lfence\n movzbl (%rdi), %eax\n lfence\n mov %rax, (%rsi)\n xor %eax, %eax\n ret\n"
    "store_word: mov (%rsi), %rax\n lfence\n mov %rax, (%rdi)\n lfence\n xor %eax, %eax\n ret\n"
    "store_byte: mov (%rsi), %rax\n lfence\n mov %al, (%rdi)\n lfence\n xor %eax, %eax\n ret\n"
    "accesses_end:\n"
    "access_failed: ret\n");
extern long clone_onto(u64 flags, void *stack, void (*entry)(struct job *), struct job *argument);
typedef long access_function(u64 address, u64 *value);
extern access_function load_word, load_byte, store_word, store_byte;
extern char accesses_start[], accesses_end[], access_failed[];

static void on_signal(int signal, __attribute__((unused)) siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  char *at = (char *)registers[REG_RIP];
  if (at < accesses_start || at >= accesses_end) _exit(99);
  registers[REG_RIP] = (greg_t)access_failed;
  registers[REG_RAX] = signal;
}

static struct slice *slice_of(struct job *job) { return (struct slice *)((u64)job & -sizeof(struct slice)); }

/*
 * Empties the TLB. Rights are taken from two pages that are further apart than what is flushed page by page. An entry from
 * before would cause faults that the tables do not, wherever the kernel gave rights without a flush.
 */
static void flush_tlb(struct slice *slice) {
  slice->flushed[0][0] = slice->flushed[FLUSHED_PAGES - 1][0] = 1;
  call(SYS_mprotect, (u64)slice->flushed, sizeof slice->flushed, PROT_READ, 0, 0, 0);
  call(SYS_mprotect, (u64)slice->flushed, sizeof slice->flushed, PROT_READ | PROT_WRITE, 0, 0, 0);
}

static void count_faults(u64 faults[2]) {
  struct rusage usage;
  call(SYS_getrusage, RUSAGE_THREAD, (u64)&usage, 0, 0, 0, 0);
  faults[0] = usage.ru_minflt;
  faults[1] = usage.ru_majflt;
}

/* args: address, number of accesses, bytes from one to the next, whether they write */
static void access_memory(struct job *job) {
  u64 at = job->args[0], left = job->args[1], stride = job->args[2];
  bool writes = job->args[3];
  access_function *word = writes ? store_word : load_word, *byte = writes ? store_byte : load_byte;
  access_function *access = at % PAGE == 0 ? word : byte;
  u64 value = job->value;

  flush_tlb(slice_of(job));
  count_faults(job->faults); /* once for nothing, so that the second call meets only what is mapped */
  count_faults(job->faults_before);
  for (; left > 0 && !job->ends; left--, at += stride) {
    long signal = access(at, &value);
    job->outcomes[signal == 0 ? OUTCOME_OK : signal == SIGBUS ? OUTCOME_SIGBUS : OUTCOME_SIGSEGV]++;
  }
  count_faults(job->faults);
  for (int i = 0; i < 2; i++) job->faults[i] -= job->faults_before[i];
  flush_tlb(slice_of(job)); /* a thread that waits goes on with an empty TLB too, whatever this one has read meanwhile */
  job->value = value;
}

static void report_end(struct job *job) {
  uint16_t thread = (slice_of(job) - arena) * THREADS + (job - slice_of(job)->jobs);
  call(SYS_write, replies[1], (u64)&thread, sizeof thread, 0, 0, 0);
}

static long start_subject(struct slice *slice, u64 flags);

static long start_thread(struct slice *slice, int thread);

static void perform(struct job *job) {
  const u64 *a = job->args;
  switch (job->task) {
    case TASK_CALL: job->returned = call(a[0], a[1], a[2], a[3], a[4], a[5], a[6]); break;
    case TASK_FORK: job->returned = start_subject(&arena[a[0]], CLONE_PARENT); break;
    case TASK_THREAD: job->returned = start_thread(slice_of(job), a[0]); break;
    case TASK_ACCESS: access_memory(job); break;
  }
}

/* What every thread of a subject does until its process is killed. */
static void serve(struct job *job) {
  u32 ticket = job->ticket;
  job->tid = call(SYS_gettid, 0, 0, 0, 0, 0, 0);
  for (;;) {
    report_end(job);
    while (job->ticket == ticket) call(SYS_futex, (u64)&job->ticket, FUTEX_WAIT, ticket, 0, 0, 0);
    ticket = job->ticket;
    perform(job);
  }
}

/* Maps what the subject needs, so that its counters stay as they are until the scenario changes them. */
static void become_subject(struct job *job) {
  struct slice *slice = slice_of(job);
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
  call(SYS_madvise, (u64)slice, (u64)slice->flushed[1] - (u64)slice, MADV_POPULATE_WRITE, 0, 0, 0);
  call(SYS_madvise, (u64)slice->flushed[FLUSHED_PAGES - 1], PAGE, MADV_POPULATE_WRITE, 0, 0, 0);
  for (int i = 0; i < span_count; i++)
    call(SYS_madvise, spans[i].start, spans[i].end - spans[i].start, MADV_POPULATE_READ, 0, 0, 0);
  serve(job);
}

static long start_subject(struct slice *slice, u64 flags) {
  return clone_onto(flags | CLONE_FILES | SIGCHLD, slice->stacks[1], become_subject, &slice->jobs[0]);
}

static long start_thread(struct slice *slice, int thread) {
  const u64 flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  return clone_onto(flags, slice->stacks[thread] + STACK, serve, &slice->jobs[thread]);
}

/* ------------------------------------------------------------------------------------- the supervisor's state */

struct usage { s64 tables, anon, file, shmem, swap; };

static struct process { bool alive; int pid, pagemap, status; struct usage base; } processes[MAX_PROCESSES];

/* `busy`: has a task that has not ended. `step`: the access that it is for, or -1. `wchan`: a descriptor, once it was needed. */
static struct thread { bool exists, busy; int step, wchan; } threads[MAX_PROCESSES * THREADS];

static struct descriptor {
  int fd, depth, children;
  bool is_ready;     /* after UFFDIO_API: there may be something to read */
  u8 path[PATH_BYTES]; /* number of the descriptor, then for each fork that passed it on the number of that fork, from 1 */
  u8 on_missing, on_wp, on_minor;
} descriptors[MAX_DESCRIPTORS];
static int descriptor_count;

/* Mappings that were tried, as far as answers depend on them. */
static struct mapping { u64 start; bool is_huge; } mappings[MAX_MAPPINGS];
static int mapping_count;
static int objects[MAX_MAPPINGS]; /* descriptors, or negated errnos */

/* By number of its step. `thread` is -1 if it was not started. */
struct access { int thread; bool has_ended; struct job result; };

static struct access *accesses;
static struct scan_region *regions;
static u64 *pagemap_words, *requests;
static char *copy_source;
static struct usage child_surplus; /* what an empty child has more than an empty first subject */
static u64 timeout_ms;
static int step_now;
static bool hangs;
static const char *folder;

static void fail(const char *what) {
  fprintf(stderr, "executor: %s (%s)\n", what, strerror(errno));
  _exit(98);
}

/* For what fails before a scenario has begun: another executor can try the same again. */
static void fail_to_begin(const char *what) {
  fprintf(stderr, "executor: %s\n", what);
  _exit(NOT_BEGUN);
}

static u64 now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------------------------------------ the reply */

/*
 * In a memfd, so that what is there can still be read (through /proc/PID/fd) when this process hangs in the kernel itself.
 */
static struct { u64 heartbeat, scenarios_begun, word_count, words[REPLY_WORDS]; } *reply;
static u64 reply_used; /* words, also those of the step that is under way */
static bool reply_is_cut;

static void put(u64 word) {
  if (reply_used < REPLY_WORDS) reply->words[reply_used++] = word;
  else reply_is_cut = true;
}

/* A record starts with its kind and the number of words after that one. */
static u64 begin_record(enum record kind) {
  put(kind);
  return reply_used - 1;
}

static void end_record(u64 at) { reply->words[at] |= (reply_used - at - 1) << 8; }

#define put_result(...) put_result_words((u64[]){__VA_ARGS__}, sizeof((u64[]){__VA_ARGS__}) / 8)
static void put_result_words(const u64 *words, int count) {
  u64 at = begin_record(RECORD_RESULT);
  for (int i = 0; i < count; i++) put(words[i]);
  end_record(at);
}

static void end_step(void) {
  if (reply_is_cut && !hangs) fail("a step gave more than a reply can hold");
  if (hangs) { /* what it did up to now depends on when it was ended */
    reply_used = reply->word_count;
    end_record(begin_record(RECORD_HANG));
  }
  reply->word_count = reply_used;
  reply->heartbeat++;
}

static void send_reply(void) {
  const char *from = (const char *)&reply->word_count, *end = (const char *)&reply->words[reply->word_count];
  while (from < end) {
    ssize_t sent = write(STDOUT_FILENO, from, end - from);
    if (sent <= 0) _exit(0);
    from += sent;
  }
}

/* ------------------------------------------------------------------------------------------------- messages */

static struct message { const struct descriptor *from; u64 event, a, b, c, pages; } run; /* page faults side by side, as one */

static void put_message(void) {
  if (run.pages > 0) {
    u64 path[PATH_BYTES / 8];
    memcpy(path, run.from->path, sizeof path);
    u64 at = begin_record(RECORD_MESSAGE);
    const u64 words[] = {path[0], path[1], run.event, run.a, run.b, run.c, run.pages};
    for (size_t i = 0; i < sizeof words / 8; i++) put(words[i]);
    end_record(at);
  }
  run.pages = 0;
}

static void note_message(const struct descriptor *from, u64 event, u64 a, u64 b, u64 c) {
  bool goes_on = run.pages > 0 && run.from == from && run.event == UFFD_EVENT_PAGEFAULT && event == run.event &&
                 b == run.b && a % PAGE == 0 && a == run.a + run.pages * PAGE;
  if (goes_on) {
    run.pages++;
    return;
  }
  put_message();
  run = (struct message){from, event, a, b, c, 1};
}

/* The mapping with the highest start that is not above the address; of two, the later. */
static const struct mapping *mapping_below(u64 address) {
  const struct mapping *best = NULL;
  for (int i = 0; i < mapping_count; i++)
    if (mappings[i].start <= address && (!best || mappings[i].start >= best->start)) best = &mappings[i];
  return best;
}

static void number_pages(u64 bytes, u64 first, u64 step) {
  u64 pages = bytes < COPY_BYTES ? (bytes + PAGE - 1) / PAGE : COPY_BYTES / PAGE;
  for (u64 i = 0; i < pages; i++) *(u64 *)(copy_source + i * PAGE) = first + i * step;
}

enum { ANSWERED, UNANSWERED, TRY_AGAIN };

static int try_answer(int fd, enum answer answer, u64 page, u64 size, u64 first_value) {
  struct uffdio_copy copy = {page, (u64)copy_source, size, 0, 0};
  struct range_result range = {page, size, 0, 0}; /* the ioctls but copy take the range first, then the mode */
  switch (answer) {
    case ANSWER_COPY:
      number_pages(size, first_value, 1);
      return ioctl(fd, UFFDIO_COPY, &copy);
    case ANSWER_ZEROPAGE: return ioctl(fd, UFFDIO_ZEROPAGE, &range);
    case ANSWER_POISON: return ioctl(fd, IOCTL_POISON, &range);
    case ANSWER_UNPROTECT: return ioctl(fd, UFFDIO_WRITEPROTECT, &range);
    case ANSWER_CONTINUE: return ioctl(fd, IOCTL_CONTINUE, &range);
    case ANSWER_NONE: break;
  }
  errno = 0;
  return -1;
}

static int answer_fault(const struct descriptor *d, u64 address, u64 flags) {
  const struct mapping *mapping = mapping_below(address);
  u64 size = mapping && mapping->is_huge ? HUGE_PAGE : PAGE;
  u64 page = address & -size;
  u64 first_value = 1000000 + (mapping ? (page - mapping->start) / PAGE : 0);
  enum answer answer = flags & UFFD_PAGEFAULT_FLAG_WP      ? d->on_wp
                       : flags & UFFD_PAGEFAULT_FLAG_MINOR ? d->on_minor
                                                           : d->on_missing;
  if (!try_answer(d->fd, answer, page, size, first_value)) return ANSWERED;
  return errno == EAGAIN ? TRY_AGAIN : UNANSWERED;
}

/* Answers that came while a call was changing the mappings: they are given once its event has been read. */
static struct retry { int descriptor; u64 address, flags; } retries[MAX_RETRIES];
static int retry_count;

static void answer_or_keep(int descriptor, u64 address, u64 flags) {
  if (answer_fault(&descriptors[descriptor], address, flags) == TRY_AGAIN && retry_count < MAX_RETRIES)
    retries[retry_count++] = (struct retry){descriptor, address, flags};
}

static void adopt_descriptor(int parent, int fd) {
  if (descriptor_count == MAX_DESCRIPTORS) fail("too many userfaultfds");
  struct descriptor *d = &descriptors[descriptor_count++];
  *d = descriptors[parent];
  d->fd = fd;
  d->children = 0;
  if (++d->depth >= PATH_BYTES) fail("a userfaultfd was passed on too often");
  d->path[d->depth] = ++descriptors[parent].children;
}

static void take_message(int descriptor, const struct uffd_msg *m) {
  const struct descriptor *d = &descriptors[descriptor];
  switch (m->event) {
    case UFFD_EVENT_PAGEFAULT:
      note_message(d, m->event, m->arg.pagefault.address, m->arg.pagefault.flags, 0);
      answer_or_keep(descriptor, m->arg.pagefault.address, m->arg.pagefault.flags);
      break;
    case UFFD_EVENT_FORK:
      adopt_descriptor(descriptor, m->arg.fork.ufd);
      note_message(d, m->event, d->children - 1, 0, 0);
      break;
    case UFFD_EVENT_REMAP: note_message(d, m->event, m->arg.remap.from, m->arg.remap.to, m->arg.remap.len); break;
    default: note_message(d, m->event, m->arg.remove.start, m->arg.remove.end, 0);
  }
}

/* Reads and answers all messages that are there, descriptor by descriptor. Tells whether there was anything to do. */
static bool take_messages(void) {
  struct retry kept[MAX_RETRIES];
  int kept_count = retry_count;
  bool any = false;
  memcpy(kept, retries, sizeof kept);
  retry_count = 0;
  for (int i = 0; i < kept_count; i++) answer_or_keep(kept[i].descriptor, kept[i].address, kept[i].flags);
  any = retry_count < kept_count;
  for (int i = 0; i < descriptor_count; i++) {
    struct uffd_msg m;
    while (descriptors[i].is_ready && read(descriptors[i].fd, &m, sizeof m) == sizeof m) {
      take_message(i, &m);
      any = true;
    }
  }
  return any;
}

/* -------------------------------------------------------------------------------------------------- waiting */

static struct job *job_of(int thread) { return &arena[thread / THREADS].jobs[thread % THREADS]; }

static bool take_replies(void) {
  uint16_t ended[64];
  ssize_t bytes = read(replies[0], ended, sizeof ended);
  for (int i = 0; i * 2 < bytes; i++) {
    struct thread *thread = &threads[ended[i]];
    thread->exists = true;
    thread->busy = false;
    if (thread->step >= 0) {
      accesses[thread->step].result = *job_of(ended[i]);
      accesses[thread->step].has_ended = true;
    }
    thread->step = -1;
  }
  return bytes > 0;
}

static int open_of_thread(int thread, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%ld/%s", processes[thread / THREADS].pid, (long)job_of(thread)->tid, name);
  return open(path, O_RDONLY | O_CLOEXEC);
}

/* Whether a thread waits until somebody resolves its page fault. */
static bool waits_for_fault(int thread) {
  static const char function[] = "handle_userfault";
  char name[64] = "";
  if (threads[thread].wchan <= 0) threads[thread].wchan = open_of_thread(thread, "wchan");
  ssize_t length = pread(threads[thread].wchan, name, sizeof name, 0);
  return length == sizeof function - 1 && !memcmp(name, function, length);
}

static int next_busy(int from) {
  while (from < MAX_PROCESSES * THREADS && !threads[from].busy) from++;
  return from;
}

static bool all_wait_for_faults(void) {
  for (int i = next_busy(0); i < MAX_PROCESSES * THREADS; i = next_busy(i + 1))
    if (!waits_for_fault(i)) return false;
  return true;
}

/* Sleeps until there is a reply or a message: what the others wait for may need the CPU, or a disk. */
static void sleep_until_news(void) {
  struct pollfd fds[MAX_DESCRIPTORS + 1] = {{replies[0], POLLIN, 0}};
  int count = 1;
  for (int i = 0; i < descriptor_count; i++)
    if (descriptors[i].is_ready) fds[count++] = (struct pollfd){descriptors[i].fd, POLLIN, 0};
  poll(fds, count, 5);
}

/* Returns when nothing goes on by itself any more: each task has ended, or waits for a fault that nobody answers. */
static void settle(void) {
  u64 deadline = now_ms() + timeout_ms;
  while (!hangs && (next_busy(0) < MAX_PROCESSES * THREADS || retry_count > 0)) {
    sched_yield();
    bool any = take_messages();
    any |= take_replies();
    if (!any) {
      if (retry_count == 0 && all_wait_for_faults()) {
        any = take_messages();
        any |= take_replies();
        if (!any) return;
      } else {
        sleep_until_news();
      }
    }
    hangs = now_ms() > deadline;
  }
}

/* ---------------------------------------------------------------------------------------------------- tasks */

static void start_task(int thread, enum task task) {
  struct job *job = job_of(thread);
  job->task = task;
  job->ends = 0;
  threads[thread].busy = true;
  job->ticket++;
  call(SYS_futex, (u64)&job->ticket, FUTEX_WAKE, 1, 0, 0, 0);
}

/* A new thread says so by a reply, which may have come already. */
static void await_thread(int thread) {
  threads[thread].busy = !threads[thread].exists;
  settle();
}

#define task0(process, task, ...) run_task0(process, task, (u64[7]){__VA_ARGS__})
#define call_of(process, ...) task0(process, TASK_CALL, __VA_ARGS__)
static s64 run_task0(int process, enum task task, const u64 args[7]) {
  int thread = process * THREADS;
  memcpy(job_of(thread)->args, args, sizeof job_of(thread)->args);
  start_task(thread, task);
  settle();
  return threads[thread].busy ? -STATUS_BLOCKED : job_of(thread)->returned;
}

static s64 field_of(const char *text, const char *name) {
  const char *at = strstr(text, name);
  return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

static struct usage usage_of(int process) {
  char text[4096] = "";
  pread(processes[process].status, text, sizeof text - 1, 0);
  return (struct usage){field_of(text, "VmPTE:") * 1024, field_of(text, "RssAnon:") / 4, field_of(text, "RssFile:") / 4,
                        field_of(text, "RssShmem:") / 4, field_of(text, "VmSwap:") / 4};
}

static struct usage difference(struct usage a, struct usage b) {
  return (struct usage){a.tables - b.tables, a.anon - b.anon, a.file - b.file, a.shmem - b.shmem, a.swap - b.swap};
}

static struct usage sum(struct usage a, struct usage b) {
  return (struct usage){a.tables + b.tables, a.anon + b.anon, a.file + b.file, a.shmem + b.shmem, a.swap + b.swap};
}

static void adopt_process(int number, int pid) {
  struct process *process = &processes[number];
  char path[64];
  process->alive = true;
  process->pid = pid;
  snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
  process->pagemap = open(path, O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  process->status = open(path, O_RDONLY | O_CLOEXEC);
  await_thread(number * THREADS);
}

static void forget_threads(int process) {
  for (int i = process * THREADS; i < (process + 1) * THREADS; i++) {
    if (threads[i].wchan > 0) close(threads[i].wchan);
    threads[i] = (struct thread){.step = -1};
  }
}

static void end_process(int number) {
  kill(processes[number].pid, SIGKILL);
  waitpid(processes[number].pid, NULL, 0);
  take_replies();
  close(processes[number].pagemap);
  close(processes[number].status);
  processes[number].alive = false;
  forget_threads(number);
}

/* ---------------------------------------------------------------------------------------------------- steps */

static int new_object(enum kind kind, u64 bytes) {
  char name[4096];
  int fd;
  if (kind == KIND_FILE) {
    fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) { /* not every filesystem can */
      snprintf(name, sizeof name, "%s/object-XXXXXX", folder);
      fd = mkostemp(name, O_CLOEXEC);
      if (fd >= 0) unlink(name);
    }
  } else {
    fd = memfd_create("scenario", MFD_CLOEXEC | (kind == KIND_HUGETLB ? MFD_HUGETLB | MFD_HUGE_2MB : 0));
  }
  if (fd >= 0 && ftruncate(fd, bytes) == 0) return fd;
  int why = errno;
  if (fd >= 0) close(fd);
  return -why;
}

static void note_mapping(u64 start, bool is_huge) {
  if (mapping_count < MAX_MAPPINGS) mappings[mapping_count++] = (struct mapping){start, is_huge};
}

/* args: start, length, protection, is shared, kind, object from 1 or 0, offset, bytes of a new object or ~0 */
static s64 do_mmap(int process, const u64 *a) {
  enum kind kind = a[4];
  int fd = -1;
  note_mapping(a[0], kind == KIND_HUGETLB);
  if (a[5] > 0) {
    int *object = &objects[a[5] - 1];
    if (a[7] != ~0ull) *object = new_object(kind, a[7]);
    if (*object < 0) return *object;
    fd = *object;
  }
  u64 flags = MAP_FIXED_NOREPLACE | (a[3] ? MAP_SHARED : MAP_PRIVATE) | (fd < 0 ? MAP_ANONYMOUS : 0) |
              (kind == KIND_HUGETLB ? 0 : MAP_NORESERVE);
  s64 result = call_of(process, SYS_mmap, a[0], a[1], a[2], flags, fd, a[6]);
  if (result >= 0 && kind == KIND_FILE) call_of(process, SYS_madvise, a[0], a[1], MADV_RANDOM); /* no read-ahead */
  return result;
}

/* args: start, length, new length, flags, new start or 0, whether that is of huge pages */
static s64 do_mremap(int process, const u64 *a) {
  if (a[4] != 0) note_mapping(a[4], a[5]);
  return call_of(process, SYS_mremap, a[0], a[1], a[2], a[3], a[4]);
}

/* args: number of the child */
static s64 do_fork(int process, const u64 *a) {
  int child = a[0];
  s64 pid = task0(process, TASK_FORK, child);
  if (pid < 0) return pid;
  adopt_process(child, pid);
  processes[child].base = sum(processes[0].base, child_surplus);
  return 0;
}

/* args: path (two words), features, flags, answers to missing, wp and minor faults */
static s64 do_uffd(int process, const u64 *a, u64 offered[2]) {
  s64 fd = call_of(process, SYS_userfaultfd, a[3] | O_NONBLOCK | O_CLOEXEC);
  if (descriptor_count == MAX_DESCRIPTORS) fail("too many userfaultfds");
  struct descriptor *d = &descriptors[descriptor_count++];
  *d = (struct descriptor){.fd = fd, .on_missing = a[4], .on_wp = a[5], .on_minor = a[6]};
  memcpy(d->path, a, PATH_BYTES);
  if (fd < 0) return fd;
  struct uffdio_api api = {UFFD_API, a[2], 0};
  if (ioctl(fd, UFFDIO_API, &api)) return -errno;
  d->is_ready = true;
  offered[0] = api.features;
  offered[1] = api.ioctls;
  return 0;
}

static struct descriptor *find_descriptor(const u64 *path) {
  static struct descriptor none = {.fd = -1};
  for (int i = 0; i < descriptor_count; i++)
    if (!memcmp(descriptors[i].path, path, PATH_BYTES)) return &descriptors[i];
  return &none;
}

static s64 do_close(struct descriptor *d) {
  int result = close(d->fd) ? -errno : 0;
  d->fd = -1;
  d->is_ready = false;
  return result;
}

/* args: path, start, length, mode, first value, what is added for each page */
static s64 do_copy(int fd, const u64 *a, s64 *done) {
  struct uffdio_copy copy = {a[2], (u64)copy_source, a[3], a[4], 0};
  number_pages(a[3], a[5], a[6]);
  int result = ioctl(fd, UFFDIO_COPY, &copy) ? -errno : 0;
  if (copy.copy >= COPY_BYTES && a[3] > COPY_BYTES) fail("a copy of more than 64 MiB");
  *done = copy.copy;
  return result;
}

/* args: path, destination, length, mode, source */
static s64 do_move(int process, int fd, const u64 *a, s64 *done) {
  struct move_args *move = &arena[process].move; /* the kernel reads it from the subject's memory */
  *move = (struct move_args){a[2], a[5], a[3], a[4], 0};
  s64 result = call_of(process, SYS_ioctl, fd, IOCTL_MOVE, (u64)move);
  *done = move->done;
  return result;
}

static s64 range_call(int fd, unsigned long request, const u64 *a, s64 *done) {
  struct range_result args = {a[2], a[3], a[4], 0};
  int result = ioctl(fd, request, &args);
  *done = args.done;
  return result ? -errno : 0;
}

/* args: path, start, length and what else the ioctl takes. Returns 0 or a negated errno. */
static s64 descriptor_call(enum operation operation, const u64 *a, s64 *more) {
  struct descriptor *d = find_descriptor(a);
  struct uffdio_register registration = {{a[2], a[3]}, a[4], 0};
  struct uffdio_writeprotect protection = {{a[2], a[3]}, a[4]};
  struct uffdio_range range = {a[2], a[3]};
  int result = 0;
  switch (operation) {
    case OP_CLOSE: return do_close(d);
    case OP_COPY: return do_copy(d->fd, a, more);
    case OP_ZEROPAGE: return range_call(d->fd, UFFDIO_ZEROPAGE, a, more);
    case OP_CONTINUE: return range_call(d->fd, IOCTL_CONTINUE, a, more);
    case OP_POISON: return range_call(d->fd, IOCTL_POISON, a, more);
    case OP_REGISTER:
      result = ioctl(d->fd, UFFDIO_REGISTER, &registration);
      *more = registration.ioctls;
      break;
    case OP_UNREGISTER: result = ioctl(d->fd, UFFDIO_UNREGISTER, &range); break;
    case OP_WAKE: result = ioctl(d->fd, UFFDIO_WAKE, &range); break;
    case OP_WRITEPROTECT: result = ioctl(d->fd, UFFDIO_WRITEPROTECT, &protection); break;
    default: fail("unknown operation");
  }
  return result ? -errno : 0;
}

static int idle_thread(int process) {
  for (int i = 1; i < THREADS; i++)
    if (!threads[process * THREADS + i].busy) return process * THREADS + i;
  return -1;
}

/* args: address, number of accesses, bytes from one to the next, whether they write, value. False: there is no thread. */
static bool start_access(int process, const u64 *a) {
  int thread = idle_thread(process);
  if (thread < 0) return false;
  if (!threads[thread].exists) {
    if (threads[process * THREADS].busy) return false;
    task0(process, TASK_THREAD, thread % THREADS);
    await_thread(thread);
  }
  struct job *job = job_of(thread);
  memcpy(job->args, a, 4 * sizeof *a);
  memset(job->outcomes, 0, sizeof job->outcomes);
  job->value = a[4];
  threads[thread].step = step_now;
  accesses[step_now].thread = thread;
  start_task(thread, TASK_ACCESS);
  settle();
  job->ends = 1;
  return true;
}

/* The faults of a thread that waits: fields 10 and 12 of its stat. */
static void faults_up_to_now(int thread, u64 faults[2]) {
  char text[1024] = "";
  int fd = open_of_thread(thread, "stat");
  pread(fd, text, sizeof text - 1, 0);
  close(fd);
  const char *at = strrchr(text, ')');
  if (at) sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %lu %*u %lu", &faults[0], &faults[1]);
  for (int i = 0; i < 2; i++) faults[i] -= job_of(thread)->faults_before[i];
}

/* Result: 0, times of each outcome, the value, minor and major faults. */
static void put_access(int step) {
  const struct access *access = &accesses[step];
  if (!access->has_ended && (access->thread < 0 || !processes[access->thread / THREADS].alive)) {
    put_result(ESRCH);
    return;
  }
  struct job job = access->has_ended ? access->result : *job_of(access->thread);
  if (!access->has_ended) {
    job.outcomes[OUTCOME_BLOCKED] = 1;
    faults_up_to_now(access->thread, job.faults);
  }
  put_result(0, job.outcomes[OUTCOME_OK], job.outcomes[OUTCOME_BLOCKED], job.outcomes[OUTCOME_SIGBUS],
             job.outcomes[OUTCOME_SIGSEGV], job.value, job.faults[0], job.faults[1]);
}

/* args: start, pages. Result: 0, then for each run of equal pages its length and the bits 55 to 63 of their words. */
static void put_pagemap(int process, const u64 *a) {
  u64 at = begin_record(RECORD_RESULT), run_pages = 0, run_bits = 0;
  put(0);
  for (u64 page = 0; page < a[1];) {
    u64 count = a[1] - page < PAGEMAP_CHUNK ? a[1] - page : PAGEMAP_CHUNK;
    ssize_t bytes = pread(processes[process].pagemap, pagemap_words, count * 8, (a[0] / PAGE + page) * 8);
    bool is_past_end = bytes <= 0; /* of user space: there are no words */
    if (is_past_end) count = 1, pagemap_words[0] = 0;
    else count = bytes / 8;
    for (u64 i = 0; i < count; i++) {
      u64 bits = pagemap_words[i] >> 55 & 0x1CF;
      if (bits != run_bits && run_pages > 0) put(run_pages), put(run_bits), run_pages = 0;
      run_bits = bits;
      run_pages += is_past_end ? a[1] - page : 1;
    }
    page += is_past_end ? a[1] - page : count;
  }
  if (run_pages > 0) put(run_pages), put(run_bits);
  end_record(at);
}

/* args: start, end, flags, inverted, mask, any of, returned, most pages, most regions */
static void put_scan(int process, const u64 *a) {
  struct scan_args scan = {sizeof scan, a[2], a[0], a[1], 0, (u64)regions, a[8], a[7], a[3], a[4], a[5], a[6]};
  int found = ioctl(processes[process].pagemap, IOCTL_PAGEMAP_SCAN, &scan);
  u64 at = begin_record(RECORD_RESULT);
  put(found < 0 ? errno : 0);
  if (found >= 0) put(found), put(scan.walk_end);
  for (int i = 0; i < found; i++) put(regions[i].start), put(regions[i].end), put(regions[i].categories);
  end_record(at);
}

static void put_stat(int process) {
  struct usage more = difference(usage_of(process), processes[process].base);
  put_result(0, more.tables, more.anon, more.file, more.shmem, more.swap);
}

/* Result: status, and what the call filled in besides. */
static void put_returned(s64 returned, const u64 more[2]) { put_result(returned < 0 ? -returned : 0, more[0], more[1]); }

static s64 subject_call(enum operation operation, int process, const u64 *a, u64 more[2]) {
  switch (operation) {
    case OP_MMAP: return do_mmap(process, a);
    case OP_MUNMAP: return call_of(process, SYS_munmap, a[0], a[1]);
    case OP_MPROTECT: return call_of(process, SYS_mprotect, a[0], a[1], a[2]);
    case OP_MADVISE: return call_of(process, SYS_madvise, a[0], a[1], a[2]);
    case OP_MREMAP: return do_mremap(process, a);
    case OP_FORK: return do_fork(process, a);
    case OP_UFFD: return do_uffd(process, a, more);
    default: return do_move(process, find_descriptor(a)->fd, a, (s64 *)more);
  }
}

static void do_access(int process, const u64 *a) {
  bool is_started = start_access(process, a);
  put_message();
  if (is_started) put_access(step_now);
  else put_result(STATUS_UNSUPPORTED);
}

/* A step: operation, process, arguments. */
static void do_step(const u64 *step) {
  enum operation operation = step[0];
  int process = step[1];
  const u64 *a = step + 2;
  u64 more[2] = {0, 0};
  s64 returned = 0;
  if (operation == OP_RESUME) {
    settle();
    put_message();
    put_access(a[0]);
    return;
  }
  if (!processes[process].alive) {
    settle();
    put_message();
    put_result(ESRCH);
    return;
  }
  if (operation <= OP_MOVE) {
    if (threads[process * THREADS].busy) returned = -STATUS_UNSUPPORTED;
    else returned = subject_call(operation, process, a, more);
  } else {
    switch (operation) {
      case OP_EXIT: end_process(process); break;
      case OP_ACCESS: return do_access(process, a);
      case OP_PAGEMAP: return put_pagemap(process, a);
      case OP_SCAN: return put_scan(process, a);
      case OP_STAT: return put_stat(process);
      default: returned = descriptor_call(operation, a, (s64 *)more);
    }
  }
  settle();
  put_message();
  put_returned(returned, more);
}

/* ---------------------------------------------------------------------------------------------- scenarios */

static void begin_scenario(void) {
  hangs = false;
  long pid = start_subject(&arena[0], 0);
  if (pid < 0) fail_to_begin("cannot clone");
  adopt_process(0, pid);
  if (hangs) fail_to_begin("a new process does not get the CPU");
  processes[0].base = usage_of(0);
}

static void end_scenario(void) {
  for (int i = 0; i < MAX_PROCESSES; i++)
    if (processes[i].alive) end_process(i);
  for (int i = 0; i < descriptor_count; i++)
    if (descriptors[i].fd >= 0) close(descriptors[i].fd);
  for (int i = 0; i < MAX_MAPPINGS; i++) {
    if (objects[i] >= 0) close(objects[i]);
    objects[i] = -EBADF;
  }
  descriptor_count = mapping_count = retry_count = run.pages = 0;
  while (take_replies());
}

static void run_scenario(const u64 *steps, int count) {
  reply_used = reply->word_count = 0;
  begin_scenario();
  reply->scenarios_begun++;
  for (step_now = 0; step_now < count && !hangs; step_now++) {
    accesses[step_now].thread = -1;
    accesses[step_now].has_ended = false;
    do_step(steps + step_now * RECORD_WORDS);
    end_step();
  }
  /* What hangs may not be killed easily. Whoever reads the reply starts another executor. */
  if (hangs) {
    send_reply();
    for (int i = 0; i < MAX_PROCESSES; i++)
      if (processes[i].alive) kill(processes[i].pid, SIGKILL);
    _exit(0);
  }
  end_scenario();
  send_reply();
}

static void read_records(u64 *to, size_t count) {
  char *at = (char *)to, *end = at + count * RECORD_WORDS * 8;
  while (at < end) {
    ssize_t bytes = read(STDIN_FILENO, at, end - at);
    if (bytes <= 0) _exit(0);
    at += bytes;
  }
}

/* -------------------------------------------------------------------------------------------------- set-up */

/* Memory that subjects do not inherit. */
static void *own_memory(size_t bytes, int flags, int fd) {
  char *memory = mmap(NULL, bytes + PAGE, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, fd, 0);
  if (memory == MAP_FAILED || madvise(memory, bytes + PAGE, MADV_DONTFORK)) fail("cannot have memory");
  mprotect(memory + bytes, PAGE, PROT_NONE); /* so that a copy does not read on in what comes next */
  return memory;
}

#define NEW_MEMORY(bytes) own_memory(bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1)

static void make_memory(void) {
  size_t reply_bytes = (sizeof *reply + PAGE - 1) / PAGE * PAGE;
  int fd = memfd_create("reply", 0);
  if (fd != 3) fail("descriptor 3 is not free"); /* supervisor.ts finds it there */
  if (ftruncate(fd, reply_bytes + PAGE)) fail("cannot have memory for replies");
  reply = own_memory(reply_bytes, MAP_SHARED, fd);
  requests = NEW_MEMORY(MAX_STEPS * RECORD_WORDS * 8);
  accesses = NEW_MEMORY((MAX_STEPS * sizeof *accesses + PAGE - 1) / PAGE * PAGE);
  regions = NEW_MEMORY(MAX_REGIONS * sizeof *regions);
  pagemap_words = NEW_MEMORY(PAGEMAP_CHUNK * 8);
  copy_source = NEW_MEMORY(COPY_BYTES);
}

static void make_arena(void) {
  size_t bytes = MAX_PROCESSES * sizeof *arena;
  char *memory = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || pipe2(replies, O_NONBLOCK | O_CLOEXEC)) fail("cannot have an arena");
  madvise(memory, 2 * bytes, MADV_NOHUGEPAGE);
  arena = (struct slice *)(((u64)memory + bytes - 1) & -bytes); /* so that its slices are within the same upper tables */
}

/* Finds what subjects have to map of this program, and makes what it can write resident. */
static void find_program(void) {
  char line[512], may_write;
  FILE *maps = fopen("/proc/self/maps", "re");
  if (!maps) fail("cannot read /proc/self/maps");
  while (fgets(line, sizeof line, maps)) {
    u64 start, end;
    if (sscanf(line, "%lx-%lx %*c%c", &start, &end, &may_write) != 3) continue;
    if (may_write == 'w') madvise((void *)start, end - start, MADV_POPULATE_WRITE);
    else if (strchr(line, '/') && span_count < MAX_SPANS) spans[span_count++] = (struct span){start, end};
  }
  fclose(maps);
}

static void pin(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof cpus, &cpus)) fail("cannot be on that CPU");
  if (sched_setscheduler(0, SCHED_RR, &(struct sched_param){1})) fail("cannot be scheduled round robin");
}

static void measure_child(void) {
  timeout_ms = 5000;
  begin_scenario();
  if (do_fork(0, (u64[]){1})) fail_to_begin("cannot fork");
  child_surplus = difference(usage_of(1), processes[0].base);
  end_scenario();
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};
  if (argc != 3) return fprintf(stderr, "usage: executor CPU FOLDER\n"), 2;
  if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) { /* keeps this program away from where scenarios map */
    personality(ADDR_NO_RANDOMIZE);
    execv("/proc/self/exe", argv);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  folder = argv[2];
  find_program();
  make_memory();
  make_arena();
  pin(atoi(argv[1]));
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  for (int i = 0; i < MAX_PROCESSES; i++) forget_threads(i);
  for (int i = 0; i < MAX_MAPPINGS; i++) objects[i] = -EBADF;
  measure_child();
  for (;;) { /* a request: number of steps, time limit of a step; then the steps */
    u64 request[RECORD_WORDS];
    read_records(request, 1);
    if (request[0] > MAX_STEPS) fail("too many steps");
    timeout_ms = request[1];
    read_records(requests, request[0]);
    run_scenario(requests, request[0]);
  }
}
