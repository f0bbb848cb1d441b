// Recovery and audit of a heap: both go from the held descriptors, which are the truth.
#include <algorithm>
#include <vector>

#include "memory/heap.h"

namespace dragon {

namespace {

struct Extent {
  uint64_t offset;
  uint64_t size;
  uint32_t index;
};

// The held blocks in the order of their addresses.
std::vector<Extent> held_extents(const HeapHeader& header, const BlockDescriptor* blocks) {
  std::vector<Extent> held;
  for (uint32_t index = 1; index < header.descriptors_used.load(); ++index) {
    const BlockDescriptor& block = blocks[index];
    if (!is_held(state_of(block.state.load()))) continue;
    held.push_back({block.offset.load(), block.size.load(), index});
  }
  std::sort(held.begin(), held.end(),
            [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
  return held;
}

}  // namespace

void Heap::rebuild() {
  const std::vector<Extent> held = held_extents(*header_, blocks_);
  header_->level_map.store(0);
  for (Word32& map : header_->class_maps) map.store(0);
  for (Word32& list : header_->lists) list.store(0);
  header_->spare_descriptor.store(0);
  // By the one look that was taken above: a block may be returned while this goes on.
  std::vector<bool> is_held_now(header_->descriptors_used.load());
  for (const Extent& extent : held) {
    is_held_now[extent.index] = true;
    // Whoever was resizing it is dead; the size is what it came to.
    Word64& state = blocks_[extent.index].state;
    const uint64_t found = state.load();
    if ((found & kBeingResized) != 0) state.replace(found, found & ~kBeingResized);
  }
  for (auto index = static_cast<uint32_t>(is_held_now.size()); index-- > 1;) {
    if (!is_held_now[index]) discard(index);
  }
  uint32_t before = 0;
  const auto append = [&](uint32_t index) {
    blocks_[index].before.store(before);
    blocks_[index].after.store(0);
    if (before != 0) blocks_[before].after.store(index);
    before = index;
  };
  const auto fill_gap = [&](uint64_t from, uint64_t to) {
    if (from >= to) return;
    const uint32_t index = spare();
    if (index == 0) return;  // each gap had a descriptor before; this keeps damage contained
    make_free(index, from, to - from);
    append(index);
    link(index);
  };
  uint64_t used = 0;
  uint64_t end = 0;
  for (const Extent& extent : held) {
    fill_gap(end, extent.offset);
    append(extent.index);
    end = extent.offset + extent.size;
    used += extent.size;
  }
  fill_gap(end, header_->committed_bytes.load());
  header_->last_block.store(before);
  header_->held_bytes.store(used);
  header_->held_blocks.store(static_cast<uint32_t>(held.size()));
}

const char* Heap::audit() const {
  const std::vector<Extent> held = held_extents(*header_, blocks_);
  uint64_t used = 0;
  uint64_t end = 0;
  for (const Extent& extent : held) {
    if (extent.offset < end) return "two held blocks overlap";
    end = extent.offset + extent.size;
    used += extent.size;
  }
  if (end > header_->committed_bytes.load()) return "a held block lies beyond the committed data";
  if (used != header_->held_bytes.load()) return "held_bytes is not the sum of the held blocks";
  if (held.size() != header_->held_blocks.load()) return "held_blocks is not their number";
  return audit_free(held.size());
}

// Walks the physical neighbours, which must cover every committed byte once, and counts the free
// blocks, each of which must stand in the list of its class.
const char* Heap::audit_free(size_t held_blocks) const {
  uint64_t end = header_->committed_bytes.load();
  uint32_t after = 0;
  bool after_is_free = false;
  size_t free_blocks = 0;
  size_t lives = 0;
  for (uint32_t index = header_->last_block.load(); index != 0;) {
    const BlockDescriptor& block = blocks_[index];
    const BlockState state = state_of(block.state.load());
    if (state == BlockState::kUnused) return "an unused descriptor has neighbours";
    if (block.after.load() != after) return "a block's neighbour does not know it";
    if (block.offset.load() + block.size.load() != end) return "neighbours leave a gap or overlap";
    const bool is_free = state == BlockState::kFree;
    if (is_free && after_is_free) return "two free blocks lie side by side";
    ++(is_free ? free_blocks : lives);
    after_is_free = is_free;
    end = block.offset.load();
    after = index;
    index = block.before.load();
  }
  if (end != 0) return "the neighbours do not reach the first byte";
  if (lives != held_blocks) return "a held block is not among the neighbours";
  size_t listed = 0;
  for (uint32_t list = 0; list < kLevels * kClassesPerLevel; ++list) {
    for (uint32_t index = header_->lists[list].load(); index != 0;) {
      if (state_of(blocks_[index].state.load()) != BlockState::kFree || listed >= free_blocks) {
        return "a list of free blocks holds something else";
      }
      ++listed;
      index = blocks_[index].next.load();
    }
  }
  return listed == free_blocks ? "" : "a free block is in no list";
}

}  // namespace dragon
