#include "handler.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void sleep_until_readable(const struct handler *handler) {
  struct pollfd files[] = {
      {.fd = handler->region->uffd, .events = POLLIN},
      {.fd = handler->stop_event, .events = POLLIN},
  };
  poll(files, 2, -1);
}

static void *serve(void *argument) {
  struct handler *handler = argument;
  pin_to(handler->cpu);
  atomic_store(&handler->ready, 1);
  while (!atomic_load(&handler->stopping)) {
    if (handler->wait == WAIT_ASLEEP) sleep_until_readable(handler);
    struct uffd_msg message;
    ssize_t got = read(handler->region->uffd, &message, sizeof(message));
    if (got < 0 && errno == EAGAIN) continue;
    if (got != sizeof(message)) fail("reading a message");
    size_t offset = (size_t)(message.arg.pagefault.address - (uintptr_t)handler->region->start);
    unprotect(handler->region, offset & ~(PAGE - 1), PAGE);
  }
  return NULL;
}

void start_handler(struct handler *handler, const struct region *region, int cpu, enum wait wait) {
  *handler = (struct handler){.region = region, .cpu = cpu, .wait = wait, .stop_event = eventfd(0, EFD_CLOEXEC)};
  if (handler->stop_event < 0) fail("eventfd");
  if (fcntl(region->uffd, F_SETFL, O_NONBLOCK) != 0) fail("O_NONBLOCK");
  if (pthread_create(&handler->thread, NULL, serve, handler) != 0) fail("pthread_create");
  while (!atomic_load(&handler->ready)) sched_yield();
}

void stop_handler(struct handler *handler) {
  atomic_store(&handler->stopping, 1);
  uint64_t one = 1;
  if (write(handler->stop_event, &one, sizeof(one)) != sizeof(one)) fail("eventfd");
  pthread_join(handler->thread, NULL);
  close(handler->stop_event);
}
