// `pin CPUS COMMAND...` runs a command on the processors CPUS (as in 0,1).
// `pin --thread TID CPU` moves one running thread to a processor.
//
// A measured process that is no C++ program pins itself through the second form, since the
// affinity of a thread is out of JavaScript's reach.

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

/// Parses "0,1,5"; false when a part is no number or out of range.
bool parse_cpus(const char* text, cpu_set_t* set) {
  CPU_ZERO(set);
  while (true) {
    char* end = nullptr;
    const long cpu = std::strtol(text, &end, 10);
    if (end == text || cpu < 0 || cpu >= CPU_SETSIZE) return false;
    CPU_SET(static_cast<std::size_t>(cpu), set);
    if (*end == '\0') return true;
    if (*end != ',') return false;
    text = end + 1;
  }
}

int usage() {
  std::fprintf(stderr, "usage: pin CPUS COMMAND... | pin --thread TID CPU\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return usage();
  const bool moves_thread = std::strcmp(argv[1], "--thread") == 0;
  if (moves_thread && argc != 4) return usage();
  cpu_set_t set;
  if (!parse_cpus(moves_thread ? argv[3] : argv[1], &set)) return usage();
  const int thread = moves_thread ? std::atoi(argv[2]) : 0;
  if (sched_setaffinity(thread, sizeof set, &set) != 0) {
    std::fprintf(stderr, "pin: sched_setaffinity: %s\n", std::strerror(errno));
    return 1;
  }
  if (moves_thread) return 0;
  execvp(argv[2], argv + 2);
  std::fprintf(stderr, "pin: %s: %s\n", argv[2], std::strerror(errno));
  return 127;
}
