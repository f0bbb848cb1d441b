// What remains true of a channel when actors die: giving back what they had in it, taking it
// apart, and the audit of all of it.
#include <algorithm>

#include "channel/channel.h"

namespace dragon {

// A dead receiver has left at most a message at the head that it had received but not removed. A
// dead sender has left its slots, which a sweep finds when its record is gone, and maybe an
// allocation whose message was not sent, or a message that it was taking back.
uint32_t Channel::give_back(const std::shared_ptr<Pool>& pool, const AllocationInfo& object,
                            const Record& record, ActorId dead) {
  Channel channel;
  channel.look_at(pool, object);
  channel.set_up_parts();
  if (channel.shared().mutex.holder() == dead) {
    const MutexGuard recovered = channel.guard(Deadline::never());
  }
  channel.settled_head();
  channel.give_back_payload(record, dead);
  return record.next.load() == kNoSlot ? 0 : 1;
}

void Channel::give_back_payload(const Record& record, ActorId dead) {
  Payload payload;
  payload.id = record.ticket.load();
  payload.segment = record.spare.load();
  const uint64_t position = record.since_ns.load();
  Pool* from = payload.id == 0 ? nullptr : pool_of(payload);
  AllocationInfo info;
  if (from == nullptr || from->find(payload.id, info) != DRAGON_SUCCESS) return;
  uint64_t word = 0;
  Word64* cell = queued_cell(position, payload.id, word);
  if (cell != nullptr) {
    // The dead has taken the payload back, and with it the message.
    const uint64_t taken_back = cell_word(cell_lap(word), CellState::kVoid, cell_slot(word));
    if (info.owner == dead && cell->cas_seq(word, taken_back)) settled_head();
    return;
  }
  // Not in the queue now and the message's all the same: it was never sent.
  if (info.owner != owner_at(position)) return;
  if (claim(payload, position) == DRAGON_SUCCESS) from->free(payload.id);
}

// The cell of the message at the position, if the allocation is its payload.
Word64* Channel::queued_cell(uint64_t position, uint64_t allocation, uint64_t& word) {
  const uint32_t last = shared().send_ring.load();
  for (uint32_t number = shared().receive_ring.load(); number <= last; ++number) {
    const Ring* ring = ring_at(number);
    if (ring == nullptr || position < ring->first) continue;
    word = ring->cell(position).load_seq();
    if (cell_lap(word) != ring->lap(position) || cell_state(word) != CellState::kQueued) continue;
    const ChannelSlot* filled = slot(cell_slot(word));
    if (filled != nullptr && filled->payload.load() == allocation) return &ring->cell(position);
  }
  return nullptr;
}

bool Channel::has_part(const AllocationInfo& object, uint64_t part) {
  const auto& header = *reinterpret_cast<const ChannelHeader*>(object.allocation.data);
  const auto is_part = [part](const Word64& each) { return each.load() == part; };
  return std::any_of(std::begin(header.rings), std::end(header.rings), is_part) ||
         std::any_of(std::begin(header.chunks), std::end(header.chunks), is_part);
}

// The object may be one whose creation was cut short, with anything in its bytes; so a part is
// used and freed only if its own descriptor says that it belongs here.
void take_apart_channel(Pool& pool, const AllocationInfo& object) {
  Channel channel;
  channel.look_at(pool.shared_from_this(), object);
  ChannelHeader& header = channel.shared();
  const uint64_t block = header.block_bytes.load();
  if (block > kChannelBlockBytesMax || block % kLineBytes != 0 ||
      object.allocation.bytes != channel_bytes(static_cast<uint32_t>(block))) {
    return;
  }
  channel.set_up_parts();
  const uint64_t id = object.allocation.id;
  const auto own = [&](uint64_t part) {
    AllocationInfo info;
    return part != 0 && pool.find(part, info) == DRAGON_SUCCESS &&
           info.type == AllocationType::kChunk && info.tag == id;
  };
  const auto filled_slot = [&](uint64_t word) -> const ChannelSlot* {
    const SlotRef ref = cell_slot(word);
    const uint32_t chunk = ref == kNoSlot ? kChunks : chunk_of(ref - 1);
    const bool there = chunk == 0 || (chunk < kChunks && own(header.chunks[chunk].load()));
    return there ? channel.slot(ref) : nullptr;
  };
  for (uint32_t number = 0; number < kRings; ++number) {
    if (number > 0 && !own(header.rings[number].load())) continue;
    const Channel::Ring* ring = channel.ring_at(number);
    if (ring == nullptr) continue;
    for (uint64_t index = 0; index <= ring->mask; ++index) {
      const uint64_t word = ring->cells[index].load();
      if (cell_state(word) != CellState::kQueued) continue;
      const ChannelSlot* filled = filled_slot(word);
      const Channel::Payload payload =
          filled == nullptr ? Channel::Payload{} : Channel::payload_of(*filled);
      Pool* from = payload.owned() ? channel.pool_of(payload) : nullptr;
      AllocationInfo info;
      if (from == nullptr || from->find(payload.id, info) != DRAGON_SUCCESS) continue;
      const uint64_t position = cell_lap(word) << ring->bits | index;
      if (info.owner == owner_message(id, position)) from->free(payload.id);
    }
  }
  for (uint32_t number = 1; number < kRings; ++number) {
    if (own(header.rings[number].load())) pool.free(header.rings[number].load());
  }
  for (uint32_t chunk = 1; chunk < kChunks; ++chunk) {
    if (own(header.chunks[chunk].load())) pool.free(header.chunks[chunk].load());
  }
}

std::string Channel::audit() {
  if (closed() || node().closed()) return "";
  const MutexGuard held = guard(Deadline::never());
  const uint64_t head = settled_head();
  const uint64_t tail = settled_tail();
  if (tail - head > capacity_) return "more messages than the capacity";
  std::vector<uint32_t> cells(shared().fresh.load() + 1);
  const uint32_t last = shared().send_ring.load();
  uint64_t queued = 0;
  for (uint32_t number = shared().receive_ring.load(); number <= last; ++number) {
    const Ring* ring = ring_at(number);
    if (ring == nullptr) return "a ring is not there";
    for (uint64_t index = 0; index <= ring->mask; ++index) {
      const uint64_t word = ring->cells[index].load();
      const bool waits = cell_state(word) == CellState::kQueued;
      const bool sent = waits || cell_state(word) == CellState::kVoid;
      const SlotRef ref = cell_slot(word);
      if (ref >= cells.size()) return "a cell has a slot that was never handed out";
      if ((sent || number == last) && ref != kNoSlot && ++cells[ref] > 1) {
        return "a slot is in two cells";
      }
      if (!sent) continue;
      ++queued;
      const char* fault = waits ? audit_message(*ring, index, word, head, tail) : "";
      if (fault[0] != 0) return fault;
    }
  }
  return queued == tail - head ? "" : "the messages are not those between head and tail";
}

const char* Channel::audit_message(const Ring& ring, uint64_t index, uint64_t word, uint64_t head,
                                   uint64_t tail) {
  const uint64_t position = cell_lap(word) << ring.bits | index;
  if (position < head || position >= tail) return "a message is not between head and tail";
  const ChannelSlot* filled = slot(cell_slot(word));
  if (filled == nullptr) return "a message without its slot";
  const Payload payload = payload_of(*filled);
  AllocationInfo info;
  if (!payload.owned()) return "";
  Pool* from = pool_of(payload);
  if (from == nullptr || from->find(payload.id, info) != DRAGON_SUCCESS) {
    return "a message without its payload";
  }
  return info.owner == owner_at(position) ? "" : "a payload that is not its message's";
}

}  // namespace dragon
