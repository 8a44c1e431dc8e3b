/* Programs that are asked line by line, so that a benchmark can let several of them take turns. */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>
#include <stdint.h>

/* What follows the name in a line. Records are those of a file that an earlier line has loaded. */
struct task {
  size_t pages;
  size_t accesses;
  uint64_t first_page;
};

struct command {
  const char *name;
  void (*run)(const struct task *task);
};

/* Reads "name pages accesses first-page" until the input ends; "load FILE" maps access records (see records). */
void serve(const struct command *commands, size_t count);

/* Access records: the page number in the lower 35 bits, bit 63 for a write. Those of the last file that was loaded. */
extern const uint64_t *records;

/* How many files have been loaded: what an earlier one left behind is of no use to a later one. */
extern unsigned files_loaded;

/* Prints the nanoseconds of the timed part and numbers that prove the work. */
void answer(double ns, int count, ...);

double now_ns(void);

/* A scan is repeated until this has passed, as our own are: single ones of a few microseconds would measure cold caches. */
#define SCAN_NS 2e6

/* Prints why this program cannot go on, and ends it. */
_Noreturn void fail(const char *what);

/* Zeroed pages that nobody has touched, never huge ones. */
void *map_fresh(size_t bytes);

#define PAGE_MASK (((uint64_t)1 << 35) - 1)

#endif
