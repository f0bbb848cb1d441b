// Actors: who owns, holds and waits.
//
// An actor is a slot of the node's actor table under one generation. Everything that decides
// whether an actor lives is in the slot's first word, which one compare-and-swap changes:
//
//     bits  0..2   state
//     bits  3..19  generation
//     bits 20..41  pid
//     bits 42..63  start time of the process in clock ticks after boot, low 22 bits
//
// so a process killed at any instruction leaves either a free slot or one that names it.
// A slot is reused only after its reclamation has ended, under the next generation.
//
// Goals: `alive` costs one load; `probe` asks the kernel and marks what is dead.
// Non-goals: watching (the broker does, by pidfd) and giving back (channel/reclaim.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/status.h"
#include "sync/word.h"

namespace dragon {

// generation << 14 | slot: 31 bits, so that lock words have one for their own use. 0 is nobody.
using ActorId = uint32_t;

constexpr uint32_t kActorSlotBits = 14;
constexpr uint32_t kActorSlots = 1u << kActorSlotBits;
constexpr uint32_t kActorGenerations = 1u << 17;

constexpr uint32_t actor_slot(ActorId id) {
  return id & (kActorSlots - 1);
}
constexpr uint32_t actor_generation(ActorId id) {
  return id >> kActorSlotBits;
}
constexpr ActorId make_actor_id(uint32_t generation, uint32_t slot) {
  return generation << kActorSlotBits | slot;
}

enum class ActorState : uint32_t { kFree = 0, kLive = 1, kDead = 2, kReclaiming = 3 };

// In `bell_pending`: the owner looks there before it sleeps, and need not be rung.
constexpr ActorId kBellAwake = UINT32_MAX;

struct ActorSlot {
  Word64 word;
  Word64 start_time;    // the whole number, for people; 0 until written
  Word32 bell_pending;  // the actor whose bell is rung and not drained, kBellAwake, or 0
  Word32 spare32;
  Word64 name[4];  // for people, zero-padded
  Word64 spare[9];
};
static_assert(sizeof(ActorSlot) == 128);
static_assert(offsetof(ActorSlot, bell_pending) == 16 && offsetof(ActorSlot, name) == 24);

struct ActorInfo {
  ActorId id = 0;
  ActorState state = ActorState::kFree;
  int32_t pid = 0;
  uint64_t start_time = 0;
  char name[33] = {};
};

class NodeSegment;

// A process's view of the node's actor table.
class ActorTable {
 public:
  explicit ActorTable(NodeSegment& segment) : segment_(&segment) {}

  // Claims a slot for this process. TOO_MANY_ACTORS when all are taken.
  Status enter(const char* name, ActorId& out);
  // Frees a slot under the next generation: DEAD or RECLAIMING, or the caller's own LIVE one.
  Status leave(ActorId id);

  bool alive(ActorId id) const;
  // Looks whether the actor's process exists, is no zombie and started when the slot says; marks
  // it DEAD if not. Returns whether it is alive.
  bool probe(ActorId id);
  // Whether the actor's process is stopped by SIGSTOP or a debugger.
  bool stopped(ActorId id) const;
  // LIVE to DEAD. False if the actor was not alive.
  bool mark_dead(ActorId id);
  // DEAD to RECLAIMING, or RECLAIMING again after a reclaimer died. STATE if the actor is alive,
  // NOT_FOUND if the slot has gone on to another generation.
  Status begin_reclaim(ActorId id);

  // False beyond the slots used so far, so that loops end: for (slot = 0; info(slot, i); ++slot).
  bool info(uint32_t slot, ActorInfo& out) const;
  Word32& bell_pending(ActorId id);

 private:
  ActorSlot& slot_of(ActorId id) const;
  NodeSegment* segment_;
};

// The calling actor: handed to everything that takes a lock or waits. An actor is used by one
// thread at a time.
struct Actor {
  ActorTable* table = nullptr;
  ActorId id = 0;
};

}  // namespace dragon
