// Hand-over: what was given back is kept a moment for the waiter that was woken after a long wait.
//
// The word holds the actor that something is kept for (bits 0..30) and until when (31..63, in
// units of 16 us, compared modulo their range). It is a hint: losing it costs fairness only.
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
constexpr uint64_t kKeptTimeMask = (1ull << 33) - 1;
constexpr uint64_t kKeptUnitsMax = (kHandOverNs >> kKeptUnitShift) + 1;

constexpr uint64_t kept_word(ActorId actor, uint64_t until_ns) {
  return (until_ns >> kKeptUnitShift & kKeptTimeMask) << 31 | actor;
}

inline bool kept_for_another(uint64_t kept, ActorId me) {
  if (kept == 0 || (kept & kKeptActorMask) == me) return false;
  const uint64_t left = ((kept >> 31) - (now_ns() >> kKeptUnitShift)) & kKeptTimeMask;
  return left != 0 && left <= kKeptUnitsMax;
}

// Called before something is given back: keeps it for the first waiter, if that has waited long.
inline void keep_for_first(ParkingLot& lot, const WaitPlace& waiting, Word64& kept) {
  if ((waiting.hint->load() & waiting.bit) == 0) return;
  uint64_t since_ns = 0;
  const ActorId first = lot.first(waiting, since_ns);
  const uint64_t now = now_ns();
  if (first != 0 && now - since_ns >= kHandOverNs) kept.store(kept_word(first, now + kHandOverNs));
}

}  // namespace dragon
