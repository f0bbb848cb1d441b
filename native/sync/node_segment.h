// The node's own segment: actors, records, parking buckets, object stripes, well-known handles.
//
// Goals: exists before any pool and is small at first (about 100 KiB committed), so that bring-up
// takes well under a millisecond. Tables grow by commits, never by moving.
// Non-goals: user data, anything of variable size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "sync/actor.h"
#include "sync/mapping.h"
#include "sync/record.h"
#include "sync/robust_mutex.h"
#include "sync/segment_header.h"

namespace dragon {

constexpr uint32_t kBuckets = 256;
constexpr uint32_t kStripes = 64;
constexpr uint32_t kWellKnown = 32;
constexpr uint32_t kActorsCommitStep = 64;

// One list of waiters of the parking lot. Head and tail are rebuilt from the records.
struct Bucket {
  RobustMutex mutex;
  Word32 head;
  Word32 tail;
  Word32 spare[13];
};
static_assert(sizeof(Bucket) == 64);

// Serializes opening and closing of the objects that hash to it.
struct Stripe {
  RobustMutex mutex;
  Word32 spare[15];
};
static_assert(sizeof(Stripe) == 64);

struct WellKnownEntry {
  Word32 valid;
  Word32 spare32[3];
  Word64 handle[8];
  Word64 spare[6];
};
static_assert(sizeof(WellKnownEntry) == 128);

struct NodeHeader {
  SegmentHeader segment;
  Word32 actors_committed;
  Word32 records_committed;
  Word32 actors_used;  // slots below this have been used; only grows
  Word32 spare32;
  Word64 next_ticket;
  RobustMutex reclaim_mutex;
  Word32 spare32b;
  Word64 spare[4];
};
static_assert(sizeof(NodeHeader) == 128);

constexpr uint64_t kWellKnownOffset = kPageBytes;
constexpr uint64_t kBucketsOffset = kWellKnownOffset + sizeof(WellKnownEntry) * kWellKnown;
constexpr uint64_t kStripesOffset = kBucketsOffset + sizeof(Bucket) * kBuckets;
constexpr uint64_t kActorsOffset = kStripesOffset + sizeof(Stripe) * kStripes;
constexpr uint64_t kRecordsOffset = kActorsOffset + sizeof(ActorSlot) * kActorSlots;
constexpr uint64_t kNodeSegmentBytes = kRecordsOffset + sizeof(Record) * kRecordsMax;
static_assert(kActorsOffset % kPageBytes == 0 && kRecordsOffset % kPageBytes == 0);

// Copies share one mapping.
class NodeSegment {
 public:
  static Status create(const NodeIdentity& identity, NodeSegment& out);
  // Takes `fd` over, also on failure. LAYOUT for anything that is not a node segment.
  static Status attach(int fd, NodeSegment& out);

  int fd() const { return mapping_->fd(); }
  const Mapping& mapping() const { return *mapping_; }
  NodeIdentity identity() const;

  NodeHeader& header() const { return at<NodeHeader>(0); }
  ActorSlot& actor(uint32_t slot) const { return array<ActorSlot>(kActorsOffset, slot); }
  Record& record(uint32_t index) const { return array<Record>(kRecordsOffset, index); }
  Bucket& bucket(uint32_t index) const { return array<Bucket>(kBucketsOffset, index); }
  Stripe& stripe(uint32_t index) const { return array<Stripe>(kStripesOffset, index); }

  // NOT_FOUND while the entry is not set; INVALID_ARGUMENT beyond the table.
  Status well_known(uint32_t index, uint8_t (&handle)[64]) const;
  // Each entry is set once: EXISTS afterwards.
  Status set_well_known(uint32_t index, const uint8_t (&handle)[64]);

 private:
  template <typename T>
  T& at(uint64_t offset) const {
    return *reinterpret_cast<T*>(mapping_->base() + offset);
  }
  template <typename T>
  T& array(uint64_t offset, uint32_t index) const {
    return at<T>(offset + sizeof(T) * index);
  }
  std::shared_ptr<const Mapping> mapping_;
};

// Spreads keys over buckets and stripes.
constexpr uint32_t hash_key(uint64_t key) {
  return static_cast<uint32_t>((key * 0x9e3779b97f4a7c15ull) >> 32);
}

}  // namespace dragon
