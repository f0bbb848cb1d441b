// Records: 64 bytes of an actor in the node segment, claimed by one compare-and-swap.
//
// A record says that its owner waits on an object's lane, or has an object open, or lends a
// reference to one. Records live in the node's segment and not in pools, so a full pool stops
// nobody from waiting, receiving, freeing or destroying.
//
// The owner word is the truth about who has the record:
//
//     bits  0..31  actor id, 0 when free
//     bits 32..33  flags (kRecordLent)
//     bits 34..63  generation, one up each time that the record is freed
//
// and the type word about what it means; a record whose type is kNone was claimed by somebody who
// died before saying why.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/status.h"
#include "sync/word.h"

namespace dragon {

constexpr uint32_t kRecordsMax = 1u << 18;
constexpr uint32_t kRecordsCommitStep = 1024;

// generation << 32 | index. 0 is never a record.
using RecordId = uint64_t;

enum class RecordType : uint32_t {
  kNone = 0,
  kWait = 1,    // owner waits on `key`
  kOpen = 2,    // owner has the object open in `role`
  kClosed = 3,  // was kOpen; counts no more, but the close has not ended
};

constexpr uint64_t kRecordLent = 1ull << 32;
constexpr uint64_t kRecordGenerationOne = 1ull << 34;
constexpr uint64_t kRecordGenerationMask = ~(kRecordGenerationOne - 1);

struct Record {
  Word64 owner;
  Word32 type;
  Word32 state;       // kWait: a WaitState, the futex word of a blocked thread
  Word64 key;         // kWait: the lane's key. kOpen: the object's key
  Word64 allocation;  // kOpen: allocation id of the object, 0 for a pool. kWait: unused
  // kOpen, of a channel: what the attachment has in it besides being open. An allocation that is
  // being sent, with its segment if that is not the channel's, and the position that it is tried
  // at; the attachment's private slot, and the slot that a send gets in exchange
  // (channel/channel_layout.h).
  Word64 ticket;    // kWait: place in the queue. kOpen: allocation
  Word64 since_ns;  // kWait: when the wait began. kOpen: position
  Word32 kind;      // kWait: WaitKind. kOpen: Role
  Word32 next;  // kWait: index in the bucket's list, rebuilt from the states. kOpen: private slot
  Word32 previous;  // kWait: the same. kOpen: slot in exchange
  Word32 spare;     // kOpen: segment
};
static_assert(sizeof(Record) == 64 && offsetof(Record, key) == 16 && offsetof(Record, kind) == 48);

class NodeSegment;

// A process's view of the record area. Not for use by several threads at once.
class RecordArea {
 public:
  explicit RecordArea(NodeSegment& segment) : segment_(&segment) {}

  // Claims a record with type kNone for `owner`. TOO_MANY_RECORDS, or OUT_OF_MEMORY when the area
  // could not be extended.
  Status claim(uint32_t owner, RecordId& out);
  // Gives a record back, whoever owns it; the caller knows that nobody else may.
  void release(RecordId id);

  Record& at(uint32_t index) const;
  Record& of(RecordId id) const { return at(index_of(id)); }
  // Whether the record still is the one that the id names.
  bool current(RecordId id) const;
  RecordId id_of(uint32_t index) const;
  // Records 1..committed()-1 may be looked at.
  uint32_t committed() const;

  static uint32_t index_of(RecordId id) { return static_cast<uint32_t>(id); }

 private:
  Status extend(uint32_t committed);
  NodeSegment* segment_;
  uint32_t cursor_ = 0;
};

}  // namespace dragon
