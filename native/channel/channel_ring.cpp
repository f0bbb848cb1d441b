// The two ends of a channel: cells, positions, and rings that follow each other.
//
// The truth about the ends is in the cells: a position is the tail if its cell is FREE in the
// position's lap, and the head if it is QUEUED. Every attachment has cursors that go from cell to
// cell; the words `tail` and `head` are for those who come from elsewhere, and are moved on at
// every fourth position only, by whoever gets there. They are read before the ring's number, so
// the ring is the position's or a later one, in which case the position is the ring's first.
//
// Model: spec/models/ring.pml; its Sender is `enqueue` with `enqueue_at`, its Receiver `find_head`
// with `remove`, and other steps have the names of the functions here.
#include <algorithm>

#include "channel/channel.h"
#include "sync/prefetch.h"

namespace dragon {

namespace {

constexpr uint64_t kStepsToSay = 4;

// Moves an end's word on to a position that it has reached.
void raise(Word64& end, uint64_t position) {
  uint64_t found = end.load(std::memory_order_relaxed);
  while (static_cast<int64_t>(position - found) > 0 && !end.cas(found, position)) {
  }
}

}  // namespace

const Channel::Ring* Channel::find_ring(uint32_t number) {
  if (number >= kRings) return nullptr;
  Ring& ring = rings_[number];
  const uint64_t cells = ring_cells(number);
  if (number == 0) {
    ring.first = 0;
    ring.cells = reinterpret_cast<Word64*>(base() + kFirstRingOffset);
  } else {
    AllocationInfo info;
    const bool there = pool().find(shared().rings[number].load(), info) == DRAGON_SUCCESS;
    if (!there || info.allocation.bytes < sizeof(RingHeader) + cells * sizeof(Word64)) {
      return nullptr;
    }
    auto* header = reinterpret_cast<RingHeader*>(info.allocation.data);
    ring.first = header->first.load();
    ring.cells = reinterpret_cast<Word64*>(header + 1);
  }
  ring.bits = kFirstRingBits + number;
  ring.mask = cells - 1;
  ring.holds = std::min(capacity_, cells < capacity_ ? cells - 1 : cells);
  return &ring;
}

// Beyond a position that was sent (or received) by somebody else, to where the words say.
bool Channel::advance(Cursor& cursor, const Word64& end, const Word32& ring) {
  const uint64_t said = end.load();
  const uint32_t number = ring.load();
  const Ring* there = ring_at(number);
  if (there == nullptr) return false;
  const uint64_t position = std::max(said, there->first);
  if (position > cursor.position) {
    cursor = {position, number};
  } else {
    ++cursor.position;
  }
  return true;
}

// Puts the private slot in at the tail.
Status Channel::enqueue(const Payload& payload) {
  ChannelHeader& header = shared();
  Cursor& at = send_at_;
  for (;;) {
    const Ring* ring = ring_at(at.ring);
    if (ring == nullptr) return DRAGON_OBJECT_DESTROYED;
    Word64& cell = ring->cell(at.position);
    prefetch_write(&cell);
    const uint64_t word = cell.load_seq();
    if (cell_lap(word) == ring->lap(at.position)) [[likely]] {
      if (cell_state(word) == CellState::kFree) [[likely]] {
        if (at.position - seen_head_ >= ring->holds && !see_room(*ring)) [[unlikely]] {
          seen_head_ = settled_head();
          const uint64_t used = at.position - seen_head_;
          if (static_cast<int64_t>(used) >= 0 && used >= ring->holds) {
            if (used >= capacity_) return DRAGON_FULL;
            const Status grown = grow(at.ring);
            if (grown != DRAGON_SUCCESS) return grown;
          }
          continue;
        }
        Status status = DRAGON_SUCCESS;
        if (enqueue_at(cell, word, *ring, payload, status)) return status;
        continue;
      }
      if (cell_state(word) == CellState::kClosed) {
        header.send_ring.replace(at.ring, at.ring + 1);
        ++at.ring;
        continue;
      }
    } else if (cell_lap(word) == ((ring->lap(at.position) - 1) & kLapMask)) {
      // Only a full ring has a message of the lap before here.
      seen_head_ = settled_head();
      if (at.position - seen_head_ >= capacity_) return DRAGON_FULL;
      continue;
    }
    if (!advance(at, header.tail, header.send_ring)) return DRAGON_OBJECT_DESTROYED;
  }
}

// Looks into the ring for how far receivers are, since the word `head` is theirs: half a ring
// ahead, then just so far that there is room.
bool Channel::see_room(const Ring& ring) {
  const uint64_t least = send_at_.position - ring.holds;
  for (const uint64_t ahead : {ring.holds / 2, uint64_t{0}}) {
    const uint64_t position = least + ahead;
    if (static_cast<int64_t>(position - ring.first) < 0) continue;
    if (cell_lap(ring.cell(position).load_seq()) == ring.lap(position)) continue;
    seen_head_ = position + 1;
    return true;
  }
  return false;
}

// One attempt at a FREE cell; false if somebody else was faster.
bool Channel::enqueue_at(Word64& cell, uint64_t word, const Ring& ring, const Payload& payload,
                         Status& status) {
  const uint64_t position = send_at_.position;
  const SlotRef exchange = cell_slot(word);
  slot(private_)->filled_for.store(position + 1, std::memory_order_relaxed);
  mine_->previous.store(exchange);
  Pool* pool = payload.owned() ? pool_of(payload) : nullptr;
  if (pool != nullptr) {
    mine_->since_ns.store(position);
    status = pool->change_owner(payload.id, node().me().id, owner_at(position));
    if (status != DRAGON_SUCCESS) return true;
  }
  uint64_t expected = word;
  const uint64_t queued = cell_word(ring.lap(position), CellState::kQueued, private_);
  if (!cell.cas_seq(expected, queued)) {
    if (pool != nullptr) pool->change_owner(payload.id, owner_at(position), node().me().id);
    return false;
  }
  mine_->next.store(exchange);
  private_ = exchange;
  last_sent_ = send_at_;
  send_at_.position = position + 1;
  if ((position + 1) % kStepsToSay == 0) raise(shared().tail, position + 1);
  fetch_for_next();
  return true;
}

// Fetches the lines that the next send of a small message writes to. The others had them last.
void Channel::fetch_for_next() {
  const ChannelSlot* next = slot(private_);
  if (next == nullptr) return;
  prefetch_write(next);
  if (stride_ > sizeof(ChannelSlot)) prefetch_write(next->inline_bytes());
}

// The next message. EMPTY without one.
Status Channel::find_head(Head& out) {
  ChannelHeader& header = shared();
  Cursor& at = receive_at_;
  for (;;) {
    const Ring* ring = ring_at(at.ring);
    if (ring == nullptr) return DRAGON_OBJECT_DESTROYED;
    const uint64_t word = ring->cell(at.position).load_seq();
    if (cell_lap(word) != ring->lap(at.position)) {
      if (!advance(at, header.head, header.receive_ring)) return DRAGON_OBJECT_DESTROYED;
      continue;
    }
    out = {at.position, ring, word};
    switch (cell_state(word)) {
      case CellState::kQueued:
        return DRAGON_SUCCESS;
      case CellState::kFree:
        return DRAGON_EMPTY;
      case CellState::kVoid:
        remove(out);
        break;
      case CellState::kClosed:
        header.receive_ring.replace(at.ring, at.ring + 1);
        ++at.ring;
        break;
    }
  }
}

// Takes the head away; false if somebody else was faster.
bool Channel::remove(const Head& head) {
  uint64_t expected = head.word;
  const uint64_t free =
      cell_word(head.ring->lap(head.position) + 1, CellState::kFree, cell_slot(head.word));
  if (!head.ring->cell(head.position).cas_seq(expected, free)) return false;
  receive_at_.position = head.position + 1;
  if ((head.position + 1) % kStepsToSay == 0) raise(shared().head, head.position + 1);
  return true;
}

// Whether the message at the head is nobody's any more but still in its cell: its receiver has
// died or stopped in between.
bool Channel::payload_taken(const Head& head) {
  const ChannelSlot* filled = slot(cell_slot(head.word));
  if (filled == nullptr) return false;
  const Payload payload = payload_of(*filled);
  Pool* pool = payload.owned() ? pool_of(payload) : nullptr;
  AllocationInfo info;
  if (pool == nullptr || pool->find(payload.id, info) != DRAGON_SUCCESS) return false;
  return info.owner != owner_at(head.position);
}

// The position of the first message that is there, or of the next one.
uint64_t Channel::settled_head() {
  Head head;
  for (;;) {
    if (find_head(head) != DRAGON_SUCCESS || !payload_taken(head)) return head.position;
    remove(head);
  }
}

// The position that will be sent next.
uint64_t Channel::settled_tail() {
  ChannelHeader& header = shared();
  Cursor& at = send_at_;
  for (;;) {
    const Ring* ring = ring_at(at.ring);
    if (ring == nullptr) return at.position;
    const uint64_t word = ring->cell(at.position).load_seq();
    const bool this_lap = cell_lap(word) == ring->lap(at.position);
    const bool lap_before = cell_lap(word) == ((ring->lap(at.position) - 1) & kLapMask);
    if (lap_before || (this_lap && cell_state(word) == CellState::kFree)) return at.position;
    if (this_lap && cell_state(word) == CellState::kClosed) {
      header.send_ring.replace(at.ring, at.ring + 1);
      ++at.ring;
    } else if (!advance(at, header.tail, header.send_ring)) {
      return at.position;
    }
  }
}

// Adds the ring after `number`, in which one cell is free. Without memory the channel is full with
// the ring that it has.
Status Channel::grow(uint32_t number) {
  Allocation memory;
  const uint64_t bytes = sizeof(RingHeader) + ring_cells(number + 1) * sizeof(Word64);
  const Status allocated = add_part(bytes, memory);
  if (allocated != DRAGON_SUCCESS) return DRAGON_FULL;
  ChannelHeader& header = shared();
  Status status = DRAGON_SUCCESS;
  uint64_t used = 0;
  {
    const MutexGuard held = guard(Deadline::once());
    if (!held.held()) {
      status = DRAGON_WOULD_BLOCK;
    } else if (destroyed()) {
      status = DRAGON_OBJECT_DESTROYED;
    } else if (settled_tail(); header.send_ring.load() == number) {
      used = open_ring(number + 1, memory.id, memory.data);
    }
  }
  if (used != memory.id) pool().free(memory.id);
  return status;
}

// Makes the ring begin where the one before it ends now. A ring that somebody had published who
// died before the close is used instead of the new memory; returns the one that is used.
uint64_t Channel::open_ring(uint32_t number, uint64_t id, uint8_t* data) {
  ChannelHeader& header = shared();
  const Ring* before = ring_at(number - 1);
  AllocationInfo left;
  if (const uint64_t old = header.rings[number].load();
      old != 0 && pool().find(old, left) == DRAGON_SUCCESS) {
    id = old;
    data = left.allocation.data;
  }
  auto* ring = reinterpret_cast<RingHeader*>(data);
  auto* cells = reinterpret_cast<Word64*>(ring + 1);
  const uint64_t count = ring_cells(number);
  const uint32_t bits = kFirstRingBits + number;
  for (;;) {
    const uint64_t first = settled_tail();
    ring->first.store(first);
    for (uint64_t position = first; position < first + count; ++position) {
      const uint64_t free = cell_word(position >> bits & kLapMask, CellState::kFree, kNoSlot);
      cells[position & (count - 1)].store(free, std::memory_order_relaxed);
    }
    header.rings[number].store(id);
    pool().change_owner(id, node().me().id, kOwnerObject);
    Word64& last = before->cell(first);
    uint64_t word = last.load_seq();
    const bool open = cell_lap(word) == before->lap(first) && cell_state(word) == CellState::kFree;
    const uint64_t closed = cell_word(before->lap(first), CellState::kClosed, cell_slot(word));
    if (open && last.cas_seq(word, closed)) break;
  }
  header.send_ring.replace(number - 1, number);
  return id;
}

}  // namespace dragon
