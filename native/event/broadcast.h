// Broadcasts: rounds in which one writer's payload goes to everybody who waits.
//
// A round is published by one compare-and-swap of the state word, which names the buffer that the
// writer had filled before. A waiter waits for the round after the one that it saw when it came.
// The last rounds stay readable, so nobody is held up by a waiter that is slow or stopped: one
// that comes too late for its round gets the oldest that there still is, and how many it missed.
//
// A buffer's word is PUBLISHED in a round or FILLING by an actor. The writer of the next round,
// and whoever reads, first says PUBLISHED of the current one if its writer has not come to that.
// A buffer that a dead writer was filling is free; one whose writer is stopped is out of use.
#pragma once

#include <cstdint>
#include <memory>

#include "channel/managed_object.h"

namespace dragon {

constexpr uint32_t kBroadcastPayloadMax = 4096;
constexpr uint32_t kBroadcastRoundsMax = 64;

struct BroadcastOptions {
  uint32_t payload_bytes = 256;  // most of one round: 0 .. 4096
  uint32_t rounds = 4;           // that stay readable: 1 .. 64
};

struct BroadcastHeader {
  ObjectHeader object;
  Word64 state;  // bits 0..7 buffer of the last round, 8..63 its number
  Word32 payload_bytes;
  Word32 buffers;
  Word64 spare[2];
};
static_assert(sizeof(BroadcastHeader) == 64 && offsetof(BroadcastHeader, state) == 32);

// Behind the header the buffers: this and the payload, rounded up to 64 together.
struct BroadcastBuffer {
  Word64 word;  // 0 unused; round << 2 | 1 PUBLISHED; claim << 33 | actor << 2 | 2 FILLING
  Word64 bytes;
  uint64_t* payload() { return reinterpret_cast<uint64_t*>(this + 1); }
};
static_assert(sizeof(BroadcastBuffer) == 16);

struct BroadcastRound {
  uint64_t round = 0;
  uint64_t missed = 0;  // rounds between the one that was waited for and this one
  uint64_t bytes = 0;
};

class Broadcast : public ManagedObject {
 public:
  ~Broadcast() override { close(); }
  static constexpr uint32_t kLaneRound = 0;
  static constexpr uint32_t kLaneBuffer = 1;

  // INVALID_ARGUMENT for options out of range.
  static Status create(const std::shared_ptr<Pool>& pool, const BroadcastOptions& options,
                       std::unique_ptr<Broadcast>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Broadcast>& out);

  // Publishes the next round: its number, and how many waited. TOO_LARGE; WOULD_BLOCK while every
  // buffer is in the hands of other writers.
  Status try_publish(const uint8_t* data, uint64_t bytes, uint64_t& round, uint32_t& woken);
  Status publish(const uint8_t* data, uint64_t bytes, Deadline deadline, uint64_t& round,
                 uint32_t& woken);

  // Copies the first readable round from `from` on (the first is 1) into `buffer`, which has room
  // for payload_bytes(). WOULD_BLOCK while there is none.
  Status try_read(uint64_t from, uint8_t* buffer, BroadcastRound& out);
  // Waits for the round after the last one.
  Status wait(Deadline deadline, uint8_t* buffer, BroadcastRound& out);

  // The number of the last round, 0 before the first.
  uint64_t round() const { return closed() ? 0 : shared().state.load() >> 8; }
  uint32_t payload_bytes() const { return closed() ? 0 : shared().payload_bytes.load(); }

  using ManagedObject::place;
  WaitPlace place() const { return ManagedObject::place(kLaneRound); }
  // Where writers wait for a buffer.
  WaitPlace buffer_place() const { return ManagedObject::place(kLaneBuffer); }

 protected:
  void wake_all_lanes() override { wake_lanes(kLaneBuffer + 1); }

 private:
  Broadcast() = default;
  BroadcastHeader& shared() const { return header_as<BroadcastHeader>(); }
  BroadcastBuffer& buffer(uint32_t index) const;
  void settle(uint64_t state);
  bool claim(uint32_t& index, uint64_t& filling);
  bool reader_copy(uint64_t round, uint8_t* to, BroadcastRound& out);
};

}  // namespace dragon
