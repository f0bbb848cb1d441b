#include "channel/channel.h"

#include <algorithm>

#include "channel/slot_copy.h"
#include "sync/prefetch.h"

namespace dragon {

namespace {

bool waits_for_slot(Status status) {
  return status == DRAGON_FULL || status == DRAGON_WOULD_BLOCK;
}
bool waits_for_memory(Status status) {
  return status == DRAGON_OUT_OF_MEMORY;
}

}  // namespace

Status Channel::create(const std::shared_ptr<Pool>& pool, const ChannelOptions& options,
                       std::unique_ptr<Channel>& out) {
  const bool fits = options.capacity >= 1 && options.capacity <= kChannelCapacityMax &&
                    options.block_bytes <= kChannelBlockBytesMax;
  if (!fits) return DRAGON_INVALID_ARGUMENT;
  const auto block = static_cast<uint32_t>(round_up(options.block_bytes, kLineBytes));
  std::unique_ptr<Channel> channel(new Channel());
  const Status status = channel->begin_create(pool, HandleKind::kChannel, channel_bytes(block));
  if (status != DRAGON_SUCCESS) return status;
  ChannelHeader& header = channel->shared();
  header.capacity.store(options.capacity);
  header.block_bytes.store(block);
  header.flags.store(options.end_of_stream ? kChannelEndOfStream : 0);
  if (options.payload_pool != nullptr && options.payload_pool != pool) {
    header.payload_segment.store(options.payload_pool->segment_id());
  }
  const Status published = channel->end_create();
  if (published != DRAGON_SUCCESS) return published;
  channel->set_up();
  out = std::move(channel);
  return published;
}

Status Channel::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Channel>& out) {
  std::unique_ptr<Channel> channel(new Channel());
  const Status status =
      channel->attach_to(node, HandleKind::kChannel, handle, length, adopt, adopted);
  if (status != DRAGON_SUCCESS) return status;
  channel->set_up();
  out = std::move(channel);
  return status;
}

void Channel::set_up() {
  set_up_parts();
  mine_ = open_record();
}

// What never changes is kept here, away from the shared lines that do.
void Channel::set_up_parts() {
  const ChannelHeader& header = shared();
  capacity_ = header.capacity.load();
  block_bytes_ = header.block_bytes.load();
  stride_ = slot_stride(static_cast<uint32_t>(block_bytes_));
  stream_ = (header.flags.load() & kChannelEndOfStream) != 0;
}

Status Channel::try_send(const iovec* parts, size_t count, uint64_t hints) {
  return send_once(parts, count, total_bytes(parts, count), hints);
}

Status Channel::send_once(const iovec* parts, size_t count, uint64_t bytes, uint64_t hints) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (no_more_receivers()) return DRAGON_BROKEN_PIPE;
  if (bytes > block_bytes_) {
    // Memory before the slot; but none is filled while the channel is full anyway.
    if (full()) return DRAGON_FULL;
    Pool& from = copies();
    Allocation memory;
    const Status allocated = from.try_allocate(bytes, AllocationType::kData, memory);
    if (allocated != DRAGON_SUCCESS) return allocated;
    gather(memory.data, parts, count);
    const uint32_t segment = &from == &pool() ? 0 : from.segment_id();
    const Status sent = send_payload({memory.id, segment, false}, bytes, hints);
    if (sent != DRAGON_SUCCESS) from.free(memory.id);
    return sent;
  }
  const Status sent = put_inline(parts, count, bytes, hints);
  if (sent == DRAGON_SUCCESS) after_send();
  return sent;
}

Status Channel::put_inline(const iovec* parts, size_t count, uint64_t bytes, uint64_t hints) {
  const Status supplied = need_slot();
  if (supplied != DRAGON_SUCCESS) return supplied;
  ChannelSlot& mine = *slot(private_);
  mine.payload.store(0, std::memory_order_relaxed);
  mine.bytes.store(bytes, std::memory_order_relaxed);
  mine.hints.store(hints, std::memory_order_relaxed);
  gather(mine.inline_bytes(), parts, count);
  return enqueue({});
}

Status Channel::try_send_allocation(uint64_t allocation, uint64_t hints, bool read_only) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (no_more_receivers()) return DRAGON_BROKEN_PIPE;
  AllocationInfo info;
  const Status found = pool().find_bytes(allocation, info);
  if (found != DRAGON_SUCCESS) return found;
  if (info.owner != node().me().id) return DRAGON_NOT_OWNER;
  return send_payload({allocation, 0, read_only}, info.allocation.bytes, hints);
}

// What a reclamation must look at if this actor dies now.
void Channel::note(const Payload& payload) {
  mine_->spare.store(payload.segment);
  mine_->ticket.store(payload.id);
}

// The allocation is noted in the record while its owner may be a message that is never sent.
Status Channel::send_payload(const Payload& payload, uint64_t bytes, uint64_t hints) {
  const Status supplied = need_slot();
  if (supplied != DRAGON_SUCCESS) return supplied;
  ChannelSlot& mine = *slot(private_);
  mine.payload.store(payload.id, std::memory_order_relaxed);
  mine.segment.store(payload.segment, std::memory_order_relaxed);
  mine.flags.store(payload.read_only ? kSlotReadOnly : 0, std::memory_order_relaxed);
  mine.bytes.store(bytes, std::memory_order_relaxed);
  mine.hints.store(hints, std::memory_order_relaxed);
  note(payload);
  const Status sent = enqueue(payload);
  mine_->ticket.store(0);
  if (sent == DRAGON_SUCCESS) {
    sent_payload_ = payload;
    after_send();
  }
  return sent;
}

// Two places to wait at: the channel while it is full, the pool while that is.
template <typename Attempt>
Status Channel::send_until(Deadline deadline, WaitMode wait, Attempt&& attempt) {
  for (;;) {
    Status status = wait_until(node().lot(), place(PollEvent::kOut), deadline, true, attempt,
                               waits_for_slot, 0, wait);
    if (status != DRAGON_OUT_OF_MEMORY || deadline.is_once()) return status;
    status = wait_until(node().lot(), copies().place(), deadline, true, attempt, waits_for_memory,
                        0, wait);
    if (!waits_for_slot(status)) return status;
  }
}

Status Channel::send(const iovec* parts, size_t count, uint64_t hints, Deadline deadline,
                     ReturnMode mode, WaitMode wait) {
  if (closed()) return DRAGON_CLOSED;
  const uint64_t bytes = total_bytes(parts, count);
  Status status = send_once(parts, count, bytes, hints);
  if (status != DRAGON_SUCCESS && !deadline.is_once()) {
    status = send_until(deadline, wait, [&] { return send_once(parts, count, bytes, hints); });
  }
  if (status != DRAGON_SUCCESS || mode != ReturnMode::kWhenReceived) [[likely]]
    return status;
  return await_receipt(receipt_of(bytes > block_bytes_ ? sent_payload_ : Payload{}, true), deadline,
                       wait);
}

Status Channel::send_allocation(uint64_t allocation, uint64_t hints, Deadline deadline,
                                ReturnMode mode, bool read_only, WaitMode wait) {
  if (closed()) return DRAGON_CLOSED;
  const Status status =
      send_until(deadline, wait, [&] { return try_send_allocation(allocation, hints, read_only); });
  if (status != DRAGON_SUCCESS || mode != ReturnMode::kWhenReceived) return status;
  return await_receipt(receipt_of({allocation, 0, read_only}, false), deadline, wait);
}

Status Channel::try_receive(uint8_t* buffer, ReceivedMessage& out) {
  const Status status = take(buffer, out);
  if (status == DRAGON_SUCCESS) after_receive();
  return status;
}

// A receive that tells nobody yet.
Status Channel::take(uint8_t* buffer, ReceivedMessage& out) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  // Before the head: who closes after this look has sent nothing that the next look misses.
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
    out.allocation = filled->payload.load(std::memory_order_relaxed);
    out.read_only = false;
    out.shared = false;
    if (out.allocation == 0) [[likely]] {
      copy_bytes(buffer, filled->inline_bytes(), std::min(out.bytes, block_bytes_));
      if (!remove(head)) continue;
      out.data = buffer;
      return DRAGON_SUCCESS;
    }
    const Payload payload = payload_of(*filled);
    const Status taken =
        payload.read_only ? receive_lent(head, payload, out) : receive_payload(head, payload, out);
    if (taken != DRAGON_WOULD_BLOCK) return taken;
  }
}

Status Channel::receive(uint8_t* buffer, Deadline deadline, ReceivedMessage& out, WaitMode wait) {
  if (closed()) return DRAGON_CLOSED;
  return wait_until(
      node().lot(), place(PollEvent::kIn), deadline, true, [&] { return try_receive(buffer, out); },
      is_not_yet, 0, wait);
}

// The bits of the lanes are looked at after the cell was changed, in an order that all agree on.
void Channel::after_send() {
  const uint32_t waiting = ParkingLot::waiters_seq(shared().object.hint);
  if (waiting == 0) [[likely]]
    return;
  ParkingLot& lot = node().lot();
  if ((waiting & 1u << kLaneIn) != 0) lot.wake_one(place(kLaneIn));
  if ((waiting & 1u << kLanePoll) != 0) lot.wake_all(place(kLanePoll));
  if ((waiting & 1u << kLaneFull) != 0 && full()) lot.wake_all(place(kLaneFull));
}

void Channel::after_receive() {
  const uint32_t waiting = ParkingLot::waiters_seq(shared().object.hint);
  if (waiting == 0) [[likely]]
    return;
  ParkingLot& lot = node().lot();
  if ((waiting & 1u << kLaneOut) != 0) lot.wake_one(place(kLaneOut));
  if ((waiting & 1u << kLanePoll) != 0) lot.wake_all(place(kLanePoll));
  if ((waiting & 1u << kLaneReceived) != 0) lot.wake_all(place(kLaneReceived));
  if ((waiting & 1u << kLaneEmpty) != 0 && empty()) lot.wake_all(place(kLaneEmpty));
}

bool Channel::full() {
  const uint64_t tail = settled_tail();
  return static_cast<int64_t>(tail - settled_head()) >= static_cast<int64_t>(capacity_);
}

bool Channel::empty() {
  Head head;
  settled_head();
  return find_head(head) != DRAGON_SUCCESS;
}

Status Channel::try_poll(PollEvent event) {
  if (event == PollEvent::kDestroyed && !closed()) {
    return destroyed() ? DRAGON_SUCCESS : DRAGON_WOULD_BLOCK;
  }
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  const auto in = [this] {
    const bool ended = no_more_senders();
    return !empty() || ended;
  };
  const auto out = [this] { return no_more_receivers() || !full(); };
  bool ready = false;
  switch (event) {
    case PollEvent::kIn:
      ready = in();
      break;
    case PollEvent::kOut:
      ready = out();
      break;
    case PollEvent::kEmpty:
      ready = empty();
      break;
    case PollEvent::kFull:
      ready = full();
      break;
    case PollEvent::kInOut:
      ready = in() || out();
      break;
    case PollEvent::kDestroyed:
      break;
  }
  return ready ? DRAGON_SUCCESS : DRAGON_WOULD_BLOCK;
}

Status Channel::poll(PollEvent event, Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  return wait_until(node().lot(), poll_place(event), deadline, false,
                    [&] { return try_poll(event); });
}

uint64_t Channel::message_count() {
  if (closed()) return 0;
  const uint64_t head = settled_head();
  return std::min(settled_tail() - head, capacity_);
}

WaitPlace Channel::place(PollEvent event) const {
  const bool in = event == PollEvent::kIn;
  return in || event == PollEvent::kOut ? place(in ? kLaneIn : kLaneOut) : poll_place(event);
}

WaitPlace Channel::poll_place(PollEvent event) const {
  switch (event) {
    case PollEvent::kEmpty:
      return place(kLaneEmpty);
    case PollEvent::kFull:
      return place(kLaneFull);
    case PollEvent::kDestroyed:
      return place(kLaneDestroyed);
    case PollEvent::kIn:
    case PollEvent::kOut:
    case PollEvent::kInOut:
      break;
  }
  return place(kLanePoll);
}

bool Channel::no_more_senders() const {
  return stream_ && ever(Role::kSender) && count(Role::kSender) == 0;
}

bool Channel::no_more_receivers() const {
  return stream_ && ever(Role::kReceiver) && count(Role::kReceiver) == 0;
}

}  // namespace dragon
