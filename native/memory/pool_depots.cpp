// Asking for cached blocks, leaving them for another actor, and fetching what others left.
#include <algorithm>

#include "memory/pool.h"

namespace dragon {

namespace {

constexpr uint32_t kDepotsOfClass = 2;
// One time in so many a depot of another class has to go.
constexpr uint32_t kInVain = 16;

}  // namespace

// Whether nobody has a depot in hands or waits for it, or whoever did is dead.
bool Pool::vacant(uint64_t depot) const {
  const DepotState state = depot_state_of(depot);
  if (state == DepotState::kEmpty) return true;
  return state != DepotState::kFull && !node_->actors().alive(depot_actor_of(depot));
}

// Says that this actor goes to the heap for blocks of a class all the time.
void Pool::ask_for(uint32_t size_class, uint64_t block_bytes) {
  const uint64_t held = shared().heap.held_bytes.load();
  const uint32_t count = magazines_.depot_count(block_bytes, held);
  if (count == 0) return;
  const uint64_t asked = depot_word(DepotState::kAsked, node_->me().id, size_class, count);
  uint32_t of_class = 0;
  Depot* free = nullptr;
  uint64_t found = 0;
  for (Depot& depot : shared().depots) {
    const uint64_t word = depot.state.load();
    if (vacant(word)) {
      free = &depot;
      found = word;
    } else if (depot_class_of(word) == size_class && ++of_class == kDepotsOfClass) {
      return;
    }
  }
  magazines_.hoard(size_class, count * block_bytes);
  if (free != nullptr) {
    free->state.replace(found, asked);
  } else if (of_class == 0 && ++in_vain_ % kInVain == 0) {
    ask_instead(shared().depots[in_vain_ / kInVain % kDepots], asked);
  }
}

// Of a depot that others asked for or left full, and seem not to need.
void Pool::ask_instead(Depot& depot, uint64_t asked) {
  uint64_t word = depot.state.load();
  if (depot_state_of(word) == DepotState::kAsked) depot.state.replace(word, asked);
  if (depot_state_of(word) != DepotState::kFull) return;
  if (!depot.state.cas(word, depot_word(DepotState::kEmptying, node_->me().id))) return;
  HeldWord blocks[kDepotBlocks];
  const uint32_t count = std::min(depot_count_of(word), kDepotBlocks);
  const uint32_t its = actor_slot(depot_actor_of(word));
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t block = depot.blocks[i].load(std::memory_order_relaxed);
    const uint64_t cached = cached_state(BlockState::kCached, its, block_generation(block));
    blocks[i] = {block_index(block), cached};
  }
  depot.state.store(asked);
  give(blocks, count);
}

// Leaves the older blocks of a class where they were asked for; keeps them together as long as
// there are too few.
void Pool::leave_in_depot(uint32_t size_class, uint64_t block_bytes) {
  if (!magazines_.look_for_depot(size_class)) return;
  for (Depot& depot : shared().depots) {
    uint64_t word = depot.state.load();
    if (depot_state_of(word) != DepotState::kAsked || depot_class_of(word) != size_class) continue;
    const uint32_t count = std::min(depot_count_of(word), kDepotBlocks);
    magazines_.hoard(size_class, count * block_bytes);
    if (magazines_.count(size_class) <= count) return;
    const ActorId me = node_->me().id;
    if (!depot.state.cas(word, depot_word(DepotState::kFilling, me, size_class))) continue;
    magazines_.take_oldest(size_class, block_bytes, count, surplus_);
    for (uint32_t i = 0; i < count; ++i) {
      const CachedBlock& block = surplus_[i];
      depot.blocks[i].store(static_cast<uint64_t>(block.generation) << 32 | block.index,
                            std::memory_order_relaxed);
    }
    surplus_.clear();
    alone_ = 0;  // its own lists are not all that it has cached any more
    depot.state.store(depot_word(DepotState::kFull, me, size_class, count));
    return;
  }
}

// Fetches what another has left of a class; false if there was nothing. Each block becomes this
// actor's by one swap, under a new generation, so that lists which still name it are wrong.
bool Pool::fetch_from_depot(uint32_t size_class, uint64_t block_bytes) {
  for (Depot& depot : shared().depots) {
    uint64_t word = depot.state.load();
    if (depot_state_of(word) != DepotState::kFull || depot_class_of(word) != size_class) continue;
    const ActorId me = node_->me().id;
    if (!depot.state.cas(word, depot_word(DepotState::kEmptying, me, size_class))) continue;
    uint64_t blocks[kDepotBlocks];
    const uint32_t count = std::min(depot_count_of(word), kDepotBlocks);
    for (uint32_t i = 0; i < count; ++i) {
      blocks[i] = depot.blocks[i].load(std::memory_order_relaxed);
      __builtin_prefetch(&heap_.block(block_index(blocks[i])), 1);
    }
    depot.state.store(depot_word(DepotState::kAsked, me, size_class, count));
    magazines_.hoard(size_class, count * block_bytes);
    const uint32_t its = actor_slot(depot_actor_of(word));
    bool fetched = false;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t index = block_index(blocks[i]);
      const uint32_t generation = block_generation(blocks[i]);
      uint64_t cached = cached_state(BlockState::kCached, its, generation);
      const uint64_t mine = cached_state(BlockState::kCached, slot(), generation + 1);
      if (!heap_.block(index).state.cas_seq(cached, mine)) continue;
      magazines_.push(size_class, block_bytes, {index, generation + 1});
      fetched = true;
    }
    if (!fetched) continue;
    announce();
    spill(size_class);
    return true;
  }
  return false;
}

}  // namespace dragon
