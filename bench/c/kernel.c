/* The same work by the kernel of this machine: real memory, real faults. Prints nanoseconds and proof of the work. */
#include "answer-faults.h"
#include "lines.h"
#include "pick.h"
#include "region.h"

#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum contents { NOTHING, EMPTY, PRESENT_PAGES, MIXED, CLEAN, ONE_IN_100, WRITTEN, HOLE, POPULATED, REPLAYED, SYNC };

static struct region region;
static enum contents contents = NOTHING;
static unsigned replayed_file;

static void renew(size_t pages, enum fault_mode mode, enum contents now) {
  if (contents != NOTHING) unmap_region(&region);
  region = map_region(pages, mode);
  contents = now;
}

/* Returns whether the region has to be filled. */
static int need(enum contents wanted, size_t pages, enum fault_mode mode) {
  if (contents == wanted && region.pages == pages) return 0;
  renew(pages, mode, wanted);
  return 1;
}

static double time_protect(void) {
  double start = now_ns();
  protect(&region, 0, region.pages);
  return now_ns() - start;
}

static double time_unprotect(void) {
  double start = now_ns();
  unprotect(&region, 0, region.pages);
  return now_ns() - start;
}

static void first_protect(const struct task *task) {
  renew(task->pages, FAULTS_SYNC, EMPTY);
  double ns = time_protect();
  answer(ns, 1, protected_pages(&region));
}

static void protect_none(const struct task *task) {
  if (need(EMPTY, task->pages, FAULTS_SYNC)) protect(&region, 0, region.pages);
  unprotect(&region, 0, region.pages);
  double ns = time_protect();
  answer(ns, 1, protected_pages(&region));
}

static void unprotect_markers(const struct task *task) {
  need(EMPTY, task->pages, FAULTS_SYNC);
  protect(&region, 0, region.pages);
  double ns = time_unprotect();
  answer(ns, 1, protected_pages(&region));
}

static void protect_present(const struct task *task) {
  if (need(PRESENT_PAGES, task->pages, FAULTS_SYNC)) write_all(&region);
  else unprotect(&region, 0, region.pages);
  double ns = time_protect();
  answer(ns, 1, protected_pages(&region));
}

static void unprotect_present(const struct task *task) {
  if (need(PRESENT_PAGES, task->pages, FAULTS_SYNC)) write_all(&region);
  protect(&region, 0, region.pages);
  double ns = time_unprotect();
  answer(ns, 1, protected_pages(&region));
}

/* Without swap, which a machine need not have. */
static void fill_mixed(void) {
  for (size_t page = 0; page < region.pages; page++) {
    enum kind kind = mixed_kind((uint32_t)page, KIND_SWAPPED);
    if (kind == KIND_ZERO_PAGE) read_page(&region, page);
    else if (kind == KIND_WRITTEN) write_page(&region, page);
  }
}

static void protect_mixed(const struct task *task) {
  if (need(MIXED, task->pages, FAULTS_SYNC)) fill_mixed();
  else unprotect(&region, 0, region.pages);
  for (size_t page = 0; page < region.pages; page++)
    if (mixed_kind((uint32_t)page, KIND_SWAPPED) == KIND_MARKER) protect(&region, page, 1);
  double ns = time_protect();
  answer(ns, 1, protected_pages(&region));
}

static void populate_read(const struct task *task) {
  renew(task->pages, FAULTS_SYNC, POPULATED);
  double start = now_ns();
  if (madvise(region.start, region.pages * PAGE, MADV_POPULATE_READ) != 0) fail("MADV_POPULATE_READ");
  double ns = now_ns() - start;
  answer(ns, 1, present_pages(&region));
}

/* Pages are protected by the kernel (async) and written to where they are to be found. */
static void fill_scanned(enum contents what) {
  write_all(&region);
  protect(&region, 0, region.pages);
  if (what == WRITTEN) write_all(&region);
  if (what != ONE_IN_100) return;
  for (size_t page = 0; page < region.pages; page++)
    if (is_one_in_100((uint32_t)page)) write_page(&region, page);
}

static void run_scan(const struct task *task, enum contents what) {
  static struct scan_region *regions;
  size_t capacity = (size_t)1 << 20;
  if (need(what, task->pages, FAULTS_ASYNC)) fill_scanned(what);
  if (regions == NULL) regions = map_fresh(capacity * sizeof(*regions));
  size_t count = 0, passes = 0;
  double start = now_ns(), ns = 0;
  for (; ns < SCAN_NS; passes++) {
    count = scan_written(&region, regions, capacity);
    ns = now_ns() - start;
  }
  uint64_t pages = 0;
  for (size_t i = 0; i < count; i++) pages += (regions[i].end - regions[i].start) / PAGE;
  answer(ns / (double)passes, 2, (uint64_t)count, pages);
}

static void scan_clean(const struct task *task) { run_scan(task, CLEAN); }
static void scan_one_in_100(const struct task *task) { run_scan(task, ONE_IN_100); }
static void scan_all_written(const struct task *task) { run_scan(task, WRITTEN); }

/* Nothing is there, not even a table. */
static void scan_empty(const struct task *task) {
  static struct scan_region found[8];
  need(HOLE, task->pages, FAULTS_ASYNC);
  double start = now_ns();
  size_t count = scan_written(&region, found, sizeof(found) / sizeof(*found));
  double ns = now_ns() - start;
  answer(ns, 2, (uint64_t)count, (found[0].end - found[0].start) / PAGE);
}

/* Whether an access reads or writes cannot be predicted, so it is no branch: the other one goes to a page that is always there. */
static double time_accesses(const struct task *task) {
  replayed_file = files_loaded;
  static volatile uint64_t elsewhere;
  intptr_t other = (intptr_t)&elsewhere;
  double start = now_ns();
  for (size_t i = 0; i < task->accesses; i++) {
    intptr_t page = (intptr_t)(region.start + ((records[i] & PAGE_MASK) - task->first_page) * PAGE);
    intptr_t if_write = (page ^ other) & -(intptr_t)(records[i] >> 63);
    *(volatile uint64_t *)(other ^ if_write) = 1;
    *(volatile uint64_t *)(page ^ if_write);
  }
  return now_ns() - start;
}

/* Pages that were written to are not protected any more, and what was only read still is. */
static void answer_accesses(double ns) { answer(ns, 1, protected_pages(&region)); }

static void replay(const struct task *task) {
  renew(task->pages, FAULTS_ASYNC, REPLAYED);
  protect(&region, 0, region.pages);
  answer_accesses(time_accesses(task));
}

static int is_replayed(const struct task *task) {
  return contents == REPLAYED && region.pages == task->pages && replayed_file == files_loaded;
}

/* The same accesses again. */
static void replay_steady(const struct task *task) {
  if (!is_replayed(task)) {
    renew(task->pages, FAULTS_ASYNC, REPLAYED);
    protect(&region, 0, region.pages);
    time_accesses(task);
  }
  answer_accesses(time_accesses(task));
}

static void touch_all_after_arm(const struct task *task) {
  renew(task->pages, FAULTS_ASYNC, REPLAYED);
  double armed_ns = time_protect();
  answer_accesses(armed_ns + time_accesses(task));
}

/* Writes to protected present pages, one fault each. */
static void write_faults(const struct task *task) {
  if (!is_replayed(task)) {
    renew(task->pages, FAULTS_ASYNC, REPLAYED);
    time_accesses(task);
  }
  protect(&region, 0, region.pages);
  answer_accesses(time_accesses(task));
}

/* The same with a thread that answers. */
static void write_faults_sync(const struct task *task) {
  if (need(SYNC, task->pages, FAULTS_SYNC)) write_all(&region);
  protect(&region, 0, region.pages);
  start_answering(&region);
  double start = now_ns();
  write_all(&region);
  double ns = now_ns() - start;
  uint64_t answered = stop_answering();
  answer(ns, 2, protected_pages(&region), answered);
}

int main(void) {
  static const struct command commands[] = {
      {"first-protect", first_protect},
      {"protect-none", protect_none},
      {"unprotect-markers", unprotect_markers},
      {"protect-present", protect_present},
      {"unprotect-present", unprotect_present},
      {"protect-mixed", protect_mixed},
      {"populate-read", populate_read},
      {"scan-clean", scan_clean},
      {"scan-1pct", scan_one_in_100},
      {"scan-written", scan_all_written},
      {"scan-empty", scan_empty},
      {"replay", replay},
      {"replay-steady", replay_steady},
      {"touch-all-after-arm", touch_all_after_arm},
      {"write-fault", write_faults},
      {"write-fault-sync", write_faults_sync},
  };
  serve(commands, sizeof(commands) / sizeof(*commands));
  return 0;
}
