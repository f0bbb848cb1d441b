#include "sync/spin.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

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

// The file is not kept open: it would be a descriptor for each actor, and a wrong one after a fork.
bool read_core_times(CoreTimes& out) {
  const int fd = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[80];
  const ssize_t length = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (length <= 0) return false;
  text[length] = 0;
  unsigned long long ran = 0;
  unsigned long long waited = 0;
  if (::sscanf(text, "%llu %llu", &ran, &waited) != 2) return false;
  out = {ran, waited};
  return true;
}

bool SpinPolicy::Session::next() {
  for (uint32_t i = 0; i < pauses_; ++i) spin_pause();
  if (pauses_ < kPausesMax) {
    pauses_ *= 2;
    return true;
  }
  const uint64_t now = now_ns();
  if (began_ns_ == 0) began_ns_ = now;
  return now - began_ns_ < kSpinNsMax;
}

bool SpinPolicy::room_to_spin() {
  if (crowded_until_ns_ == 0) return has_several_cores();
  const uint64_t now = now_ns();
  if (now < crowded_until_ns_) return false;
  if (kernel_tells_of_crowd(now)) {
    crowded_ns_ = std::min(crowded_ns_ * 2, kCrowdedNsMax);
    crowded_until_ns_ = now + crowded_ns_;
    return false;
  }
  crowded_until_ns_ = 0;
  crowded_ns_ = kCrowdedNs;
  return true;
}

// Judges the time since it was asked before.
bool SpinPolicy::kernel_tells_of_crowd(uint64_t now) {
  const CoreTimes before = sensed_;
  const bool lately = now - sensed_at_ns_ < kSenseNsMax;
  sensed_at_ns_ = now;
  if (!read_(sensed_) || !lately) return false;
  return (sensed_.waited_ns - before.waited_ns) * 2 > sensed_.ran_ns - before.ran_ns;
}

void SpinPolicy::sense() {
  const uint64_t now = now_ns();
  if (now - sensed_at_ns_ < kSenseNs || !kernel_tells_of_crowd(now)) return;
  crowded_until_ns_ = now + crowded_ns_;
}

void SpinPolicy::succeeded(SpinHistory& history) {
  history.failures /= 2;
  if (++history.successes < kSpinsPerSense) return;
  history.successes = 0;
  sense();
}

void SpinPolicy::failed(SpinHistory& history) {
  if (history.failures < kSpinFailuresMax) ++history.failures;
  history.skips = static_cast<uint8_t>((1u << history.failures) - 1);
  sense();
}

}  // namespace dragon
