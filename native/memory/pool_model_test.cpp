// Random operations on a pool by several actors, against a model.
// variants: plain asan
//
// Replay with DRAGON_TEST_SEED.
#include <string.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "memory/memory_view.h"
#include "memory/node_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint64_t kLimit = 1 << 20;
constexpr size_t kActors = 3;

struct Model {
  uint64_t bytes;
  AllocationType type;
  uint64_t tag;
  uint64_t owner;
  uint8_t fill;
};

// A pool as three actors see it, and what it must be like.
class Play {
 public:
  Play(NodeFixture& fixture, uint64_t seed) : random_(seed) {
    nodes_.push_back(fixture.node);
    pools_.push_back(fixture.pool);
    while (nodes_.size() < kActors) {
      nodes_.push_back(fixture.attach());
      pools_.push_back(fixture.pool_for(nodes_.back()));
    }
  }

  void step() {
    const uint64_t choice = random_() % 100;
    if (choice < 40) return allocate();
    if (choice < 70) return free();
    if (choice < 78) return resize();
    if (choice < 84) return change_owner();
    if (choice < 88) return use_stale_id();
    if (choice < 92) return copy();
    if (choice < 94) return fill_pool();
    if (choice < 95) return check_lists();
    if (choice < 96) return free_most();
    check_sums();
  }

  void end() {
    for (const auto& [id, model] : live_) {
      check_block(id, model);
      check_ok(any()->free(id));
    }
    live_.clear();
    check_sums();
    CHECK(pools_[0]->audit() == "");
    pools_.clear();
    for (size_t actor = 1; actor < kActors; ++actor) leave(nodes_[actor]);
  }

 private:
  const std::shared_ptr<Pool>& any() { return pools_[random_() % kActors]; }
  uint64_t any_bytes() {
    const uint64_t most = 1ull << random_() % 18;
    return 1 + random_() % most;
  }
  std::map<uint64_t, Model>::iterator any_live() {
    auto found = live_.lower_bound(random_() << 32 >> 16);
    return found == live_.end() ? live_.begin() : found;
  }
  uint64_t used() const {
    uint64_t sum = 0;
    for (const auto& [id, model] : live_) sum += block_bytes_for(model.bytes);
    return sum;
  }

  void add(const std::shared_ptr<Pool>& pool, uint64_t id, uint64_t bytes, AllocationType type,
           uint64_t tag) {
    const Model model{bytes, type, tag, pool->node().me().id, static_cast<uint8_t>(random_())};
    AllocationInfo info;
    check_ok(pool->find(id, info));
    ::memset(info.allocation.data, model.fill, bytes);
    CHECK(live_.count(id) == 0);
    CHECK(std::find(stale_.begin(), stale_.end(), id) == stale_.end());
    live_[id] = model;
  }

  void allocate() {
    const std::shared_ptr<Pool>& pool = any();
    const AllocationType types[] = {AllocationType::kData, AllocationType::kData,
                                    AllocationType::kBootstrap};
    const AllocationType type = types[random_() % 3];
    const uint64_t bytes = any_bytes();
    const uint64_t tag = random_();
    Allocation out;
    const Status status = pool->try_allocate(bytes, type, out, tag);
    if (status == DRAGON_SUCCESS) return add(pool, out.id, bytes, type, tag);
    CHECK(status == DRAGON_OUT_OF_MEMORY);
    // Not even with what others have cached: nothing is cached any more.
    CHECK(pool->stats().cached_bytes == 0);
    CHECK(pool->stats().largest_free_bytes < block_bytes_for(bytes) + 64);
  }

  void remove(std::map<uint64_t, Model>::iterator victim) {
    check_block(victim->first, victim->second);
    check_ok(any()->free(victim->first));
    stale_.push_back(victim->first);
    if (stale_.size() > 200) stale_.erase(stale_.begin());
    live_.erase(victim);
  }
  void free() {
    if (!live_.empty()) remove(any_live());
  }
  void free_most() {
    while (live_.size() > 5) remove(any_live());
  }

  void resize() {
    if (live_.empty()) return;
    const auto victim = any_live();
    const std::shared_ptr<Pool>& pool = any();
    Model& model = victim->second;
    const uint64_t bytes = any_bytes();
    const Status status = pool->resize(victim->first, bytes);
    if (model.owner != pool->node().me().id) {
      CHECK(status == DRAGON_NOT_OWNER);
    } else if (bytes <= model.bytes) {
      CHECK(status == DRAGON_SUCCESS);
    } else {
      CHECK((status == DRAGON_SUCCESS || status == DRAGON_OUT_OF_MEMORY));
    }
    const uint64_t kept = std::min(bytes, model.bytes);
    AllocationInfo info;
    check_ok(pool->find(victim->first, info));
    CHECK(std::all_of(info.allocation.data, info.allocation.data + kept,
                      [&](uint8_t byte) { return byte == model.fill; }));
    if (status != DRAGON_SUCCESS) return;
    model.bytes = bytes;
    ::memset(info.allocation.data, model.fill, bytes);
  }

  void change_owner() {
    if (live_.empty()) return;
    const auto victim = any_live();
    const uint64_t from = any()->node().me().id;
    const uint64_t to = any()->node().me().id;
    const Status status = any()->change_owner(victim->first, from, to);
    CHECK(status == (from == victim->second.owner ? DRAGON_SUCCESS : DRAGON_STATE));
    if (status == DRAGON_SUCCESS) victim->second.owner = to;
  }

  void use_stale_id() {
    if (stale_.empty()) return;
    const uint64_t id = stale_[random_() % stale_.size()];
    const std::shared_ptr<Pool>& pool = any();
    AllocationInfo info;
    CHECK(pool->find(id, info) == DRAGON_OBJECT_DESTROYED);
    CHECK(pool->free(id) == DRAGON_OBJECT_DESTROYED);
    CHECK(pool->resize(id, 1) == DRAGON_OBJECT_DESTROYED);
    CHECK(pool->change_owner(id, 1, 2) == DRAGON_OBJECT_DESTROYED);
    CHECK_FALSE(pool->exists(id));
  }

  // By views of parts of allocations.
  void copy() {
    if (live_.empty()) return;
    const auto from = any_live();
    MemoryView whole;
    check_ok(MemoryView::of(any(), from->first, whole));
    MemoryView part;
    const uint64_t offset = random_() % (from->second.bytes + 1);
    check_ok(whole.clone(offset, kRestOfView, part));
    CHECK(part.bytes() == from->second.bytes - offset);
    const std::shared_ptr<Pool>& pool = any();
    MemoryView made;
    const Status status = part.copy_to(pool, Deadline::once(), made);
    if (status != DRAGON_SUCCESS) {
      CHECK(status == DRAGON_OUT_OF_MEMORY);
      return;
    }
    uint64_t hashes[2] = {};
    check_ok(part.hash(hashes[0]));
    check_ok(made.hash(hashes[1]));
    CHECK(hashes[0] == hashes[1]);
    if (made.designator()) return;
    add(pool, made.id(), made.bytes(), AllocationType::kData, 0);
  }

  void fill_pool() {
    const std::shared_ptr<Pool>& pool = any();
    const uint64_t bytes = 1'000 + any_bytes();
    Allocation out;
    while (pool->try_allocate(bytes, AllocationType::kData, out) == DRAGON_SUCCESS) {
      add(pool, out.id, bytes, AllocationType::kData, 0);
    }
    CHECK(pool->audit() == "");
  }

  void check_block(uint64_t id, const Model& model) {
    AllocationInfo info;
    check_ok(any()->find(id, info));
    CHECK(info.allocation.bytes == model.bytes);
    CHECK(info.type == model.type);
    CHECK(info.tag == model.tag);
    CHECK(info.owner == model.owner);
    const uint8_t* data = info.allocation.data;
    const uint64_t alignment = model.type == AllocationType::kData ? 16 : 64;
    CHECK(reinterpret_cast<uintptr_t>(data) % alignment == 0);
    REQUIRE(
        std::all_of(data, data + model.bytes, [&](uint8_t byte) { return byte == model.fill; }));
  }

  void check_lists() {
    size_t found = 0;
    const std::shared_ptr<Pool>& pool = any();
    AllocationInfo info;
    for (uint32_t index = 1; (index = pool->next_allocation(index, info)) != 0; ++found) {
      REQUIRE(live_.count(info.allocation.id) == 1);
      check_block(info.allocation.id, live_[info.allocation.id]);
    }
    CHECK(found == live_.size());
    size_t boots = 0;
    const AllocationType boot = AllocationType::kBootstrap;
    for (uint32_t index = 1; (index = pool->next_allocation(index, boot, info)) != 0;) ++boots;
    CHECK(boots ==
          static_cast<size_t>(std::count_if(live_.begin(), live_.end(), [&](const auto& each) {
            return each.second.type == boot;
          })));
  }

  void check_sums() {
    const PoolStats stats = any()->stats();
    uint64_t requested = 0;
    for (const auto& [id, model] : live_) requested += model.bytes;
    CHECK(stats.allocations == live_.size());
    CHECK(stats.requested_bytes == requested);
    CHECK(stats.used_bytes == used());
    CHECK(stats.used_bytes + stats.free_bytes == kLimit);
    CHECK(stats.cached_bytes <= kActors * (kLimit / 64 + kLimit / 128) + kDepots * kLimit / 128);
    CHECK(stats.high_water_bytes >= stats.used_bytes + stats.cached_bytes);
    CHECK(stats.largest_free_bytes <= stats.free_bytes);
    CHECK(stats.waiters == 0);
    CHECK(any()->audit() == "");
  }

  std::mt19937_64 random_;
  std::vector<std::shared_ptr<Node>> nodes_;
  std::vector<std::shared_ptr<Pool>> pools_;
  std::map<uint64_t, Model> live_;
  std::vector<uint64_t> stale_;
};

}  // namespace

TEST_CASE("a pool of three actors does what the model says [MEM-028] [MEM-039] [MEM-065]") {
  std::vector<uint64_t> seeds = {1, 2, 3, 20'261'121, now_ns()};
  const char* given = ::getenv("DRAGON_TEST_SEED");
  if (given != nullptr) seeds = {std::stoull(given)};
  for (const uint64_t seed : seeds) {
    INFO("replay with DRAGON_TEST_SEED=", seed);
    NodeFixture fixture(kLimit);
    Play play(fixture, seed);
    for (int step = 0; step < 1'500; ++step) play.step();
    play.end();
    CHECK(fixture.pool->stats().allocations == 0);
    CHECK(fixture.pool->trim() == 0);
    Allocation all;
    check_ok(fixture.pool->try_allocate(kLimit, AllocationType::kData, all));
    check_ok(fixture.pool->free(all.id));
  }
}
