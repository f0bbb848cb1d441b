// How long a waiter looks before it sleeps.
//
// A hand-off between two cores costs 50 ns to a waiter that looks, and 10 to 30 us to one that
// sleeps; looking for as long as the sleep would cost is at most twice as bad as the best. But
// where more actors want to run than there are cores, whoever looks keeps the other side from
// running. So:
//
// - Each place remembers how its last waits went. One that ended while looking is worth looking
//   for again; one that did not is left out for 1, 3, 7, ... 255 waits.
// - Now and then a waiter that looks asks the kernel for how long its thread stood in line for a
//   core. If that is more than half of the time for which it ran, the machine is crowded. Then this
//   actor sleeps at once wherever it waits, for 10 ms, and twice as long each time, up to 320 ms,
//   that the kernel says the same at the end.
//
// A yield would tell of a crowd, too, and let it run. But it costs whoever yields a slice of some
// milliseconds, which others spend before it runs again.
//
// Goals: nothing shared, no system call but once in 4 ms, nothing to pay for who need not wait.
// Non-goals: the internal mutex, whose holders are brief (robust_mutex.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/futex.h"
#include "sync/node_segment.h"

namespace dragon {

constexpr uint64_t kSpinNsMax = 50'000;          // both sides may be on the way to sleep and back
constexpr uint64_t kSenseNs = 4'000'000;         // between two questions
constexpr uint64_t kSenseNsMax = 1'000'000'000;  // what was long ago says nothing
constexpr uint64_t kCrowdedNs = 10'000'000;
constexpr uint64_t kCrowdedNsMax = 320'000'000;
constexpr uint8_t kSpinFailuresMax = 8;  // 255 waits that do not look
constexpr uint8_t kSpinsPerSense = 128;

// What one place has taught.
struct SpinHistory {
  uint8_t skips = 0;      // waits to come that do not look
  uint8_t failures = 0;   // the next failure costs 2^failures - 1 skips
  uint8_t successes = 0;  // since the last look at the clock
};

// How long a thread has run, and stood in line for a core.
struct CoreTimes {
  uint64_t ran_ns = 0;
  uint64_t waited_ns = 0;
};

// The calling thread's; false where the kernel does not tell, and then no crowd is seen.
bool read_core_times(CoreTimes& out);

// The histories of one actor's places; places that share one by accident only learn more slowly.
class SpinPolicy {
 public:
  explicit SpinPolicy(bool (*read)(CoreTimes&) = read_core_times) : read_(read) {}

  // Looks until `look` returns true (then true), or it is better to sleep.
  template <typename Look>
  bool spin(uint64_t key, Look&& look) {
    SpinHistory& history = histories_[hash_key(key) % kHistories];
    if (history.skips > 0) {
      --history.skips;
      return false;
    }
    if (!room_to_spin()) return false;
    Session session;
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
    // Pauses before the next look; false to go to sleep.
    bool next();

   private:
    uint64_t began_ns_ = 0;
    uint32_t pauses_ = 1;
  };

  bool room_to_spin();
  bool kernel_tells_of_crowd(uint64_t now);
  void sense();
  void succeeded(SpinHistory& history);
  void failed(SpinHistory& history);

  bool (*read_)(CoreTimes&);
  SpinHistory histories_[kHistories];
  uint64_t crowded_until_ns_ = 0;  // 0: not crowded
  uint64_t crowded_ns_ = kCrowdedNs;
  CoreTimes sensed_;
  uint64_t sensed_at_ns_ = 0;
};

}  // namespace dragon
