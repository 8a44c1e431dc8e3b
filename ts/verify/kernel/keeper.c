/*
 * keeper.c: changes settings of the machine and puts them back, whatever becomes of the program that asked for it.
 *
 * Reads commands from stdin, one a line, and answers each with a line on stdout: "ok", "none" where the machine has no such
 * thing, or a sentence that says what went wrong.
 *
 *   lock PATH         waits until no other executor of scenarios runs on this machine
 *   set VALUE PATH    writes a setting, unless it has the value already
 *   swap PAGES        makes swap of so many pages, compressed in memory (zram: its reads do not wait for a device)
 *   tire              lets khugepaged have its turn, after which it sleeps for as long as its settings say
 *   restore           puts everything back, last change first, and gives the lock back
 *
 * The end of stdin means restore: it comes also when the other side is killed. Signals for a whole terminal are ignored.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 512, MAX_CHANGES = 64, PAGE = 4096, KHUGEPAGED_BYTES = 8 << 20, KHUGEPAGED_MS = 30 };

#define KHUGEPAGED "/sys/kernel/mm/transparent_hugepage/khugepaged/"
#define ZRAM_CONTROL "/sys/class/zram-control/"

/* A setting and what it was, or a swap device (where `path` is empty). */
static struct change { char path[TEXT], before[TEXT]; int device; } changes[MAX_CHANGES];
static int change_count;
static int lock = -1;

static bool read_text(const char *path, char text[TEXT]) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, TEXT - 1);
  if (fd >= 0) close(fd);
  text[length < 0 ? 0 : length] = 0;
  return length >= 0;
}

/* A setting; of those that list what there is ("always [madvise] never"), the one that is chosen. */
static bool read_setting(const char *path, char value[TEXT]) {
  char text[TEXT];
  if (!read_text(path, text)) return false;
  char *from = strchr(text, '['), *to = from ? strchr(from, ']') : NULL;
  if (to) {
    *to = 0;
    from++;
  } else {
    from = text;
    from[strcspn(from, "\n")] = 0;
  }
  strcpy(value, from);
  return true;
}

static bool write_setting(const char *path, const char *value) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : write(fd, value, strlen(value));
  int why = errno;
  if (fd >= 0) close(fd);
  errno = why;
  return length >= 0;
}

static void answer(const char *text) {
  printf("%s\n", text);
  fflush(stdout);
}

static void complain(const char *what, const char *path) {
  printf("cannot %s %s: %s\n", what, path, strerror(errno));
  fflush(stdout);
}

static void do_lock(const char *path) {
  lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX)) complain("lock", path);
  else answer("ok");
}

static void do_set(char *text) {
  char *value = strsep(&text, " "), before[TEXT];
  if (!text || strlen(text) >= TEXT || change_count == MAX_CHANGES) return answer("not a setting");
  if (!read_setting(text, before)) return answer("none");
  if (!strcmp(before, value)) return answer("ok");
  if (!write_setting(text, value)) return complain("write to", text);
  struct change *change = &changes[change_count++];
  strcpy(change->path, text);
  strcpy(change->before, before);
  answer("ok");
}

/* Writes the header that swapon() asks for: version 1, the last page, no bad pages. */
static bool write_swap_header(const char *device, uint32_t pages) {
  static char page[PAGE];
  const uint32_t fields[] = {1, pages};
  memset(page, 0, sizeof page);
  memcpy(page + 1024, fields, sizeof fields);
  memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
  int fd = open(device, O_WRONLY | O_CLOEXEC);
  bool is_written = fd >= 0 && write(fd, page, PAGE) == PAGE && !fsync(fd);
  if (fd >= 0) close(fd);
  return is_written;
}

static void remove_device(int device, bool is_used) {
  char path[TEXT], number[16];
  snprintf(path, sizeof path, "/dev/zram%d", device);
  if (is_used) swapoff(path);
  snprintf(path, sizeof path, "/sys/block/zram%d/reset", device);
  write_setting(path, "1");
  snprintf(number, sizeof number, "%d", device);
  write_setting(ZRAM_CONTROL "hot_remove", number);
}

static void do_swap(const char *text) {
  char number[TEXT], path[TEXT], bytes[32];
  unsigned long pages = strtoul(text, NULL, 10);
  if (change_count == MAX_CHANGES || !read_setting(ZRAM_CONTROL "hot_add", number)) return answer("none");
  int device = atoi(number);
  snprintf(path, sizeof path, "/sys/block/zram%d/disksize", device);
  snprintf(bytes, sizeof bytes, "%lu", (pages + 1) * PAGE);
  bool is_made = write_setting(path, bytes);
  snprintf(path, sizeof path, "/dev/zram%d", device);
  if (!is_made || !write_swap_header(path, pages) || swapon(path, 0)) {
    complain("swap to", path);
    remove_device(device, false);
    return;
  }
  changes[change_count++] = (struct change){.device = device};
  answer("ok");
}

/* Memory that khugepaged looks after, for as long as this program runs. */
static void map_for_khugepaged(int flags, int fd) {
  void *memory = mmap(NULL, KHUGEPAGED_BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (memory != MAP_FAILED) madvise(memory, KHUGEPAGED_BYTES, MADV_HUGEPAGE);
}

/*
 * khugepaged looks around when it is started, when its sleep is set, and when there is memory for it after a time without
 * any: in the middle of a scenario. So it gets memory that stays, and time to look at it while nothing else happens.
 */
static void do_tire(void) {
  char scans[TEXT] = "", scans_now[TEXT];
  const struct timespec ms = {0, 1000000};
  static bool is_mapped;
  if (!read_setting(KHUGEPAGED "full_scans", scans)) return answer("none");
  if (!is_mapped) {
    int fd = memfd_create("khugepaged", MFD_CLOEXEC);
    map_for_khugepaged(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (fd >= 0 && !ftruncate(fd, KHUGEPAGED_BYTES)) map_for_khugepaged(MAP_SHARED, fd);
    is_mapped = true;
  }
  for (int waited = 0; waited < KHUGEPAGED_MS; waited++) {
    nanosleep(&ms, NULL);
    if (read_setting(KHUGEPAGED "full_scans", scans_now) && strcmp(scans, scans_now)) break;
  }
  answer("ok");
}

static void restore(void) {
  while (change_count > 0) {
    struct change *change = &changes[--change_count];
    if (change->path[0]) write_setting(change->path, change->before);
    else remove_device(change->device, true);
  }
  if (lock >= 0) close(lock);
  lock = -1;
}

int main(void) {
  static char line[2 * TEXT];
  const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
  while (fgets(line, sizeof line, stdin)) {
    char *rest = line;
    line[strcspn(line, "\n")] = 0;
    const char *command = strsep(&rest, " ");
    if (!strcmp(command, "lock") && rest) do_lock(rest);
    else if (!strcmp(command, "set") && rest) do_set(rest);
    else if (!strcmp(command, "swap") && rest) do_swap(rest);
    else if (!strcmp(command, "tire")) do_tire();
    else if (!strcmp(command, "restore")) {
      restore();
      answer("ok");
    } else {
      answer("no such command");
    }
  }
  restore();
  return 0;
}
