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
  return bit >= 32 ? 0 : map & (UINT32_MAX << bit);
}

}  // namespace

Status Heap::take(uint64_t bytes, AllocationType type, uint64_t owner, uint64_t tag,
                  HeapBlock& out) {
  const uint64_t size = (bytes + kGranuleBytes - 1) / kGranuleBytes * kGranuleBytes;
  const uint32_t index = find(size / kGranuleBytes);
  if (index == 0) return DRAGON_WOULD_BLOCK;
  BlockDescriptor& block = blocks_[index];
  const uint64_t rest = block.size.load() - size;
  const uint32_t other = rest == 0 ? 0 : spare();
  if (rest != 0 && other == 0) return DRAGON_TOO_MANY_RECORDS;
  unlink(index);
  if (other != 0) {
    block.size.store(size);
    const uint32_t after = block.after.load();
    make_free(other, block.offset.load() + size, rest);
    blocks_[other].before.store(index);
    blocks_[other].after.store(after);
    block.after.store(other);
    (after == 0 ? header_->last_block : blocks_[after].before).store(other);
    link(other);
  }
  make_live(index, bytes, type, owner, tag, out);
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

// The last store makes the block live, under an owner that is complete.
void Heap::make_live(uint32_t index, uint64_t bytes, AllocationType type, uint64_t owner,
                     uint64_t tag, HeapBlock& out) {
  BlockDescriptor& block = blocks_[index];
  const uint32_t generation = generation_of(block.state.load());
  block.bytes.store(bytes);
  block.owner.store(owner);
  block.tag.store(tag);
  header_->used_bytes.store(header_->used_bytes.load() + block.size.load());
  header_->live_blocks.store(header_->live_blocks.load() + 1);
  block.state.store(block_state(BlockState::kLive, type, generation));
  out = {index, generation, block.offset.load()};
}

Status Heap::give(uint32_t index, uint32_t generation) {
  if (!live(index, generation)) return DRAGON_OBJECT_DESTROYED;
  BlockDescriptor& block = blocks_[index];
  // From here on the id is stale, whatever happens to this actor.
  block.state.store(block_state(BlockState::kFree, AllocationType::kData, generation + 1));
  header_->used_bytes.store(header_->used_bytes.load() - block.size.load());
  header_->live_blocks.store(header_->live_blocks.load() - 1);
  uint32_t merged = index;
  const uint32_t before = block.before.load();
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
  link(merged);
  return DRAGON_SUCCESS;
}

Status Heap::give_unlisted(uint32_t index, uint32_t generation) {
  if (!live(index, generation)) return DRAGON_OBJECT_DESTROYED;
  Word64& state = blocks_[index].state;
  uint64_t found = state.load();
  const uint64_t returned =
      block_state(BlockState::kReturned, AllocationType::kData, generation + 1);
  const bool still_live =
      state_of(found) == BlockState::kLive && generation_of(found) == generation;
  return still_live && state.cas(found, returned) ? DRAGON_SUCCESS : DRAGON_OBJECT_DESTROYED;
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

// Whole new indexes are cheaper to get right than a second way of unlinking, and this is rare.
void Heap::cut(uint64_t bytes) {
  header_->committed_bytes.store(header_->committed_bytes.load() - bytes);
  rebuild();
}

bool Heap::live(uint32_t index, uint32_t generation) const {
  if (index == 0 || index >= header_->descriptors_used.load()) return false;
  const uint64_t state = blocks_[index].state.load();
  return state_of(state) == BlockState::kLive && generation_of(state) == generation;
}

uint32_t Heap::find(uint64_t granules) const {
  const SizeClass above = class_above(granules);
  if (above.level < kLevels) {
    uint32_t level = above.level;
    uint32_t map = from_bit(header_->class_maps[level].load(), above.number);
    if (map == 0) {
      const uint32_t levels = from_bit(header_->level_map.load(), level + 1);
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
  while (index != 0 && blocks_[index].size.load() < granules * kGranuleBytes) {
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
  header_->level_map.store(header_->level_map.load() | 1u << size_class.level);
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
    header_->level_map.store(header_->level_map.load() & ~(1u << size_class.level));
  }
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
