#include "sync/spin.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "sync/deadline.h"

namespace dragon {

namespace {

constexpr uint32_t kPausesMax = 32;

// Of the machine, not those that this thread may use: two processes may each be held to one core,
// and to different ones.
bool has_several_cores() {
  static const bool several = ::sysconf(_SC_NPROCESSORS_ONLN) > 1;
  return several;
}

}  // namespace

uint64_t yield_ns() {
  const uint64_t before = now_ns();
  ::sched_yield();
  return now_ns() - before;
}

bool SpinPolicy::Session::next() {
  for (uint32_t i = 0; i < pauses_; ++i) spin_pause();
  if (pauses_ < kPausesMax) {
    pauses_ *= 2;
    return true;
  }
  const uint64_t now = now_ns();
  if (began_ns_ == 0) began_ns_ = now;
  const uint64_t spun = now - began_ns_;
  if (spun < kSpinQuietNs) return true;
  return spun < kSpinNsMax && !policy_.yield_shows_crowd();
}

bool SpinPolicy::room_to_spin() {
  if (crowded_until_ns_ == 0) return has_several_cores();
  if (now_ns() < crowded_until_ns_ || yield_shows_crowd()) return false;
  crowded_until_ns_ = 0;
  crowded_ns_ = kCrowdedNs;
  return true;
}

bool SpinPolicy::yield_shows_crowd() {
  if (yield_() <= kYieldNsMax) return false;
  if (crowded_until_ns_ != 0) crowded_ns_ = std::min(crowded_ns_ * 2, kCrowdedNsMax);
  crowded_until_ns_ = now_ns() + crowded_ns_;
  return true;
}

void SpinPolicy::succeeded(SpinHistory& history) {
  history.failures /= 2;
  if (++history.successes < kSpinsPerYield) return;
  history.successes = 0;
  yield_shows_crowd();
}

void SpinPolicy::failed(SpinHistory& history) {
  if (history.failures < kSpinFailuresMax) ++history.failures;
  history.skips = static_cast<uint8_t>((1u << history.failures) - 1);
}

}  // namespace dragon
