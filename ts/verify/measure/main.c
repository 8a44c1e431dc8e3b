/*
 * Measures the kernel that it runs on and prints a line of JSON for each thing it found:
 *
 *   measure probe                    nothing but the first line: what this host allows
 *   measure calibrate SECONDS        samples of single operations
 *   measure seed BYTES ROUNDS        the four rows of the patch series, with huge pages off and on
 */
#include "calibrate.h"
#include "scan.h"
#include "seed.h"
#include "support.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Returns another CPU that this process may use, or -1. */
static int other_cpu_than(int cpu) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return -1;
  for (int other = 0; other < CPU_SETSIZE; other++) {
    if (other != cpu && CPU_ISSET(other, &allowed)) return other;
  }
  return -1;
}

/* Tells whether the setting of that name below transparent_hugepage/ has `word` in it. */
static int thp_setting_has(const char *name, const char *word) {
  char path[128], text[64] = "";
  snprintf(path, sizeof(path), "/sys/kernel/mm/transparent_hugepage/%s", name);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  size_t length = fread(text, 1, sizeof(text) - 1, file);
  fclose(file);
  return length > 0 && strstr(text, word) != NULL;
}

/* Whether a mapping may ask for huge pages, and reading it takes no real memory for them. */
static int can_use_huge_zero_page(void) {
  int can_ask = thp_setting_has("enabled", "[madvise]") || thp_setting_has("enabled", "[always]");
  return can_ask && thp_setting_has("use_zero_page", "1");
}

/* Fails when something is missing that a measurement needs. */
static void require_features(int with_async) {
  struct region region = map_region(HUGE_PAGE, THP_OFF, FEATURE_WP_UNPOPULATED | (with_async ? FEATURE_WP_ASYNC : 0));
  protect(&region, 0, region.bytes);
  if (with_async) {
    open_pagemap();
    scan_written(&region, 0);
  }
  unmap_region(region);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "probe";
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (sysconf(_SC_PAGESIZE) != PAGE) fail("pages of 4 KiB");
  int this_cpu = sched_getcpu(), other_cpu = other_cpu_than(this_cpu);
  int is_preferred = setpriority(PRIO_PROCESS, 0, -20) == 0; /* needs a privilege, and does without */
  pin_to(this_cpu);
  int has_huge_pages = can_use_huge_zero_page();
  require_features(strcmp(what, "seed") != 0);
  printf("{\"host\":{\"cpu\":%d,\"otherCpu\":%d,\"preferred\":%s,\"hugeZeroPage\":%s}}\n", this_cpu, other_cpu,
         is_preferred ? "true" : "false", has_huge_pages ? "true" : "false");
  if (strcmp(what, "calibrate") == 0 && argc > 2) {
    run_calibration(atof(argv[2]), has_huge_pages, this_cpu, other_cpu);
  } else if (strcmp(what, "seed") == 0 && argc > 3) {
    run_seed(strtoull(argv[2], NULL, 10), atoi(argv[3]), has_huge_pages);
  }
  return 0;
}
