/* The experiment of the patch series that added WP_UNPOPULATED: memory that nobody touched is armed in four ways. */
#ifndef SEED_H
#define SEED_H

#include "support.h"

enum seed_row { SEED_DEFAULT, SEED_PRE_READ, SEED_MADVISE, SEED_WP_UNPOPULATE, SEED_ROWS };

/*
 * The first row takes a microsecond, and three times that when what ran before it has emptied the caches: it is run so
 * often in a row, each time on a mapping of its own.
 */
#define SEED_DEFAULT_RUNS 16

/* Nanoseconds of making the pages exist (0 where a row does not) and of the ioctl that protects them. */
struct seed_times {
  double prefault_ns;
  double protect_ns;
};

/* Runs one row on a mapping of its own. Timed are pre-faulting and protecting; mapping and registering are not. */
struct seed_times run_seed_row(enum seed_row row, size_t bytes, enum thp thp);

/* Runs all rows in turn, so many rounds after one that warms up, and prints every time. */
void run_seed(size_t bytes, int rounds, int has_huge_pages);

#endif
