// The supply of slots: how an attachment comes to its private slot.
//
// A slot that nobody refers to is in the list of spare ones, or lost until a sweep finds it: left
// by an attachment that died, or in a cell of a ring that was closed. The list is under the mutex;
// a holder that dies costs nothing but the list, whose slots are lost then.
//
// Model: spec/models/ring.pml, need_slot (take_fresh here) and Sweeper.
#include <string.h>

#include <algorithm>

#include "channel/channel.h"

namespace dragon {

MutexGuard Channel::guard(Deadline deadline) {
  ChannelHeader& header = shared();
  return MutexGuard(header.mutex, node().me(), deadline, header.stale,
                    [&header] { header.spare_slot.store(kNoSlot); });
}

// Where this process sees a chunk; nullptr without one.
uint8_t* Channel::chunk_at(uint32_t chunk) {
  if (chunk >= kChunks) return nullptr;
  if (chunks_[chunk] != nullptr) [[likely]]
    return chunks_[chunk];
  AllocationInfo info;
  if (chunk == 0) {
    chunks_[0] = base() + kFirstSlotOffset;
  } else if (pool().find(shared().chunks[chunk].load(), info) == DRAGON_SUCCESS) {
    chunks_[chunk] = info.allocation.data;
  }
  return chunks_[chunk];
}

// Makes sure that this attachment has a private slot. FULL without memory for one. A stopped
// process that holds the mutex costs memory at most.
Status Channel::need_slot() {
  if (private_ != kNoSlot) [[likely]]
    return DRAGON_SUCCESS;
  for (;;) {
    const uint32_t slots = slots_in_chunks();
    if (take_fresh(slots)) return DRAGON_SUCCESS;
    {
      const MutexGuard held = guard(Deadline::once());
      if (held.held() && (take_spare() || (sweep() && take_spare()))) return DRAGON_SUCCESS;
    }
    const Status added = add_chunk(slots);
    if (added != DRAGON_SUCCESS) return added;
  }
}

// A slot that was never handed out. The record first: a sweep that finds the slot handed out finds
// it there, too.
bool Channel::take_fresh(uint32_t slots) {
  Word32& word = shared().fresh;
  uint32_t fresh = word.load();
  while (fresh < slots) {
    mine_->next.store(fresh + 1);
    if (word.cas(fresh, fresh + 1)) {
      private_ = fresh + 1;
      return true;
    }
  }
  mine_->next.store(kNoSlot);
  return false;
}

// A slot of the list; lost if this actor dies before it refers to it.
bool Channel::take_spare() {
  ChannelHeader& header = shared();
  const SlotRef spare = header.spare_slot.load();
  if (spare == kNoSlot) return false;
  header.spare_slot.store(slot(spare)->next.load());
  mine_->next.store(spare);
  private_ = spare;
  return true;
}

uint32_t Channel::slots_in_chunks() {
  uint32_t chunk = 1;
  while (chunk < kChunks && shared().chunks[chunk].load() != 0) ++chunk;
  return chunk_first_slot(chunk - 1) + chunk_slots(chunk - 1);
}

// Finds the slots that nobody refers to, while others send. First the cells are looked at, then the
// records. A slot that moved on the way is in a record when those are looked at, or was put into a
// cell again: then it was filled for a position that was not sent before the sweep began.
bool Channel::sweep() {
  ChannelHeader& header = shared();
  const uint64_t began = settled_tail();
  std::vector<bool> used(header.fresh.load() + 1);
  mark_cells(used);
  mark_records(used);
  SlotRef list = kNoSlot;
  for (SlotRef ref = 1; ref < used.size(); ++ref) {
    ChannelSlot* each = slot(ref);
    if (used[ref] || each == nullptr) continue;
    const bool moved = static_cast<int64_t>(each->filled_for.load() - began) > 0;
    if (moved) continue;
    each->next.store(list);
    list = ref;
  }
  header.spare_slot.store(list);
  return list != kNoSlot;
}

// The cells of a closed ring keep only what is queued in them.
void Channel::mark_cells(std::vector<bool>& used) {
  const uint32_t last = shared().send_ring.load();
  for (uint32_t number = shared().receive_ring.load(); number <= last; ++number) {
    const Ring* ring = ring_at(number);
    if (ring == nullptr) continue;
    for (uint64_t index = 0; index <= ring->mask; ++index) {
      const uint64_t word = ring->cells[index].load();
      const CellState state = cell_state(word);
      const bool holds = number == last || state == CellState::kQueued || state == CellState::kVoid;
      if (holds && cell_slot(word) < used.size()) used[cell_slot(word)] = true;
    }
  }
}

// An attachment's private slot and what it gets in exchange, in this order backwards: the one
// becomes the other.
void Channel::mark_records(std::vector<bool>& used) {
  RecordArea& records = node().records();
  const uint64_t key = object_key(name());
  for (uint32_t index = 1; index < records.committed(); ++index) {
    const Record& record = records.at(index);
    const auto type = static_cast<RecordType>(record.type.load());
    if (type != RecordType::kOpen && type != RecordType::kClosed) continue;
    if (record.key.load() != key || record.allocation.load() != id()) continue;
    for (const SlotRef ref : {record.previous.load(), record.next.load()}) {
      if (ref < used.size()) used[ref] = true;
    }
  }
}

// The memory is this actor's until its id stands in the header; from then on it is the channel's,
// and a reclamation that finds it there only corrects the owner.
Status Channel::add_part(uint64_t bytes, Allocation& out) {
  const Status status = pool().try_allocate(bytes, AllocationType::kChunk, out, id());
  if (status == DRAGON_SUCCESS) ::memset(out.data, 0, bytes);
  return status;
}

Status Channel::add_chunk(uint32_t slots) {
  const uint32_t chunk = chunk_of(slots);
  Allocation memory;
  if (chunk >= kChunks || add_part(chunk_slots(chunk) * stride_, memory) != DRAGON_SUCCESS) {
    return DRAGON_FULL;
  }
  if (shared().chunks[chunk].replace(0, memory.id)) {
    pool().change_owner(memory.id, node().me().id, kOwnerObject);
  } else {
    pool().free(memory.id);
  }
  return DRAGON_SUCCESS;
}

// Between two calls an attachment refers to its private slot only.
void Channel::before_close() {
  if (private_ == kNoSlot) return;
  const MutexGuard held = guard(Deadline::once());
  if (!held.held()) return;
  slot(private_)->next.store(shared().spare_slot.load());
  shared().spare_slot.store(private_);
  mine_->next.store(kNoSlot);
  private_ = kNoSlot;
}

}  // namespace dragon
