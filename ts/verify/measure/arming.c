#include "arming.h"

#include "seed.h"
#include "support.h"

#define MIB ((size_t)1 << 20)
#define VAST_BYTES (4096 * MIB)
#define SMALL_BYTES (256 * MIB)

/* The first row: a call that finds nothing to protect, the first on its mapping. */
static void sample_call(void) {
  for (int i = 0; i < SEED_DEFAULT_RUNS; i++) {
    print_sample("call", run_seed_row(SEED_DEFAULT, VAST_BYTES, THP_OFF).protect_ns, 1);
  }
}

static void sample_row(enum seed_row row, const char *prefault, const char *protect, size_t bytes, enum thp thp) {
  struct seed_times times = run_seed_row(row, bytes, thp);
  size_t entries = thp == THP_ON ? bytes / HUGE_PAGE : bytes / PAGE;
  if (prefault != NULL) print_sample(prefault, times.prefault_ns / (double)entries, entries);
  print_sample(protect, times.protect_ns / (double)entries, entries);
}

/* The experiment of the patch, small: what a comparison multiplies for arming. */
static void sample_small_arming(void) {
  sample_call();
  sample_row(SEED_PRE_READ, "preRead", "protectZeroPage", SMALL_BYTES, THP_OFF);
  sample_row(SEED_MADVISE, "populateRead", "protectZeroPage", SMALL_BYTES, THP_OFF);
  sample_row(SEED_WP_UNPOPULATE, NULL, "protectNone", VAST_BYTES, THP_OFF);
}

/*
 * The same with huge pages, where 2 MiB are one entry. Each takes a page table into reserve, so only a large mapping
 * shows what memory that is not in a cache costs. Markers are of 4 KiB always.
 */
static void sample_huge_arming(void) {
  sample_row(SEED_PRE_READ, "preReadHuge", "protectHugeZeroPage", VAST_BYTES, THP_ON);
  sample_row(SEED_MADVISE, "populateReadHuge", "protectHugeZeroPage", VAST_BYTES, THP_ON);
}

void sample_arming(int has_huge_pages) {
  sample_small_arming();
  if (has_huge_pages) sample_huge_arming();
}
