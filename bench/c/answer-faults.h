/* A thread that answers write-protect faults by unprotecting the page, on the same CPU as the thread that faults. */
#ifndef ANSWER_FAULTS_H
#define ANSWER_FAULTS_H

#include "region.h"

void start_answering(const struct region *region);

/* Returns how many faults were answered. */
uint64_t stop_answering(void);

#endif
