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
    Allocation payload;
    const Status allocated = pool().try_allocate(bytes, AllocationType::kData, payload);
    if (allocated != DRAGON_SUCCESS) return allocated;
    gather(payload.data, parts, count);
    const Status sent = send_payload(payload.id, bytes, hints);
    if (sent != DRAGON_SUCCESS) pool().free(payload.id);
    return sent;
  }
  const Status supplied = need_slot();
  if (supplied != DRAGON_SUCCESS) return supplied;
  ChannelSlot& mine = *slot(private_);
  mine.payload.store(0, std::memory_order_relaxed);
  mine.bytes.store(bytes, std::memory_order_relaxed);
  mine.hints.store(hints, std::memory_order_relaxed);
  gather(mine.inline_bytes(), parts, count);
  const Status sent = enqueue(0);
  if (sent == DRAGON_SUCCESS) after_send();
  return sent;
}

Status Channel::try_send_allocation(uint64_t allocation, uint64_t hints) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (no_more_receivers()) return DRAGON_BROKEN_PIPE;
  AllocationInfo info;
  const Status found = pool().find(allocation, info);
  if (found != DRAGON_SUCCESS) return found;
  if (info.owner != node().me().id) return DRAGON_NOT_OWNER;
  return send_payload(allocation, info.allocation.bytes, hints);
}

// The allocation is noted in the record while its owner may be a message that is never sent.
Status Channel::send_payload(uint64_t allocation, uint64_t bytes, uint64_t hints) {
  const Status supplied = need_slot();
  if (supplied != DRAGON_SUCCESS) return supplied;
  ChannelSlot& mine = *slot(private_);
  mine.payload.store(allocation, std::memory_order_relaxed);
  mine.bytes.store(bytes, std::memory_order_relaxed);
  mine.hints.store(hints, std::memory_order_relaxed);
  mine_->ticket.store(allocation);
  const Status sent = enqueue(allocation);
  mine_->ticket.store(0);
  if (sent == DRAGON_SUCCESS) after_send();
  return sent;
}

// Two places to wait at: the channel while it is full, the pool while that is.
template <typename Attempt>
Status Channel::send_until(Deadline deadline, Attempt&& attempt) {
  for (;;) {
    Status status =
        wait_until(node().lot(), place(PollEvent::kOut), deadline, true, attempt, waits_for_slot);
    if (status != DRAGON_OUT_OF_MEMORY || deadline.is_once()) return status;
    status = wait_until(node().lot(), pool().place(), deadline, true, attempt, waits_for_memory);
    if (!waits_for_slot(status)) return status;
  }
}

Status Channel::send(const iovec* parts, size_t count, uint64_t hints, Deadline deadline,
                     ReturnMode mode) {
  if (mode != ReturnMode::kWhenDeposited) return DRAGON_NOT_SUPPORTED;
  if (closed()) return DRAGON_CLOSED;
  const uint64_t bytes = total_bytes(parts, count);
  const Status status = send_once(parts, count, bytes, hints);
  if (status == DRAGON_SUCCESS || deadline.is_once()) [[likely]]
    return status;
  return send_until(deadline, [&] { return send_once(parts, count, bytes, hints); });
}

Status Channel::send_allocation(uint64_t allocation, uint64_t hints, Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  return send_until(deadline, [&] { return try_send_allocation(allocation, hints); });
}

Status Channel::try_receive(uint8_t* buffer, ReceivedMessage& out) {
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
    if (out.allocation == 0) {
      copy_bytes(buffer, filled->inline_bytes(), std::min(out.bytes, block_bytes_));
      if (!remove(head)) continue;
      out.data = buffer;
      after_receive();
      return DRAGON_SUCCESS;
    }
    const Status taken = receive_payload(head, out.allocation, out);
    if (taken != DRAGON_WOULD_BLOCK) return taken;
  }
}

// The receive takes place where the payload gets its owner. WOULD_BLOCK if somebody was faster.
Status Channel::receive_payload(const Head& head, uint64_t allocation, ReceivedMessage& out) {
  const Status taken = pool().change_owner(allocation, owner_at(head.position), node().me().id);
  if (taken != DRAGON_SUCCESS) {
    // Somebody freed the payload by its id: this message is lost, the next ones are not. Or a
    // receiver has it, but has not emptied the cell: died or stopped, or is just about to.
    if (!remove(head) || taken != DRAGON_OBJECT_DESTROYED) return DRAGON_WOULD_BLOCK;
    after_receive();
    return taken;
  }
  AllocationInfo info;
  const Status found = pool().find(allocation, info);
  out.data = info.allocation.data;
  remove(head);
  after_receive();
  return found;
}

Status Channel::receive(uint8_t* buffer, Deadline deadline, ReceivedMessage& out) {
  if (closed()) return DRAGON_CLOSED;
  return wait_until(node().lot(), place(PollEvent::kIn), deadline, true,
                    [&] { return try_receive(buffer, out); });
}

uint64_t Channel::drain() {
  uint64_t drained = 0;
  for (uint64_t left = message_count(); left > 0 && drop_one(); --left) ++drained;
  return drained;
}

// A send that had looked before the channel was destroyed may still take place; whoever looks
// later finds it destroyed, so this comes to an end.
void Channel::drop_contents() {
  while (drop_one()) {
  }
}

bool Channel::drop_one() {
  Head head;
  while (find_head(head) == DRAGON_SUCCESS) {
    const ChannelSlot* filled = slot(cell_slot(head.word));
    const uint64_t payload = filled == nullptr ? 0 : filled->payload.load();
    // As a receive does: the message must not be received with its payload freed.
    const bool mine = payload != 0 && pool().change_owner(payload, owner_at(head.position),
                                                          node().me().id) == DRAGON_SUCCESS;
    const bool removed = remove(head);
    if (mine) pool().free(payload);
    if (!removed && !mine) continue;
    after_receive();
    return true;
  }
  return false;
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
