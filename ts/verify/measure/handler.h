/* A thread that answers write-protect faults, one page at a time, on a CPU of choice. */
#ifndef HANDLER_H
#define HANDLER_H

#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

/* How the handler waits for messages: asleep in poll, or reading again and again. */
enum wait { WAIT_ASLEEP, WAIT_SPINNING };
enum pause { PAUSE_NONE, PAUSE_BEFORE_EACH };

struct handler {
  const struct region *region;
  int cpu;
  enum wait wait;
  /* Becomes readable when the handler is to end. */
  int stop_event;
  atomic_bool stopping;
  /* That it has reached its CPU. */
  atomic_bool ready;
  pthread_t thread;
};

void start_handler(struct handler *handler, const struct region *region, int cpu, enum wait wait);
void stop_handler(struct handler *handler);

#endif
