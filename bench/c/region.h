/* Memory that is registered with a userfaultfd of its own, and what the kernel can be asked about it. */
#ifndef REGION_H
#define REGION_H

#include <stddef.h>
#include <stdint.h>

#define PAGE 4096

struct region {
  char *start;
  size_t pages;
  int uffd;
};

enum fault_mode { FAULTS_SYNC, FAULTS_ASYNC };

/* Private, anonymous, without huge pages, not reserved; markers are asked for (WP_UNPOPULATED). */
struct region map_region(size_t pages, enum fault_mode mode);
void unmap_region(struct region *region);

void protect(const struct region *region, size_t first, size_t pages);
void unprotect(const struct region *region, size_t first, size_t pages);

void write_page(const struct region *region, size_t page);
void read_page(const struct region *region, size_t page);
void write_all(const struct region *region);

/* Pages that are protected now, and pages that are there, by /proc/self/pagemap. */
uint64_t protected_pages(const struct region *region);
uint64_t present_pages(const struct region *region);

struct scan_region {
  uint64_t start, end, categories;
};

/* Regions of written pages by PAGEMAP_SCAN, all of them; returns how many there are. */
size_t scan_written(const struct region *region, struct scan_region *regions, size_t capacity);

#endif
