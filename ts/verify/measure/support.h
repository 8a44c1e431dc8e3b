/* What the measurements share: clocks, memory that is registered with a userfaultfd, and the lines that are printed. */
#ifndef SUPPORT_H
#define SUPPORT_H

#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)
#define GIB ((size_t)1 << 30)

/* Defined here because the headers of a distribution may be older than the kernel that runs. */
#define FEATURE_PAGEFAULT_FLAG_WP ((uint64_t)1 << 0)
#define FEATURE_WP_UNPOPULATED ((uint64_t)1 << 13)
#define FEATURE_WP_ASYNC ((uint64_t)1 << 15)

enum thp { THP_OFF, THP_ON };

/*
 * Private anonymous memory, registered for write-protection. It is part of a larger mapping, so that whole GiBs are its
 * own: where a table of 1 GiB is shared with other mappings, an ioctl looks at up to 512 empty entries more.
 */
struct region {
  char *start;
  size_t bytes;
  int uffd;
  char *mapping;
  size_t mapping_bytes;
};

/* Ends the program: standard output gets a line that says what failed and why (errno). */
_Noreturn void fail(const char *what);

/* Wall clock in nanoseconds. */
double now_ns(void);

/* Prints one sample of a figure: nanoseconds for one operation, the mean over so many. */
void print_sample(const char *figure, double ns_each, size_t operations);

/* Prints a sample: the time since `start_ns`, divided by the operations. */
void sample_since(const char *figure, double start_ns, size_t operations);

/* Lets the calling thread run on one CPU only. */
void pin_to(int cpu);

/* Opens a userfaultfd for faults of user space, which needs no privilege. Blocking reads. */
int open_uffd(uint64_t features);

struct region map_region(size_t bytes, enum thp thp, uint64_t features);
void unmap_region(struct region region);

/* UFFDIO_WRITEPROTECT of a part of a region. */
void protect(const struct region *region, size_t offset, size_t bytes);
void unprotect(const struct region *region, size_t offset, size_t bytes);

/* One access to each page, in order. */
void read_pages(const struct region *region);
void write_pages(const struct region *region);

void advise(const struct region *region, int advice, const char *what);

/* Makes the host back the memory that the measurements are going to use, which a virtual machine may not have done. */
void warm_memory(size_t bytes);

#endif
