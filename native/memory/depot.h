// Depots: where one actor asks for cached blocks of a size, and another one leaves them that frees
// such blocks.
//
// A depot holds the words of blocks of one size class that stay cached under the slot of whoever
// left them; so what is in a depot can be taken back like all that is cached, and a depot that
// tells of blocks which are gone does no harm: each is taken with one swap of its word.
//
//     state word: bits 0..7 DepotState, 8..15 blocks, 16..31 size class,
//     32..63 the actor that asked for them, fills it, has filled it or empties it
//
// Goals: blocks that are allocated in one process and freed in another come back without the
// pool's mutex, many at a time; and nothing lies here that nobody asked for. An actor that dies
// with a depot in its hands leaves it to whoever looks next.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/actor.h"
#include "sync/word.h"

namespace dragon {

constexpr uint32_t kDepots = 4;
constexpr uint32_t kDepotBlocks = 31;

struct Depot {
  Word64 state;
  Word64 blocks[kDepotBlocks];  // generation << 32 | index
};
static_assert(sizeof(Depot) == 256);

enum class DepotState : uint32_t {
  kEmpty = 0,
  kFilling = 1,
  kFull = 2,
  kEmptying = 3,
  kAsked = 4,  // for so many blocks of this class
};

constexpr uint64_t depot_word(DepotState state, uint32_t actor, uint32_t size_class = 0,
                              uint32_t count = 0) {
  return static_cast<uint64_t>(actor) << 32 | size_class << 16 | count << 8 |
         static_cast<uint64_t>(state);
}
constexpr DepotState depot_state_of(uint64_t word) {
  return static_cast<DepotState>(word & 0xff);
}
constexpr uint32_t depot_count_of(uint64_t word) {
  return static_cast<uint32_t>(word >> 8 & 0xff);
}
constexpr uint32_t depot_class_of(uint64_t word) {
  return static_cast<uint32_t>(word >> 16 & 0xffff);
}
constexpr ActorId depot_actor_of(uint64_t word) {
  return static_cast<ActorId>(word >> 32);
}

}  // namespace dragon
