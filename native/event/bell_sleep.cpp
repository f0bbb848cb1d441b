#include "event/bell_sleep.h"

#include <poll.h>

#include <algorithm>

namespace dragon {

BellSleep::~BellSleep() {
  if (drained_) node_.bell().ring(node_.me().id, true);
}

void BellSleep::begin() {
  if (!node_.bell().may_sleep()) drain();
}

void BellSleep::drain() {
  node_.bell().drain();
  drained_ = true;
}

void BellSleep::sleep(Deadline deadline) {
  const uint64_t now = now_ns();
  const uint64_t end = deadline.earlier(Deadline::after_ns(step_ns_)).at_ns();
  const uint64_t left = end > now ? end - now : 0;
  const timespec patience{static_cast<time_t>(left / 1'000'000'000),
                          static_cast<long>(left % 1'000'000'000)};
  pollfd bell{node_.bell().fd(), POLLIN, 0};
  if (::ppoll(&bell, 1, &patience, nullptr) > 0) {
    drain();
  } else {
    step_ns_ = std::min(step_ns_ * 2, kSleepStepNsMax);
  }
}

}  // namespace dragon
