// Leaving cached blocks for another actor, and fetching what others left.
#include <algorithm>

#include "memory/pool.h"

namespace dragon {

// An empty depot, or one whose user died in the middle of it; nullptr if there is none.
Depot* Pool::claim_depot() {
  for (Depot& depot : shared().depots) {
    uint64_t word = depot.state.load();
    const DepotState state = depot_state_of(word);
    const bool in_use = state == DepotState::kFilling || state == DepotState::kEmptying;
    const bool left = in_use && !node_->actors().alive(depot_actor_of(word));
    if (state != DepotState::kEmpty && !left) continue;
    if (depot.state.cas(word, depot_word(DepotState::kFilling, node_->me().id))) return &depot;
  }
  return nullptr;
}

// Leaves the older blocks of a class if there is an empty depot for them.
void Pool::leave_in_depot(uint32_t size_class, uint64_t block_bytes) {
  const uint32_t count = magazines_.depot_count(size_class, block_bytes, kDepotBlocks);
  if (count == 0) return;
  Depot* depot = claim_depot();
  if (depot == nullptr) return;
  magazines_.take_oldest(size_class, block_bytes, count, surplus_);
  for (uint32_t i = 0; i < count; ++i) {
    const CachedBlock& block = surplus_[i];
    depot->blocks[i].store(static_cast<uint64_t>(block.generation) << 32 | block.index,
                           std::memory_order_relaxed);
  }
  surplus_.clear();
  alone_ = 0;  // its own lists are not all that it has cached any more
  depot->state.store(full_depot_word(node_->me().id, size_class, count));
}

// Fetches what another has left of a class; false if there was nothing. Each block becomes this
// actor's by one swap, under a new generation, so that lists which still name it are wrong.
bool Pool::fetch_from_depot(uint32_t size_class, uint64_t block_bytes) {
  for (Depot& depot : shared().depots) {
    uint64_t word = depot.state.load();
    if (depot_state_of(word) != DepotState::kFull || depot_class_of(word) != size_class) continue;
    if (!depot.state.cas(word, depot_word(DepotState::kEmptying, node_->me().id))) continue;
    uint64_t blocks[kDepotBlocks];
    const uint32_t count = std::min(depot_count_of(word), kDepotBlocks);
    for (uint32_t i = 0; i < count; ++i) {
      blocks[i] = depot.blocks[i].load(std::memory_order_relaxed);
      __builtin_prefetch(&heap_.block(block_index(blocks[i])), 1);
    }
    depot.state.store(depot_word(DepotState::kEmpty, 0));
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
