#include "answer-faults.h"

#include "lines.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

static struct region answered;
static pthread_t thread;
static int stop_pipe[2];
static uint64_t count;

static void answer_fault(void) {
  struct uffd_msg message;
  if (read(answered.uffd, &message, sizeof(message)) != sizeof(message)) return;
  if (message.event != UFFD_EVENT_PAGEFAULT) return;
  size_t page = (message.arg.pagefault.address - (uintptr_t)answered.start) / PAGE;
  unprotect(&answered, page, 1);
  count++;
}

static void *answer_all(void *unused) {
  (void)unused;
  struct pollfd files[2] = {{.fd = answered.uffd, .events = POLLIN}, {.fd = stop_pipe[0], .events = POLLIN}};
  while (poll(files, 2, -1) > 0 && files[1].revents == 0) answer_fault();
  return NULL;
}

static void stay_here(void) {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  if (sched_setaffinity(0, sizeof(here), &here) != 0) fail("sched_setaffinity");
}

void start_answering(const struct region *region) {
  answered = *region;
  count = 0;
  stay_here();
  if (pipe(stop_pipe) != 0 || pthread_create(&thread, NULL, answer_all, NULL) != 0) fail("pthread_create");
}

uint64_t stop_answering(void) {
  if (write(stop_pipe[1], "", 1) != 1) fail("write");
  pthread_join(thread, NULL);
  close(stop_pipe[0]);
  close(stop_pipe[1]);
  cpu_set_t all;
  CPU_ZERO(&all);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) CPU_SET(cpu, &all);
  sched_setaffinity(0, sizeof(all), &all);
  return count;
}
