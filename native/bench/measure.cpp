// The shared parts of the measuring programs; see measure.h.

#include "measure.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <tuple>

namespace dragon::bench {

std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

void fail_errno(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

void pin_to(int cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail_errno("sched_setaffinity");
}

void die_with_parent(int parent_pid) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail_errno("prctl");
  if (getppid() != parent_pid) _exit(1);
}

void expect_success(int pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) fail_errno("waitpid");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("the other process failed");
}

void* shared_memory(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) fail_errno("mmap");
  return memory;
}

int start_echo_process() {
  const int parent = getpid();
  const int child = fork();
  if (child < 0) fail_errno("fork");
  if (child == 0) die_with_parent(parent);
  return child;
}

Options::Options(int argc, char** argv, int first) {
  for (int i = first; i < argc; ++i) {
    if (std::strcmp(argv[i], "--") == 0) {
      command_ = argv + i + 1;
      return;
    }
    if (std::strncmp(argv[i], "--", 2) != 0 || i + 1 >= argc) fail("usage: --key value ...");
    values_.emplace_back(argv[i] + 2, argv[i + 1]);
    ++i;
  }
}

std::string Options::text(std::string_view key, std::string_view fallback) const {
  for (const auto& [name, value] : values_) {
    if (name == key) return value;
  }
  return std::string(fallback);
}

long Options::number(std::string_view key, long fallback) const {
  const std::string value = text(key, "");
  if (value.empty()) return fallback;
  char* end = nullptr;
  const long parsed = std::strtol(value.c_str(), &end, 10);
  if (*end != '\0' || parsed < 0) fail("an option wants a number that is not negative");
  return parsed;
}

std::pair<int, int> Options::cpus() const {
  const std::string value = text("cpus", "");
  if (value.empty()) return {-1, -1};
  int first = -1;
  int second = -1;
  if (std::sscanf(value.c_str(), "%d,%d", &first, &second) != 2) fail("usage: --cpus A,B");
  return {first, second};
}

PingPong PingPong::from(const Options& options, long default_rounds, long default_batch) {
  PingPong shape;
  shape.rounds = std::max(1L, options.number("rounds", default_rounds));
  shape.batch = std::max(1L, options.number("batch", default_batch));
  shape.warm_up = options.number("warm-up", std::max(1L, shape.rounds * shape.batch / 10));
  std::tie(shape.first_cpu, shape.second_cpu) = options.cpus();
  return shape;
}

void print_result(const char* unit, std::vector<double> samples, long per_sample) {
  if (samples.empty()) fail("nothing was measured");
  std::sort(samples.begin(), samples.end());
  const auto at = [&samples](std::size_t percent) {
    return samples[(samples.size() - 1) * percent / 100];
  };
  std::printf(R"({"unit":"%s","n":%zu,"perSample":%ld,"p50":%.6g,"p99":%.6g,"min":%.6g})"
              "\n",
              unit, samples.size(), per_sample, at(50), at(99), samples.front());
  std::fflush(stdout);
}

}  // namespace dragon::bench
