/* What arming untouched memory costs, learnt from small mappings: all that the patch's experiment is predicted from. */
#ifndef ARMING_H
#define ARMING_H

/* Prints a sample of each cost. */
void sample_arming(int has_huge_pages);

#endif
