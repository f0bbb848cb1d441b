#include "sync/kill_points.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace dragon {

namespace {

// Test instrumentation of one process, never of the product: the one place with globals.
std::atomic<uint64_t> passed{0};
std::atomic<uint64_t> armed_at{0};
std::atomic<int> armed_signal{0};

void arm(uint64_t n, int signal) {
  armed_at.store(0, std::memory_order_relaxed);
  passed.store(0, std::memory_order_relaxed);
  armed_signal.store(signal, std::memory_order_relaxed);
  armed_at.store(n, std::memory_order_relaxed);
}

}  // namespace

void kill_points_arm(uint64_t n) {
  arm(n, SIGKILL);
}

void stop_points_arm(uint64_t n) {
  arm(n, SIGSTOP);
}

uint64_t kill_points_passed() {
  return passed.load(std::memory_order_relaxed);
}

void kill_point() {
  const uint64_t number = passed.fetch_add(1, std::memory_order_relaxed) + 1;
  if (number == armed_at.load(std::memory_order_relaxed)) {
    ::kill(::getpid(), armed_signal.load(std::memory_order_relaxed));
  }
}

}  // namespace dragon
