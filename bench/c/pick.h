/* Which pages are chosen at random: bench/pick.ts has the same functions, so that all sides choose the same pages. */
#ifndef PICK_H
#define PICK_H

#include <stdint.h>

enum kind { KIND_NONE, KIND_MARKER, KIND_ZERO_PAGE, KIND_WRITTEN, KIND_SWAPPED, KINDS };

/* MurmurHash3's finalizer. */
static inline uint32_t scrambled(uint32_t page) {
  page = (page ^ page >> 16) * 0x85ebca6bu;
  page = (page ^ page >> 13) * 0xc2b2ae35u;
  return page ^ page >> 16;
}

static inline int is_one_in_100(uint32_t page) { return scrambled(page) % 100 == 0; }

static inline enum kind mixed_kind(uint32_t page, uint32_t kinds) { return scrambled(page) % kinds; }

#endif
