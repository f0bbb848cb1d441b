#include "sync/yield_look.h"

#include <sched.h>

#include <algorithm>

namespace dragon {

uint64_t yield_ns() {
  const uint64_t before = now_ns();
  ::sched_yield();
  return now_ns() - before;
}

void YieldPolicy::learn(History& history, bool found, uint64_t total) {
  if (total >= kYieldNsDear) {
    paused_until_ns_ = now_ns() + total * pause_;
    pause_ = std::min(pause_ * 2, kYieldPauseMax);
  } else if (found) {
    history.failures /= 2;
    pause_ = std::max(pause_ / 2, kYieldPauseMin);
    return;
  }
  if (history.failures < kYieldFailuresMax) ++history.failures;
  history.skips = static_cast<uint8_t>((1u << history.failures) - 1);
}

}  // namespace dragon
