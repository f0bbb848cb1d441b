// Looking at a channel's next message without taking it.
#include <string.h>

#include "channel/channel.h"

namespace dragon {

namespace {

// Copies bytes that their owner may be freeing; the caller checks afterwards whether they were
// still the message's. Word by word with atomic loads, so that the race is a defined one; the
// source is aligned and padded to 64 bytes.
__attribute__((no_sanitize("thread"))) void copy_unstable(uint8_t* to, const uint8_t* from,
                                                          uint64_t bytes) {
  const auto* words = reinterpret_cast<const uint64_t*>(from);
  for (uint64_t at = 0; at < bytes; at += 8) {
    const uint64_t word = __atomic_load_n(words + at / 8, __ATOMIC_RELAXED);
    const uint64_t left = bytes - at;
    ::memcpy(to + at, &word, left < 8 ? left : 8);
  }
}

}  // namespace

Status Channel::try_peek(uint8_t* buffer, uint64_t capacity, ReceivedMessage& out) {
  for (;;) {
    const Status status = usable();
    if (status != DRAGON_SUCCESS) return status;
    uint32_t index = 0;
    uint64_t sequence = 0;
    {
      const MutexGuard held = guard(Deadline::once());
      if (!held.held()) return DRAGON_WOULD_BLOCK;
      const bool ended = no_more_senders();
      index = shared().queue_head.load();
      if (index == kNoSlot) return ended ? DRAGON_EOF : DRAGON_EMPTY;
      ChannelSlot& head = slot(index);
      sequence = head.sequence.load();
      out.bytes = head.bytes.load();
      out.hints = head.hints.load();
      out.data = buffer;
      out.allocation = 0;
      if (out.bytes > capacity) return DRAGON_BUFFER_TOO_SHORT;
      if (head.payload.load() == 0) {
        // At most kChannelBlockBytesMax: the one copy that is made under the mutex, since a
        // message that is being taken must not be seen half overwritten.
        ::memcpy(buffer, head.inline_bytes(), out.bytes);
        return DRAGON_SUCCESS;
      }
    }
    const Status copied =
        copy_payload(slot(index).payload.load(), sequence, index, buffer, out.bytes);
    if (copied != DRAGON_WOULD_BLOCK) return copied;
  }
}

// WOULD_BLOCK if the message was taken meanwhile.
Status Channel::copy_payload(uint64_t allocation, uint64_t sequence, uint32_t index,
                             uint8_t* buffer, uint64_t bytes) {
  AllocationInfo info;
  const bool found = pool().find(allocation, info) == DRAGON_SUCCESS;
  if (found && info.allocation.bytes >= bytes) copy_unstable(buffer, info.allocation.data, bytes);
  const MutexGuard held = guard(Deadline::once());
  const ChannelSlot& head = slot(index);
  const bool still_there = held.held() && slot_state_of(head.state.load()) == SlotState::kQueued &&
                           head.sequence.load() == sequence;
  if (!still_there) return DRAGON_WOULD_BLOCK;
  return found ? DRAGON_SUCCESS : DRAGON_OBJECT_DESTROYED;
}

}  // namespace dragon
