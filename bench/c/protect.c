/* UFFDIO_WRITEPROTECT in both directions. */
#include "tables.h"

#include <string.h>

#ifdef __AVX512F__
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

typedef uint64_t vector __attribute__((vector_size(VECTOR_BYTES)));
#define LANES (VECTOR_BYTES / 8)

/* What a pass over a part of a table has changed. */
struct changes {
  uint64_t none, page, zero;
};

static uint64_t sum(vector lanes) {
  uint64_t total = 0;
  for (int i = 0; i < LANES; i++) total += lanes[i];
  return total;
}

static vector with_uffd_wp(vector entry) {
  return (entry & ~(WRITABLE | DIRTY)) | UFFD_WP | (entry & DIRTY) << DIRTY_TO_SAVED;
}

/* An exclusive page is writable at once; the zero page never is. */
static vector without_uffd_wp(vector entry) {
  vector zero_page = (vector)((entry & SPECIAL) != 0);
  vector dirty = (entry & SAVED_DIRTY & ~zero_page) >> DIRTY_TO_SAVED;
  return (entry & ~(UFFD_WP | (SAVED_DIRTY & ~zero_page))) | (WRITABLE & ~zero_page) | dirty;
}

/* Comparisons give -1 in a lane, so subtracting them counts. */
static void count_present(struct changes *changes, vector changed, vector zero) {
  changes->page = sum(changed) - sum(zero);
  changes->zero = sum(zero);
}

static struct changes protect_present(uint64_t *table, size_t first, size_t end) {
  struct changes changes = {0};
  vector changed = {0}, zero = {0};
  for (size_t i = first; i < end; i += LANES) {
    vector before = *(vector *)&table[i], after = with_uffd_wp(before);
    vector differs = (vector)(before != after);
    changed -= differs;
    zero += (before & differs & SPECIAL) >> 9;
    *(vector *)&table[i] = after;
  }
  count_present(&changes, changed, zero);
  return changes;
}

static struct changes unprotect_present(uint64_t *table, size_t first, size_t end) {
  struct changes changes = {0};
  vector changed = {0}, zero = {0};
  for (size_t i = first; i < end; i += LANES) {
    vector before = *(vector *)&table[i], after = without_uffd_wp(before);
    vector differs = (vector)(before != after);
    changed -= differs;
    zero += (before & differs & SPECIAL) >> 9;
    *(vector *)&table[i] = after;
  }
  count_present(&changes, changed, zero);
  return changes;
}

static struct changes protect_mixed(uint64_t *table, size_t first, size_t end) {
  struct changes changes = {0};
  vector changed = {0}, zero = {0}, marked = {0};
  for (size_t i = first; i < end; i += LANES) {
    vector before = *(vector *)&table[i];
    vector present = (vector)((before & (PRESENT | PROTNONE)) != 0);
    vector none = (vector)((before & ~(ACCESSED | DIRTY)) == 0);
    vector marker = (vector)(before >> SWAP_TYPE_SHIFT == MARKER_TYPE);
    vector in_swap = ~(present | none | marker);
    vector mapped = with_uffd_wp(before);
    vector after = (mapped & present) | (MARKER & none) | ((before | (SWAP_UFFD_WP & in_swap)) & ~(present | none));
    vector differs = (vector)(before != after) & present;
    changed -= differs;
    zero += (before & differs & SPECIAL) >> 9;
    marked -= none;
    *(vector *)&table[i] = after;
  }
  count_present(&changes, changed, zero);
  changes.none = sum(marked);
  return changes;
}

static struct changes unprotect_mixed(uint64_t *table, size_t first, size_t end) {
  struct changes changes = {0};
  vector changed = {0}, zero = {0}, cleared = {0};
  for (size_t i = first; i < end; i += LANES) {
    vector before = *(vector *)&table[i];
    vector present = (vector)((before & (PRESENT | PROTNONE)) != 0);
    vector uffd_marker = (vector)(before == MARKER);
    vector in_swap = ~present & (vector)(before >> SWAP_TYPE_SHIFT != MARKER_TYPE);
    vector mapped = without_uffd_wp(before);
    vector after = (mapped & present) | (before & ~(present | uffd_marker | (in_swap & SWAP_UFFD_WP)));
    vector differs = (vector)(before != after) & present;
    changed -= differs;
    zero += (before & differs & SPECIAL) >> 9;
    cleared -= uffd_marker;
    *(vector *)&table[i] = after;
  }
  count_present(&changes, changed, zero);
  changes.none = sum(cleared);
  return changes;
}

static struct changes protect_branchy_part(uint64_t *table, size_t first, size_t end) {
  struct changes changes = {0};
  for (size_t i = first; i < end; i++) {
    uint64_t before = table[i];
    if ((before & (PRESENT | PROTNONE)) != 0) {
      uint64_t after = (before & ~(WRITABLE | DIRTY)) | UFFD_WP | (before & DIRTY) << DIRTY_TO_SAVED;
      if (after == before) continue;
      table[i] = after;
      if ((before & SPECIAL) != 0) changes.zero++;
      else changes.page++;
    } else if ((before & ~(ACCESSED | DIRTY)) == 0) {
      table[i] = MARKER;
      changes.none++;
    } else if (before >> SWAP_TYPE_SHIFT != MARKER_TYPE) {
      table[i] = before | SWAP_UFFD_WP;
    }
  }
  return changes;
}

static struct changes mark_none(uint64_t *table, size_t first, size_t end) {
  vector marker = {0};
  marker |= MARKER;
  for (size_t i = first; i < end; i += LANES) *(vector *)&table[i] = marker;
  return (struct changes){.none = end - first};
}

typedef struct changes (*pass)(uint64_t *table, size_t first, size_t end);

static int is_all_present(const struct table_info *info) {
  return info->occupied == ENTRIES && info->markers == 0 && info->swapped == 0;
}

/* Parts begin and end at vectors: the benchmarks protect whole tables and single pages. */
static struct changes run_part(pass whole, pass single, uint64_t *table, size_t first, size_t end) {
  return first % LANES == 0 && end % LANES == 0 ? whole(table, first, end) : single(table, first, end);
}

static void forget_shadow(struct space *space, struct table_info *info, uint64_t page) {
  if (!info->has_shadow) return;
  memset(space->shadow + (page & ~(uint64_t)(ENTRIES - 1)) - space->first_page, 0, ENTRIES);
  info->has_shadow = 0;
}

static void set_written(uint64_t *written, size_t first, size_t end, int is_written) {
  if (first == 0 && end == ENTRIES) {
    memset(written, is_written ? 0xff : 0, WRITTEN_WORDS * sizeof(*written));
    return;
  }
  for (size_t i = first; i < end; i++) {
    uint64_t bit = (uint64_t)1 << i % 64;
    written[i / 64] = is_written ? written[i / 64] | bit : written[i / 64] & ~bit;
  }
}

static void protect_slice(struct space *space, uint64_t page, size_t count, pass mixed) {
  uint64_t *table = ensure_table(space, page);
  size_t block = block_of(space, table), first = page % ENTRIES;
  struct table_info *info = &space->info[block];
  space->counters[VISITED] += count;
  if (info->markers == ENTRIES) return;
  pass whole = info->occupied == 0 ? mark_none : is_all_present(info) ? protect_present : mixed;
  struct changes changes = run_part(whole, protect_branchy_part, table, first, first + count);
  info->occupied += changes.none;
  info->markers += changes.none;
  space->counters[ARMED_NONE] += changes.none;
  space->counters[ARMED_PAGE] += changes.page;
  space->counters[ARMED_ZERO] += changes.zero;
  set_written(space->written[block], first, first + count, 0);
  forget_shadow(space, info, page);
}

static struct changes unmark_all(uint64_t *table, size_t first, size_t end) {
  memset(&table[first], 0, (end - first) * sizeof(*table));
  return (struct changes){.none = end - first};
}

static void unprotect_slice(struct space *space, uint64_t page, size_t count) {
  uint64_t *table = ensure_table(space, page);
  size_t block = block_of(space, table), first = page % ENTRIES;
  struct table_info *info = &space->info[block];
  if (info->occupied == 0) return;
  pass whole = info->markers == ENTRIES ? unmark_all : is_all_present(info) ? unprotect_present : unprotect_mixed;
  struct changes changes = whole(table, first, first + count);
  info->occupied -= changes.none;
  info->markers -= changes.none;
  space->counters[DISARMED_MARKER] += changes.none;
  space->counters[DISARMED_PAGE] += changes.page;
  space->counters[DISARMED_ZERO] += changes.zero;
  set_written(space->written[block], first, first + count, 1);
  forget_shadow(space, info, page);
}

static void protect_with(struct space *space, uint64_t first_page, size_t pages, pass mixed) {
  for (uint64_t page = first_page, end = first_page + pages; page < end;) {
    uint64_t next = (page / ENTRIES + 1) * ENTRIES;
    if (next > end) next = end;
    protect_slice(space, page, next - page, mixed);
    page = next;
  }
}

void protect(struct space *space, uint64_t first_page, size_t pages) {
  protect_with(space, first_page, pages, protect_mixed);
}

void protect_branchy(struct space *space, uint64_t first_page, size_t pages) {
  protect_with(space, first_page, pages, protect_branchy_part);
}

/* Whole tables. */
void unprotect(struct space *space, uint64_t first_page, size_t pages) {
  for (uint64_t page = first_page; page < first_page + pages; page += ENTRIES) unprotect_slice(space, page, ENTRIES);
}
