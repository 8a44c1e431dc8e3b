#include "scan.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#define PAGE_IS_WRITTEN ((uint64_t)1 << 1)

/* struct page_region and struct pm_scan_arg of linux/fs.h */
struct scan_range {
  uint64_t start, end, categories;
};

struct scan_request {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_request)

static int pagemap = -1;
static struct scan_range ranges[512];

void open_pagemap(void) {
  pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (pagemap < 0) fail("/proc/self/pagemap");
}

long scan_written(const struct region *region, uint64_t flags) {
  uint64_t end = (uintptr_t)region->start + region->bytes;
  struct scan_request request = {
      .size = sizeof(request),
      .flags = flags,
      .start = (uintptr_t)region->start,
      .end = end,
      .vec = (uintptr_t)ranges,
      .vec_len = 512,
      .category_mask = PAGE_IS_WRITTEN,
      .return_mask = PAGE_IS_WRITTEN,
  };
  long found = ioctl(pagemap, SCAN_IOCTL, &request);
  if (found < 0) fail("PAGEMAP_SCAN");
  return found;
}
