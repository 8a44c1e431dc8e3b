#include "tables.h"

#include "lines.h"

#include <sys/mman.h>

#define PGD_SHIFT 27
#define PUD_SHIFT 18
#define PMD_SHIFT 9

static size_t capacity_for(size_t pages) { return pages / ENTRIES + pages / (ENTRIES * ENTRIES) + 8; }

void create_space(struct space *space, uint64_t first_page, size_t pages) {
  *space = (struct space){.first_page = first_page, .pages = pages, .blocks = 1, .capacity = capacity_for(pages)};
  space->pool = map_fresh(space->capacity * TABLE_BYTES);
  space->info = map_fresh(space->capacity * sizeof(*space->info));
  space->written = map_fresh(space->capacity * sizeof(*space->written));
  space->shadow = map_fresh(pages);
  space->contents = map_fresh((pages + 1) * sizeof(*space->contents));
  space->frames = 1;
}

void destroy_space(struct space *space) {
  munmap(space->pool, space->capacity * TABLE_BYTES);
  munmap(space->info, space->capacity * sizeof(*space->info));
  munmap(space->written, space->capacity * sizeof(*space->written));
  munmap(space->shadow, space->pages);
  munmap(space->contents, (space->pages + 1) * sizeof(*space->contents));
}

static uint64_t *child(struct space *space, uint64_t *table, uint64_t page, int shift) {
  uint64_t *slot = &table[(page >> shift) % ENTRIES];
  if ((*slot & PRESENT) == 0) {
    if (space->blocks == space->capacity) fail("the pool is full");
    *slot = (uint64_t)space->blocks++ * TABLE_BYTES | TABLE_FLAGS;
    space->info[block_of(space, table)].occupied++;
  }
  return table_of(space, *slot);
}

uint64_t *ensure_table(struct space *space, uint64_t page) {
  uint64_t *pud = child(space, (uint64_t *)space->pool, page, PGD_SHIFT);
  uint64_t *pmd = child(space, pud, page, PUD_SHIFT);
  return child(space, pmd, page, PMD_SHIFT);
}

uint64_t protected_entries(const struct space *space) {
  const uint64_t *counters = space->counters;
  return counters[ARMED_NONE] + counters[ARMED_PAGE] + counters[ARMED_ZERO] - counters[DISARMED_MARKER] -
         counters[DISARMED_PAGE] - counters[DISARMED_ZERO];
}
