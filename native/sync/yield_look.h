// How long a blocked waiter yields before it sleeps.
//
// Where the one that will answer wants the same core, looking (spin.h) only keeps it away, and to
// sleep and be woken costs both sides a system call more than the switch that is needed anyway. A
// yield is that switch alone: 1 us instead of 2 to 4. But who yields goes to the end of the line,
// and where a third one computes on that core it comes back after milliseconds; and if the other
// side is not running at all the yield was for nothing. So:
//
// - A wait yields again only while yields take long enough for somebody to have run, 20 us in all.
// - Each place remembers how its last waits went. One that yielded in vain leaves out 1, 3, 7, ...
//   255 waits.
// - A yield that was paid with the time of many sleeps counts as in vain whatever it has found, and
//   after it this actor yields nowhere for as long again, for twice as long if the next one is as
//   dear, and so on up to 1024 times. A third one gets its share of the core in any case, so one
//   dear yield now and then says nothing; one after the other say that yielding is wrong here.
//
// Goals: nothing shared; who has nobody to yield to pays for two short system calls, rarely.
// Non-goals: the waits of event loops, which have one bell for all places (bell_look.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/deadline.h"
#include "sync/node_segment.h"

namespace dragon {

constexpr uint64_t kYieldLookNsMax = 20'000;
constexpr uint64_t kYieldNsAlone = 800;    // less: nobody else has run
constexpr uint64_t kYieldNsDear = 50'000;  // more: sleeping would have been cheaper
constexpr uint64_t kYieldPauseMin = 1;     // times what was dear
constexpr uint64_t kYieldPauseMax = 1'024;
constexpr uint8_t kYieldFailuresMax = 8;  // 255 waits that do not yield

// Yields; how long that took.
uint64_t yield_ns();

class YieldPolicy {
 public:
  explicit YieldPolicy(uint64_t (*yield)() = yield_ns) : yield_(yield) {}

  // Looks after each yield until `look` returns true (then true), or it is better to sleep.
  template <typename Look>
  bool look(uint64_t key, Look&& look) {
    History& history = histories_[hash_key(key) % kHistories];
    if (history.skips > 0) {
      --history.skips;
      return false;
    }
    if (paused_until_ns_ != 0 && now_ns() < paused_until_ns_) return false;
    paused_until_ns_ = 0;
    uint64_t total = 0;
    uint32_t alone = 0;
    bool found = false;
    do {
      const uint64_t took = yield_();
      total += took;
      alone += took < kYieldNsAlone ? 1 : 0;
      found = look();
    } while (!found && alone < kAloneMax && total < kYieldLookNsMax);
    learn(history, found, total);
    return found;
  }

 private:
  static constexpr size_t kHistories = 64;
  static constexpr uint32_t kAloneMax = 2;

  // What one place has taught.
  struct History {
    uint8_t skips = 0;     // waits to come that do not yield
    uint8_t failures = 0;  // the next failure costs 2^failures - 1 skips
  };

  void learn(History& history, bool found, uint64_t total);

  uint64_t (*yield_)();
  History histories_[kHistories];
  uint64_t paused_until_ns_ = 0;  // 0: not paused
  uint64_t pause_ = kYieldPauseMin;
};

}  // namespace dragon
