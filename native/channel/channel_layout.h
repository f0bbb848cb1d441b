// How a channel lies in its pool: a header with the first ring and the first chunk of slots behind
// it; further rings and chunks in allocations of their own.
//
// A ring is an array of cells, one word each; position p of the channel's one endless order is cell
// p mod n of the ring that was open when p was sent. The lap in the cell's word, p / n, tells whose
// turn the cell is:
//
//     bits  0..20  slot + 1, 0 for none
//     bits 21..22  CellState
//     bits 23..63  lap
//
//     FREE(lap)   position is to be sent; the slot is what its sender gets in exchange
//     QUEUED(lap) the message of the position, in the slot
//     VOID(lap)   a message that its sender took back
//     CLOSED(lap) the ring ends before this position; the next ring begins with it
//
// A slot is a header of 64 bytes and a block for inline payload. It is referred to by one cell, or
// is the private slot of one attachment (in its open record), or is lost and found by a sweep.
// Chunk 0 holds 12 slots, chunk k 16 << (k-1): a channel starts small, and no slot ever moves.
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
constexpr uint32_t kLineBytes = 64;

// Lanes of a channel in the parking lot, and bits of its hint word.
constexpr uint32_t kLaneIn = 0;
constexpr uint32_t kLaneOut = 1;
constexpr uint32_t kLaneEmpty = 2;
constexpr uint32_t kLaneFull = 3;
constexpr uint32_t kLanePoll = 4;  // polls for in and out; like empty and full, woken all at once
constexpr uint32_t kLaneReceived = 5;   // senders that wait for their message to be received
constexpr uint32_t kLaneDestroyed = 6;  // nobody wakes it before the end
constexpr uint32_t kChannelLanes = 7;

enum class CellState : uint64_t { kFree = 0, kQueued = 1, kVoid = 2, kClosed = 3 };

// Number of a slot plus one, so that zeroed memory has none.
using SlotRef = uint32_t;
constexpr uint32_t kSlotRefBits = 21;
constexpr SlotRef kNoSlot = 0;
constexpr uint32_t kLapShift = kSlotRefBits + 2;
constexpr uint64_t kLapMask = (1ull << (64 - kLapShift)) - 1;

constexpr uint64_t cell_word(uint64_t lap, CellState state, SlotRef slot) {
  return lap << kLapShift | static_cast<uint64_t>(state) << kSlotRefBits | slot;
}
constexpr SlotRef cell_slot(uint64_t word) {
  return static_cast<SlotRef>(word & ((1u << kSlotRefBits) - 1));
}
constexpr CellState cell_state(uint64_t word) {
  return static_cast<CellState>(word >> kSlotRefBits & 3);
}
constexpr uint64_t cell_lap(uint64_t word) {
  return word >> kLapShift;
}

struct ChannelSlot {
  Word64 filled_for;  // position that it was last tried at, plus one; 0 before its first use
  Word64 bytes;       // length of the payload
  Word64 hints;
  Word64 payload;  // allocation id, 0 if inline
  Word32 next;     // list of spare slots
  Word32 flags;    // kSlotReadOnly
  Word32 segment;  // of the payload's pool; 0 is the channel's
  Word32 spare32;
  Word64 spare[2];
  uint8_t* inline_bytes() { return reinterpret_cast<uint8_t*>(this + 1); }
  const uint8_t* inline_bytes() const { return reinterpret_cast<const uint8_t*>(this + 1); }
};
static_assert(sizeof(ChannelSlot) == 64 && offsetof(ChannelSlot, next) == 32);

// Before the cells of a ring that lies in an allocation of its own.
struct RingHeader {
  Word64 first;  // position with which it begins
  Word64 spare[7];
};
static_assert(sizeof(RingHeader) == kLineBytes);

constexpr uint32_t kRings = 18;
constexpr uint32_t kFirstRingBits = 3;
constexpr uint64_t ring_cells(uint32_t ring) {
  return 1ull << (kFirstRingBits + ring);
}
static_assert(ring_cells(kRings - 1) == kChannelCapacityMax);

constexpr uint32_t kChunks = 18;
constexpr uint32_t kFirstChunkSlots = 12;

constexpr uint32_t chunk_of(uint32_t slot) {
  return static_cast<uint32_t>(std::bit_width((slot + 16 - kFirstChunkSlots) / 16));
}
constexpr uint32_t chunk_slots(uint32_t chunk) {
  return chunk == 0 ? kFirstChunkSlots : 16u << (chunk - 1);
}
constexpr uint32_t chunk_first_slot(uint32_t chunk) {
  return chunk == 0 ? 0 : (16u << (chunk - 1)) - (16 - kFirstChunkSlots);
}
static_assert(chunk_of(11) == 0 && chunk_of(12) == 1 && chunk_of(27) == 1 && chunk_of(28) == 2);
static_assert(chunk_first_slot(1) == 12 && chunk_first_slot(2) == 28);
static_assert(chunk_first_slot(kChunks - 1) + chunk_slots(kChunks - 1) < (1u << kSlotRefBits) - 1);

constexpr uint32_t kSlotReadOnly = 1;  // the payload stays the sender's

constexpr uint32_t kChannelEndOfStream = 1;

struct ChannelHeader {
  ObjectHeader object;
  Word32 capacity;
  Word32 block_bytes;
  Word32 flags;
  Word32 payload_segment;  // of the pool for payloads by copy; 0 is the channel's
  Word32 spare32[4];

  // Everything before this position was sent; and the ring in which it was, or is to be.
  alignas(kLineBytes) Word64 tail;
  Word32 send_ring;

  // The same for receivers.
  alignas(kLineBytes) Word64 head;
  Word32 receive_ring;

  // The supply of slots, and growth.
  alignas(kLineBytes) RobustMutex mutex;
  Word32 stale;       // for MutexGuard: never set, since nothing changes without the mutex
  Word32 fresh;       // slots below this have been handed out
  Word32 spare_slot;  // SlotRef: list of slots that nobody refers to
  Word32 spare_line[12];

  Word64 rings[kRings];    // allocation ids; rings[0] is unused: it lies behind the header
  Word64 chunks[kChunks];  // the same
  Word64 spare[4];
};
static_assert(offsetof(ChannelHeader, tail) == 64 && offsetof(ChannelHeader, head) == 128);
static_assert(offsetof(ChannelHeader, mutex) == 192 && offsetof(ChannelHeader, rings) == 256);
static_assert(sizeof(ChannelHeader) == 576);

constexpr uint64_t kFirstRingOffset = sizeof(ChannelHeader);
constexpr uint64_t kFirstSlotOffset = kFirstRingOffset + ring_cells(0) * sizeof(Word64);
static_assert(kFirstSlotOffset % kLineBytes == 0);

constexpr uint64_t slot_stride(uint32_t block_bytes) {
  return sizeof(ChannelSlot) + block_bytes;
}
constexpr uint64_t channel_bytes(uint32_t block_bytes) {
  return kFirstSlotOffset + kFirstChunkSlots * slot_stride(block_bytes);
}
static_assert(channel_bytes(192) <= 4096);

}  // namespace dragon
