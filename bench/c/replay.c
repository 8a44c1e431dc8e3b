/*
 * Accesses in a batch. The shadow alone says which of them change nothing; those that do are listed first and then carried out without
 * a branch on what they find, since it cannot be predicted. Entries are none, marker, zero page or page; swap is not replayed.
 */
#include "tables.h"

#include "lines.h"

#include <string.h>

#define BLOCK 256
#define ZERO_PAGE (PROTECTION_READ | SPECIAL | FIRST_FRAME_PFN << 12)
#define PAGE (PROTECTION_READ | WRITABLE | DIRTY)

/* Bits of a situation: of the entry its present, special and uffd-wp bit, which tell the states apart; and whether it is a write. */
enum { S_PRESENT = 1, S_ZERO = 2, S_WP = 4, S_WRITE = 8, SITUATIONS = 16 };

/* What an access makes of the entry that it finds. */
struct transition {
  uint64_t keep, set, new_frame;
};

static const struct transition transitions[SITUATIONS] = {
    [0] = {0, ZERO_PAGE, 0},
    [S_WP] = {0, ZERO_PAGE | UFFD_WP, 0},
    [S_PRESENT] = {~(uint64_t)0, 0, 0},
    [S_PRESENT | S_WP] = {~(uint64_t)0, 0, 0},
    [S_PRESENT | S_ZERO] = {~(uint64_t)0, 0, 0},
    [S_PRESENT | S_ZERO | S_WP] = {~(uint64_t)0, 0, 0},
    [S_WRITE] = {0, PAGE, 1},
    [S_WRITE | S_WP] = {0, PAGE, 1},
    [S_WRITE | S_PRESENT] = {PFN_MASK, PAGE, 0},
    [S_WRITE | S_PRESENT | S_WP] = {PFN_MASK, PAGE, 0},
    [S_WRITE | S_PRESENT | S_ZERO] = {0, PAGE, 1},
    [S_WRITE | S_PRESENT | S_ZERO | S_WP] = {0, PAGE, 1},
};

/* The faults that each situation takes, by how often it came. */
static void count_faults(uint64_t *counters, const uint64_t *times) {
  uint64_t zero_read = times[0] + times[S_WP];
  uint64_t marker_write = times[S_WRITE | S_WP], page_wp = times[S_WRITE | S_PRESENT | S_WP];
  uint64_t zero_wp = times[S_WRITE | S_PRESENT | S_ZERO | S_WP], zero_write = times[S_WRITE | S_PRESENT | S_ZERO];
  counters[ZERO_PAGE_FAULTS] += zero_read;
  counters[ALLOCATE_FAULTS] += times[S_WRITE] + marker_write;
  counters[MARKER_FAULTS] += times[S_WP] + marker_write;
  counters[COPY_FAULTS] += zero_write + zero_wp;
  counters[WP_FAULTS] += marker_write + page_wp + zero_wp;
  counters[DISARMED_PAGE] += marker_write + page_wp;
  counters[DISARMED_ZERO] += zero_wp;
}

/* Lists the records that the shadow does not permit; returns how many, and how many of all write. */
static size_t list_misses(const struct space *space, const uint64_t *records, size_t count, uint64_t *misses, uint64_t *writes) {
  size_t missed = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t record = records[i], write = record >> 63;
    misses[missed] = record;
    missed += (space->shadow[(record & PAGE_MASK) - space->first_page] & (1u << write)) == 0;
    *writes += write;
  }
  return missed;
}

/* Returns the situation. */
static unsigned carry_out(struct space *space, uint64_t record, uint64_t value) {
  static uint64_t nowhere; /* where the store of a read goes */
  uint64_t page = record & PAGE_MASK, write = record >> 63;
  uint64_t *table = find_table(space, page), *slot = &table[page % ENTRIES];
  uint64_t before = *slot;
  unsigned situation = (unsigned)((before & PRESENT) | (before >> 8 & S_ZERO) | (before >> 8 & S_WP) | write << 3);
  const struct transition *next = &transitions[situation];
  uint64_t after = (before & next->keep) | next->set | next->new_frame * (FIRST_FRAME_PFN + space->frames) << 12;
  space->frames += (uint32_t)next->new_frame;
  *slot = after;
  uint64_t frame = ((after & PFN_MASK) >> 12) - FIRST_FRAME_PFN;
  *(write ? &space->contents[frame] : &nowhere) = value;

  size_t block = block_of(space, table);
  struct table_info *info = &space->info[block];
  info->occupied += (situation & ~S_WRITE) == 0;
  info->markers -= (situation & ~S_WRITE) == S_WP;
  info->has_shadow = 1;
  space->written[block][page % ENTRIES / 64] |= (uint64_t)((after & UFFD_WP) == 0) << page % 64;
  space->shadow[page - space->first_page] |= (uint8_t)(1 | write << 1);
  return situation;
}

/* A page that holds another value has to be stored to once more. */
static void set_value(struct space *space, uint64_t value) {
  if (value == space->value) return;
  for (size_t i = 0; i < space->pages; i++) space->shadow[i] &= 1;
  space->value = value;
}

void replay(struct space *space, const uint64_t *all, size_t count, uint64_t value) {
  uint64_t misses[BLOCK], times[SITUATIONS] = {0}, writes = 0;
  set_value(space, value);
  for (size_t at = 0; at < count; at += BLOCK) {
    size_t missed = list_misses(space, all + at, count - at < BLOCK ? count - at : BLOCK, misses, &writes);
    for (size_t i = 0; i < missed; i++) times[carry_out(space, misses[i], value)]++;
  }
  count_faults(space->counters, times);
  space->counters[WRITES] += writes;
  space->counters[READS] += count - writes;
}
