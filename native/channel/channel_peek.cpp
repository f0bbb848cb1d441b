// Looking at a channel's next message without taking it.
#include <algorithm>

#include "channel/channel.h"
#include "channel/slot_copy.h"

namespace dragon {

namespace {

// Whether the cell still is what it was before the copy; the copy is not moved beyond this.
bool unchanged(Word64& cell, uint64_t word) {
  return cell.cas_seq(word, word);
}

}  // namespace

Status Channel::try_peek(uint8_t* buffer, uint64_t capacity, ReceivedMessage& out) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (remote_) return DRAGON_NOT_SUPPORTED;
  for (;;) {
    const bool ended = no_more_senders();
    settled_head();
    Head head;
    const Status found = find_head(head);
    if (found != DRAGON_SUCCESS) return found == DRAGON_EMPTY && ended ? DRAGON_EOF : found;
    const ChannelSlot* filled = slot(cell_slot(head.word));
    if (filled == nullptr) return DRAGON_OBJECT_DESTROYED;
    out.bytes = filled->bytes.load();
    out.hints = filled->hints.load();
    out.data = buffer;
    out.allocation = 0;
    const Payload payload = payload_of(*filled);
    Pool* from = pool_of(payload);
    const bool fits = out.bytes <= capacity;
    Status result = fits ? DRAGON_SUCCESS : DRAGON_BUFFER_TOO_SHORT;
    if (fits && payload.id == 0) {
      copy_bytes(buffer, filled->inline_bytes(), std::min(out.bytes, block_bytes_));
    } else if (fits) {
      AllocationInfo info;
      result = from == nullptr ? DRAGON_OBJECT_DESTROYED : from->find_bytes(payload.id, info);
      const uint64_t bytes = std::min(out.bytes, info.allocation.bytes);
      if (result == DRAGON_SUCCESS) copy_unstable(buffer, info.allocation.data, bytes);
      const bool still = from != nullptr && from->find(payload.id, info) == DRAGON_SUCCESS;
      const bool received = payload.owned() && info.owner != owner_at(head.position);
      if (still && received) continue;
      if (!still) result = DRAGON_OBJECT_DESTROYED;
    }
    if (unchanged(head.ring->cell(head.position), head.word)) return result;
  }
}

}  // namespace dragon
