#include "sync/actor.h"

#include <string.h>
#include <unistd.h>

#include "sync/node_segment.h"
#include "sync/process_identity.h"

namespace dragon {

namespace {

constexpr uint32_t kGenerationShift = 3;
constexpr uint32_t kPidShift = 20;
constexpr uint32_t kStartShift = 42;
constexpr uint64_t kPidMask = (1u << 22) - 1;
constexpr uint64_t kStartMask = (1u << 22) - 1;

ActorState state_of(uint64_t word) {
  return static_cast<ActorState>(word & 7);
}
uint32_t generation_of(uint64_t word) {
  return static_cast<uint32_t>(word >> kGenerationShift) & (kActorGenerations - 1);
}
int32_t pid_of(uint64_t word) {
  return static_cast<int32_t>(word >> kPidShift & kPidMask);
}
uint64_t start_of(uint64_t word) {
  return word >> kStartShift;
}

uint64_t free_word(uint32_t generation) {
  return static_cast<uint64_t>(generation) << kGenerationShift;
}
uint64_t with_state(uint64_t word, ActorState state) {
  return (word & ~7ull) | static_cast<uint64_t>(state);
}
uint64_t live_word(uint32_t generation, int32_t pid, uint64_t start_time) {
  return with_state(free_word(generation), ActorState::kLive) |
         (static_cast<uint64_t>(pid) & kPidMask) << kPidShift |
         (start_time & kStartMask) << kStartShift;
}

// Generation 0 is never handed out, so that no actor id is 0.
uint32_t after_generation(uint32_t generation) {
  const uint32_t next = (generation + 1) % kActorGenerations;
  return next == 0 ? 1 : next;
}

// Raises a word that only grows.
void raise(Word32& word, uint32_t value) {
  uint32_t found = word.load();
  while (found < value && !word.cas(found, value)) {
  }
}

// Makes sure that the slot may be touched.
Status commit_slot(NodeSegment& segment, uint32_t slot) {
  NodeHeader& header = segment.header();
  const uint32_t committed = header.actors_committed.load();
  if (slot < committed) return DRAGON_SUCCESS;
  const uint32_t target = static_cast<uint32_t>(round_up(slot + 1, kActorsCommitStep));
  const uint64_t offset = kActorsOffset + sizeof(ActorSlot) * committed;
  const Status status = segment.mapping().commit(offset, sizeof(ActorSlot) * (target - committed));
  if (status == DRAGON_SUCCESS) raise(header.actors_committed, target);
  return status;
}

}  // namespace

Status ActorTable::enter(const char* name, ActorId& out) {
  const int32_t pid = ::getpid();
  const ProcessLook self = look_at_process(pid);
  if (!self.exists) return DRAGON_SYSTEM;
  for (uint32_t number = 0; number < kActorSlots; ++number) {
    const Status committed = commit_slot(*segment_, number);
    if (committed != DRAGON_SUCCESS) return committed;
    ActorSlot& slot = segment_->actor(number);
    uint64_t word = slot.word.load();
    if (state_of(word) != ActorState::kFree) continue;
    // Before the claim: a slot beyond `actors_used` would never be found again.
    raise(segment_->header().actors_used, number + 1);
    const uint32_t generation = generation_of(word) == 0 ? 1 : generation_of(word);
    if (!slot.word.cas(word, live_word(generation, pid, self.start_time))) continue;
    slot.bell_pending.store(0);
    char padded[sizeof(slot.name)] = {};
    ::strncpy(padded, name, sizeof(padded) - 1);
    for (size_t i = 0; i < 4; ++i) {
      uint64_t part = 0;
      ::memcpy(&part, padded + i * 8, sizeof(part));
      slot.name[i].store(part, std::memory_order_relaxed);
    }
    slot.start_time.store(self.start_time);
    out = make_actor_id(generation, number);
    return DRAGON_SUCCESS;
  }
  return DRAGON_TOO_MANY_ACTORS;
}

Status ActorTable::leave(ActorId id) {
  ActorSlot& slot = slot_of(id);
  uint64_t word = slot.word.load();
  if (generation_of(word) != actor_generation(id) || state_of(word) == ActorState::kFree) {
    return DRAGON_NOT_FOUND;
  }
  slot.start_time.store(0);
  slot.bell_pending.store(0);
  slot.word.store(free_word(after_generation(actor_generation(id))));
  return DRAGON_SUCCESS;
}

bool ActorTable::alive(ActorId id) const {
  const uint64_t word = slot_of(id).word.load();
  return state_of(word) == ActorState::kLive && generation_of(word) == actor_generation(id);
}

bool ActorTable::probe(ActorId id) {
  const uint64_t word = slot_of(id).word.load();
  if (state_of(word) != ActorState::kLive || generation_of(word) != actor_generation(id)) {
    return false;
  }
  const ProcessLook look = look_at_process(pid_of(word));
  const bool same = look.exists && (look.start_time & kStartMask) == start_of(word);
  if (!look.known || same) return true;
  mark_dead(id);
  return false;
}

bool ActorTable::stopped(ActorId id) const {
  return look_at_process(pid_of(slot_of(id).word.load())).stopped;
}

bool ActorTable::mark_dead(ActorId id) {
  ActorSlot& slot = slot_of(id);
  uint64_t word = slot.word.load();
  if (state_of(word) != ActorState::kLive || generation_of(word) != actor_generation(id)) {
    return false;
  }
  return slot.word.cas(word, with_state(word, ActorState::kDead));
}

Status ActorTable::begin_reclaim(ActorId id) {
  // Whoever knows of the death may come before those who watch for it.
  if (probe(id)) return DRAGON_STATE;
  ActorSlot& slot = slot_of(id);
  uint64_t word = slot.word.load();
  if (generation_of(word) != actor_generation(id)) return DRAGON_NOT_FOUND;
  switch (state_of(word)) {
    case ActorState::kFree:
      return DRAGON_NOT_FOUND;
    case ActorState::kLive:
      return DRAGON_STATE;
    case ActorState::kDead:
    case ActorState::kReclaiming:
      slot.word.store(with_state(word, ActorState::kReclaiming));
      return DRAGON_SUCCESS;
  }
  return DRAGON_STATE;
}

bool ActorTable::info(uint32_t number, ActorInfo& out) const {
  if (number >= segment_->header().actors_used.load()) return false;
  const ActorSlot& slot = segment_->actor(number);
  const uint64_t word = slot.word.load();
  out = {};
  out.id = make_actor_id(generation_of(word), number);
  out.state = state_of(word);
  out.pid = pid_of(word);
  out.start_time = slot.start_time.load();
  for (size_t i = 0; i < 4; ++i) {
    const uint64_t part = slot.name[i].load(std::memory_order_relaxed);
    ::memcpy(out.name + i * 8, &part, sizeof(part));
  }
  return true;
}

Word32& ActorTable::bell_pending(ActorId id) {
  return slot_of(id).bell_pending;
}

ActorSlot& ActorTable::slot_of(ActorId id) const {
  return segment_->actor(actor_slot(id));
}

}  // namespace dragon
