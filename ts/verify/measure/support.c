#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

_Noreturn void fail(const char *what) {
  printf("{\"failed\":\"%s\",\"errno\":\"%s\"}\n", what, strerror(errno));
  exit(1);
}

double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

void print_sample(const char *figure, double ns_each, size_t operations) {
  printf("{\"figure\":\"%s\",\"ns\":%.3f,\"operations\":%zu}\n", figure, ns_each, operations);
}

void sample_since(const char *figure, double start_ns, size_t operations) {
  print_sample(figure, (now_ns() - start_ns) / (double)operations, operations);
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) fail("sched_setaffinity");
}

int open_uffd(uint64_t features) {
  int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
  if (uffd < 0) fail("userfaultfd");
  struct uffdio_api api = {.api = UFFD_API, .features = FEATURE_PAGEFAULT_FLAG_WP | features};
  if (ioctl(uffd, UFFDIO_API, &api) != 0) fail("UFFDIO_API");
  return uffd;
}

static char *map(size_t bytes) {
  char *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) fail("mmap");
  return start;
}

static uintptr_t round_up(uintptr_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

static void register_region(const struct region *region) {
  struct uffdio_register request = {
      .range = {.start = (uintptr_t)region->start, .len = region->bytes},
      .mode = UFFDIO_REGISTER_MODE_WP,
  };
  if (ioctl(region->uffd, UFFDIO_REGISTER, &request) != 0) fail("UFFDIO_REGISTER");
}

struct region map_region(size_t bytes, enum thp thp, uint64_t features) {
  struct region region = {.bytes = bytes, .uffd = open_uffd(features)};
  region.mapping_bytes = round_up(bytes, GIB) + GIB;
  region.mapping = map(region.mapping_bytes);
  region.start = (char *)round_up((uintptr_t)region.mapping, GIB);
  if (thp == THP_ON) advise(&region, MADV_HUGEPAGE, "MADV_HUGEPAGE");
  else madvise(region.start, bytes, MADV_NOHUGEPAGE); /* fails where the kernel has no huge pages: nothing to forbid */
  register_region(&region);
  return region;
}

void unmap_region(struct region region) {
  munmap(region.mapping, region.mapping_bytes);
  close(region.uffd);
}

static void write_protect(const struct region *region, size_t offset, size_t bytes, uint64_t mode) {
  struct uffdio_writeprotect request = {
      .range = {.start = (uintptr_t)region->start + offset, .len = bytes},
      .mode = mode,
  };
  if (ioctl(region->uffd, UFFDIO_WRITEPROTECT, &request) != 0) fail("UFFDIO_WRITEPROTECT");
}

void protect(const struct region *region, size_t offset, size_t bytes) {
  write_protect(region, offset, bytes, UFFDIO_WRITEPROTECT_MODE_WP);
}

void unprotect(const struct region *region, size_t offset, size_t bytes) {
  write_protect(region, offset, bytes, 0);
}

void read_pages(const struct region *region) {
  for (size_t offset = 0; offset < region->bytes; offset += PAGE) *(volatile char *)(region->start + offset);
}

void write_pages(const struct region *region) {
  for (size_t offset = 0; offset < region->bytes; offset += PAGE) *(volatile char *)(region->start + offset) = 1;
}

void advise(const struct region *region, int advice, const char *what) {
  if (madvise(region->start, region->bytes, advice) != 0) fail(what);
}

void warm_memory(size_t bytes) {
  char *start = map(bytes);
  madvise(start, bytes, MADV_NOHUGEPAGE);
  if (madvise(start, bytes, MADV_POPULATE_WRITE) != 0) fail("MADV_POPULATE_WRITE");
  munmap(start, bytes);
}
