// Messages whose payload is an allocation: in the channel's pool or its pool for payloads, given
// away with the message or lent to read; and where a receiver wants a message to lie.
#include <algorithm>

#include "channel/channel.h"
#include "channel/slot_copy.h"
#include "sync/prefetch.h"

namespace dragon {

Channel::Payload Channel::payload_of(const ChannelSlot& filled) {
  Payload payload;
  payload.id = filled.payload.load(std::memory_order_relaxed);
  payload.segment = filled.segment.load(std::memory_order_relaxed);
  payload.read_only = (filled.flags.load(std::memory_order_relaxed) & kSlotReadOnly) != 0;
  return payload;
}

// nullptr if the pool is gone.
Pool* Channel::pool_of(const Payload& payload) {
  if (payload.segment == 0) return &pool();
  if (payload_pool_ == nullptr || payload_pool_->segment_id() != payload.segment) {
    if (node().pool(payload.segment, payload_pool_) != DRAGON_SUCCESS) payload_pool_.reset();
  }
  return payload_pool_.get();
}

bool Channel::is_share(const Payload& payload) {
  AllocationInfo info;
  const bool there = pool_of(payload)->find(payload.id, info) == DRAGON_SUCCESS;
  return there && info.type == AllocationType::kShare;
}

// Where payloads by copy lie. If the channel's pool for them is gone, in its own.
Pool& Channel::copies() {
  Payload payload;
  payload.segment = shared().payload_segment.load();
  Pool* from = pool_of(payload);
  return from == nullptr ? pool() : *from;
}

// Makes the payload of the message at the position this actor's: the receive takes place here.
Status Channel::claim(const Payload& payload, uint64_t position) {
  Pool* from = pool_of(payload);
  if (from == nullptr) return DRAGON_OBJECT_DESTROYED;
  return from->change_owner(payload.id, owner_at(position), node().me().id);
}

// WOULD_BLOCK if somebody was faster.
Status Channel::receive_payload(const Head& head, const Payload& payload, ReceivedMessage& out) {
  const Status taken = claim(payload, head.position);
  if (taken != DRAGON_SUCCESS) {
    // Somebody freed the payload by its id: this message is lost, the next ones are not. Or a
    // receiver has it, but has not emptied the cell: died or stopped, or is just about to.
    if (!remove(head) || taken != DRAGON_OBJECT_DESTROYED) return DRAGON_WOULD_BLOCK;
    after_receive();
    return taken;
  }
  AllocationInfo info;
  out.pool = pool_of(payload);
  const Status found = out.pool->find_bytes(payload.id, info);
  out.data = info.allocation.data;
  out.shared = info.type == AllocationType::kShare;
  remove(head);
  if (found != DRAGON_SUCCESS) after_receive();
  return found;
}

// The payload stays the sender's, so the receive takes place at the cell.
Status Channel::receive_lent(const Head& head, const Payload& payload, ReceivedMessage& out) {
  AllocationInfo info;
  out.pool = pool_of(payload);
  const bool there =
      out.pool != nullptr && out.pool->find_bytes(payload.id, info) == DRAGON_SUCCESS;
  out.data = info.allocation.data;
  out.read_only = true;
  if (!remove(head)) return DRAGON_WOULD_BLOCK;
  if (there) return DRAGON_SUCCESS;
  after_receive();
  return DRAGON_OBJECT_DESTROYED;
}

bool Channel::is_there(const ReceivedMessage& message) {
  AllocationInfo info;
  return !message.read_only || message.pool->find(message.allocation, info) == DRAGON_SUCCESS;
}

Status Channel::try_receive_bytes(uint8_t* buffer, uint64_t capacity, ReceivedMessage& out) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  const bool ended = no_more_senders();
  for (;;) {
    Head head;
    const Status found = find_head(head);
    if (found != DRAGON_SUCCESS) return found == DRAGON_EMPTY && ended ? DRAGON_EOF : found;
    const ChannelSlot* filled = slot(cell_slot(head.word));
    if (filled == nullptr) return DRAGON_OBJECT_DESTROYED;
    prefetch_write(&head.ring->cell(head.position));
    out.bytes = filled->bytes.load(std::memory_order_relaxed);
    out.hints = filled->hints.load(std::memory_order_relaxed);
    const Payload payload = payload_of(*filled);
    if (out.bytes > capacity) {
      settled_head();
      uint64_t word = head.word;
      if (head.ring->cell(head.position).cas_seq(word, word)) return DRAGON_BUFFER_TOO_SHORT;
      continue;  // what was read is old
    }
    const Status copied = copy_head(pool(), head, payload, {0, buffer, capacity});
    if (copied == DRAGON_WOULD_BLOCK) continue;
    if (copied != DRAGON_SUCCESS) return copied;
    out.data = buffer;
    out.allocation = 0;
    out.read_only = payload.read_only;
    out.shared = false;
    return DRAGON_SUCCESS;
  }
}

Status Channel::receive_bytes(uint8_t* buffer, uint64_t capacity, Deadline deadline,
                              ReceivedMessage& out, WaitMode wait) {
  if (closed()) return DRAGON_CLOSED;
  return wait_until(
      node().lot(), place(PollEvent::kIn), deadline, true,
      [&] { return try_receive_bytes(buffer, capacity, out); }, is_not_yet, 0, wait);
}

Status Channel::try_receive_into(Pool& to, uint64_t allocation, ReceivedMessage& out) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  Allocation into;
  if (allocation != 0) {
    AllocationInfo info;
    const Status found = to.find(allocation, info);
    if (found != DRAGON_SUCCESS) return found;
    if (info.owner != node().me().id) return DRAGON_NOT_OWNER;
    into = info.allocation;
  }
  const bool ended = no_more_senders();
  const auto give_up = [&](Status why) {
    if (allocation == 0 && into.id != 0) to.free(into.id);
    return why;
  };
  for (;;) {
    Head head;
    settled_head();
    const Status found = find_head(head);
    if (found != DRAGON_SUCCESS) {
      return give_up(found == DRAGON_EMPTY && ended ? DRAGON_EOF : found);
    }
    const ChannelSlot* filled = slot(cell_slot(head.word));
    if (filled == nullptr) return give_up(DRAGON_OBJECT_DESTROYED);
    out.bytes = filled->bytes.load();
    out.hints = filled->hints.load();
    const Payload payload = payload_of(*filled);
    uint64_t word = head.word;
    if (!head.ring->cell(head.position).cas_seq(word, word)) continue;  // what was read is old
    if (allocation == 0 && payload.owned() && pool_of(payload) == &to && !is_share(payload)) {
      out.allocation = payload.id;
      out.read_only = false;
      out.shared = false;
      const Status taken = receive_payload(head, payload, out);
      if (taken == DRAGON_WOULD_BLOCK) continue;
      if (taken == DRAGON_SUCCESS) after_receive();
      return give_up(taken);
    }
    if (out.bytes > into.bytes || into.id == 0) {
      if (allocation != 0) return DRAGON_BUFFER_TOO_SHORT;
      give_up(DRAGON_SUCCESS);
      into = {};
      const uint64_t bytes = std::max<uint64_t>(out.bytes, 1);
      const Status allocated = to.try_allocate(bytes, AllocationType::kData, into);
      if (allocated != DRAGON_SUCCESS) return allocated;
    }
    const Status copied = copy_head(to, head, payload, into);
    if (copied == DRAGON_WOULD_BLOCK) continue;
    if (copied != DRAGON_SUCCESS) return give_up(copied);
    out.allocation = into.id;
    out.data = into.data;
    out.pool = &to;
    out.read_only = false;
    out.shared = false;
    return DRAGON_SUCCESS;
  }
}

// Takes the message at the head into memory that is long enough.
Status Channel::copy_head(Pool& to, const Head& head, const Payload& payload,
                          const Allocation& into) {
  const ChannelSlot* filled = slot(cell_slot(head.word));
  if (payload.id == 0) {
    const uint64_t bytes = std::min({filled->bytes.load(), block_bytes_, into.bytes});
    copy_bytes(into.data, filled->inline_bytes(), bytes);
    if (!remove(head)) return DRAGON_WOULD_BLOCK;
    after_receive();
    return DRAGON_SUCCESS;
  }
  ReceivedMessage message;
  const Status taken = payload.read_only ? receive_lent(head, payload, message)
                                         : receive_payload(head, payload, message);
  if (taken != DRAGON_SUCCESS) return taken;
  AllocationInfo info;
  if (message.pool->find_bytes(payload.id, info) == DRAGON_SUCCESS) {
    const uint64_t bytes = std::min(info.allocation.bytes, into.bytes);
    copy_unstable(into.data, info.allocation.data, bytes);
  }
  message.allocation = payload.id;
  if (!is_there(message)) {
    after_receive();
    return DRAGON_OBJECT_DESTROYED;
  }
  const bool same = message.pool == &to && payload.id == into.id;
  if (!payload.read_only && !same) message.pool->free(payload.id);
  after_receive();
  return DRAGON_SUCCESS;
}

Status Channel::receive_into(Pool& to, uint64_t allocation, Deadline deadline,
                             ReceivedMessage& out) {
  if (closed()) return DRAGON_CLOSED;
  const auto attempt = [&] { return try_receive_into(to, allocation, out); };
  const auto no_message = [](Status status) {
    return status == DRAGON_EMPTY || status == DRAGON_WOULD_BLOCK;
  };
  const auto no_memory = [](Status status) { return status == DRAGON_OUT_OF_MEMORY; };
  for (;;) {
    Status status =
        wait_until(node().lot(), place(PollEvent::kIn), deadline, true, attempt, no_message);
    if (status != DRAGON_OUT_OF_MEMORY || deadline.is_once()) return status;
    status = wait_until(node().lot(), to.place(), deadline, true, attempt, no_memory);
    if (!no_message(status)) return status;
  }
}

}  // namespace dragon
