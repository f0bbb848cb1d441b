// Pools: allocation, growth, exhaustion, owners.
#include "memory/pool.h"

#include <string.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "memory/node_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint64_t kMiB = 1 << 20;

Status create(const std::shared_ptr<Node>& node, uint64_t limit, uint64_t initial,
              std::shared_ptr<Pool>& out) {
  PoolOptions options;
  options.limit_bytes = limit;
  options.initial_bytes = initial;
  return Pool::create(node, options, out);
}

}  // namespace

TEST_CASE("a pool starts with 8 MiB committed, or what was asked for [MEM-020]") {
  NodeFixture fixture;
  CHECK(fixture.pool->stats().committed_bytes == 8 * kMiB);
  CHECK(fixture.pool->stats().limit_bytes == 64 * kMiB);
  std::shared_ptr<Pool> pool;
  check_ok(create(fixture.node, kMiB, 0, pool));
  CHECK(pool->stats().committed_bytes == kMiB);
  check_ok(create(fixture.node, 64 * kMiB, 16 * kMiB, pool));
  CHECK(pool->stats().committed_bytes == 16 * kMiB);
  check_ok(create(fixture.node, 0, 4096, pool));
  CHECK(pool->stats().committed_bytes == 4096);
  CHECK(create(fixture.node, kMiB, 2 * kMiB, pool) == DRAGON_INVALID_ARGUMENT);
  CHECK(create(fixture.node, 1, 0, pool) == DRAGON_INVALID_ARGUMENT);
  CHECK(create(fixture.node, UINT64_MAX / 2, 0, pool) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE("a pool grows by extents up to its limit, then is OUT_OF_MEMORY [MEM-022]") {
  NodeFixture fixture;
  std::vector<uint64_t> ids;
  Allocation allocation;
  Status status = DRAGON_SUCCESS;
  uint64_t committed = 0;
  while (status == DRAGON_SUCCESS) {
    status = fixture.pool->try_allocate(kMiB, AllocationType::kData, allocation);
    if (status == DRAGON_SUCCESS) ids.push_back(allocation.id);
    const uint64_t now = fixture.pool->stats().committed_bytes;
    CHECK((now == committed || now - committed >= 8 * kMiB));
    committed = now;
  }
  CHECK(status == DRAGON_OUT_OF_MEMORY);
  CHECK(ids.size() == 64);
  CHECK(committed == 64 * kMiB);
  CHECK(fixture.pool->stats().free_bytes == 0);
  for (const uint64_t id : ids) check_ok(fixture.pool->free(id));
  CHECK(fixture.pool->audit() == "");
}

TEST_CASE("a block as large as the limit fits a pool that is empty [MEM-022]") {
  NodeFixture fixture;
  const uint64_t small = fixture.allocate(1);
  Allocation all;
  const Status status = fixture.pool->try_allocate(64 * kMiB, AllocationType::kData, all);
  CHECK(status == DRAGON_OUT_OF_MEMORY);
  check_ok(fixture.pool->free(small));
  check_ok(fixture.pool->try_allocate(64 * kMiB, AllocationType::kData, all));
  ::memset(all.data, 1, all.bytes);
  check_ok(fixture.pool->free(all.id));
}

TEST_CASE("what can never fit is TOO_LARGE, also for who would wait [MEM-023]") {
  NodeFixture fixture;
  Allocation out;
  const auto allocate = [&](uint64_t bytes) {
    return fixture.pool->allocate(bytes, AllocationType::kData, Deadline::never(), out);
  };
  CHECK(allocate(64 * kMiB + 1) == DRAGON_TOO_LARGE);
  CHECK(allocate(UINT64_MAX) == DRAGON_TOO_LARGE);
  CHECK(allocate(0) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE("a full pool: try is OUT_OF_MEMORY, a wait ends at its one deadline [MEM-024]") {
  NodeFixture fixture;
  const uint64_t all = fixture.allocate(64 * kMiB);
  Allocation out;
  const auto allocate = [&](Deadline deadline) {
    return fixture.pool->allocate(1, AllocationType::kData, deadline, out);
  };
  CHECK(allocate(Deadline::once()) == DRAGON_OUT_OF_MEMORY);
  const uint64_t before = now_ns();
  CHECK(allocate(Deadline::after_ms(60)) == DRAGON_TIMEOUT);
  const uint64_t elapsed_ns = now_ns() - before;
  CHECK(elapsed_ns >= 60'000'000);
  CHECK(elapsed_ns < 1'000'000'000);
  check_ok(fixture.pool->free(all));
  check_ok(allocate(Deadline::once()));
  check_ok(fixture.pool->free(out.id));
}

TEST_CASE("a free serves those who wait for memory [MEM-025]") {
  NodeFixture fixture;
  const uint64_t all = fixture.allocate(64 * kMiB);
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      const auto node = fixture.attach_thread();
      {
        const auto pool = fixture.pool_for(node);
        Allocation out;
        check_ok(pool->allocate(16 * kMiB, AllocationType::kData, Deadline::never(), out));
        check_ok(pool->free(out.id));
      }
      leave(node);
    });
  }
  ::usleep(20'000);
  check_ok(fixture.pool->free(all));
  for (std::thread& waiter : waiters) waiter.join();
}

TEST_CASE("a block is as large as its size class and no larger [MEM-026] [MEM-038]") {
  NodeFixture fixture;
  std::vector<uint64_t> ids;
  const std::map<uint64_t, uint64_t> sizes = {
      {1, 16},          {16, 16},         {63, 64},         {65, 80},
      {1000, 1008},     {1025, 1152},     {4096, 4096},     {4097, 4608},
      {65'535, 65'536}, {65'537, 65'600}, {70'000, 70'016}, {100'000, 100'032}};
  for (const auto& [bytes, block] : sizes) {
    const uint64_t before = fixture.pool->stats().used_bytes;
    const uint64_t asked = fixture.pool->stats().requested_bytes;
    ids.push_back(fixture.allocate(bytes));
    CHECK(fixture.pool->stats().used_bytes - before == block);
    CHECK(fixture.pool->stats().requested_bytes - asked == bytes);
    AllocationInfo info;
    check_ok(fixture.pool->find(ids.back(), info));
    CHECK(info.allocation.bytes == bytes);
    const uint64_t alignment = bytes > 1024 ? 64 : 16;
    CHECK(reinterpret_cast<uintptr_t>(info.allocation.data) % alignment == 0);
  }
  for (const uint64_t id : ids) check_ok(fixture.pool->free(id));
  CHECK(fixture.pool->stats().used_bytes == 0);
  CHECK(fixture.pool->stats().allocations == 0);
}

TEST_CASE("waste is below 48 % from 9 bytes, 25 % from 64 and 12.5 % from 1 KiB [MEM-026]") {
  for (uint64_t bytes = 9; bytes <= 200'000; ++bytes) {
    const uint64_t block = block_bytes_for(bytes);
    REQUIRE(block >= bytes);
    const uint64_t waste = (block - bytes) * 1000 / block;
    REQUIRE(waste <= (bytes < 64 ? 480 : bytes <= 1024 ? 250 : 125));
    if (bytes > kClassedBytesMax) continue;
    REQUIRE(size_class_of(block) < kSizeClasses);
    REQUIRE(block_bytes_for(block) == block);
  }
}

TEST_CASE("small blocks fill a pool to the last byte [MEM-026]") {
  NodeFixture fixture(256 * 1024);
  std::vector<uint64_t> ids;
  for (uint64_t bytes = 0; bytes < 256 * 1024; bytes += 64) ids.push_back(fixture.allocate(64));
  CHECK(fixture.pool->stats().free_bytes == 0);
  CHECK(fixture.pool->audit() == "");
  for (size_t i = 0; i < ids.size(); i += 2) check_ok(fixture.pool->free(ids[i]));
  for (size_t i = 1; i < ids.size(); i += 2) check_ok(fixture.pool->free(ids[i]));
  const uint64_t all = fixture.allocate(256 * 1024);
  check_ok(fixture.pool->free(all));
}

TEST_CASE("an id of a freed block is OBJECT_DESTROYED for ever [MEM-027]") {
  NodeFixture fixture;
  const uint64_t id = fixture.allocate(64);
  check_ok(fixture.pool->free(id));
  AllocationInfo info;
  for (int i = 0; i < 1'000; ++i) {
    CHECK(fixture.pool->free(id) == DRAGON_OBJECT_DESTROYED);
    CHECK(fixture.pool->find(id, info) == DRAGON_OBJECT_DESTROYED);
    CHECK(fixture.pool->change_owner(id, fixture.node->me().id, 1) == DRAGON_OBJECT_DESTROYED);
    const uint64_t other = fixture.allocate(64);
    CHECK(other != id);
    check_ok(fixture.pool->free(other));
  }
  CHECK(fixture.pool->free(0) == DRAGON_OBJECT_DESTROYED);
  CHECK(fixture.pool->free(UINT64_MAX) == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE("random use agrees with a model, and no two blocks overlap [MEM-028]") {
  NodeFixture fixture;
  std::mt19937_64 random(20'261'120);
  std::map<uint64_t, uint8_t> live;  // id to the byte that fills it
  uint64_t used = 0;
  const auto check_fill = [&](uint64_t id, uint8_t fill) {
    AllocationInfo info;
    check_ok(fixture.pool->find(id, info));
    const uint8_t* bytes = info.allocation.data;
    const uint8_t* end = bytes + info.allocation.bytes;
    CHECK(std::all_of(bytes, end, [&](uint8_t byte) { return byte == fill; }));
    return block_bytes_for(info.allocation.bytes);
  };
  for (int step = 0; step < 3'000; ++step) {
    if (live.empty() || random() % 100 < 55) {
      const uint64_t bytes = 1 + random() % (1ull << random() % 18);
      const uint64_t id = fixture.allocate(bytes);
      AllocationInfo info;
      check_ok(fixture.pool->find(id, info));
      const auto fill = static_cast<uint8_t>(random());
      ::memset(info.allocation.data, fill, bytes);
      live[id] = fill;
      used += block_bytes_for(bytes);
    } else {
      auto victim = live.begin();
      std::advance(victim, static_cast<long>(random() % live.size()));
      used -= check_fill(victim->first, victim->second);
      check_ok(fixture.pool->free(victim->first));
      live.erase(victim);
    }
    if (step % 100 == 0) CHECK(fixture.pool->audit() == "");
  }
  CHECK(fixture.pool->stats().used_bytes == used);
  CHECK(fixture.pool->stats().allocations == live.size());
  for (const auto& [id, fill] : live) {
    check_fill(id, fill);
    check_ok(fixture.pool->free(id));
  }
  CHECK(fixture.pool->audit() == "");
}

TEST_CASE("actors in threads allocate and free at the same time [MEM-028]") {
  NodeFixture fixture;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      const auto node = fixture.attach_thread();
      {
        const auto pool = fixture.pool_for(node);
        std::mt19937 random(static_cast<uint32_t>(number));
        std::vector<Allocation> mine;
        for (int step = 0; step < 1'000; ++step) {
          if (mine.size() < 20 || random() % 2 == 0) {
            Allocation out;
            check_ok(pool->try_allocate(1 + random() % 5'000, AllocationType::kData, out));
            ::memset(out.data, number, out.bytes);
            mine.push_back(out);
          } else {
            const Allocation victim = mine[random() % mine.size()];
            std::erase_if(mine, [&](const Allocation& each) { return each.id == victim.id; });
            for (uint64_t i = 0; i < victim.bytes; ++i) REQUIRE(victim.data[i] == number);
            check_ok(pool->free(victim.id));
          }
        }
        for (const Allocation& each : mine) check_ok(pool->free(each.id));
      }
      leave(node);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(fixture.pool->stats().allocations == 0);
}

TEST_CASE("allocations are listed with type and owner [MEM-029]") {
  NodeFixture fixture;
  Allocation boot;
  check_ok(fixture.pool->try_allocate(64, AllocationType::kBootstrap, boot));
  const uint64_t data = fixture.allocate(10);
  std::map<uint64_t, AllocationInfo> found;
  AllocationInfo info;
  for (uint32_t index = 1; (index = fixture.pool->next_allocation(index, info)) != 0;) {
    found[info.allocation.id] = info;
  }
  REQUIRE(found.size() == 2);
  CHECK(found[boot.id].type == AllocationType::kBootstrap);
  CHECK(found[data].type == AllocationType::kData);
  CHECK(found[data].owner == fixture.node->me().id);
  CHECK(found[data].allocation.bytes == 10);
  check_ok(fixture.pool->free(boot.id));
  check_ok(fixture.pool->free(data));
}

TEST_CASE("what its living owner shows is freed by nobody else [MEM-088]") {
  NodeFixture fixture;
  const auto node = fixture.attach();
  const auto other = fixture.pool_for(node);
  const uint64_t mine = fixture.node->me().id;
  const uint64_t its = node->me().id;
  uint64_t id = fixture.allocate(40'000);
  check_ok(fixture.pool->show(id));
  CHECK(other->free(id) == DRAGON_STATE);
  CHECK(fixture.pool->exists(id));
  check_ok(fixture.pool->resize(id, 30'000));  // it stays shown
  CHECK(other->free(id) == DRAGON_STATE);
  fixture.pool->hide(id);
  check_ok(other->free(id));
  CHECK(fixture.pool->show(id) == DRAGON_OBJECT_DESTROYED);
  // Its owner may, and whoever it passes it on to.
  id = fixture.allocate(100);
  check_ok(fixture.pool->show(id));
  check_ok(fixture.pool->free(id));
  id = fixture.allocate(100);
  check_ok(fixture.pool->show(id));
  check_ok(fixture.pool->change_owner(id, mine, its));
  check_ok(other->show(id));
  fixture.pool->hide(id);  // late, and no longer its business
  CHECK(fixture.pool->free(id) == DRAGON_STATE);
  check_ok(other->free(id));
  // A dead owner shows nothing.
  Allocation out;
  check_ok(other->try_allocate(100, AllocationType::kData, out));
  check_ok(other->show(out.id));
  node->close();
  check_ok(fixture.pool->free(out.id));
  CHECK(fixture.pool->audit() == "");
  ReclaimReport report;
  check_ok(reclaim(fixture.node, static_cast<ActorId>(its), report));
}

TEST_CASE("anyone may free, and an owner changes by one swap [MEM-030] [MEM-031]") {
  NodeFixture fixture;
  const auto node = fixture.attach();
  {
    const auto other = fixture.pool_for(node);
    const uint64_t id = fixture.allocate(1'000);
    const uint64_t mine = fixture.node->me().id;
    const uint64_t its = node->me().id;
    CHECK(other->change_owner(id, its, mine) == DRAGON_STATE);
    check_ok(fixture.pool->change_owner(id, mine, its));
    CHECK(fixture.pool->change_owner(id, mine, its) == DRAGON_STATE);
    check_ok(other->free(id));
    CHECK(fixture.pool->free(id) == DRAGON_OBJECT_DESTROYED);
    // What an attachment still owns goes with it.
    Allocation left;
    check_ok(other->try_allocate(64, AllocationType::kData, left));
  }
  CHECK(fixture.pool->stats().allocations == 0);
  leave(node);
}

TEST_CASE("empty extents at the end go back to the system [MEM-032]") {
  NodeFixture fixture;
  const uint64_t large = fixture.allocate(60 * kMiB);
  CHECK(fixture.pool->trim() == 0);
  check_ok(fixture.pool->free(large));
  CHECK(fixture.pool->trim() == 48 * kMiB);
  CHECK(fixture.pool->stats().committed_bytes == 12 * kMiB);
  CHECK(fixture.pool->audit() == "");
  CHECK(fixture.pool->trim() == 0);
  const uint64_t again = fixture.allocate(64 * kMiB);
  check_ok(fixture.pool->free(again));
}

TEST_CASE("a destroyed pool is OBJECT_DESTROYED for everybody, also for who waits [MEM-033]") {
  NodeFixture fixture;
  std::shared_ptr<Pool> pool;
  check_ok(create(fixture.node, kMiB, 0, pool));
  HandleBytes handle;
  pool->serialize(handle);
  Allocation all;
  check_ok(pool->try_allocate(kMiB, AllocationType::kData, all));
  std::thread waiter([&] {
    const auto node = fixture.attach_thread();
    {
      std::shared_ptr<Pool> same;
      check_ok(Pool::attach(node, handle, sizeof(handle), same));
      Allocation out;
      const Status status =
          same->allocate(64, AllocationType::kData, Deadline::after_ms(20'000), out);
      CHECK(status == DRAGON_OBJECT_DESTROYED);
    }
    leave(node);
  });
  while (pool->place().hint->load() == 0) ::usleep(1'000);
  check_ok(pool->destroy());
  waiter.join();
  CHECK(pool->destroy() == DRAGON_OBJECT_DESTROYED);
  std::shared_ptr<Pool> again;
  CHECK(Pool::attach(fixture.node, handle, sizeof(handle), again) == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE("a pool ends with its last attachment [MEM-034]") {
  NodeFixture fixture;
  std::shared_ptr<Pool> pool;
  check_ok(create(fixture.node, kMiB, 0, pool));
  HandleBytes handle;
  pool->serialize(handle);
  std::shared_ptr<Pool> same;
  check_ok(Pool::attach(fixture.node, handle, sizeof(handle), same));
  CHECK(same == pool);  // one attachment, shared
  pool.reset();
  same.reset();
  CHECK(Pool::attach(fixture.node, handle, sizeof(handle), pool) == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE("an actor that has left is CLOSED [MEM-035]") {
  NodeFixture fixture;
  const auto node = fixture.attach();
  const auto pool = fixture.pool_for(node);
  leave(node);
  Allocation out;
  CHECK(pool->try_allocate(1, AllocationType::kData, out) == DRAGON_CLOSED);
  CHECK(pool->free(1) == DRAGON_CLOSED);
  std::shared_ptr<Pool> other;
  CHECK(create(node, kMiB, 0, other) == DRAGON_CLOSED);
  CHECK(node->pool(1, other) == DRAGON_CLOSED);
}

TEST_CASE("two nodes in one process know nothing of each other [MEM-036]") {
  NodeFixture one;
  NodeFixture two;
  HandleBytes handle;
  one.pool->serialize(handle);
  std::shared_ptr<Pool> pool;
  CHECK(Pool::attach(two.node, handle, sizeof(handle), pool) == DRAGON_WRONG_NODE);
  CHECK(one.node->identity().host_id == two.node->identity().host_id);
}
