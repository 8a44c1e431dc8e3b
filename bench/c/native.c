/* The engine's work in C, written for the best code that the compiler makes. Prints nanoseconds and proof of the work. */
#include "lines.h"
#include "pick.h"
#include "tables.h"

#include <string.h>

#define FIRST_PAGE ((uint64_t)1 << 32)
#define VALUE 1

enum contents { NOTHING, EMPTY, PRESENT_PAGES, MIXED, CLEAN, ONE_IN_100, WRITTEN, REPLAYED };

static struct space space;
static enum contents contents = NOTHING;
static unsigned replayed_file;

static void renew(uint64_t first_page, size_t pages, enum contents now) {
  if (contents != NOTHING) destroy_space(&space);
  create_space(&space, first_page, pages);
  contents = now;
}

/* Returns whether the space has to be filled. */
static int need(enum contents wanted, size_t pages) {
  if (contents == wanted && space.pages == pages) return 0;
  renew(FIRST_PAGE, pages, wanted);
  return 1;
}

static void access_page(uint64_t page, int is_write) {
  uint64_t record = page | (uint64_t)is_write << 63;
  ensure_table(&space, page);
  replay(&space, &record, 1, VALUE);
}

static void write_all(void) {
  for (size_t i = 0; i < space.pages; i++) access_page(FIRST_PAGE + i, 1);
}

static uint64_t markers(void) {
  uint64_t found = 0;
  for (size_t i = 0; i < space.pages; i++) found += find_table(&space, space.first_page + i)[i % ENTRIES] == MARKER;
  return found;
}

static double time_protect(void) {
  double start = now_ns();
  protect(&space, space.first_page, space.pages);
  return now_ns() - start;
}

static double time_unprotect(void) {
  double start = now_ns();
  unprotect(&space, space.first_page, space.pages);
  return now_ns() - start;
}

static void first_protect(const struct task *task) {
  renew(FIRST_PAGE, task->pages, EMPTY);
  double ns = time_protect();
  answer(ns, 1, markers());
}

static void protect_none(const struct task *task) {
  if (need(EMPTY, task->pages)) protect(&space, FIRST_PAGE, task->pages);
  unprotect(&space, FIRST_PAGE, task->pages);
  double ns = time_protect();
  answer(ns, 1, markers());
}

static void unprotect_markers(const struct task *task) {
  need(EMPTY, task->pages);
  protect(&space, FIRST_PAGE, task->pages);
  double ns = time_unprotect();
  answer(ns, 1, markers());
}

static void protect_present(const struct task *task) {
  if (need(PRESENT_PAGES, task->pages)) write_all();
  else unprotect(&space, FIRST_PAGE, task->pages);
  double ns = time_protect();
  answer(ns, 1, protected_entries(&space));
}

static void unprotect_present(const struct task *task) {
  if (need(PRESENT_PAGES, task->pages)) write_all();
  protect(&space, FIRST_PAGE, task->pages);
  double ns = time_unprotect();
  answer(ns, 1, protected_entries(&space));
}

static void put_in_swap(uint64_t page, uint64_t slot) {
  uint64_t *table = ensure_table(&space, page);
  struct table_info *info = &space.info[block_of(&space, table)];
  table[page % ENTRIES] = (~slot & (((uint64_t)1 << 50) - 1)) << 9;
  info->occupied++;
  info->swapped++;
}

static void fill_mixed(void) {
  for (size_t i = 0; i < space.pages; i++) {
    enum kind kind = mixed_kind((uint32_t)i, KINDS);
    ensure_table(&space, FIRST_PAGE + i);
    if (kind == KIND_SWAPPED) put_in_swap(FIRST_PAGE + i, i + 1);
    else if (kind == KIND_ZERO_PAGE || kind == KIND_WRITTEN) access_page(FIRST_PAGE + i, kind == KIND_WRITTEN);
  }
}

static void prepare_mixed(size_t pages) {
  if (need(MIXED, pages)) fill_mixed();
  else unprotect(&space, FIRST_PAGE, pages);
  for (size_t i = 0; i < pages; i++)
    if (mixed_kind((uint32_t)i, KINDS) == KIND_MARKER) protect(&space, FIRST_PAGE + i, 1);
}

static void answer_mixed(double ns) {
  uint64_t swapped = 0;
  for (size_t i = 0; i < space.pages; i++) {
    uint64_t entry = find_table(&space, FIRST_PAGE + i)[i % ENTRIES];
    swapped += (entry & PRESENT) == 0 && entry != MARKER && (entry & SWAP_UFFD_WP) != 0;
  }
  answer(ns, 2, protected_entries(&space), swapped);
}

static void run_mixed(const struct task *task) {
  prepare_mixed(task->pages);
  answer_mixed(time_protect());
}

static void run_mixed_branchy(const struct task *task) {
  prepare_mixed(task->pages);
  double start = now_ns();
  protect_branchy(&space, FIRST_PAGE, space.pages);
  answer_mixed(now_ns() - start);
}

static void fill_scanned(enum contents what) {
  write_all();
  if (what == WRITTEN) return;
  protect(&space, FIRST_PAGE, space.pages);
  if (what == CLEAN) return;
  for (size_t i = 0; i < space.pages; i++)
    if (is_one_in_100((uint32_t)i)) access_page(FIRST_PAGE + i, 1);
}

static void run_scan(const struct task *task, enum contents what) {
  static struct scan_region *regions;
  if (need(what, task->pages)) fill_scanned(what);
  if (regions == NULL) regions = map_fresh(((size_t)1 << 20) * sizeof(*regions));
  size_t count = 0, passes = 0;
  double start = now_ns(), ns = 0;
  for (; ns < SCAN_NS; passes++) {
    count = scan_written(&space, regions);
    ns = now_ns() - start;
  }
  uint64_t pages = 0;
  for (size_t i = 0; i < count; i++) pages += regions[i].end - regions[i].first;
  answer(ns / (double)passes, 2, (uint64_t)count, pages);
}

static void scan_clean(const struct task *task) { run_scan(task, CLEAN); }
static void scan_one_in_100(const struct task *task) { run_scan(task, ONE_IN_100); }
static void scan_all_written(const struct task *task) { run_scan(task, WRITTEN); }

static double time_replay(const struct task *task) {
  replayed_file = files_loaded;
  memset(space.counters, 0, sizeof(space.counters));
  double start = now_ns();
  replay(&space, records, task->accesses, VALUE);
  return now_ns() - start;
}

static int is_replayed(const struct task *task) {
  return contents == REPLAYED && space.pages == task->pages && replayed_file == files_loaded;
}

static void answer_replay(double ns) {
  const uint64_t *counters = space.counters;
  answer(ns, 4, counters[WP_FAULTS], counters[ZERO_PAGE_FAULTS], counters[ALLOCATE_FAULTS], counters[COPY_FAULTS]);
}

/* Memory has been used before, as the engine's has. */
static void renew_used(const struct task *task) {
  renew(task->first_page, task->pages, REPLAYED);
  memset(space.pool, 0, space.capacity * TABLE_BYTES);
  memset(space.written, 0, space.capacity * sizeof(*space.written));
  memset(space.contents, 0, (task->pages + 1) * sizeof(*space.contents));
  memset(space.shadow, 0, task->pages);
}

static void run_replay(const struct task *task) {
  renew_used(task);
  protect(&space, task->first_page, task->pages);
  answer_replay(time_replay(task));
}

/* The same accesses again. */
static void run_replay_steady(const struct task *task) {
  if (!is_replayed(task)) {
    renew(task->first_page, task->pages, REPLAYED);
    protect(&space, task->first_page, task->pages);
    time_replay(task);
  }
  answer_replay(time_replay(task));
}

/* Protects memory of which nothing is mapped but which this process has used before, then writes to all of it (records). */
static void touch_all_after_arm(const struct task *task) {
  renew_used(task);
  double armed_ns = time_protect();
  answer_replay(armed_ns + time_replay(task));
}

/* Writes to protected present pages, one fault each (records). */
static void run_write_faults(const struct task *task) {
  if (!is_replayed(task)) {
    renew(task->first_page, task->pages, REPLAYED);
    protect(&space, task->first_page, task->pages);
    time_replay(task);
  }
  protect(&space, task->first_page, task->pages);
  answer_replay(time_replay(task));
}

int main(void) {
  static const struct command commands[] = {
      {"first-protect", first_protect},
      {"protect-none", protect_none},
      {"unprotect-markers", unprotect_markers},
      {"protect-present", protect_present},
      {"unprotect-present", unprotect_present},
      {"protect-mixed", run_mixed},
      {"protect-mixed-branchy", run_mixed_branchy},
      {"scan-clean", scan_clean},
      {"scan-1pct", scan_one_in_100},
      {"scan-written", scan_all_written},
      {"replay", run_replay},
      {"replay-steady", run_replay_steady},
      {"touch-all-after-arm", touch_all_after_arm},
      {"write-fault", run_write_faults},
  };
  serve(commands, sizeof(commands) / sizeof(*commands));
  return 0;
}
