// Magazines: freed blocks that are used again without the mutex, and taken back by anyone.
#include "memory/magazines.h"

#include <algorithm>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "memory/node_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

PoolHeader& header_of(const NodeFixture& fixture, uint64_t limit_bytes) {
  Allocation first;
  check_ok(fixture.pool->try_allocate(limit_bytes, AllocationType::kData, first));
  uint8_t* base = first.data - metadata_bytes_for(limit_bytes);
  check_ok(fixture.pool->free(first.id));
  return *reinterpret_cast<PoolHeader*>(base);
}

// Another attachment of the pool, by an actor of this process.
struct Other {
  explicit Other(const NodeFixture& fixture)
      : node(fixture.attach_thread()), pool(fixture.pool_for(node)) {}
  ~Other() {
    pool.reset();
    leave(node);
  }
  std::shared_ptr<Node> node;
  std::shared_ptr<Pool> pool;
};

}  // namespace

TEST_CASE("a freed block is the next one of its size, under another id [MEM-061]") {
  NodeFixture fixture;
  for (uint64_t bytes : {1, 16, 64, 1000, 1025, 5000, 65'536}) {
    Allocation first;
    Allocation second;
    check_ok(fixture.pool->try_allocate(bytes, AllocationType::kData, first, 77));
    check_ok(fixture.pool->free(first.id));
    check_ok(fixture.pool->try_allocate(bytes, AllocationType::kData, second, 78));
    CHECK(second.data == first.data);
    CHECK(second.id != first.id);
    CHECK(fixture.pool->free(first.id) == DRAGON_OBJECT_DESTROYED);
    AllocationInfo info;
    check_ok(fixture.pool->find(second.id, info));
    CHECK(info.tag == 78);
    CHECK(info.allocation.bytes == bytes);
    CHECK(info.owner == fixture.node->me().id);
    check_ok(fixture.pool->free(second.id));
  }
}

TEST_CASE("an actor caches at most 64 KiB or a 64th of the pool [MEM-062]") {
  const auto most_cached = [](uint64_t limit) {
    NodeFixture fixture(limit);
    std::mt19937 random(3);
    uint64_t most = 0;
    std::vector<uint64_t> live;
    for (int round = 0; round < 2'000; ++round) {
      if (live.size() < 30 || random() % 2 == 0) {
        Allocation out;
        const uint64_t bytes = 1 + random() % (1u << random() % 12);
        const Status status = fixture.pool->try_allocate(bytes, AllocationType::kData, out);
        if (status == DRAGON_SUCCESS) live.push_back(out.id);
      }
      if (live.size() >= 30) {
        const size_t victim = random() % live.size();
        check_ok(fixture.pool->free(live[victim]));
        live.erase(live.begin() + static_cast<long>(victim));
      }
      most = std::max(most, fixture.pool->stats().cached_bytes);
    }
    for (const uint64_t id : live) check_ok(fixture.pool->free(id));
    return std::max(most, fixture.pool->stats().cached_bytes);
  };
  CHECK(most_cached(64 * kMiB) <= 64 * kKiB);
  CHECK(most_cached(64 * kMiB) > 16 * kKiB);
  CHECK(most_cached(512 * kKiB) <= 8 * kKiB);
  // With what a depot may hold, since the sizes repeat themselves in so small a pool.
  CHECK(most_cached(64 * kKiB) <= kKiB + kKiB / 2);
}

TEST_CASE("large blocks come back through depots, which hold a 128th of the pool [MEM-062]") {
  NodeFixture fixture(64 * kMiB);
  Other other(fixture);
  // So much is in use that a depot may have its largest size.
  const uint64_t used = fixture.allocate(16 * kMiB);
  constexpr uint64_t kBytes = 64 * kKiB;
  std::set<uint8_t*> seen;
  uint64_t most = 0;
  for (int round = 0; round < 500; ++round) {
    Allocation out;
    check_ok(fixture.pool->try_allocate(kBytes, AllocationType::kData, out));
    seen.insert(out.data);
    check_ok(other.pool->free(out.id));
    most = std::max(most, fixture.pool->stats().cached_bytes);
  }
  // Eight blocks for each of two depots, and what either actor may have beside them.
  CHECK(seen.size() <= 40);
  CHECK(most > 64 * kKiB);
  CHECK(most <= 2 * (64 * kKiB + 512 * kKiB) + 2 * 512 * kKiB);
  check_ok(fixture.pool->free(used));
}

TEST_CASE("depots hold nothing that nobody asked for, and change their size [MEM-086]") {
  NodeFixture fixture;
  const PoolHeader& header = header_of(fixture, 64 * kMiB);
  Other other(fixture);
  const auto states = [&] {
    std::set<DepotState> found;
    for (const Depot& depot : header.depots) found.insert(depot_state_of(depot.state.load()));
    return found;
  };
  // A different size each time: no depot would be of use.
  for (uint64_t bytes = 16; bytes < 1'024; bytes += 16) {
    Allocation out;
    check_ok(fixture.pool->try_allocate(bytes, AllocationType::kData, out));
    check_ok(other.pool->free(out.id));
  }
  CHECK(states() == std::set{DepotState::kEmpty});
  // More sizes, one after the other, than there are depots; each gets its own.
  for (uint64_t bytes = 100; bytes <= 800; bytes += 100) {
    INFO("bytes ", bytes);
    const auto size_class = size_class_of(block_bytes_for(bytes));
    bool served = false;
    for (int round = 0; round < 3'000 && !served; ++round) {
      Allocation out;
      check_ok(fixture.pool->try_allocate(bytes, AllocationType::kData, out));
      check_ok(other.pool->free(out.id));
      for (const Depot& depot : header.depots) {
        const uint64_t word = depot.state.load();
        served = served ||
                 (depot_state_of(word) == DepotState::kFull && depot_class_of(word) == size_class);
      }
    }
    CHECK(served);
  }
  CHECK(fixture.pool->audit() == "");
}

TEST_CASE("after a search for memory what is freed goes to the heap for a while [MEM-087]") {
  NodeFixture fixture(kMiB);
  const auto cached = [&] { return fixture.pool->stats().cached_bytes; };
  const auto free_one = [&](uint64_t bytes) {
    const uint64_t id = fixture.allocate(bytes);
    check_ok(fixture.pool->free(id));
  };
  free_one(256);
  CHECK(cached() == 256);
  const uint64_t all = fixture.allocate(kMiB);  // nothing stays cached
  check_ok(fixture.pool->free(all));
  CHECK(cached() == 0);
  free_one(512);  // finds out
  CHECK(cached() == 512);
  std::vector<uint64_t> ids;
  for (int i = 0; i < 65; ++i) ids.push_back(fixture.allocate(128));
  for (int i = 0; i < 64; ++i) {
    INFO("free ", i);
    check_ok(fixture.pool->free(ids[static_cast<size_t>(i)]));
    CHECK(cached() == 512);
  }
  check_ok(fixture.pool->free(ids[64]));
  CHECK(cached() == 512 + 128);
}

TEST_CASE("what others have cached is taken back before a pool is full [MEM-063]") {
  NodeFixture fixture(kMiB);
  Other other(fixture);
  std::vector<uint64_t> ids;
  Allocation out;
  for (int i = 0; i < 10; ++i) {
    check_ok(other.pool->try_allocate(1'024, AllocationType::kData, out));
    ids.push_back(out.id);
  }
  for (const uint64_t id : ids) check_ok(other.pool->free(id));
  CHECK(fixture.pool->stats().cached_bytes >= 10 * kKiB);
  check_ok(fixture.pool->try_allocate(kMiB, AllocationType::kData, out));
  CHECK(fixture.pool->stats().cached_bytes == 0);
  CHECK(fixture.pool->audit() == "");
  // The other's lists still name the blocks; none of them is handed out again.
  Allocation more;
  CHECK(other.pool->try_allocate(1'024, AllocationType::kData, more) == DRAGON_OUT_OF_MEMORY);
  check_ok(fixture.pool->free(out.id));
  check_ok(other.pool->try_allocate(1'024, AllocationType::kData, more));
  check_ok(other.pool->free(more.id));
}

TEST_CASE("a search of magazines that are empty since the last one is not made [MEM-063]") {
  NodeFixture fixture(kMiB);
  const PoolHeader& header = header_of(fixture, kMiB);
  Allocation all;
  Allocation out;
  check_ok(fixture.pool->try_allocate(kMiB, AllocationType::kData, all));
  const auto try_one = [&] {
    CHECK(fixture.pool->try_allocate(64, AllocationType::kData, out) == DRAGON_OUT_OF_MEMORY);
    return header.caching.load();
  };
  const uint64_t first = try_one();
  CHECK((first & 1) == 0);
  CHECK(try_one() == first);
  check_ok(fixture.pool->free(all.id));
  // Two small blocks, so that the magazines hold something, and the rest of the pool.
  const uint64_t small = fixture.allocate(64);
  check_ok(fixture.pool->free(small));
  CHECK((header.caching.load() & 1) == 1);
}

TEST_CASE("memory that is freed while somebody waits is not cached [MEM-064]") {
  NodeFixture fixture(kMiB);
  std::vector<uint64_t> ids;
  for (uint64_t bytes = 0; bytes < kMiB; bytes += kKiB) ids.push_back(fixture.allocate(kKiB));
  std::thread waiter([&] {
    const Other other(fixture);
    Allocation out;
    const Deadline deadline = Deadline::after_ms(20'000);
    // Eight blocks side by side; the first seven frees are not enough.
    check_ok(other.pool->allocate(8 * kKiB, AllocationType::kData, deadline, out));
    check_ok(other.pool->free(out.id));
  });
  while ((fixture.pool->place().hint->load() & 1) == 0) ::usleep(500);
  for (size_t i = 0; i < 8; ++i) {
    CHECK(fixture.pool->stats().cached_bytes == 0);
    check_ok(fixture.pool->free(ids[i]));
    if (i < 7) ::usleep(1'000);
  }
  waiter.join();
  for (size_t i = 8; i < ids.size(); ++i) check_ok(fixture.pool->free(ids[i]));
}

TEST_CASE("blocks that another frees come back through a depot [MEM-068] [MEM-065]") {
  NodeFixture fixture;
  Other other(fixture);
  std::set<uint8_t*> seen;
  std::set<uint64_t> ids;
  for (int round = 0; round < 2'000; ++round) {
    Allocation out;
    check_ok(fixture.pool->try_allocate(100, AllocationType::kData, out));
    CHECK(ids.insert(out.id).second);
    seen.insert(out.data);
    check_ok(other.pool->free(out.id));
    CHECK(other.pool->free(out.id) == DRAGON_OBJECT_DESTROYED);
  }
  // The same few blocks go round, or there would be 2,000 of them, less what the other may keep.
  CHECK(seen.size() < 300);
  CHECK(fixture.pool->audit() == "");
  // What lies in depots is taken back like everything that is cached.
  Allocation all;
  check_ok(fixture.pool->try_allocate(64 * kMiB, AllocationType::kData, all));
  check_ok(fixture.pool->free(all.id));
  for (int round = 0; round < 200; ++round) {
    Allocation out;
    check_ok(fixture.pool->try_allocate(100, AllocationType::kData, out));
    check_ok(other.pool->free(out.id));
  }
}

TEST_CASE("a depot in the hands of a dead actor is used again [MEM-068]") {
  NodeFixture fixture(64 * kMiB);
  PoolHeader& header = header_of(fixture, 64 * kMiB);
  Other other(fixture);
  const auto dead = fixture.attach();
  const ActorId id = dead->me().id;
  dead->close();
  const DepotState states[] = {DepotState::kFilling, DepotState::kEmptying};
  for (uint32_t i = 0; i < kDepots; ++i) {
    header.depots[i].state.store(depot_word(states[i % 2], id));
  }
  bool full = false;
  for (int round = 0; round < 200; ++round) {
    Allocation out;
    check_ok(fixture.pool->try_allocate(100, AllocationType::kData, out));
    check_ok(other.pool->free(out.id));
    for (const Depot& depot : header.depots) {
      full = full || depot_state_of(depot.state.load()) == DepotState::kFull;
    }
  }
  CHECK(full);
  ReclaimReport report;
  check_ok(reclaim(fixture.node, id, report));
}

TEST_CASE("waiters miss no free, however small and quick [MEM-064] [MEM-025]") {
  NodeFixture fixture(64 * kKiB);
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      const Other mine(fixture);
      Allocation blocks[2];
      // Each takes a third of the pool at a time, so that there always is somebody to wait.
      for (int round = 0; round < 300; ++round) {
        for (Allocation& each : blocks) {
          const Deadline deadline = Deadline::after_ms(20'000);
          const uint64_t bytes = 10 * kKiB + static_cast<uint64_t>(round) % 1'024;
          check_ok(mine.pool->allocate(bytes, AllocationType::kData, deadline, each));
          check_ok(mine.pool->free(each.id));
        }
        Allocation small;
        const Deadline deadline = Deadline::after_ms(20'000);
        check_ok(mine.pool->allocate(512, AllocationType::kData, deadline, small));
        check_ok(mine.pool->free(small.id));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(fixture.pool->stats().allocations == 0);
}

TEST_CASE("an actor that leaves empties its magazines, and all free is one block [MEM-066]") {
  NodeFixture fixture;
  {
    Other other(fixture);
    std::vector<uint64_t> ids;
    Allocation out;
    for (uint64_t bytes = 16; bytes < 4'000; bytes += 48) {
      check_ok(other.pool->try_allocate(bytes, AllocationType::kData, out));
      ids.push_back(out.id);
    }
    std::shuffle(ids.begin(), ids.end(), std::mt19937(5));
    for (const uint64_t id : ids) check_ok(other.pool->free(id));
    CHECK(fixture.pool->stats().cached_bytes > 0);
  }
  CHECK(fixture.pool->stats().cached_bytes == 0);
  CHECK(fixture.pool->stats().largest_free_bytes == 64 * kMiB);
}

TEST_CASE("a large waiter at the head is not overtaken for ever by small ones [MEM-067]") {
  NodeFixture fixture(8 * kMiB);
  std::atomic<bool> served{false};
  std::vector<uint64_t> ids;
  for (int i = 0; i < 32; ++i) ids.push_back(fixture.allocate(256 * kKiB));
  std::thread large([&] {
    const Other other(fixture);
    Allocation out;
    const Deadline deadline = Deadline::after_ms(20'000);
    check_ok(other.pool->allocate(8 * kMiB, AllocationType::kData, deadline, out));
    served = true;
    check_ok(other.pool->free(out.id));
  });
  while ((fixture.pool->place().hint->load() & 1) == 0) ::usleep(500);
  ::usleep(3'000);
  // Frees and takes again at once, as fast as it can.
  const uint64_t begin = now_ns();
  while (!served && now_ns() - begin < 10'000'000'000) {
    for (uint64_t& id : ids) {
      if (id != 0) check_ok(fixture.pool->free(id));
      Allocation out;
      const Status status = fixture.pool->try_allocate(256 * kKiB, AllocationType::kData, out);
      id = status == DRAGON_SUCCESS ? out.id : 0;
    }
  }
  CHECK(served);
  large.join();
  for (const uint64_t id : ids) {
    if (id != 0) check_ok(fixture.pool->free(id));
  }
}

TEST_CASE("what is kept for a waiter that gives up or stops is free again [MEM-067]") {
  NodeFixture fixture(8 * kMiB);
  const uint64_t half = fixture.allocate(4 * kMiB);
  Other other(fixture);
  std::thread large([&] {
    Allocation out;
    const Deadline deadline = Deadline::after_ms(40);
    const Status status = other.pool->allocate(8 * kMiB, AllocationType::kData, deadline, out);
    CHECK(status == DRAGON_TIMEOUT);
  });
  large.join();
  Allocation out;
  check_ok(fixture.pool->try_allocate(4 * kMiB, AllocationType::kData, out));
  check_ok(fixture.pool->free(out.id));
  check_ok(fixture.pool->free(half));
}
