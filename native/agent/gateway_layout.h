// How the gateway lies in its region: a header, a ring of submitted slots, the slots, the ports.
//
// A slot is one request from its client's claim to the end of its answer. One compare-and-swap of
// its owner word takes it from state to state, so that a process killed anywhere leaves a slot that
// says whose it is and what is to be done with it:
//
//     bits  0..30  actor id of the client
//     bits 31..33  SlotState
//     bit  34      detached: nobody waits for the answer
//     bits 35..63  generation, one up with each use
//
//     FREE -> CLAIMED    client  fills it
//     CLAIMED -> SUBMITTED  client  then puts it into the ring, then rings the agent
//     SUBMITTED -> TAKEN agent   when it finds it in the ring
//     TAKEN -> DONE      agent   the answer is in the slot; -> FREE if detached
//     DONE -> FREE       client
//
// An allocation that a slot names belongs to the client until it has noted it here, to the agent
// from then on, and with the answer to whoever makes it its own; so it is given back with its
// owner.
//
// The ring's cells hold lap << 32 | slot + 1, 0 while empty. `tail` only says where to look first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/actor.h"
#include "sync/word.h"

namespace dragon::agent {

constexpr uint32_t kWellKnownGateway = 4;
constexpr uint32_t kGatewayMagic = 0x31574744;  // "DGW1"
constexpr uint32_t kSlots = 1024;
constexpr uint32_t kRingCells = 4096;
constexpr uint32_t kPorts = 4096;
constexpr uint32_t kInlineBytes = 384;
static_assert((kRingCells & (kRingCells - 1)) == 0 && kRingCells >= 2 * kSlots);

enum class SlotState : uint64_t { kFree = 0, kClaimed = 1, kSubmitted = 2, kTaken = 3, kDone = 4 };

constexpr uint32_t kStateShift = 31;
constexpr uint64_t kDetached = 1ull << 34;
constexpr uint32_t kGenerationShift = 35;
constexpr uint64_t slot_word(uint64_t generation, SlotState state, ActorId owner) {
  return generation << kGenerationShift | static_cast<uint64_t>(state) << kStateShift | owner;
}
constexpr SlotState slot_state(uint64_t word) {
  return static_cast<SlotState>(word >> kStateShift & 7);
}
constexpr ActorId slot_owner(uint64_t word) {
  return static_cast<ActorId>(word & ((1ull << kStateShift) - 1));
}
constexpr uint64_t slot_generation(uint64_t word) {
  return word >> kGenerationShift;
}
constexpr uint64_t with_state(uint64_t word, SlotState state) {
  return (word & ~(7ull << kStateShift)) | static_cast<uint64_t>(state) << kStateShift;
}
constexpr uint64_t freed(uint64_t word) {
  return slot_word(slot_generation(word) + 1, SlotState::kFree, 0);
}

// What is asked for. The numbers are those of the wire, too.
enum class Op : uint32_t {
  kNone = 0,
  kAttach = 1,     // bytes of the handle inline; answer: capacity, block, flags inline
  kClose = 2,      // ends the port
  kOpenRole = 3,   // what: the role; answer's `what` names the handle for kCloseRole
  kCloseRole = 4,  // what: the handle
  kSend = 5,       // what: a ReturnMode
  kReceive = 6,    // limit: the longest message that is wanted
  kPeek = 7,       // the same; at most kEagerBytes of it come
  kPop = 8,
  kPoll = 9,    // what: a PollEvent
  kInfo = 10,   // answer: a ChannelInfo inline
  kReset = 11,  // answer's `bytes`: how many messages there were
  kDestroy = 12,
  kLend = 13,        // what: the role; answer: a handle inline
  kCancelLent = 14,  // bytes of the handle inline
};
constexpr uint32_t kOpLast = 14;

constexpr uint32_t kFlagTry = 1;       // do it now or say why not
constexpr uint32_t kFlagAdopt = 2;     // kAttach: take the lent reference over
constexpr uint32_t kFlagReadOnly = 4;  // answer: the payload is only to be read

struct GatewaySlot {
  Word64 owner;
  Word32 hint;    // for the parking lot: somebody waits for this slot
  Word32 cancel;  // not 0: the client wants an end
  Word32 op;      // an Op
  Word32 flags;
  Word32 what;
  Word32 status;  // of the answer
  Word64 port;
  Word64 hints;
  Word64 bytes;  // of the payload
  Word64 limit;
  Word32 segment;  // of the allocation
  Word32 landing;  // kReceive: segment of the pool where a long message is to lie
  Word64 allocation;
  Word64 spare[6];
  uint8_t inline_bytes[kInlineBytes];
};
static_assert(offsetof(GatewaySlot, port) == 32 && offsetof(GatewaySlot, inline_bytes) == 128);
static_assert(sizeof(GatewaySlot) == 512);

// An attachment to a channel of another node. The owner word is as a slot's: FREE or CLAIMED.
struct GatewayPort {
  Word64 owner;
  Word32 status;  // why nothing more can be sent through it; SUCCESS while it can
  Word32 spare32;
  Word64 spare[6];
};
static_assert(sizeof(GatewayPort) == 64);

struct GatewayHeader {
  Word32 magic;
  Word32 agent;    // the actor that serves it
  Word32 hint;     // somebody waits for a free slot
  Word32 cancels;  // one up with each wish to cancel
  Word64 spare[6];
  alignas(64) Word64 tail;
  alignas(64) Word64 spare_line[8];
  Word64 cells[kRingCells];
  GatewaySlot slots[kSlots];
  GatewayPort ports[kPorts];
};
static_assert(offsetof(GatewayHeader, tail) == 64 && offsetof(GatewayHeader, cells) == 192);

constexpr uint64_t cell_word(uint64_t lap, uint32_t slot_ref) {
  return lap << 32 | slot_ref;
}

// port id: generation of its owner word and index
constexpr uint64_t port_id(uint64_t generation, uint32_t index) {
  return (generation & 0xffffffff) << 32 | index;
}
constexpr uint32_t port_index(uint64_t id) {
  return static_cast<uint32_t>(id);
}

}  // namespace dragon::agent
