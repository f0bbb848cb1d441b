// Hand-over: what was given back is kept a moment for the waiter that was woken after a long wait.
//
// The word holds the actor that something is kept for (bits 0..30), the low bits of a stamp
// (31..46) and until when (47..63, in units of 16 us, compared modulo their range). A thing that
// counts its owners stamps with the one that ended, so that the next one ends the keeping too.
// It is a hint: losing it costs fairness only.
#pragma once

#include <cstdint>

#include "sync/actor.h"
#include "sync/deadline.h"
#include "sync/parking.h"

namespace dragon {

// How long something given back is kept for a waiter, and how long that must have waited.
constexpr uint64_t kHandOverNs = 1'000'000;

constexpr uint32_t kKeptUnitShift = 14;
constexpr uint64_t kKeptActorMask = (1ull << 31) - 1;
constexpr uint32_t kKeptStampShift = 31;
constexpr uint64_t kKeptStampMask = (1ull << 16) - 1;
constexpr uint32_t kKeptTimeShift = 47;
constexpr uint64_t kKeptTimeMask = (1ull << 17) - 1;
constexpr uint64_t kKeptUnitsMax = (kHandOverNs >> kKeptUnitShift) + 1;

constexpr uint64_t kept_word(ActorId actor, uint64_t until_ns, uint32_t stamp) {
  return (until_ns >> kKeptUnitShift & kKeptTimeMask) << kKeptTimeShift |
         (stamp & kKeptStampMask) << kKeptStampShift | actor;
}

inline bool kept_for_another(uint64_t kept, ActorId me, uint32_t stamp = 0) {
  if (kept == 0 || (kept & kKeptActorMask) == me) return false;
  if ((kept >> kKeptStampShift & kKeptStampMask) != (stamp & kKeptStampMask)) return false;
  const uint64_t left = ((kept >> kKeptTimeShift) - (now_ns() >> kKeptUnitShift)) & kKeptTimeMask;
  return left != 0 && left <= kKeptUnitsMax;
}

// Called before something is given back: keeps it for the first waiter, if that has waited long.
inline void keep_for_first(ParkingLot& lot, const WaitPlace& waiting, Word64& kept,
                           uint32_t stamp = 0) {
  if ((waiting.hint->load() & waiting.bit) == 0) return;
  const ParkingLot::Head first = lot.head(waiting);
  if (first.owner == 0) return;
  const uint64_t now = now_ns();
  if (now < first.since_ns + kHandOverNs) return;
  kept.store(kept_word(first.owner, now + kHandOverNs, stamp));
}

}  // namespace dragon
