#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const uint64_t *records;
unsigned files_loaded;
static size_t records_bytes;

double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

void fail(const char *what) {
  printf("failed %s: %s\n", what, strerror(errno));
  fflush(stdout);
  exit(1);
}

void answer(double ns, int count, ...) {
  printf("%.1f", ns);
  va_list numbers;
  va_start(numbers, count);
  for (int i = 0; i < count; i++) printf(" %llu", (unsigned long long)va_arg(numbers, uint64_t));
  va_end(numbers);
  printf("\n");
  fflush(stdout);
}

void *map_fresh(size_t bytes) {
  void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) fail("mmap");
  madvise(start, bytes, MADV_NOHUGEPAGE); /* fails where the kernel has no huge pages: nothing to forbid */
  return start;
}

static void load(const char *path) {
  if (records != NULL) munmap((void *)records, records_bytes);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) fail("open");
  records_bytes = (size_t)status.st_size;
  void *start = mmap(NULL, records_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
  if (start == MAP_FAILED) fail("mmap");
  close(file);
  records = start;
  files_loaded++;
  answer(0, 0);
}

static void dispatch(const char *name, const struct task *task, const struct command *commands, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(commands[i].name, name) != 0) continue;
    commands[i].run(task);
    return;
  }
  errno = ENOSYS;
  fail(name);
}

void serve(const struct command *commands, size_t count) {
  char line[4096], name[4096];
  while (fgets(line, sizeof(line), stdin) != NULL) {
    char path[4096];
    struct task task = {0};
    if (sscanf(line, "load %4095[^\n]", path) == 1) {
      load(path);
      continue;
    }
    unsigned long long first_page = 0;
    if (sscanf(line, "%s %zu %zu %llu", name, &task.pages, &task.accesses, &first_page) < 1) continue;
    task.first_page = first_page;
    dispatch(name, &task, commands, count);
  }
}
