// What every measuring program shares: a clock, a place on a processor, options, a summary.
//
// Goals: a program measures inside itself and prints exactly one line of JSON, so that the
// cost of starting it is never in a figure. Samples are kept, not binned: runs are short.
// Non-goals: nothing here is part of the product or linked into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dragon::bench {

std::uint64_t now_ns();

/// Says why on standard error and ends the program with code 1.
[[noreturn]] void fail(const char* what);
/// The same for a failed system call; adds the text of errno.
[[noreturn]] void fail_errno(const char* what);

/// Moves the calling thread to one processor; a negative number leaves it where it is.
void pin_to(int cpu);

/// Ends the calling process when its parent dies, also when the parent is dead already.
void die_with_parent(int parent_pid);

/// Waits for a forked process and fails unless it ended with code 0.
void expect_success(int pid);

/// A page-aligned anonymous mapping that forked processes share; never unmapped.
void* shared_memory(std::size_t bytes);

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// `--key value` options, and what follows `--` as a command.
class Options {
 public:
  Options(int argc, char** argv, int first);

  long number(std::string_view key, long fallback) const;
  std::string text(std::string_view key, std::string_view fallback) const;
  /// The pair of `--cpus A,B`; both -1 when the option is absent.
  std::pair<int, int> cpus() const;
  char** command() const { return command_; }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
  char** command_ = nullptr;
};

/// Prints the one result line. `per_sample` is how many operations one sample is the mean of.
void print_result(const char* unit, std::vector<double> samples, long per_sample = 1);

/// The shape of a ping-pong: both sides run, the first one times round trips.
struct PingPong {
  long rounds = 1000;
  long warm_up = 100;
  /// Round trips per sample: more than one where the clock costs as much as the work.
  long batch = 1;
  int first_cpu = -1;
  int second_cpu = -1;

  static PingPong from(const Options& options, long default_rounds, long default_batch);

  long round_trips() const { return warm_up + rounds * batch; }
};

/// Forks; the child calls `echo()` for every round trip, this process times `ask()` and prints
/// half of each round trip in nanoseconds.
template <typename Ask, typename Echo>
void run_ping_pong(const PingPong& shape, Ask ask, Echo echo);

int start_echo_process();

template <typename Ask, typename Echo>
void run_ping_pong(const PingPong& shape, Ask ask, Echo echo) {
  const int child = start_echo_process();
  if (child == 0) {
    pin_to(shape.second_cpu);
    for (long i = 0; i < shape.round_trips(); ++i) echo();
    _Exit(0);
  }
  pin_to(shape.first_cpu);
  for (long i = 0; i < shape.warm_up; ++i) ask();
  std::vector<double> samples(static_cast<std::size_t>(shape.rounds));
  for (double& sample : samples) {
    const std::uint64_t start = now_ns();
    for (long i = 0; i < shape.batch; ++i) ask();
    sample = static_cast<double>(now_ns() - start) / (2.0 * static_cast<double>(shape.batch));
  }
  expect_success(child);
  print_result("ns", std::move(samples), shape.batch);
}

}  // namespace dragon::bench
