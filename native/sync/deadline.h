// One deadline that spans all the waits inside a call.
//
// Goals: absolute on the monotonic clock, so that it is handed down unchanged; "try once" and
// "for ever" are values of it.
#pragma once

#include <cstdint>

namespace dragon {

// The monotonic clock.
uint64_t now_ns();

class Deadline {
 public:
  static constexpr Deadline never() { return Deadline(UINT64_MAX); }
  // In the past: whoever gets it tries once and reports the condition instead of TIMEOUT.
  static constexpr Deadline once() { return Deadline(0); }
  static Deadline after_ns(uint64_t ns);
  static Deadline after_ms(uint64_t ms) { return after_ns(ms * 1'000'000); }
  // The convention of the addon: negative (or NaN) is never, 0 is once, else milliseconds.
  static Deadline from_timeout_ms(double timeout_ms);

  bool is_never() const { return at_ns_ == UINT64_MAX; }
  bool is_once() const { return at_ns_ == 0; }
  bool passed() const { return !is_never() && (is_once() || now_ns() >= at_ns_); }
  uint64_t at_ns() const { return at_ns_; }
  Deadline earlier(Deadline other) const { return at_ns_ < other.at_ns_ ? *this : other; }

 private:
  explicit constexpr Deadline(uint64_t at_ns) : at_ns_(at_ns) {}
  uint64_t at_ns_;
};

}  // namespace dragon
