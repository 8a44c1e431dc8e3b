#include "seed.h"

#include "arming.h"

#include <stdio.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* Names of the trackers that the model calls these rows. */
static const char *const TRACKERS[SEED_ROWS] = {"wp", "wp-pre-read", "wp-populate-read", "wp-unpopulated"};

struct seed_times run_seed_row(enum seed_row row, size_t bytes, enum thp thp) {
  struct region region = map_region(bytes, thp, row == SEED_WP_UNPOPULATE ? FEATURE_WP_UNPOPULATED : 0);
  double start = now_ns();
  if (row == SEED_PRE_READ) read_pages(&region);
  if (row == SEED_MADVISE) advise(&region, MADV_POPULATE_READ, "MADV_POPULATE_READ");
  double prefaulted = row == SEED_PRE_READ || row == SEED_MADVISE ? now_ns() : start;
  protect(&region, 0, bytes);
  double end = now_ns();
  unmap_region(region);
  return (struct seed_times){.prefault_ns = prefaulted - start, .protect_ns = end - prefaulted};
}

static void print_times(enum seed_row row, enum thp thp, struct seed_times times) {
  printf("{\"row\":\"%s\",\"thp\":\"%s\",\"prefaultNs\":%.0f,\"protectNs\":%.0f}\n", TRACKERS[row],
         thp == THP_ON ? "on" : "off", times.prefault_ns, times.protect_ns);
}

static void run_row(enum seed_row row, size_t bytes, enum thp thp, int is_warm) {
  struct seed_times times = run_seed_row(row, bytes, thp);
  if (is_warm) print_times(row, thp, times);
}

/* Costs are sampled again before each row: a host that has changed its speed can then be told from a wrong model. */
static void run_rows(size_t bytes, enum thp thp, int has_huge_pages, int is_warm) {
  for (int i = 0; i < SEED_DEFAULT_RUNS; i++) run_row(SEED_DEFAULT, bytes, thp, is_warm);
  for (int row = SEED_PRE_READ; row < SEED_ROWS; row++) {
    if (is_warm) sample_arming(has_huge_pages);
    run_row(row, bytes, thp, is_warm);
  }
}

void run_seed(size_t bytes, int rounds, int has_huge_pages) {
  /* the page tables of 4 KiB pages, and as much again for what the kernel keeps in reserve */
  warm_memory(bytes / 256 + HUGE_PAGE);
  for (int round = 0; round <= rounds; round++) {
    run_rows(bytes, THP_OFF, has_huge_pages, round > 0);
    if (has_huge_pages) run_rows(bytes, THP_ON, has_huge_pages, round > 0);
    printf("{\"progress\":%.3f}\n", (round + 1.0) / (rounds + 1.0));
  }
}
