// How a channel lies in its pool: a header, the first chunk of slots behind it, further chunks in
// allocations of their own.
//
// Chunk 0 holds slots 0..7, chunk k holds 8 << (k-1) slots: a channel starts small whatever its
// capacity, and no slot ever moves. A slot is a header of 64 bytes and a block for inline payload.
//
//     slot state word: bits 0..30 actor (RESERVED, TAKEN), bits 32..35 SlotState
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "memory/object.h"
#include "sync/robust_mutex.h"
#include "sync/word.h"

namespace dragon {

constexpr uint32_t kChannelCapacityMax = 1u << 20;
constexpr uint32_t kChannelBlockBytesMax = 16384;
constexpr uint32_t kFirstChunkSlots = 8;
constexpr uint32_t kChunks = 18;
constexpr uint32_t kNoSlot = UINT32_MAX;

// Lanes of a channel in the parking lot, and bits of its hint word.
constexpr uint32_t kLaneIn = 0;
constexpr uint32_t kLaneOut = 1;
constexpr uint32_t kLaneEmpty = 2;
constexpr uint32_t kLaneFull = 3;
constexpr uint32_t kLanePoll = 4;  // polls for in and out; like empty and full, woken all at once
constexpr uint32_t kChannelLanes = 5;

enum class SlotState : uint32_t { kFree = 0, kReserved = 1, kQueued = 2, kTaken = 3 };

constexpr uint64_t slot_state(SlotState state, uint32_t actor) {
  return static_cast<uint64_t>(state) << 32 | actor;
}
constexpr SlotState slot_state_of(uint64_t word) {
  return static_cast<SlotState>(word >> 32 & 0xf);
}
constexpr uint32_t slot_actor_of(uint64_t word) {
  return static_cast<uint32_t>(word);
}

struct ChannelSlot {
  Word64 state;
  Word64 sequence;  // QUEUED, TAKEN: place in the order
  Word64 bytes;     // length of the payload
  Word64 hints;
  Word64 payload;  // allocation id, 0 if inline
  Word32 next;     // list of free slots, or queue
  Word32 spare32;
  Word64 spare[2];
  uint8_t* inline_bytes() { return reinterpret_cast<uint8_t*>(this + 1); }
};
static_assert(sizeof(ChannelSlot) == 64 && offsetof(ChannelSlot, next) == 40);

constexpr uint32_t kChannelEndOfStream = 1;

struct ChannelHeader {
  ObjectHeader object;
  Word32 capacity;
  Word32 block_bytes;
  Word32 flags;
  RobustMutex mutex;
  Word64 next_sequence;
  // Indexes under the mutex:
  Word32 slots;  // in the chunks that exist, at most the capacity
  Word32 free_head;
  Word32 queue_head;
  Word32 queue_tail;
  Word32 queued;
  Word32 in_use;           // slots that are not free
  Word64 chunks[kChunks];  // allocation ids; chunks[0] is unused: it lies behind the header
  Word32 stale;            // not 0: slots changed without the mutex, rebuild the indexes
  Word32 spare32;
  Word64 spare[3];
};
static_assert(sizeof(ChannelHeader) == 256 && offsetof(ChannelHeader, chunks) == 80);

constexpr uint32_t chunk_of(uint32_t slot) {
  return slot < kFirstChunkSlots ? 0 : std::bit_width(slot / kFirstChunkSlots);
}
constexpr uint32_t chunk_first_slot(uint32_t chunk) {
  return chunk == 0 ? 0 : kFirstChunkSlots << (chunk - 1);
}
constexpr uint32_t chunk_slots(uint32_t chunk) {
  return chunk == 0 ? kFirstChunkSlots : kFirstChunkSlots << (chunk - 1);
}
static_assert(chunk_of(7) == 0 && chunk_of(8) == 1 && chunk_of(16) == 2);
static_assert(chunk_of(kChannelCapacityMax - 1) == kChunks - 1);

}  // namespace dragon
