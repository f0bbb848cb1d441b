#include "channel/channel.h"

#include <string.h>

#include <algorithm>

namespace dragon {

namespace {

constexpr uint32_t kBlockUnit = 64;

bool waits_for_slot(Status status) {
  return status == DRAGON_FULL || status == DRAGON_WOULD_BLOCK;
}
bool waits_for_memory(Status status) {
  return status == DRAGON_OUT_OF_MEMORY;
}

void gather(uint8_t* to, const iovec* parts, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].iov_len != 0) ::memcpy(to, parts[i].iov_base, parts[i].iov_len);
    to += parts[i].iov_len;
  }
}

uint64_t total_bytes(const iovec* parts, size_t count) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += parts[i].iov_len;
  return bytes;
}

}  // namespace

Status Channel::create(const std::shared_ptr<Pool>& pool, const ChannelOptions& options,
                       std::unique_ptr<Channel>& out) {
  const bool fits = options.capacity >= 1 && options.capacity <= kChannelCapacityMax &&
                    options.block_bytes <= kChannelBlockBytesMax;
  if (!fits) return DRAGON_INVALID_ARGUMENT;
  const auto block = static_cast<uint32_t>(round_up(options.block_bytes, kBlockUnit));
  const uint32_t slots = std::min(options.capacity, kFirstChunkSlots);
  std::unique_ptr<Channel> channel(new Channel());
  const uint64_t bytes = sizeof(ChannelHeader) + slots * (sizeof(ChannelSlot) + block);
  const Status status = channel->begin_create(pool, HandleKind::kChannel, bytes);
  if (status != DRAGON_SUCCESS) return status;
  ChannelHeader& header = channel->shared();
  header.capacity.store(options.capacity);
  header.block_bytes.store(block);
  header.flags.store(options.end_of_stream ? kChannelEndOfStream : 0);
  header.next_sequence.store(1);
  channel->rebuild();
  const Status published = channel->end_create();
  if (published == DRAGON_SUCCESS) out = std::move(channel);
  return published;
}

Status Channel::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Channel>& out) {
  std::unique_ptr<Channel> channel(new Channel());
  const Status status =
      channel->attach_to(node, HandleKind::kChannel, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(channel);
  return status;
}

Status Channel::try_send(const iovec* parts, size_t count, uint64_t hints) {
  return send_once(parts, count, total_bytes(parts, count), hints);
}

Status Channel::send_once(const iovec* parts, size_t count, uint64_t bytes, uint64_t hints) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (no_more_receivers()) return DRAGON_BROKEN_PIPE;
  if (bytes > block_bytes()) {
    // Memory before the slot; but none is filled while the channel is full anyway.
    if (shared().in_use.load() >= capacity()) return DRAGON_FULL;
    Allocation payload;
    const Status allocated = pool().try_allocate(bytes, AllocationType::kData, payload);
    if (allocated != DRAGON_SUCCESS) return allocated;
    gather(payload.data, parts, count);
    const Status sent = try_send_allocation(payload.id, hints);
    if (sent != DRAGON_SUCCESS) pool().free(payload.id);
    return sent;
  }
  uint32_t index = 0;
  const Status reserved = reserve(index);
  if (reserved != DRAGON_SUCCESS) return reserved;
  ChannelSlot& mine = slot(index);
  mine.payload.store(0);
  mine.bytes.store(bytes);
  mine.hints.store(hints);
  gather(mine.inline_bytes(), parts, count);
  const Status published = publish(index);
  if (published != DRAGON_SUCCESS) free_slot(index);
  return published;
}

Status Channel::try_send_allocation(uint64_t allocation, uint64_t hints) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (no_more_receivers()) return DRAGON_BROKEN_PIPE;
  AllocationInfo info;
  const Status found = pool().find(allocation, info);
  if (found != DRAGON_SUCCESS) return found;
  if (info.owner != node().me().id) return DRAGON_NOT_OWNER;
  uint32_t index = 0;
  const Status reserved = reserve(index);
  if (reserved != DRAGON_SUCCESS) return reserved;
  ChannelSlot& mine = slot(index);
  mine.payload.store(allocation);
  mine.bytes.store(info.allocation.bytes);
  mine.hints.store(hints);
  pool().change_owner(allocation, node().me().id, slot_owner(index));
  const Status published = publish(index);
  if (published != DRAGON_SUCCESS) {
    pool().change_owner(allocation, slot_owner(index), node().me().id);
    free_slot(index);
  }
  return published;
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
  return send_until(deadline, [&] { return send_once(parts, count, bytes, hints); });
}

Status Channel::send_allocation(uint64_t allocation, uint64_t hints, Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  return send_until(deadline, [&] { return try_send_allocation(allocation, hints); });
}

Status Channel::try_receive(uint8_t* buffer, ReceivedMessage& out) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  uint32_t index = 0;
  const Status taken = take(index);
  if (taken != DRAGON_SUCCESS) return taken;
  const ChannelSlot& mine = slot(index);
  out.bytes = mine.bytes.load();
  out.hints = mine.hints.load();
  out.allocation = mine.payload.load();
  Status result = DRAGON_SUCCESS;
  if (out.allocation == 0) {
    ::memcpy(buffer, slot(index).inline_bytes(), out.bytes);
    out.data = buffer;
  } else {
    AllocationInfo info;
    result = pool().change_owner(out.allocation, slot_owner(index), node().me().id);
    if (result == DRAGON_SUCCESS) result = pool().find(out.allocation, info);
    // Somebody freed the payload by its id: this message is lost, the next ones are not.
    if (result != DRAGON_SUCCESS) result = DRAGON_OBJECT_DESTROYED;
    out.data = info.allocation.data;
  }
  free_slot(index);
  return result;
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

// A send that had looked before the channel was destroyed may still publish; whoever looks later
// finds it destroyed, so this comes to an end.
void Channel::drop_contents() {
  while (drop_one()) {
  }
}

bool Channel::drop_one() {
  uint32_t index = 0;
  if (take(index) != DRAGON_SUCCESS) return false;
  const uint64_t payload = slot(index).payload.load();
  // As a receive does: the message must not come back with its payload freed.
  const bool mine = payload != 0 && pool().change_owner(payload, slot_owner(index),
                                                        node().me().id) == DRAGON_SUCCESS;
  free_slot(index);
  if (mine) pool().free(payload);
  return true;
}

Status Channel::try_poll(PollEvent event) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  const bool ended = no_more_senders();
  const uint32_t queued = shared().queued.load();
  const bool in = queued > 0 || ended;
  const bool full = shared().in_use.load() >= capacity();
  const bool out = !full || no_more_receivers();
  bool ready = false;
  switch (event) {
    case PollEvent::kIn:
      ready = in;
      break;
    case PollEvent::kOut:
      ready = out;
      break;
    case PollEvent::kEmpty:
      ready = queued == 0;
      break;
    case PollEvent::kFull:
      ready = full;
      break;
    case PollEvent::kInOut:
      ready = in || out;
      break;
  }
  return ready ? DRAGON_SUCCESS : DRAGON_WOULD_BLOCK;
}

Status Channel::poll(PollEvent event, Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  return wait_until(node().lot(), poll_place(event), deadline, false,
                    [&] { return try_poll(event); });
}

uint64_t Channel::message_count() const {
  return closed() ? 0 : shared().queued.load();
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
  const bool stream = (shared().flags.load() & kChannelEndOfStream) != 0;
  return stream && ever(Role::kSender) && count(Role::kSender) == 0;
}

bool Channel::no_more_receivers() const {
  const bool stream = (shared().flags.load() & kChannelEndOfStream) != 0;
  return stream && ever(Role::kReceiver) && count(Role::kReceiver) == 0;
}

}  // namespace dragon
