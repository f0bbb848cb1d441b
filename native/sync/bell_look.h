// How long an event loop looks at its bell before it sleeps.
//
// To sleep and to be woken costs both sides five system calls, and on two cores the wake of a
// core. So a loop whose answer is likely to come at once looks for it: with pauses where another
// core works on it, and by yields where the answer can come only from whoever gets this core. One
// that looked in vain leaves out 1, 3, 7, ... 255 sleeps, and a yield after which somebody else
// had the core for long counts as in vain whatever came meanwhile: the kernel may give away some
// milliseconds for it.
//
// Goals: at most 20 us a look, and no system call in the first 2 us unless only yields have paid.
// Non-goals: the waits of blocked threads (spin.h), whose places are known.
#pragma once

#include <cstdint>

#include "sync/deadline.h"
#include "sync/futex.h"
#include "sync/yield_look.h"

namespace dragon {

constexpr uint64_t kBellLookNsMax = 20'000;
constexpr uint64_t kBellQuietNs = 2'000;    // without a system call
constexpr uint64_t kYieldNsMax = 1'500;     // more: somebody else has run meanwhile
constexpr uint8_t kBellFailuresMax = 8;     // 255 sleeps that do not look
constexpr uint64_t kYieldNsWorth = 50'000;  // more: sleeping would have been the better yield

class BellLook {
 public:
  explicit BellLook(uint64_t (*yield)() = yield_ns) : yield_(yield) {}

  // Looks until `rung` returns true (then true), or it is better to sleep.
  template <typename Rung>
  bool look(Rung&& rung) {
    if (skips_ > 0) {
      --skips_;
      return false;
    }
    const uint64_t began = now_ns();
    if (!yields_at_once_) {
      while (now_ns() - began < kBellQuietNs) {
        for (uint32_t i = 0; i < kPausesPerLook; ++i) spin_pause();
        if (rung()) return succeeded(0);
      }
    }
    uint64_t took = 0;
    do {
      took = yield_();
      if (rung()) return succeeded(took);
    } while (took <= kYieldNsMax && now_ns() - began < kBellLookNsMax);
    failed();
    return false;
  }

 private:
  static constexpr uint32_t kPausesPerLook = 8;

  bool succeeded(uint64_t yield_took);
  void failed();

  uint64_t (*yield_)();
  uint8_t skips_ = 0;
  uint8_t failures_ = 0;
  bool yields_at_once_ = false;
};

}  // namespace dragon
