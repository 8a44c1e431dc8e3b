/* What single operations of this kernel cost: rounds of all of them, one sample of each a round. */
#ifndef CALIBRATE_H
#define CALIBRATE_H

/*
 * Measures for so many seconds, at least five rounds. Handlers of sync faults run on this CPU, and then on the other
 * one unless that is -1.
 */
void run_calibration(double seconds, int has_huge_pages, int this_cpu, int other_cpu);

#endif
