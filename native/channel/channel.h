// Channels: bounded first-in first-out queues of messages, for any number of senders and
// receivers in any process of the node.
//
// A message lies in a slot: inline if it fits the channel's block, else as an allocation of the
// channel's pool, which passes from sender to message to receiver without being copied. The truth
// about a slot is its state word, changed by one store; the queue and the list of free slots are
// indexes under the channel's mutex. Copies are made outside the mutex, into a slot that is
// RESERVED or out of one that is TAKEN, so a slow or stopped copier delays nobody else.
//
// What a dead actor left: a RESERVED slot becomes free, a TAKEN one goes back into the queue at
// its place, since its receive had not ended.
//
// Goals: try forms never block; blocking forms are try and park, of the parts that an event loop
// uses too. No memory is waited for under the mutex or with a slot reserved.
// Non-goals: remote channels (the agent's), streams of several parts.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <string>

#include "channel/channel_layout.h"
#include "channel/managed_object.h"

namespace dragon {

struct ChannelOptions {
  uint32_t capacity = 100;     // messages: 1 .. 2^20
  uint32_t block_bytes = 192;  // inline payload: 0 .. 16384, rounded up to 64
  bool end_of_stream = false;
};

enum class ReturnMode { kWhenDeposited, kWhenReceived };
enum class PollEvent : uint32_t { kIn = 0, kOut = 1, kEmpty = 2, kFull = 3, kInOut = 4 };

// A message as the receiver gets it. Inline bytes were copied to the caller's buffer; a payload
// by descriptor is an allocation that now belongs to the receiver, who frees it.
struct ReceivedMessage {
  const uint8_t* data = nullptr;
  uint64_t bytes = 0;
  uint64_t hints = 0;
  uint64_t allocation = 0;  // 0: data points into the caller's buffer
};

class Channel : public ManagedObject {
 public:
  ~Channel() override { close(); }
  static Status create(const std::shared_ptr<Pool>& pool, const ChannelOptions& options,
                       std::unique_ptr<Channel>& out);
  // With `adopt` the lent record inside the handle becomes a handle of this actor, `adopted`.
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Channel>& out);

  // Puts one message of the gathered parts in. FULL; OUT_OF_MEMORY (payload, pool is full now);
  // TOO_LARGE; BROKEN_PIPE; OBJECT_DESTROYED. On any of them nothing was sent.
  Status try_send(const iovec* parts, size_t count, uint64_t hints);
  Status send(const iovec* parts, size_t count, uint64_t hints, Deadline deadline,
              ReturnMode mode = ReturnMode::kWhenDeposited);
  // Sends an allocation of the channel's pool, which this actor owns, without a copy. On success
  // it belongs to the message; else still to the caller. NOT_OWNER if it is not this actor's.
  Status try_send_allocation(uint64_t allocation, uint64_t hints);
  Status send_allocation(uint64_t allocation, uint64_t hints, Deadline deadline);

  // Takes the next message. `buffer` is for inline bytes and at least block_bytes() long.
  // EMPTY; EOF; OBJECT_DESTROYED.
  Status try_receive(uint8_t* buffer, ReceivedMessage& out);
  Status receive(uint8_t* buffer, Deadline deadline, ReceivedMessage& out);
  // Copies up to `capacity` bytes of the next message, which stays; `out.bytes` is its length.
  // EMPTY; EOF; BUFFER_TOO_SHORT with out.bytes set.
  Status try_peek(uint8_t* buffer, uint64_t capacity, ReceivedMessage& out);
  // Frees all messages that wait; returns how many.
  uint64_t drain();

  // SUCCESS or WOULD_BLOCK. kIn is also true at the end of the stream, kOut when a send would be
  // BROKEN_PIPE: the operation would not block.
  Status try_poll(PollEvent event);
  Status poll(PollEvent event, Deadline deadline);

  uint64_t message_count() const;
  uint32_t capacity() const { return shared().capacity.load(); }
  uint32_t block_bytes() const { return shared().block_bytes.load(); }
  uint32_t senders() const { return count(Role::kSender); }
  uint32_t receivers() const { return count(Role::kReceiver); }
  ActorId mutex_holder() const { return shared().mutex.holder(); }

  // Where to wait. Receives wait at place(kIn) and sends at place(kOut), and use the wakes that
  // they get or pass them on; polls wait at poll_place, whose waiters are woken all at once and
  // have nothing to pass on.
  WaitPlace place(PollEvent event) const;
  WaitPlace poll_place(PollEvent event) const;
  using ManagedObject::place;

  // Checks every invariant under the lock; empty if all is well.
  std::string audit();

  // For reclamation: gives back what a dead actor had in the channel's slots, and the mutex;
  // returns the number of slots.
  static uint32_t give_back(const std::shared_ptr<Pool>& pool, const AllocationInfo& object,
                            ActorId dead);
  // For reclamation: whether the chunk of slots is one of the channel's.
  static bool has_chunk(const AllocationInfo& object, uint64_t chunk);

 protected:
  void wake_all_lanes() override { wake_lanes(kChannelLanes); }
  void drop_contents() override;

 private:
  friend void take_apart_channel(Pool& pool, const AllocationInfo& object);
  Channel() = default;
  ChannelHeader& shared() const { return header_as<ChannelHeader>(); }
  ChannelSlot& slot(uint32_t index);
  uint64_t slot_owner(uint32_t index) const { return owner_message(id(), index); }
  bool no_more_senders() const;
  bool no_more_receivers() const;

  // The steps of a send and a receive.
  Status send_once(const iovec* parts, size_t count, uint64_t bytes, uint64_t hints);
  Status reserve(uint32_t& index);
  Status publish(uint32_t index);
  Status take(uint32_t& index);
  void free_slot(uint32_t index);
  bool drop_one();
  Status add_chunk(uint32_t slots);
  void push_free(uint32_t index);
  void append(uint32_t index);
  void after_send(bool full);
  void after_receive(bool empty);
  Status copy_payload(uint64_t allocation, uint64_t sequence, uint32_t index, uint8_t* buffer,
                      uint64_t bytes);
  template <typename Attempt>
  Status send_until(Deadline deadline, Attempt&& attempt);

  // Recovery.
  MutexGuard guard(Deadline deadline);
  void rebuild();
  void give_back_slot(uint32_t index, SlotState state, ActorId dead);
  const char* audit_lists(uint32_t queued, uint32_t free);

  uint8_t* chunks_[kChunks] = {};  // where this process sees them
};

// Frees the payloads of messages and the chunks of slots.
void take_apart_channel(Pool& pool, const AllocationInfo& object);

}  // namespace dragon
