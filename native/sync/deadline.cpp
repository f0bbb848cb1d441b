#include "sync/deadline.h"

#include <time.h>

namespace dragon {

uint64_t now_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

Deadline Deadline::after_ns(uint64_t ns) {
  const uint64_t now = now_ns();
  return Deadline(ns >= UINT64_MAX - now ? UINT64_MAX : now + ns);
}

Deadline Deadline::from_timeout_ms(double timeout_ms) {
  if (timeout_ms == 0) return once();
  // Beyond 2^53 ns (104 days) the sum is exact no more, and nobody can tell it from for ever.
  if (!(timeout_ms > 0 && timeout_ms < 9e9)) return never();
  return after_ns(static_cast<uint64_t>(timeout_ms * 1e6));
}

}  // namespace dragon
