#include "memory/heap.h"

#include <algorithm>
#include <bit>

namespace dragon {

namespace {

struct SizeClass {
  uint32_t level;
  uint32_t number;
  uint32_t list() const { return level * kClassesPerLevel + number; }
};

// The class whose blocks have at least as many granules as its first and fewer than the next's.
SizeClass class_of(uint64_t granules) {
  if (granules < kClassesPerLevel) return {0, static_cast<uint32_t>(granules)};
  const auto high = static_cast<uint32_t>(std::bit_width(granules)) - 1;
  const auto number = static_cast<uint32_t>(granules >> (high - kClassBits));
  return {high - kClassBits + 1, number & (kClassesPerLevel - 1)};
}

// The first class all of whose blocks have at least that many granules.
SizeClass class_above(uint64_t granules) {
  if (granules < kClassesPerLevel) return class_of(granules);
  const auto high = static_cast<uint32_t>(std::bit_width(granules)) - 1;
  return class_of(granules + (1ull << (high - kClassBits)) - 1);
}

constexpr uint32_t from_bit(uint32_t map, uint32_t bit) {
  return map & (UINT32_MAX << bit);
}

}  // namespace

Status Heap::take(uint64_t bytes, AllocationType type, uint64_t owner, uint64_t tag,
                  HeapBlock& out) {
  const uint64_t size = block_bytes_for(bytes);
  uint32_t index = 0;
  const Status status =
      carve(size, type == AllocationType::kData ? data_alignment(size) : kLineAlignment, index);
  if (status == DRAGON_SUCCESS) make_live(index, bytes, type, owner, tag, out);
  return status;
}

Status Heap::take_cached(uint64_t block_bytes, uint32_t slot, HeapBlock& out) {
  uint32_t index = 0;
  const Status status = carve(block_bytes, data_alignment(block_bytes), index);
  if (status != DRAGON_SUCCESS) return status;
  hold(index);
  const uint32_t generation = generation_of(blocks_[index].state.load());
  blocks_[index].state.store(cached_state(BlockState::kCached, slot, generation));
  out = {index, generation, blocks_[index].offset.load()};
  return DRAGON_SUCCESS;
}

// Makes a free block of just that size and alignment, in no list. What is left before and behind
// it goes back to the lists.
Status Heap::carve(uint64_t block_bytes, uint64_t alignment, uint32_t& out) {
  const uint32_t index = find(block_bytes, alignment);
  if (index == 0) return DRAGON_WOULD_BLOCK;
  const BlockDescriptor& block = blocks_[index];
  const uint64_t offset = block.offset.load();
  const uint64_t front = (offset + alignment - 1) / alignment * alignment - offset;
  const uint64_t rest = block.size.load() - front - block_bytes;
  const uint32_t middle = front == 0 ? index : spare();
  const uint32_t behind = rest == 0 || middle == 0 ? 0 : spare();
  if (middle == 0 || (rest != 0 && behind == 0)) {
    if (front != 0 && middle != 0) discard(middle);
    return DRAGON_TOO_MANY_RECORDS;
  }
  unlink(index);
  if (front != 0) {
    make_free(middle, offset + front, block_bytes);
    insert_after(index, middle);
    blocks_[index].size.store(front);
    link(index);
  }
  if (rest != 0) {
    make_free(behind, offset + front + block_bytes, rest);
    insert_after(middle, behind);
    blocks_[middle].size.store(block_bytes);
    link(behind);
  }
  out = middle;
  return DRAGON_SUCCESS;
}

Status Heap::take_end(uint64_t owner, HeapBlock& out) {
  const uint64_t bytes = free_at_end();
  if (bytes == 0) return DRAGON_WOULD_BLOCK;
  const uint32_t index = header_->last_block.load();
  unlink(index);
  make_live(index, bytes, AllocationType::kData, owner, 0, out);
  return DRAGON_SUCCESS;
}

// Counts a block as held; its state is the caller's next store.
void Heap::hold(uint32_t index) {
  const uint64_t held = header_->held_bytes.load() + blocks_[index].size.load();
  header_->held_bytes.store(held);
  if (held > header_->held_bytes_most.load()) header_->held_bytes_most.store(held);
  header_->held_blocks.store(header_->held_blocks.load() + 1);
}

// The last store makes the block live, under an owner that is complete.
void Heap::make_live(uint32_t index, uint64_t bytes, AllocationType type, uint64_t owner,
                     uint64_t tag, HeapBlock& out) {
  BlockDescriptor& block = blocks_[index];
  const uint32_t generation = generation_of(block.state.load());
  block.bytes.store(bytes);
  block.owner.store(owner);
  block.tag.store(tag);
  hold(index);
  block.state.store(block_state(BlockState::kLive, type, generation));
  out = {index, generation, block.offset.load()};
}

namespace {

// From a live block of this generation to `next`: by compare-and-swap, since a free that uses no
// mutex may do the same.
Status end_life(Word64& state, uint32_t generation, BlockState next, bool also_shown) {
  uint64_t found = state.load();
  while (state_of(found) == BlockState::kLive && generation_of(found) == generation) {
    if ((found & kShown) != 0 && !also_shown) return DRAGON_STATE;
    if (state.cas(found, block_state(next, AllocationType::kData, generation + 1))) {
      return DRAGON_SUCCESS;
    }
  }
  return DRAGON_OBJECT_DESTROYED;
}

}  // namespace

Status Heap::give(uint32_t index, uint32_t generation, bool also_shown) {
  if (!live(index, generation)) return DRAGON_OBJECT_DESTROYED;
  // From here on the id is stale, whatever happens to this actor.
  const Status ended = end_life(blocks_[index].state, generation, BlockState::kFree, also_shown);
  if (ended == DRAGON_SUCCESS) put_back(index);
  return ended;
}

Status Heap::give_unlisted(uint32_t index, uint32_t generation, bool also_shown) {
  if (!live(index, generation)) return DRAGON_OBJECT_DESTROYED;
  return end_life(blocks_[index].state, generation, BlockState::kReturned, also_shown);
}

Status Heap::show(uint32_t index, uint32_t generation, uint32_t slot) {
  if (!live(index, generation)) return DRAGON_OBJECT_DESTROYED;
  Word64& state = blocks_[index].state;
  uint64_t found = state.load();
  while (state_of(found) == BlockState::kLive && generation_of(found) == generation) {
    const uint64_t shown = (found & ~kSlotMask) | kShown | static_cast<uint64_t>(slot) << 16;
    if (state.cas(found, shown)) return DRAGON_SUCCESS;
  }
  return DRAGON_OBJECT_DESTROYED;
}

void Heap::hide(uint32_t index, uint32_t generation, uint32_t slot) {
  if (!live(index, generation)) return;
  Word64& state = blocks_[index].state;
  uint64_t found = state.load();
  while (state_of(found) == BlockState::kLive && generation_of(found) == generation &&
         (found & kShown) != 0 && slot_of(found) == slot) {
    if (state.cas(found, found & ~(kShown | kSlotMask))) return;
  }
}

// The generation goes up although no id was made of it, so that an actor which still has the block
// in its list never takes a later block for it.
bool Heap::give_cached(uint32_t index, uint64_t cached) {
  const uint32_t generation = generation_of(cached) + 1;
  Word64& state = blocks_[index].state;
  if (!state.cas(cached, block_state(BlockState::kFree, AllocationType::kData, generation))) {
    return false;
  }
  put_back(index);
  return true;
}

bool Heap::give_cached_unlisted(uint32_t index, uint64_t cached) {
  const uint32_t generation = generation_of(cached) + 1;
  return blocks_[index].state.cas(
      cached, block_state(BlockState::kReturned, AllocationType::kData, generation));
}

// A block that is free now, but in no list.
void Heap::put_back(uint32_t index) {
  header_->held_bytes.store(header_->held_bytes.load() - blocks_[index].size.load());
  header_->held_blocks.store(header_->held_blocks.load() - 1);
  link(merge(index));
}

// Joins a free block that is in no list with its free neighbours; the block that it is then.
uint32_t Heap::merge(uint32_t index) {
  uint32_t merged = index;
  const uint32_t before = blocks_[index].before.load();
  if (before != 0 && state_of(blocks_[before].state.load()) == BlockState::kFree) {
    unlink(before);
    absorb(before, index);
    merged = before;
  }
  const uint32_t after = blocks_[merged].after.load();
  if (after != 0 && state_of(blocks_[after].state.load()) == BlockState::kFree) {
    unlink(after);
    absorb(merged, after);
  }
  return merged;
}

// The flag keeps frees without the mutex off the size while it changes.
Status Heap::resize(uint32_t index, uint32_t generation, uint64_t bytes) {
  if (!live(index, generation)) return DRAGON_OBJECT_DESTROYED;
  BlockDescriptor& block = blocks_[index];
  uint64_t found = block.state.load();
  if (state_of(found) != BlockState::kLive || generation_of(found) != generation) {
    return DRAGON_OBJECT_DESTROYED;
  }
  if (!block.state.cas(found, found | kBeingResized)) return DRAGON_OBJECT_DESTROYED;
  const uint64_t size = block_bytes_for(bytes);
  Status status = DRAGON_SUCCESS;
  if (size > block.size.load()) {
    status = grow(index, size);
  } else if (size < block.size.load()) {
    const uint32_t rest = spare();
    status = rest == 0 ? DRAGON_TOO_MANY_RECORDS : DRAGON_SUCCESS;
    if (rest != 0) shrink(index, size, rest);
  }
  if (status == DRAGON_SUCCESS) block.bytes.store(bytes);
  // Fails if this actor was stopped and somebody freed the block meanwhile, as a rebuild sees.
  block.state.replace(found | kBeingResized, found & ~kBeingResized);
  return status;
}

void Heap::shrink(uint32_t index, uint64_t size, uint32_t rest) {
  BlockDescriptor& block = blocks_[index];
  const uint64_t less = block.size.load() - size;
  block.size.store(size);
  make_free(rest, block.offset.load() + size, less);
  insert_after(index, rest);
  header_->held_bytes.store(header_->held_bytes.load() - less);
  link(merge(rest));
}

Status Heap::grow(uint32_t index, uint64_t size) {
  BlockDescriptor& block = blocks_[index];
  const uint64_t more = size - block.size.load();
  const uint32_t after = block.after.load();
  if (after == 0 || state_of(blocks_[after].state.load()) != BlockState::kFree) {
    return DRAGON_WOULD_BLOCK;
  }
  const uint64_t there = blocks_[after].size.load();
  if (there < more) return DRAGON_WOULD_BLOCK;
  unlink(after);
  block.size.store(size);
  if (there == more) {
    const uint32_t next = blocks_[after].after.load();
    block.after.store(next);
    (next == 0 ? header_->last_block : blocks_[next].before).store(index);
    discard(after);
  } else {
    make_free(after, blocks_[after].offset.load() + more, there - more);
    link(after);
  }
  const uint64_t held = header_->held_bytes.load() + more;
  header_->held_bytes.store(held);
  if (held > header_->held_bytes_most.load()) header_->held_bytes_most.store(held);
  return DRAGON_SUCCESS;
}

Status Heap::extend(uint64_t bytes) {
  const uint64_t committed = header_->committed_bytes.load();
  const uint32_t last = header_->last_block.load();
  if (last != 0 && state_of(blocks_[last].state.load()) == BlockState::kFree) {
    header_->committed_bytes.store(committed + bytes);
    unlink(last);
    blocks_[last].size.store(blocks_[last].size.load() + bytes);
    link(last);
    return DRAGON_SUCCESS;
  }
  const uint32_t index = spare();
  if (index == 0) return DRAGON_TOO_MANY_RECORDS;
  header_->committed_bytes.store(committed + bytes);
  make_free(index, committed, bytes);
  blocks_[index].before.store(last);
  blocks_[index].after.store(0);
  if (last != 0) blocks_[last].after.store(index);
  header_->last_block.store(index);
  link(index);
  return DRAGON_SUCCESS;
}

uint64_t Heap::free_at_end() const {
  const uint32_t last = header_->last_block.load();
  const bool is_free = last != 0 && state_of(blocks_[last].state.load()) == BlockState::kFree;
  return is_free ? blocks_[last].size.load() : 0;
}

uint64_t Heap::largest_free() const {
  const uint64_t levels = header_->level_map.load();
  if (levels == 0) return 0;
  const auto level = static_cast<uint32_t>(std::bit_width(levels)) - 1;
  const uint32_t map = header_->class_maps[level].load();
  if (map == 0) return 0;
  const auto number = static_cast<uint32_t>(std::bit_width(map)) - 1;
  uint64_t largest = 0;
  uint32_t index = header_->lists[level * kClassesPerLevel + number].load();
  for (; index != 0; index = blocks_[index].next.load()) {
    largest = std::max(largest, blocks_[index].size.load());
  }
  return largest;
}

// Whole new indexes are cheaper to get right than a second way of unlinking, and this is rare.
void Heap::cut(uint64_t bytes) {
  header_->committed_bytes.store(header_->committed_bytes.load() - bytes);
  rebuild();
}

bool Heap::live(uint32_t index, uint32_t generation) const {
  if (!known(index)) return false;
  const uint64_t state = blocks_[index].state.load();
  return state_of(state) == BlockState::kLive && generation_of(state) == generation;
}

bool Heap::fits(uint32_t index, uint64_t block_bytes, uint64_t alignment) const {
  const uint64_t offset = blocks_[index].offset.load();
  const uint64_t front = (offset + alignment - 1) / alignment * alignment - offset;
  return front + block_bytes <= blocks_[index].size.load();
}

uint32_t Heap::find(uint64_t block_bytes, uint64_t alignment) const {
  const uint32_t first = find(block_bytes);
  if (first == 0 || fits(first, block_bytes, alignment)) return first;
  const uint64_t surely = block_bytes + alignment - kGranuleBytes;
  const uint32_t large = find(surely);
  if (large != 0) return large;
  // The last resort: a block that happens to begin well.
  const uint32_t last = class_of(surely / kGranuleBytes).list();
  for (uint32_t list = class_of(block_bytes / kGranuleBytes).list(); list <= last; ++list) {
    uint32_t index = header_->lists[list].load();
    while (index != 0 && !fits(index, block_bytes, alignment)) index = blocks_[index].next.load();
    if (index != 0) return index;
  }
  return 0;
}

uint32_t Heap::find(uint64_t block_bytes) const {
  const uint64_t granules = block_bytes / kGranuleBytes;
  const SizeClass above = class_above(granules);
  if (above.level < kLevels) {
    uint32_t level = above.level;
    uint32_t map = from_bit(header_->class_maps[level].load(), above.number);
    if (map == 0) {
      const uint64_t levels = header_->level_map.load() & (UINT64_MAX << (level + 1));
      level = levels == 0 ? 0 : static_cast<uint32_t>(std::countr_zero(levels));
      map = levels == 0 ? 0 : header_->class_maps[level].load();
    }
    if (map != 0) {
      const auto number = static_cast<uint32_t>(std::countr_zero(map));
      return header_->lists[level * kClassesPerLevel + number].load();
    }
  }
  // The last resort: the request's own class may have a block that is just large enough.
  uint32_t index = header_->lists[class_of(granules).list()].load();
  while (index != 0 && blocks_[index].size.load() < block_bytes) {
    index = blocks_[index].next.load();
  }
  return index;
}

void Heap::link(uint32_t index) {
  BlockDescriptor& block = blocks_[index];
  const SizeClass size_class = class_of(block.size.load() / kGranuleBytes);
  Word32& list = header_->lists[size_class.list()];
  const uint32_t next = list.load();
  block.previous.store(0);
  block.next.store(next);
  if (next != 0) blocks_[next].previous.store(index);
  list.store(index);
  Word32& map = header_->class_maps[size_class.level];
  map.store(map.load() | 1u << size_class.number);
  header_->level_map.store(header_->level_map.load() | 1ull << size_class.level);
}

void Heap::unlink(uint32_t index) {
  const BlockDescriptor& block = blocks_[index];
  const SizeClass size_class = class_of(block.size.load() / kGranuleBytes);
  Word32& list = header_->lists[size_class.list()];
  const uint32_t next = block.next.load();
  const uint32_t previous = block.previous.load();
  (previous == 0 ? list : blocks_[previous].next).store(next);
  if (next != 0) blocks_[next].previous.store(previous);
  if (list.load() != 0) return;
  Word32& map = header_->class_maps[size_class.level];
  map.store(map.load() & ~(1u << size_class.number));
  if (map.load() == 0) {
    header_->level_map.store(header_->level_map.load() & ~(1ull << size_class.level));
  }
}

// Puts a free block among the neighbours, right behind `index`.
void Heap::insert_after(uint32_t index, uint32_t other) {
  const uint32_t after = blocks_[index].after.load();
  blocks_[other].before.store(index);
  blocks_[other].after.store(after);
  blocks_[index].after.store(other);
  (after == 0 ? header_->last_block : blocks_[after].before).store(other);
}

// Makes `second`, the free neighbour behind `first`, a part of it.
void Heap::absorb(uint32_t first, uint32_t second) {
  BlockDescriptor& block = blocks_[first];
  const uint32_t after = blocks_[second].after.load();
  block.size.store(block.size.load() + blocks_[second].size.load());
  block.after.store(after);
  (after == 0 ? header_->last_block : blocks_[after].before).store(first);
  discard(second);
}

// An unused descriptor, 0 if none is ready. Its content is whatever it was, but for the state.
uint32_t Heap::spare() {
  const uint32_t first = header_->spare_descriptor.load();
  if (first != 0) {
    header_->spare_descriptor.store(blocks_[first].next.load());
    return first;
  }
  const uint32_t used = std::max(header_->descriptors_used.load(), 1u);
  if (used >= header_->descriptors_ready.load()) return 0;
  header_->descriptors_used.store(used + 1);
  return used;
}

void Heap::discard(uint32_t index) {
  BlockDescriptor& block = blocks_[index];
  const uint32_t generation = generation_of(block.state.load());
  block.state.store(block_state(BlockState::kUnused, AllocationType::kData, generation));
  block.next.store(header_->spare_descriptor.load());
  header_->spare_descriptor.store(index);
}

void Heap::make_free(uint32_t index, uint64_t offset, uint64_t size) {
  BlockDescriptor& block = blocks_[index];
  const uint32_t generation = generation_of(block.state.load());
  block.offset.store(offset);
  block.size.store(size);
  block.state.store(block_state(BlockState::kFree, AllocationType::kData, generation));
}

}  // namespace dragon
