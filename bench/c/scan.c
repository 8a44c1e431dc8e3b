/* PAGEMAP_SCAN for PAGE_IS_WRITTEN out of the bitmaps of the tables: the entries are not read. */
#include "tables.h"

#define CATEGORY_WRITTEN 2

/* The end of one run and the start of another, alternately. */
struct runs {
  struct scan_region *regions;
  size_t count;
  int is_open;
};

static void put_edge(struct runs *runs, uint64_t page) {
  struct scan_region *region = &runs->regions[runs->count];
  if (runs->is_open) {
    region->end = page;
    runs->count++;
  } else {
    region->first = page;
    region->categories = CATEGORY_WRITTEN;
  }
  runs->is_open = !runs->is_open;
}

/* A bit of `edges` is set where written and not written meet. */
static void scan_word(struct runs *runs, uint64_t word, uint64_t page) {
  uint64_t edges = word ^ (word << 1 | (uint64_t)runs->is_open);
  for (; edges != 0; edges &= edges - 1) put_edge(runs, page + (uint64_t)__builtin_ctzll(edges));
}

static int is_clean(const uint64_t *words) {
  uint64_t any = 0;
  for (int i = 0; i < WRITTEN_WORDS; i++) any |= words[i];
  return any == 0;
}

size_t scan_written(const struct space *space, struct scan_region *regions) {
  struct runs runs = {.regions = regions};
  uint64_t end = space->first_page + space->pages;
  for (uint64_t page = space->first_page; page < end; page += ENTRIES) {
    const uint64_t *words = space->written[block_of(space, find_table(space, page))];
    if (!runs.is_open && is_clean(words)) continue;
    for (int i = 0; i < WRITTEN_WORDS; i++) scan_word(&runs, words[i], page + (uint64_t)i * 64);
  }
  if (runs.is_open) put_edge(&runs, end);
  return runs.count;
}
