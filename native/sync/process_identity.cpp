#include "sync/process_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace dragon {

namespace {

// Field numbers of proc(5), counted from the state, which is field 3.
constexpr int kFieldThreads = 20 - 3;
constexpr int kFieldStartTime = 22 - 3;

ProcessLook parse_stat(const char* text) {
  ProcessLook look;
  // The command may contain anything, parentheses included; the last one ends it.
  const char* after_command = ::strrchr(text, ')');
  if (after_command == nullptr || after_command[1] != ' ') return look;
  const char* field = after_command + 2;
  const char state = *field;
  unsigned long threads = 0;
  for (int number = 0; number < kFieldStartTime; ++number) {
    if (number == kFieldThreads) threads = ::strtoul(field, nullptr, 10);
    field = ::strchr(field, ' ');
    if (field == nullptr) return look;
    ++field;
  }
  look.known = true;
  look.start_time = ::strtoull(field, nullptr, 10);
  // A zombie leader may still have threads that run.
  look.stopped = state == 'T' || state == 't';
  look.exists = state != 'X' && (state != 'Z' || threads > 1);
  return look;
}

}  // namespace

ProcessLook look_at_process(int32_t pid) {
  ProcessLook look;
  char path[32];
  ::snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    // Without a descriptor to spare, the signal call still tells whether there is a process.
    const bool gone = errno == ENOENT || errno == ESRCH;
    look.known = gone || (::kill(pid, 0) != 0 && errno == ESRCH);
    return look;
  }
  char text[1024];
  const ssize_t length = ::read(fd, text, sizeof(text) - 1);
  const int read_error = errno;
  ::close(fd);
  if (length <= 0) {
    look.known = length < 0 && read_error == ESRCH;
    return look;
  }
  text[length] = '\0';
  return parse_stat(text);
}

}  // namespace dragon
