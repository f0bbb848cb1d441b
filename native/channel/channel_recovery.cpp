// What remains true of a channel when actors die: rebuilding its indexes, giving back slots,
// taking it apart, and the audit of all of it.
#include <algorithm>
#include <vector>

#include "channel/channel.h"

namespace dragon {

namespace {

struct Queued {
  uint64_t sequence;
  uint32_t index;
};

}  // namespace

// Makes the lists and counts anew from the chunks and the states of their slots.
void Channel::rebuild() {
  ChannelHeader& header = shared();
  uint32_t slots = std::min(capacity(), kFirstChunkSlots);
  for (uint32_t chunk = 1; chunk < kChunks && header.chunks[chunk].load() != 0; ++chunk) {
    slots = std::min(capacity(), chunk_first_slot(chunk) + chunk_slots(chunk));
  }
  header.slots.store(slots);
  header.free_head.store(kNoSlot);
  header.queue_head.store(kNoSlot);
  header.queue_tail.store(kNoSlot);
  header.queued.store(0);
  std::vector<Queued> queue;
  uint32_t in_use = 0;
  for (uint32_t index = slots; index-- > 0;) {
    ChannelSlot& each = slot(index);
    const SlotState state = slot_state_of(each.state.load());
    if (state == SlotState::kFree) {
      each.next.store(header.free_head.load());
      header.free_head.store(index);
      continue;
    }
    ++in_use;
    if (state == SlotState::kQueued) queue.push_back({each.sequence.load(), index});
  }
  header.in_use.store(in_use);
  std::sort(queue.begin(), queue.end(),
            [](const Queued& a, const Queued& b) { return a.sequence < b.sequence; });
  for (const Queued& each : queue) append(each.index);
}

uint32_t Channel::give_back(const std::shared_ptr<Pool>& pool, const AllocationInfo& object,
                            ActorId dead) {
  Channel channel;
  channel.look_at(pool, object);
  // The dead may have changed slots without the mutex and not said so any more.
  channel.shared().stale.store(1);
  if (channel.shared().mutex.holder() == dead) {
    const MutexGuard recovered = channel.guard(Deadline::never());
  }
  uint32_t given_back = 0;
  const uint32_t slots = channel.shared().slots.load();
  for (uint32_t index = 0; index < slots; ++index) {
    // Nobody else touches the slots of a dead actor, so no lock is needed to look.
    const uint64_t word = channel.slot(index).state.load();
    if (slot_actor_of(word) != dead) continue;
    channel.give_back_slot(index, slot_state_of(word), dead);
    ++given_back;
  }
  return given_back;
}

void Channel::give_back_slot(uint32_t index, SlotState state, ActorId dead) {
  ChannelSlot& left = slot(index);
  const uint64_t payload = left.payload.load();
  AllocationInfo info;
  const bool has_payload = payload != 0 && pool().find(payload, info) == DRAGON_SUCCESS;
  if (state == SlotState::kReserved) {
    // The send had not ended: nothing was sent. A payload that still is the dead sender's goes
    // with its other allocations.
    if (has_payload && info.owner == slot_owner(index)) pool().free(payload);
    free_slot(index);
    return;
  }
  // The receive had not ended: nothing was received.
  if (has_payload && info.owner == dead) {
    pool().change_owner(payload, dead, slot_owner(index));
  }
  // Whoever holds the mutex next puts it to its place by its sequence.
  left.state.store(slot_state(SlotState::kQueued, 0));
  shared().stale.store(1);
  { const MutexGuard held = guard(Deadline::once()); }
  after_send(false);
}

bool Channel::has_chunk(const AllocationInfo& object, uint64_t chunk) {
  const auto& header = *reinterpret_cast<const ChannelHeader*>(object.allocation.data);
  return std::any_of(std::begin(header.chunks), std::end(header.chunks),
                     [chunk](const Word64& each) { return each.load() == chunk; });
}

// The object may be one whose creation was cut short, with anything in its bytes; so a part is
// freed only if its own descriptor says that it belongs here.
void take_apart_channel(Pool& pool, const AllocationInfo& object) {
  Channel channel;
  channel.look_at(pool.shared_from_this(), object);
  ChannelHeader& header = channel.shared();
  const uint64_t block = header.block_bytes.load();
  const uint64_t stride = sizeof(ChannelSlot) + block;
  if (block > kChannelBlockBytesMax || block % kGranuleBytes != 0) return;
  const uint64_t id = object.allocation.id;
  for (uint32_t chunk = 0; chunk < kChunks; ++chunk) {
    AllocationInfo part = object;
    uint64_t bytes = object.allocation.bytes - sizeof(ChannelHeader);
    if (chunk != 0) {
      const uint64_t part_id = header.chunks[chunk].load();
      if (part_id == 0 || pool.find(part_id, part) != DRAGON_SUCCESS) continue;
      if (part.type != AllocationType::kChunk || part.tag != id) continue;
      bytes = part.allocation.bytes;
    }
    const uint32_t first = chunk_first_slot(chunk);
    const auto count =
        static_cast<uint32_t>(std::min<uint64_t>(bytes / stride, chunk_slots(chunk)));
    for (uint32_t index = first; index < first + count; ++index) {
      const uint64_t payload = channel.slot(index).payload.load();
      AllocationInfo info;
      if (payload == 0 || pool.find(payload, info) != DRAGON_SUCCESS) continue;
      if (info.owner == owner_message(id, index)) pool.free(payload);
    }
    if (chunk != 0) pool.free(part.allocation.id);
  }
}

std::string Channel::audit() {
  if (closed() || node().closed()) return "";
  const MutexGuard held = guard(Deadline::never());
  ChannelHeader& header = shared();
  uint32_t queued = 0;
  uint32_t free = 0;
  const uint32_t slots = header.slots.load();
  if (slots > capacity()) return "more slots than the capacity";
  for (uint32_t index = 0; index < slots; ++index) {
    ChannelSlot& each = slot(index);
    const SlotState state = slot_state_of(each.state.load());
    if (state == SlotState::kFree) ++free;
    if (state != SlotState::kQueued) continue;
    ++queued;
    const uint64_t payload = each.payload.load();
    AllocationInfo info;
    if (payload == 0) continue;
    if (pool().find(payload, info) != DRAGON_SUCCESS) return "a message without its payload";
    if (info.owner != slot_owner(index)) return "a payload that is not its message's";
  }
  if (header.in_use.load() != slots - free) return "in_use is not the number of used slots";
  return audit_lists(queued, free);
}

const char* Channel::audit_lists(uint32_t queued, uint32_t free) {
  ChannelHeader& header = shared();
  if (header.queued.load() != queued) return "queued is not the number of messages";
  uint64_t sequence = 0;
  uint32_t last = kNoSlot;
  uint32_t left = queued;
  for (uint32_t index = header.queue_head.load(); index != kNoSlot; --left) {
    ChannelSlot& each = slot(index);
    if (left == 0 || slot_state_of(each.state.load()) != SlotState::kQueued) {
      return "the queue holds something else than the messages";
    }
    if (each.sequence.load() <= sequence) return "the queue is out of order";
    sequence = each.sequence.load();
    last = index;
    index = each.next.load();
  }
  if (left != 0) return "a message is not in the queue";
  if (header.queue_tail.load() != last) return "the tail is not the last message";
  for (uint32_t index = header.free_head.load(); index != kNoSlot; --free) {
    if (free == 0 || slot_state_of(slot(index).state.load()) != SlotState::kFree) {
      return "the list of free slots holds something else";
    }
    index = slot(index).next.load();
  }
  return free == 0 ? "" : "a free slot is not in the list";
}

}  // namespace dragon
