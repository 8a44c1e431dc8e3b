/* PAGEMAP_SCAN, which the headers of a distribution may not have yet. */
#ifndef SCAN_H
#define SCAN_H

#include "support.h"

/* Protects the written pages that it finds: PM_SCAN_WP_MATCHING. */
#define SCAN_PROTECT ((uint64_t)1)

/* Opens /proc/self/pagemap for all scans to come. */
void open_pagemap(void);

/* Asks for the pages of a region that were written; returns how many ranges they are. */
long scan_written(const struct region *region, uint64_t flags);

#endif
