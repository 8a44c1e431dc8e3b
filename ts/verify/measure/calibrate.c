#include "calibrate.h"

#include "arming.h"
#include "handler.h"
#include "scan.h"
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define MIB ((size_t)1 << 20)
#define SPARSE_BYTES (256 * MIB)
#define LARGE_BYTES (64 * MIB)
#define SMALL_BYTES (16 * MIB)
#define MINIMUM_ROUNDS 5

static size_t pages_of(const struct region *region) { return region->bytes / PAGE; }

static double time_protect(const struct region *region) {
  double start = now_ns();
  protect(region, 0, region->bytes);
  return now_ns() - start;
}

static void sample_markers(void) {
  struct region region = map_region(LARGE_BYTES, THP_OFF, FEATURE_WP_UNPOPULATED);
  size_t pages = pages_of(&region);
  protect(&region, 0, region.bytes);
  print_sample("protectVisited", time_protect(&region) / (double)pages, pages);
  double start = now_ns();
  unprotect(&region, 0, region.bytes);
  sample_since("unprotectMarker", start, pages);
  /* removing markers leaves the tables */
  print_sample("protectNoneInTable", time_protect(&region) / (double)pages, pages);
  size_t calls = 512;
  start = now_ns();
  for (size_t i = 0; i < calls; i++) protect(&region, i * PAGE, PAGE);
  sample_since("callRepeated", start, calls);
  unmap_region(region);
}

/* Protects a page of every huge page, at `offset` in each; returns nanoseconds a call. */
static double time_sparse_protect(const struct region *region, size_t offset) {
  double start = now_ns();
  for (size_t at = offset; at < region->bytes; at += HUGE_PAGE) protect(region, at, PAGE);
  return (now_ns() - start) / (double)(region->bytes / HUGE_PAGE);
}

/* A page table is what the first call takes more than a second one beside it. */
static void sample_page_tables(void) {
  struct region region = map_region(SPARSE_BYTES, THP_OFF, FEATURE_WP_UNPOPULATED);
  double first_ns = time_sparse_protect(&region, 0);
  print_sample("pageTable", first_ns - time_sparse_protect(&region, PAGE), region.bytes / HUGE_PAGE);
  unmap_region(region);
}

static void sample_scan(const struct region *region, const char *figure, uint64_t flags) {
  double start = now_ns();
  scan_written(region, flags);
  sample_since(figure, start, pages_of(region));
}

/* The life of a page with a tracker that the kernel serves alone: allocated, armed, scanned, written, scanned again. */
static void sample_pages(void) {
  struct region region = map_region(LARGE_BYTES, THP_OFF, FEATURE_WP_ASYNC);
  size_t pages = pages_of(&region);
  double start = now_ns();
  write_pages(&region);
  sample_since("writeFault", start, pages);
  print_sample("protectPage", time_protect(&region) / (double)pages, pages);
  sample_scan(&region, "scanPage", 0);
  sample_scan(&region, "scanProtectClean", SCAN_PROTECT);
  start = now_ns();
  write_pages(&region);
  sample_since("wpAsyncFault", start, pages);
  sample_scan(&region, "scanWritten", 0);
  sample_scan(&region, "scanProtectWritten", SCAN_PROTECT);
  start = now_ns();
  unprotect(&region, 0, region.bytes);
  sample_since("unprotectPage", start, pages);
  unmap_region(region);
}

static void sample_async_markers(void) {
  struct region region = map_region(SMALL_BYTES, THP_OFF, FEATURE_WP_ASYNC);
  protect(&region, 0, region.bytes);
  double start = now_ns();
  write_pages(&region);
  sample_since("wpAsyncMarker", start, pages_of(&region));
  unmap_region(region);
}

/* Faults into tables that are there already, with the zero page first. */
static void sample_zero_pages(void) {
  struct region region = map_region(SMALL_BYTES, THP_OFF, FEATURE_WP_UNPOPULATED);
  protect(&region, 0, region.bytes);
  unprotect(&region, 0, region.bytes);
  double start = now_ns();
  read_pages(&region);
  sample_since("readFault", start, pages_of(&region));
  start = now_ns();
  write_pages(&region);
  sample_since("copyFault", start, pages_of(&region));
  unmap_region(region);
}

static void sample_populate_write(void) {
  struct region region = map_region(LARGE_BYTES, THP_OFF, 0);
  double start = now_ns();
  advise(&region, MADV_POPULATE_WRITE, "MADV_POPULATE_WRITE");
  sample_since("populateWrite", start, pages_of(&region));
  unmap_region(region);
}

/*
 * Write faults on present pages with a handler in another thread. Cold ones have a pause before each of them, in which
 * the handler falls asleep, and maybe its CPU.
 */
static void sample_sync(const char *figure, int cpu, enum wait wait, enum pause pause) {
  size_t faults = pause == PAUSE_BEFORE_EACH ? 32 : 512;
  struct region region = map_region(faults * PAGE, THP_OFF, 0);
  write_pages(&region);
  protect(&region, 0, region.bytes);
  struct handler handler;
  start_handler(&handler, &region, cpu, wait);
  double ns = 0;
  for (size_t i = 0; i < faults; i++) {
    if (pause == PAUSE_BEFORE_EACH) nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    double start = now_ns();
    *(volatile char *)(region.start + i * PAGE) = 2;
    ns += now_ns() - start;
  }
  print_sample(figure, ns / (double)faults, faults);
  stop_handler(&handler);
  unmap_region(region);
}

static void sample_handlers(int this_cpu, int other_cpu) {
  sample_sync("wpSyncFault", this_cpu, WAIT_ASLEEP, PAUSE_NONE);
  sample_sync("wpSyncColdSameCpu", this_cpu, WAIT_ASLEEP, PAUSE_BEFORE_EACH);
  if (other_cpu < 0) return;
  sample_sync("wpSyncSpinningOtherCpu", other_cpu, WAIT_SPINNING, PAUSE_NONE);
  sample_sync("wpSyncOtherCpu", other_cpu, WAIT_ASLEEP, PAUSE_NONE);
  sample_sync("wpSyncColdOtherCpu", other_cpu, WAIT_ASLEEP, PAUSE_BEFORE_EACH);
}

static void allow_write(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  mprotect((void *)((uintptr_t)info->si_addr & ~(PAGE - 1)), PAGE, PROT_READ | PROT_WRITE);
}

/* What trackers did before userfaultfd. Pages in order: a page that was opened merges with its neighbours. */
static void sample_signals(void) {
  size_t pages = 1024;
  struct region region = map_region(pages * PAGE, THP_OFF, 0);
  write_pages(&region);
  struct sigaction before, action = {.sa_sigaction = allow_write, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, &before);
  if (mprotect(region.start, region.bytes, PROT_READ) != 0) fail("mprotect");
  double start = now_ns();
  write_pages(&region);
  sample_since("mprotectFault", start, pages);
  sigaction(SIGSEGV, &before, NULL);
  unmap_region(region);
}

/* Nanoseconds for which fork keeps the caller; the child does nothing. */
static double time_fork(void) {
  fflush(stdout);
  double start = now_ns();
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) _exit(0);
  double ns = now_ns() - start;
  waitpid(child, NULL, 0);
  return ns;
}

static void sample_fork(void) {
  double empty_ns = time_fork();
  print_sample("fork", empty_ns, 1);
  struct region region = map_region(LARGE_BYTES, THP_OFF, 0);
  write_pages(&region);
  print_sample("forkPage", (time_fork() - empty_ns) / (double)pages_of(&region), pages_of(&region));
  unmap_region(region);
}

static void sample_syscall(void) {
  size_t calls = 10000;
  double start = now_ns();
  for (size_t i = 0; i < calls; i++) syscall(SYS_getppid);
  sample_since("syscall", start, calls);
}

static void run_round(int has_huge_pages, int this_cpu, int other_cpu) {
  sample_arming(has_huge_pages);
  sample_markers();
  sample_page_tables();
  sample_pages();
  sample_async_markers();
  sample_zero_pages();
  sample_populate_write();
  sample_handlers(this_cpu, other_cpu);
  sample_signals();
  sample_fork();
  sample_syscall();
}

void run_calibration(double seconds, int has_huge_pages, int this_cpu, int other_cpu) {
  warm_memory(4 * LARGE_BYTES);
  double start = now_ns(), share = 0;
  for (int round = 0; share < 1; round++) {
    run_round(has_huge_pages, this_cpu, other_cpu);
    double by_time = (now_ns() - start) / (seconds * 1e9), by_rounds = (round + 1.0) / MINIMUM_ROUNDS;
    share = by_time < by_rounds ? by_time : by_rounds;
    printf("{\"progress\":%.3f}\n", share < 1 ? share : 1);
  }
}
