// Floors of work that is no hand-off: start a process, copy memory, take a mutex.

#include "floors.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "measure.h"

extern char** environ;

namespace dragon::bench {

namespace {

/// Starts the command with standard output thrown away; nanoseconds until it is reaped.
double start_and_reap(char** command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const std::uint64_t start = now_ns();
  int pid = 0;
  errno = posix_spawnp(&pid, command[0], &actions, nullptr, command, environ);
  if (errno != 0) fail_errno(command[0]);
  expect_success(pid);
  const std::uint64_t elapsed = now_ns() - start;
  posix_spawn_file_actions_destroy(&actions);
  return static_cast<double>(elapsed);
}

}  // namespace

void spawn_floor(const Options& options) {
  char** command = options.command();
  if (command == nullptr || command[0] == nullptr) fail("usage: floors spawn ... -- COMMAND");
  for (long i = options.number("warm-up", 1); i > 0; --i) start_and_reap(command);
  std::vector<double> samples(static_cast<std::size_t>(std::max(1L, options.number("rounds", 5))));
  for (double& sample : samples) sample = start_and_reap(command);
  print_result("ns", std::move(samples));
}

void memcpy_floor(const Options& options) {
  const auto bytes = static_cast<std::size_t>(std::max(1L, options.number("bytes", 65536)));
  // Enough copies a sample that the clock does not show.
  const long batch = std::max(1L, static_cast<long>((std::size_t{1} << 20) / bytes));
  const auto from = std::make_unique<char[]>(bytes);
  const auto to = std::make_unique<char[]>(bytes);
  std::memset(from.get(), 1, bytes);
  std::memset(to.get(), 2, bytes);
  pin_to(options.cpus().first);
  std::vector<double> samples(static_cast<std::size_t>(std::max(1L, options.number("rounds", 20))));
  for (double& sample : samples) {
    const std::uint64_t start = now_ns();
    for (long i = 0; i < batch; ++i) {
      std::memcpy(to.get(), from.get(), bytes);
      asm volatile("" ::"r"(to.get()) : "memory");
    }
    const auto elapsed = static_cast<double>(now_ns() - start);
    sample = static_cast<double>(bytes) * static_cast<double>(batch) * 1e9 / elapsed;
  }
  print_result("B/s", std::move(samples), batch);
}

void mutex_floor(const Options& options) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  auto* mutex = static_cast<pthread_mutex_t*>(shared_memory(sizeof(pthread_mutex_t)));
  if (pthread_mutex_init(mutex, &attributes) != 0) fail("pthread_mutex_init");
  constexpr long kBatch = 1024;
  std::vector<double> samples(
      static_cast<std::size_t>(std::max(1L, options.number("rounds", 1000))));
  for (double& sample : samples) {
    const std::uint64_t start = now_ns();
    for (long i = 0; i < kBatch; ++i) {
      pthread_mutex_lock(mutex);
      asm volatile("" ::: "memory");
      pthread_mutex_unlock(mutex);
    }
    sample = static_cast<double>(now_ns() - start) / kBatch;
  }
  print_result("ns", std::move(samples), kBatch);
}

}  // namespace dragon::bench
