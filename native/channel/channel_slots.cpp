// The slots of a channel: the four transitions of a slot's state, and the chunks in which slots
// lie.
//
//     FREE -reserve-> RESERVED -publish-> QUEUED -take-> TAKEN -free_slot-> FREE
//
// The first and third compete for slots and need the mutex. The others change a slot that is the
// caller's; if the mutex is held by a stopped process, they do that without it and leave word that
// the lists are stale.
#include <string.h>

#include <algorithm>

#include "channel/channel.h"

namespace dragon {

MutexGuard Channel::guard(Deadline deadline) {
  ChannelHeader& header = shared();
  return MutexGuard(header.mutex, node().me(), deadline, header.stale, [this] { rebuild(); });
}

ChannelSlot& Channel::slot(uint32_t index) {
  const uint32_t chunk = chunk_of(index);
  if (chunks_[chunk] == nullptr) {
    AllocationInfo info;
    if (chunk == 0) {
      chunks_[0] = base() + sizeof(ChannelHeader);
    } else if (pool().find(shared().chunks[chunk].load(), info) == DRAGON_SUCCESS) {
      chunks_[chunk] = info.allocation.data;
    }
  }
  const uint64_t stride = sizeof(ChannelSlot) + block_bytes();
  uint8_t* bytes = chunks_[chunk] + (index - chunk_first_slot(chunk)) * stride;
  return *reinterpret_cast<ChannelSlot*>(bytes);
}

Status Channel::reserve(uint32_t& index) {
  ChannelHeader& header = shared();
  for (;;) {
    uint32_t slots = 0;
    {
      const MutexGuard held = guard(Deadline::once());
      if (!held.held()) return DRAGON_WOULD_BLOCK;
      if (destroyed()) return DRAGON_OBJECT_DESTROYED;
      index = header.free_head.load();
      if (index != kNoSlot) {
        ChannelSlot& free = slot(index);
        free.state.store(slot_state(SlotState::kReserved, node().me().id));
        header.free_head.store(free.next.load());
        header.in_use.store(header.in_use.load() + 1);
        return DRAGON_SUCCESS;
      }
      slots = header.slots.load();
    }
    // Without memory for more slots the channel is full with those that it has.
    if (slots >= capacity() || add_chunk(slots) != DRAGON_SUCCESS) return DRAGON_FULL;
  }
}

Status Channel::publish(uint32_t index) {
  ChannelHeader& header = shared();
  ChannelSlot& mine = slot(index);
  bool full = false;
  {
    const MutexGuard held = guard(Deadline::once());
    if (destroyed()) return DRAGON_OBJECT_DESTROYED;
    mine.sequence.store(header.next_sequence.fetch_add(1));
    mine.state.store(slot_state(SlotState::kQueued, 0));
    if (held.held()) {
      append(index);
    } else {
      header.stale.store(1);
    }
    full = header.in_use.load() >= capacity();
  }
  after_send(full);
  return DRAGON_SUCCESS;
}

Status Channel::take(uint32_t& index) {
  ChannelHeader& header = shared();
  const MutexGuard held = guard(Deadline::once());
  if (!held.held()) return DRAGON_WOULD_BLOCK;
  // Before the queue: who closes after this look has sent nothing that the next look misses.
  const bool ended = no_more_senders();
  index = header.queue_head.load();
  if (index == kNoSlot) return ended ? DRAGON_EOF : DRAGON_EMPTY;
  ChannelSlot& head = slot(index);
  head.state.store(slot_state(SlotState::kTaken, node().me().id));
  const uint32_t next = head.next.load();
  header.queue_head.store(next);
  if (next == kNoSlot) header.queue_tail.store(kNoSlot);
  header.queued.store(header.queued.load() - 1);
  return DRAGON_SUCCESS;
}

void Channel::free_slot(uint32_t index) {
  bool empty = false;
  {
    const MutexGuard held = guard(Deadline::once());
    slot(index).state.store(slot_state(SlotState::kFree, 0));
    if (held.held()) {
      push_free(index);
    } else {
      shared().stale.store(1);
    }
    empty = shared().queued.load() == 0;
  }
  after_receive(empty);
}

void Channel::push_free(uint32_t index) {
  ChannelHeader& header = shared();
  slot(index).next.store(header.free_head.load());
  header.free_head.store(index);
  header.in_use.store(header.in_use.load() - 1);
}

void Channel::append(uint32_t index) {
  ChannelHeader& header = shared();
  const uint32_t tail = header.queue_tail.load();
  slot(index).next.store(kNoSlot);
  (tail == kNoSlot ? header.queue_head : slot(tail).next).store(index);
  header.queue_tail.store(index);
  header.queued.store(header.queued.load() + 1);
}

void Channel::after_send(bool full) {
  const uint32_t waiting = ParkingLot::waiters(shared().object.hint);
  if (waiting == 0) return;
  ParkingLot& lot = node().lot();
  if ((waiting & 1u << kLaneIn) != 0) lot.wake_one(place(kLaneIn));
  if ((waiting & 1u << kLanePoll) != 0) lot.wake_all(place(kLanePoll));
  if (full && (waiting & 1u << kLaneFull) != 0) lot.wake_all(place(kLaneFull));
}

void Channel::after_receive(bool empty) {
  const uint32_t waiting = ParkingLot::waiters(shared().object.hint);
  if (waiting == 0) return;
  ParkingLot& lot = node().lot();
  if ((waiting & 1u << kLaneOut) != 0) lot.wake_one(place(kLaneOut));
  if ((waiting & 1u << kLanePoll) != 0) lot.wake_all(place(kLanePoll));
  if (empty && (waiting & 1u << kLaneEmpty) != 0) lot.wake_all(place(kLaneEmpty));
}

// The chunk is this actor's until its id stands in the header; from then on it is the channel's,
// and a reclamation that finds it there only corrects the owner.
Status Channel::add_chunk(uint32_t slots) {
  const uint32_t chunk = chunk_of(slots);
  const uint32_t count = std::min(chunk_slots(chunk), capacity() - slots);
  const uint64_t bytes = count * (sizeof(ChannelSlot) + block_bytes());
  Allocation allocation;
  const Status status = pool().try_allocate(bytes, AllocationType::kChunk, allocation, id());
  if (status != DRAGON_SUCCESS) return status;
  ::memset(allocation.data, 0, bytes);
  ChannelHeader& header = shared();
  bool mine = false;
  {
    const MutexGuard held = guard(Deadline::once());
    mine = held.held() && header.chunks[chunk].load() == 0 && !destroyed();
    if (mine) {
      header.chunks[chunk].store(allocation.id);
      chunks_[chunk] = allocation.data;
      for (uint32_t index = slots + count; index-- > slots;) {
        slot(index).next.store(header.free_head.load());
        header.free_head.store(index);
      }
      header.slots.store(slots + count);
    }
  }
  if (!mine) {
    pool().free(allocation.id);
  } else {
    pool().change_owner(allocation.id, node().me().id, kOwnerObject);
  }
  return DRAGON_SUCCESS;
}

}  // namespace dragon
