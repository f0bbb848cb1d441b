// Channels: bounded first-in first-out queues of messages, for any number of senders and
// receivers in any process of the node.
//
// A message lies in a slot: inline if it fits the channel's block, else as an allocation of the
// channel's pool, which passes from sender to message to receiver without being copied. A sender
// fills a private slot and puts it in by one compare-and-swap of a ring's cell, which gives it the
// cell's former slot in exchange; a receiver copies and then takes by one compare-and-swap of the
// same cell, or of the owner of the payload. So every send and receive takes place at one
// instruction: who dies before it has done nothing, who dies after it has done all that others
// need, and nobody ever waits for a process that was stopped.
//
// Goals: try forms never block; blocking forms are try and park, of the parts that an event loop
// uses too. No memory is waited for with anything claimed. The mutex is for what is rare: growth,
// and the supply of slots.
// Non-goals: remote channels (the agent's), streams of several parts.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "channel/channel_layout.h"
#include "channel/managed_object.h"

namespace dragon {

struct ChannelOptions {
  uint32_t capacity = 100;     // messages: 1 .. 2^20
  uint32_t block_bytes = 192;  // inline payload: 0 .. 16384, rounded up to 64
  bool end_of_stream = false;
  std::shared_ptr<Pool>
      payload_pool;  // for payloads by copy that are too long; none: the channel's
};

// When a send is back. On a node the first three are the same: the message is in the channel.
enum class ReturnMode { kImmediately, kWhenBuffered, kWhenDeposited, kWhenReceived };
enum class PollEvent : uint32_t {
  kIn = 0,
  kOut = 1,
  kEmpty = 2,
  kFull = 3,
  kInOut = 4,
  kDestroyed = 5,  // for who wants to be told; every other call is OBJECT_DESTROYED then
};

// A message as the receiver gets it. Inline bytes were copied to the caller's buffer; a payload
// by descriptor is an allocation that now belongs to the receiver, who frees it.
struct ReceivedMessage {
  const uint8_t* data = nullptr;
  uint64_t bytes = 0;
  uint64_t hints = 0;
  uint64_t allocation = 0;  // 0: data points into the caller's buffer
  Pool* pool = nullptr;     // the allocation's
  bool read_only = false;   // the allocation stays the sender's: not to be changed or freed
  bool shared = false;      // the allocation is a share: others read the bytes, nobody changes them
};

struct ChannelInfo {
  uint32_t capacity = 0;
  uint32_t block_bytes = 0;
  bool end_of_stream = false;
  bool remote = false;
  uint64_t messages = 0;
  uint64_t free = 0;  // messages that still fit
  uint32_t senders = 0;
  uint32_t receivers = 0;
  uint32_t holders = 0;
  uint32_t blocked_senders = 0;  // waits of any kind: threads and event loops
  uint32_t blocked_receivers = 0;
};

class Channel : public ManagedObject {
  // What a message has outside of its slot.
  struct Payload {
    uint64_t id = 0;  // 0: nothing
    uint32_t segment = 0;
    bool read_only = false;
    bool owned() const { return id != 0 && !read_only; }
  };
  // Where this attachment goes on looking: everything before the position was sent or received.
  struct Cursor {
    uint64_t position = 0;
    uint32_t ring = 0;
  };

 public:
  // A message that was sent, for who waits for its receipt.
  class Receipt {
    friend class Channel;
    Cursor at_;
    Payload payload_;
    bool is_copy_ = false;  // the payload was made by the send
  };

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
              ReturnMode mode = ReturnMode::kWhenDeposited, WaitMode wait = WaitMode::kAdaptive);
  // Sends an allocation of the channel's pool, which this actor owns, without a copy. On success
  // it belongs to the message; else still to the caller. NOT_OWNER if it is not this actor's.
  Status try_send_allocation(uint64_t allocation, uint64_t hints, bool read_only = false);
  Status send_allocation(uint64_t allocation, uint64_t hints, Deadline deadline,
                         ReturnMode mode = ReturnMode::kWhenDeposited, bool read_only = false,
                         WaitMode wait = WaitMode::kAdaptive);
  // The steps of a send with kWhenReceived, for who waits in an event loop: a try that notes what
  // it sent; whether that was received, popped or drained (SUCCESS, WOULD_BLOCK,
  // OBJECT_DESTROYED); and the way back, after which nobody receives it and its payload is the
  // sender's again, a copy freed. STATE: it was received.
  Status try_send_noted(const iovec* parts, size_t count, uint64_t hints, Receipt& out);
  Status try_send_allocation_noted(uint64_t allocation, uint64_t hints, bool read_only,
                                   Receipt& out);
  Status try_receipt(const Receipt& receipt);
  Status take_back(const Receipt& receipt);
  // Sends messages of one part each; `sent` of them went, and the result is why no more did.
  Status try_send_many(const iovec* messages, size_t count, uint64_t hints, size_t& sent);
  // The same; waits for room.
  Status send_many(const iovec* messages, size_t count, uint64_t hints, Deadline deadline,
                   size_t& sent);

  // Takes the next message. `buffer` is for inline bytes and at least block_bytes() long.
  // EMPTY; EOF; OBJECT_DESTROYED.
  Status try_receive(uint8_t* buffer, ReceivedMessage& out);
  Status receive(uint8_t* buffer, Deadline deadline, ReceivedMessage& out,
                 WaitMode wait = WaitMode::kAdaptive);
  // Takes up to `count` messages; `buffer` holds as many blocks. `got` is how many came, and the
  // result is why no more did.
  Status try_receive_many(uint8_t* buffer, size_t count, ReceivedMessage* out, size_t& got);
  // Takes the next message into `capacity` bytes of the caller's, wherever its payload lies.
  // BUFFER_TOO_SHORT with out.bytes set: the message stays.
  Status try_receive_bytes(uint8_t* buffer, uint64_t capacity, ReceivedMessage& out);
  Status receive_bytes(uint8_t* buffer, uint64_t capacity, Deadline deadline, ReceivedMessage& out,
                       WaitMode wait = WaitMode::kAdaptive);
  // Takes the next message into an allocation that this actor owns, or with 0 into a new one of the
  // pool; `out.allocation` is this actor's. BUFFER_TOO_SHORT with out.bytes set, OUT_OF_MEMORY or
  // TOO_LARGE: the message stays.
  Status try_receive_into(Pool& to, uint64_t allocation, ReceivedMessage& out);
  Status receive_into(Pool& to, uint64_t allocation, Deadline deadline, ReceivedMessage& out);
  // Frees the payload of a received message, if it came with one of its own.
  static void release(const ReceivedMessage& message) {
    if (message.allocation != 0 && !message.read_only) message.pool->free(message.allocation);
  }
  // Whether the payload of a received message is there: a lent one may have been freed by its
  // sender, and what was read of it before is not to be used then.
  static bool is_there(const ReceivedMessage& message);
  // Takes the next message away and frees its payload. EMPTY; EOF.
  Status try_pop();
  // Copies up to `capacity` bytes of the next message, which stays; `out.bytes` is its length.
  // EMPTY; EOF; BUFFER_TOO_SHORT with out.bytes set.
  Status try_peek(uint8_t* buffer, uint64_t capacity, ReceivedMessage& out);
  // Frees all messages that wait; returns how many.
  uint64_t drain();
  // The same as a call that can fail.
  Status reset();
  Status destroy();

  // SUCCESS or WOULD_BLOCK. kIn is also true at the end of the stream, kOut when a send would be
  // BROKEN_PIPE: the operation would not block.
  Status try_poll(PollEvent event);
  Status poll(PollEvent event, Deadline deadline);

  uint64_t message_count();
  uint32_t capacity() const { return static_cast<uint32_t>(capacity_); }
  uint32_t block_bytes() const { return static_cast<uint32_t>(block_bytes_); }
  uint32_t senders() const { return count(Role::kSender); }
  uint32_t receivers() const { return count(Role::kReceiver); }
  ChannelInfo info();
  // For tests: this attachment behaves as if the channel were another node's. What is only for the
  // channel's own node is NOT_SUPPORTED then.
  void masquerade_as_remote(bool remote) { remote_ = remote; }
  bool remote() const { return remote_; }
  ActorId mutex_holder() const { return shared().mutex.holder(); }

  // Where to wait. Receives wait at place(kIn) and sends at place(kOut), and use the wakes that
  // they get or pass them on; polls wait at poll_place, whose waiters are woken all at once and
  // have nothing to pass on.
  WaitPlace place(PollEvent event) const;
  WaitPlace poll_place(PollEvent event) const;
  // Where a sender waits for its message to be received, and where for memory for a payload.
  WaitPlace receipt_place() const { return place(kLaneReceived); }
  WaitPlace memory_place() { return copies().place(); }
  using ManagedObject::place;

  // Checks every invariant while nobody sends or receives; empty if all is well.
  std::string audit();

  // For reclamation: gives back what a dead actor had in the channel by one of its open records;
  // returns the number of slots.
  static uint32_t give_back(const std::shared_ptr<Pool>& pool, const AllocationInfo& object,
                            const Record& record, ActorId dead);
  // For reclamation: whether the allocation is a ring or a chunk of slots of the channel's.
  static bool has_part(const AllocationInfo& object, uint64_t part);

 protected:
  void wake_all_lanes() override { wake_lanes(kChannelLanes); }
  void drop_contents() override;
  void before_close() override;

 private:
  friend void take_apart_channel(Pool& pool, const AllocationInfo& object);
  // A ring as this process sees it. Positions first .. first + cells - 1 may all be in it, unless
  // it was closed before.
  struct Ring {
    Word64* cells = nullptr;
    uint64_t first = 0;
    uint64_t mask = 0;
    uint64_t holds = 0;  // messages at most: one cell is kept for CLOSED where a ring may follow
    uint32_t bits = 0;
    Word64& cell(uint64_t position) const { return cells[position & mask]; }
    uint64_t lap(uint64_t position) const { return position >> bits & kLapMask; }
  };
  // A QUEUED cell at the head.
  struct Head {
    uint64_t position = 0;
    const Ring* ring = nullptr;
    uint64_t word = 0;
  };
  Channel() = default;
  ChannelHeader& shared() const { return header_as<ChannelHeader>(); }
  void set_up();
  void set_up_parts();
  uint64_t owner_at(uint64_t position) const { return owner_message(id(), position); }
  bool no_more_senders() const;
  bool no_more_receivers() const;

  // channel_ring.cpp: the two ends.
  const Ring* ring_at(uint32_t number) {
    return number < kRings && rings_[number].cells != nullptr ? &rings_[number] : find_ring(number);
  }
  const Ring* find_ring(uint32_t number);
  Status enqueue(const Payload& payload);
  bool enqueue_at(Word64& cell, uint64_t word, const Ring& ring, const Payload& payload,
                  Status& status);
  void fetch_for_next();
  bool see_room(const Ring& ring);
  Status find_head(Head& out);
  bool remove(const Head& head);
  bool advance(Cursor& cursor, const Word64& end, const Word32& ring);
  uint64_t settled_head();
  uint64_t settled_tail();
  Status grow(uint32_t number);
  uint64_t open_ring(uint32_t number, uint64_t id, uint8_t* data);
  bool payload_taken(const Head& head);

  // The steps of a send and a receive.
  Status send_once(const iovec* parts, size_t count, uint64_t bytes, uint64_t hints);
  Status put_inline(const iovec* parts, size_t count, uint64_t bytes, uint64_t hints);
  Status send_payload(const Payload& payload, uint64_t bytes, uint64_t hints);
  Status take(uint8_t* buffer, ReceivedMessage& out);
  Status receive_payload(const Head& head, const Payload& payload, ReceivedMessage& out);
  Status receive_lent(const Head& head, const Payload& payload, ReceivedMessage& out);
  Status copy_head(Pool& to, const Head& head, const Payload& payload, const Allocation& into);
  static Payload payload_of(const ChannelSlot& filled);
  Pool* pool_of(const Payload& payload);
  bool is_share(const Payload& payload);
  Pool& copies();
  Status claim(const Payload& payload, uint64_t position);
  void note(const Payload& payload);
  bool drop_one();
  Receipt receipt_of(const Payload& payload, bool is_copy) const;
  Status await_receipt(const Receipt& receipt, Deadline deadline, WaitMode wait);
  bool void_message(const Receipt& receipt);
  uint32_t blocked(uint32_t lane) const;
  bool full();
  bool empty();
  void after_send();
  void after_receive();
  template <typename Attempt>
  Status send_until(Deadline deadline, WaitMode wait, Attempt&& attempt);

  // channel_recovery.cpp
  void give_back_payload(const Record& record, ActorId dead);
  Word64* queued_cell(uint64_t position, uint64_t allocation, uint64_t& word);
  const char* audit_message(const Ring& ring, uint64_t index, uint64_t word, uint64_t head,
                            uint64_t tail);

  // channel_slots.cpp: the supply of slots.
  MutexGuard guard(Deadline deadline);
  uint8_t* chunk_at(uint32_t chunk);
  ChannelSlot* slot(SlotRef ref) {
    const uint32_t index = ref - 1;
    const uint32_t chunk = chunk_of(index);
    uint8_t* bytes =
        chunk < kChunks && chunks_[chunk] != nullptr ? chunks_[chunk] : chunk_at(chunk);
    if (ref == kNoSlot || bytes == nullptr) [[unlikely]]
      return nullptr;
    return reinterpret_cast<ChannelSlot*>(bytes + (index - chunk_first_slot(chunk)) * stride_);
  }
  Status need_slot();
  bool take_fresh(uint32_t slots);
  bool take_spare();
  uint32_t slots_in_chunks();
  bool sweep();
  void mark_cells(std::vector<bool>& used);
  void mark_records(std::vector<bool>& used);
  Status add_chunk(uint32_t slots);
  Status add_part(uint64_t bytes, Allocation& out);

  // What this process remembers.
  uint64_t capacity_ = 0;
  uint64_t block_bytes_ = 0;
  uint64_t stride_ = 0;
  bool stream_ = false;
  bool remote_ = false;
  std::shared_ptr<Pool> payload_pool_;  // as used last
  Record* mine_ = nullptr;              // this attachment's open record
  SlotRef private_ = kNoSlot;           // as the record says
  uint64_t seen_head_ = 0;              // at most the head
  Cursor send_at_;
  Cursor receive_at_;
  Cursor last_sent_;
  Payload sent_payload_;  // of the last message sent
  Ring rings_[kRings];
  uint8_t* chunks_[kChunks] = {};
};

// Frees the payloads of messages, the rings and the chunks of slots.
void take_apart_channel(Pool& pool, const AllocationInfo& object);

}  // namespace dragon
