#include "region.h"

#include "lines.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif
#define PAGEMAP_PRESENT ((uint64_t)1 << 63)
#define PAGEMAP_UFFD_WP ((uint64_t)1 << 57)
#define PAGE_IS_WRITTEN ((uint64_t)1 << 1)
#define WORDS_PER_READ 4096

/* struct pm_scan_arg of linux/fs.h */
struct scan_request {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_request)

static int pagemap(void) {
  static int file = -1;
  if (file < 0) file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("/proc/self/pagemap");
  return file;
}

struct region map_region(size_t pages, enum fault_mode mode) {
  struct region region = {.start = map_fresh(pages * PAGE), .pages = pages};
  region.uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
  if (region.uffd < 0) fail("userfaultfd");
  uint64_t features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_UNPOPULATED;
  if (mode == FAULTS_ASYNC) features |= UFFD_FEATURE_WP_ASYNC;
  struct uffdio_api api = {.api = UFFD_API, .features = features};
  if (ioctl(region.uffd, UFFDIO_API, &api) != 0) fail("UFFDIO_API");
  struct uffdio_register request = {
      .range = {.start = (uintptr_t)region.start, .len = pages * PAGE},
      .mode = UFFDIO_REGISTER_MODE_WP,
  };
  if (ioctl(region.uffd, UFFDIO_REGISTER, &request) != 0) fail("UFFDIO_REGISTER");
  return region;
}

void unmap_region(struct region *region) {
  munmap(region->start, region->pages * PAGE);
  close(region->uffd);
}

static void write_protect(const struct region *region, size_t first, size_t pages, uint64_t mode) {
  struct uffdio_writeprotect request = {
      .range = {.start = (uintptr_t)region->start + first * PAGE, .len = pages * PAGE},
      .mode = mode,
  };
  if (ioctl(region->uffd, UFFDIO_WRITEPROTECT, &request) != 0) fail("UFFDIO_WRITEPROTECT");
}

void protect(const struct region *region, size_t first, size_t pages) {
  write_protect(region, first, pages, UFFDIO_WRITEPROTECT_MODE_WP);
}

void unprotect(const struct region *region, size_t first, size_t pages) { write_protect(region, first, pages, 0); }

void write_page(const struct region *region, size_t page) { *(volatile uint64_t *)(region->start + page * PAGE) = 1; }

void read_page(const struct region *region, size_t page) { *(volatile uint64_t *)(region->start + page * PAGE); }

void write_all(const struct region *region) {
  for (size_t page = 0; page < region->pages; page++) write_page(region, page);
}

static uint64_t pages_with(const struct region *region, uint64_t bit) {
  static uint64_t words[WORDS_PER_READ];
  uint64_t found = 0;
  for (size_t page = 0; page < region->pages; page += WORDS_PER_READ) {
    size_t count = region->pages - page < WORDS_PER_READ ? region->pages - page : WORDS_PER_READ;
    off_t at = (off_t)(((uintptr_t)region->start / PAGE + page) * sizeof(*words));
    if (pread(pagemap(), words, count * sizeof(*words), at) != (ssize_t)(count * sizeof(*words))) fail("pread");
    for (size_t i = 0; i < count; i++) found += (words[i] & bit) != 0;
  }
  return found;
}

uint64_t protected_pages(const struct region *region) { return pages_with(region, PAGEMAP_UFFD_WP); }

uint64_t present_pages(const struct region *region) { return pages_with(region, PAGEMAP_PRESENT); }

size_t scan_written(const struct region *region, struct scan_region *regions, size_t capacity) {
  uint64_t end = (uintptr_t)region->start + region->pages * PAGE;
  struct scan_request request = {
      .size = sizeof(request),
      .start = (uintptr_t)region->start,
      .end = end,
      .vec = (uintptr_t)regions,
      .vec_len = capacity,
      .category_mask = PAGE_IS_WRITTEN,
      .return_mask = PAGE_IS_WRITTEN,
  };
  long found = ioctl(pagemap(), SCAN_IOCTL, &request);
  if (found < 0 || (size_t)found == capacity) fail("PAGEMAP_SCAN"); /* walk_end is not always set when all was walked */
  return (size_t)found;
}
