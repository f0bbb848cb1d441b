// How long a waiter looks before it sleeps.
//
// A hand-off between two cores costs 50 ns to a waiter that looks, and 10 to 30 us to one that
// sleeps; looking for as long as the sleep would cost is at most twice as bad as the best. But
// where more actors want to run than there are cores, whoever looks keeps the other side from
// running. So:
//
// - Each place remembers how its last waits went. One that ended while looking is worth looking
//   for again; one that did not is left out for 1, 3, 7, ... 255 waits.
// - A waiter that has looked for 2 us yields between the looks, and one that finds all it waits for
//   by looking, and so never sleeps, yields now and then. A yield that takes as long as a change of
//   processes tells that somebody else wants the core: the machine is crowded. Then this actor
//   sleeps at once wherever it waits, for 10 ms, and twice as long each time, up to 320 ms, that a
//   yield shows the same at the end.
//
// Goals: nothing shared, no system call in the first 2 us, nothing to pay for who need not wait.
// Non-goals: the internal mutex, whose holders are brief (robust_mutex.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/futex.h"
#include "sync/node_segment.h"

namespace dragon {

constexpr uint64_t kSpinNsMax = 20'000;
constexpr uint64_t kSpinQuietNs = 2'000;  // without a system call
constexpr uint64_t kYieldNsMax = 1'500;   // more: somebody else has run meanwhile
constexpr uint64_t kCrowdedNs = 10'000'000;
constexpr uint64_t kCrowdedNsMax = 320'000'000;
constexpr uint8_t kSpinFailuresMax = 8;  // 255 waits that do not look
constexpr uint8_t kSpinsPerYield = 128;

// What one place has taught.
struct SpinHistory {
  uint8_t skips = 0;      // waits to come that do not look
  uint8_t failures = 0;   // the next failure costs 2^failures - 1 skips
  uint8_t successes = 0;  // since the last yield
};

// Yields; how long that took.
uint64_t yield_ns();

// The histories of one actor's places; places that share one by accident only learn more slowly.
class SpinPolicy {
 public:
  explicit SpinPolicy(uint64_t (*yield)() = yield_ns) : yield_(yield) {}

  // Looks until `look` returns true (then true), or it is better to sleep.
  template <typename Look>
  bool spin(uint64_t key, Look&& look) {
    SpinHistory& history = histories_[hash_key(key) % kHistories];
    if (history.skips > 0) {
      --history.skips;
      return false;
    }
    if (!room_to_spin()) return false;
    Session session(*this);
    while (session.next()) {
      if (!look()) continue;
      succeeded(history);
      return true;
    }
    failed(history);
    return false;
  }

 private:
  static constexpr size_t kHistories = 64;

  // One wait's looks: how far apart, and when to stop.
  class Session {
   public:
    explicit Session(SpinPolicy& policy) : policy_(policy) {}
    // Pauses before the next look; false to go to sleep.
    bool next();

   private:
    SpinPolicy& policy_;
    uint64_t began_ns_ = 0;
    uint32_t pauses_ = 1;
  };

  bool room_to_spin();
  bool yield_shows_crowd();
  void succeeded(SpinHistory& history);
  static void failed(SpinHistory& history);

  uint64_t (*yield_)();
  SpinHistory histories_[kHistories];
  uint64_t crowded_until_ns_ = 0;  // 0: not crowded
  uint64_t crowded_ns_ = kCrowdedNs;
};

}  // namespace dragon
