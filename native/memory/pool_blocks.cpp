// Allocation and free: the actor's magazines first, then the heap under the pool's mutex.
#include <errno.h>

#include <algorithm>

#include "memory/pool.h"

namespace dragon {

namespace {

// Blocks taken back under one hold of the mutex.
constexpr size_t kGiveBatch = 64;
constexpr uint32_t kScarceFrees = 64;
// A waiter that has waited this long gets what is freed; for so long after each of its looks.
constexpr uint64_t kFairAfterNs = 1'000'000;
constexpr uint64_t kKeptNs = 200'000'000;

// The word `caching`.
constexpr uint64_t kAnyCached = 1;
constexpr uint64_t kRoundMask = 0xfffffffe;
constexpr uint64_t kAnnouncement = 1ull << 32;

constexpr uint64_t next_round(uint64_t word) {
  return (word & ~kRoundMask) | ((word + 2) & kRoundMask);
}

}  // namespace

Status Pool::allocate(uint64_t bytes, AllocationType type, Deadline deadline, Allocation& out,
                      uint64_t tag) {
  const Status status = wait_until(node_->lot(), place(), deadline, true, [&](SleepSteps& steps) {
    const Status taken = take(bytes, type, tag, deadline, out);
    // Nobody rings when the time is over for which memory is kept for another.
    if (shared().kept_until_ns.load() != 0) steps.next_ns = std::min(steps.next_ns, kKeptNs);
    return taken;
  });
  if (status == DRAGON_TIMEOUT && shared().kept_for.load() == node_->me().id) {
    bool ended = false;
    {
      const MutexGuard held = guard(Deadline::once());
      ended = held.held() && end_keeping();
    }
    if (ended) wake_waiters();
  }
  return status;
}

Status Pool::try_allocate(uint64_t bytes, AllocationType type, Allocation& out, uint64_t tag) {
  return take(bytes, type, tag, Deadline::once(), out);
}

Status Pool::take(uint64_t bytes, AllocationType type, uint64_t tag, Deadline deadline,
                  Allocation& out) {
  const Status status = changeable();
  if (status != DRAGON_SUCCESS) return status;
  if (bytes == 0) return DRAGON_INVALID_ARGUMENT;
  if (bytes > segment_.limit_bytes()) return DRAGON_TOO_LARGE;
  const bool data = type == AllocationType::kData;
  if (data && take_cached(bytes, tag, out)) return DRAGON_SUCCESS;
  bool searched = false;
  for (;;) {
    MutexGuard held = guard(deadline);
    if (!held.held()) return DRAGON_WOULD_BLOCK;
    if (data && kept_for_another(bytes)) {
      errno = 0;
      return DRAGON_OUT_OF_MEMORY;
    }
    HeapBlock block;
    const Status taken = heap_.take(bytes, type, node_->me().id, tag, block);
    const uint64_t committed = heap_.header().committed_bytes.load();
    const uint64_t free_at_end = heap_.free_at_end();
    const uint32_t ready = heap_.header().descriptors_ready.load();
    if (taken == DRAGON_SUCCESS) {
      const bool others = end_keeping();
      if (data && bytes <= kClassedBytesMax) refill(bytes, fetched_);
      held.unlock();
      describe(block, bytes, out);
      if (data && bytes <= kClassedBytesMax) after_miss(bytes);
      if (others) wake_waiters();
      return DRAGON_SUCCESS;
    }
    held.unlock();
    const Status grown = taken == DRAGON_TOO_MANY_RECORDS ? add_descriptors(ready)
                                                          : grow(bytes, committed, free_at_end);
    if (grown == DRAGON_SUCCESS) continue;
    if (grown == DRAGON_OUT_OF_MEMORY && !searched && take_back_cached()) {
      searched = true;
      continue;
    }
    if (grown == DRAGON_OUT_OF_MEMORY) {
      const int cause = errno;
      keep_for_first(bytes);
      errno = cause;
    }
    return grown;
  }
}

void Pool::describe(const HeapBlock& block, uint64_t bytes, Allocation& out) const {
  out.id = static_cast<uint64_t>(block.generation) << 32 | block.index;
  out.data = segment_.data() + block.offset;
  out.bytes = bytes;
}

// A block that somebody else took back no longer has this actor's word. Model: magazine.pml,
// allocate.
bool Pool::take_cached(uint64_t bytes, uint64_t tag, Allocation& out) {
  if (bytes > kClassedBytesMax) return false;
  const uint64_t size = block_bytes_for(bytes);
  const uint32_t size_class = size_class_of(size);
  CachedBlock cached;
  while (magazines_.pop(size_class, size, cached) ||
         (fetch_from_depot(size_class, size) && magazines_.pop(size_class, size, cached))) {
    BlockDescriptor& block = heap_.block(cached.index);
    const uint32_t generation = cached.generation;
    if (!block.state.replace(cached_state(BlockState::kCached, slot(), generation),
                             cached_state(BlockState::kClaimed, slot(), generation))) {
      continue;
    }
    block.bytes.store(bytes);
    block.owner.store(node_->me().id);
    block.tag.store(tag);
    block.state.store(block_state(BlockState::kLive, AllocationType::kData, generation));
    describe({cached.index, generation, block.offset.load()}, bytes, out);
    return true;
  }
  return false;
}

// Fetches blocks of a size that was missing, under the mutex that is held anyway.
void Pool::refill(uint64_t bytes, std::vector<CachedBlock>& out) {
  const uint64_t size = block_bytes_for(bytes);
  const uint32_t size_class = size_class_of(size);
  magazines_.missed(size_class);
  if (!magazines_.holds(size) || scarce_ != 0 || waited_for()) return;
  HeapBlock block;
  for (uint32_t left = magazines_.refill_count(size_class, size); left > 0; --left) {
    if (heap_.take_cached(size, slot(), block) != DRAGON_SUCCESS) return;
    out.push_back({block.index, block.generation});
  }
}

// What can wait until the mutex is free.
void Pool::after_miss(uint64_t bytes) {
  const uint64_t size = block_bytes_for(bytes);
  const uint32_t size_class = size_class_of(size);
  if (!fetched_.empty()) {
    for (auto each = fetched_.rbegin(); each != fetched_.rend(); ++each) {
      magazines_.push(size_class, size, *each);
    }
    fetched_.clear();
    fence_seq();  // the blocks were cached by plain stores
    announce();
    spill(size_class);
  }
  if (magazines_.in_demand(size_class) && magazines_.holds(size) && scarce_ == 0) {
    ask_for(size_class, size);
  }
}

Status Pool::free(uint64_t id) {
  if (node_->closed()) return DRAGON_CLOSED;
  if (read_only_) return DRAGON_NOT_SUPPORTED;
  const uint32_t index = block_index(id);
  const uint32_t generation = block_generation(id);
  if (caches() && free_to_magazine(index, generation)) return DRAGON_SUCCESS;
  const uint64_t hub = hub_of(index, generation);
  const Status status = free_listed(index, generation);
  if (status == DRAGON_SUCCESS && hub != 0) end_sharing(hub);
  return status;
}

// Not for a while after somebody had to search the magazines: memory is scarce, and what is cached
// would only be searched for again.
bool Pool::caches() {
  if (scarce_ == 0) return true;
  --scarce_;
  return false;
}

// Model: magazine.pml, free.
bool Pool::free_to_magazine(uint32_t index, uint32_t generation) {
  if (!heap_.known(index)) return false;
  BlockDescriptor& block = heap_.block(index);
  uint64_t live = block_state(BlockState::kLive, AllocationType::kData, generation);
  const uint64_t cached = cached_state(BlockState::kCached, slot(), generation + 1);
  if (!block.state.cas_seq(live, cached)) return false;
  // Only now the size can't change any more; nor is it looked at before, since the descriptor is
  // seldom in the cache and the swap does not wait for it.
  const uint64_t size = block.size.load();
  const uint32_t size_class = size_class_of(size);
  const bool aligned = block.offset.load() % data_alignment(size) == 0;
  if (size_class == kNoSizeClass || !magazines_.holds(size) || !aligned) {
    const HeldWord one{index, cached};
    give(&one, 1);
    wake_waiters();
    return true;
  }
  magazines_.push(size_class, size, {index, generation + 1});
  announce();
  if (!waited_for()) leave_in_depot(size_class, size);
  spill(size_class);
  return true;
}

// Gives back what the magazines hold too much: everything if somebody waits for memory.
void Pool::spill(uint32_t size_class) {
  const bool waited = waited_for();
  if (waited) {
    magazines_.clear(surplus_);
  } else {
    magazines_.overflow(size_class, surplus_);
  }
  if (!surplus_.empty()) give_surplus();
  if (waited) wake_waiters();
}

void Pool::flush() {
  magazines_.clear(surplus_);
  give_surplus();
}

void Pool::give_surplus() {
  HeldWord batch[kGiveBatch];
  size_t count = 0;
  for (const CachedBlock& block : surplus_) {
    batch[count++] = {block.index, cached_state(BlockState::kCached, slot(), block.generation)};
    if (count == kGiveBatch) {
      give(batch, count);
      count = 0;
    }
  }
  give(batch, count);
  surplus_.clear();
}

// A free must not wait for a stopped process: without the mutex it changes the truth, and the next
// holder makes the indexes follow.
void Pool::give(const HeldWord* blocks, size_t count) {
  if (count == 0) return;
  const MutexGuard held = guard(Deadline::once());
  for (size_t i = 0; i < count; ++i) {
    if (held.held()) {
      heap_.give_cached(blocks[i].index, blocks[i].word);
    } else {
      heap_.give_cached_unlisted(blocks[i].index, blocks[i].word);
    }
  }
  if (!held.held()) shared().stale.store(1);
}

Status Pool::free_listed(uint32_t index, uint32_t generation) {
  Status status = DRAGON_SUCCESS;
  {
    const MutexGuard held = guard(Deadline::once());
    const bool also_shown = !shown_by_another(index);
    status = held.held() ? heap_.give(index, generation, also_shown)
                         : heap_.give_unlisted(index, generation, also_shown);
    if (!held.held() && status == DRAGON_SUCCESS) shared().stale.store(1);
  }
  if (status == DRAGON_SUCCESS) wake_waiters();
  return status;
}

// Whether the block's owner, not this actor, lives and shows the bytes. One that was sent on is not
// protected by whoever showed it before.
bool Pool::shown_by_another(uint32_t index) const {
  if (!heap_.known(index)) return false;
  const BlockDescriptor& block = heap_.block(index);
  const uint64_t state = block.state.load();
  const uint64_t owner = block.owner.load();
  if ((state & kShown) == 0 || owner >= kOwnerObject || owner == node_->me().id) return false;
  const auto actor = static_cast<ActorId>(owner);
  return actor_slot(actor) == slot_of(state) && node_->actors().alive(actor);
}

Status Pool::show(uint64_t id) {
  const Status status = changeable();
  if (status != DRAGON_SUCCESS) return status;
  return heap_.show(block_index(id), block_generation(id), slot());
}

void Pool::hide(uint64_t id) {
  if (changeable() == DRAGON_SUCCESS) heap_.hide(block_index(id), block_generation(id), slot());
}

Status Pool::resize(uint64_t id, uint64_t bytes) {
  AllocationInfo info;
  Status status = changeable();
  if (status == DRAGON_SUCCESS) status = find(id, info);
  if (status != DRAGON_SUCCESS) return status;
  if (info.owner != node_->me().id) return DRAGON_NOT_OWNER;
  if (bytes == 0 || info.type == AllocationType::kShare) return DRAGON_INVALID_ARGUMENT;
  if (bytes > segment_.limit_bytes()) return DRAGON_TOO_LARGE;
  const auto attempt = [&] {
    const MutexGuard held = guard(Deadline::once());
    if (!held.held()) return DRAGON_STATE;
    return heap_.resize(block_index(id), block_generation(id), bytes);
  };
  status = attempt();
  if (status == DRAGON_TOO_MANY_RECORDS) {
    status = add_descriptors(heap_.header().descriptors_ready.load());
    if (status == DRAGON_SUCCESS) status = attempt();
  }
  // What lies behind it may be in somebody's magazine.
  if (status == DRAGON_WOULD_BLOCK && take_back_cached()) status = attempt();
  if (status == DRAGON_STATE) return DRAGON_WOULD_BLOCK;
  if (status == DRAGON_WOULD_BLOCK) return DRAGON_OUT_OF_MEMORY;
  if (status == DRAGON_SUCCESS && bytes < info.allocation.bytes) wake_waiters();
  return status;
}

// Says that this actor's magazines hold something, once in each round. If the look still finds
// the old round, the blocks were cached before the search of the next one begins. Model:
// magazine.pml, announce.
void Pool::announce() {
  Word64& caching = shared().caching;
  uint64_t word = caching.load_seq();
  if ((word & kRoundMask) == round_) return;
  while (!caching.cas_seq(word, (word + kAnnouncement) | kAnyCached)) {
  }
  if (round_ != UINT64_MAX) scarce_ = kScarceFrees;
  round_ = word & kRoundMask;
  // As long as the word stays so, nothing is cached but what this actor has.
  alone_ = (word & kAnyCached) == 0 ? (word + kAnnouncement) | kAnyCached : 0;
}

// Takes every cached block back, whoever's it is; false if there can be none. The bit stays set
// if somebody began to fill a magazine meanwhile, or if this actor dies. Model: magazine.pml,
// take_from_heap.
bool Pool::take_back_cached() {
  Word64& caching = shared().caching;
  uint64_t word = caching.load_seq();
  do {
    if ((word & kAnyCached) == 0) return false;
  } while (!caching.cas_seq(word, next_round(word)));
  if (word == alone_) {
    flush();
  } else {
    take_back([](uint64_t state) { return state_of(state) == BlockState::kCached; });
  }
  const uint64_t searched = next_round(word);
  caching.replace(searched, searched & ~kAnyCached);
  magazines_.clear(surplus_);  // nothing of it is left
  surplus_.clear();
  return true;
}

// Model: magazine.pml, Reclaimer.
void Pool::give_back_cached(ActorId actor) {
  const uint32_t its = actor_slot(actor);
  take_back([its](uint64_t state) {
    const BlockState is = state_of(state);
    return (is == BlockState::kCached || is == BlockState::kClaimed) && slot_of(state) == its;
  });
  if (actor != node_->me().id) return;
  magazines_.clear(surplus_);
  surplus_.clear();
}

template <typename Wanted>
void Pool::take_back(Wanted&& wanted) {
  HeldWord batch[kGiveBatch];
  size_t count = 0;
  const uint32_t used = heap_.header().descriptors_used.load();
  for (uint32_t index = 1; index < used; ++index) {
    const uint64_t state = heap_.block(index).state.load_seq();
    if (!wanted(state)) continue;
    batch[count++] = {index, state};
    if (count < kGiveBatch) continue;
    give(batch, count);
    count = 0;
  }
  give(batch, count);
}

// Whether freed memory is kept for a waiter that the request would rob.
bool Pool::kept_for_another(uint64_t bytes) const {
  const PoolHeader& header = shared();
  const uint64_t until = header.kept_until_ns.load();
  if (until == 0) return false;
  const ActorId waiter = header.kept_for.load();
  if (waiter == node_->me().id || now_ns() >= until || !node_->actors().alive(waiter)) return false;
  const uint64_t free = segment_.limit_bytes() - header.heap.held_bytes.load();
  const uint64_t wanted = block_bytes_for(bytes) + header.kept_bytes.load();
  return wanted > free;
}

// The waiter that has stood longest in the queue gets what is freed from now on, if it has waited
// for a while already.
void Pool::keep_for_first(uint64_t bytes) {
  if (!waited_for()) return;
  const auto [first, since_ns] = node_->lot().head(place());
  if (first != node_->me().id) return;
  const uint64_t now = now_ns();
  if (now - since_ns < kFairAfterNs) return;
  PoolHeader& header = shared();
  const MutexGuard held = guard(Deadline::once());
  if (!held.held()) return;
  const bool kept = header.kept_for.load() != node_->me().id && header.kept_until_ns.load() > now;
  if (kept && header.kept_since_ns.load() <= since_ns) return;
  header.kept_until_ns.store(0);
  header.kept_for.store(node_->me().id);
  header.kept_bytes.store(block_bytes_for(bytes));
  header.kept_since_ns.store(since_ns);
  header.kept_until_ns.store(now + kKeptNs);
}

// Under the mutex. True if others may go on now.
bool Pool::end_keeping() {
  PoolHeader& header = shared();
  if (header.kept_until_ns.load() == 0 || header.kept_for.load() != node_->me().id) return false;
  header.kept_until_ns.store(0);
  return true;
}

bool Pool::waited_for() const {
  return (shared().object.hint.load_seq() & 1u << kLaneMemory) != 0;
}

void Pool::wake_waiters() {
  const WaitPlace waiting = place();
  if ((ParkingLot::waiters(*waiting.hint) & waiting.bit) != 0) node_->lot().wake_all(waiting);
}

PoolStats Pool::stats() {
  const HeapHeader& heap = shared().heap;
  PoolStats stats;
  stats.limit_bytes = segment_.limit_bytes();
  stats.committed_bytes = heap.committed_bytes.load();
  stats.high_water_bytes = heap.held_bytes_most.load();
  const uint32_t used = heap.descriptors_used.load();
  for (uint32_t index = 1; index < used; ++index) {
    const BlockDescriptor& block = heap_.block(index);
    const BlockState state = state_of(block.state.load());
    if (state == BlockState::kLive) {
      stats.used_bytes += block.size.load();
      stats.requested_bytes += block.bytes.load();
      ++stats.allocations;
    } else if (is_held(state)) {
      stats.cached_bytes += block.size.load();
    }
  }
  stats.free_bytes = stats.limit_bytes - std::min(stats.used_bytes, stats.limit_bytes);
  {
    const MutexGuard held = guard(Deadline::once());
    const uint64_t to_come = stats.limit_bytes - stats.committed_bytes;
    if (held.held()) {
      stats.largest_free_bytes = std::max(heap_.largest_free(), heap_.free_at_end() + to_come);
    }
  }
  if (!waited_for()) return stats;
  WaitInfo wait;
  for (uint32_t index = 1; index < node_->records().committed(); ++index) {
    if (node_->lot().info(index, wait) && wait.key == place().key) ++stats.waiters;
  }
  return stats;
}

}  // namespace dragon
