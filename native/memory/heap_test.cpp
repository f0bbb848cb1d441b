// The allocator without a pool: rebuilding its indexes from the live blocks.
#include "memory/heap.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

struct HeapFixture {
  HeapFixture() {
    heap = Heap(&header, blocks.data());
    header.descriptors_ready.store(static_cast<uint32_t>(blocks.size()));
    header.descriptors_used.store(1);
    check_ok(heap.extend(1 << 20));
  }
  std::string audit() const { return heap.audit(); }

  HeapHeader header{};
  std::vector<BlockDescriptor> blocks{512};
  Heap heap;
};

}  // namespace

TEST_CASE_FIXTURE(HeapFixture,
                  "a rebuild keeps live blocks and ids, whatever the indexes were [MEM-050]") {
  std::mt19937 random(7);
  std::map<uint32_t, HeapBlock> live;
  for (int round = 0; round < 200; ++round) {
    HeapBlock block;
    const Status status = heap.take(1 + random() % 9'000, AllocationType::kData, 5, 6, block);
    if (status == DRAGON_SUCCESS) live[block.index] = block;
    while (live.size() > 60 || (status != DRAGON_SUCCESS && !live.empty())) {
      const HeapBlock victim = std::next(live.begin(), random() % live.size())->second;
      check_ok(heap.give(victim.index, victim.generation));
      live.erase(victim.index);
      if (live.size() < 40) break;
    }
    if (round % 10 != 0) continue;
    const uint64_t used = header.used_bytes.load();
    // Ruin every index.
    for (Word32& list : header.lists) list.store(random() % 512);
    for (Word32& map : header.class_maps) map.store(random());
    header.level_map.store(random());
    header.last_block.store(random() % 512);
    header.spare_descriptor.store(random() % 512);
    header.used_bytes.store(random());
    header.live_blocks.store(random());
    heap.rebuild();
    CHECK(audit() == "");
    CHECK(header.used_bytes.load() == used);
    for (const auto& [index, each] : live) {
      CHECK(heap.live(index, each.generation));
      CHECK(heap.block(index).offset.load() == each.offset);
    }
  }
}

TEST_CASE_FIXTURE(HeapFixture, "a search finds any free block that is large enough [MEM-051]") {
  // Free blocks of 100 granules only, in a class that begins at 96.
  std::vector<HeapBlock> taken;
  HeapBlock block;
  HeapBlock separator;
  while (heap.take(100 * 64, AllocationType::kData, 1, 0, block) == DRAGON_SUCCESS &&
         heap.take(64, AllocationType::kData, 1, 0, separator) == DRAGON_SUCCESS) {
    taken.push_back(block);
  }
  while (heap.take(64, AllocationType::kData, 1, 0, separator) == DRAGON_SUCCESS) {
  }
  REQUIRE(taken.size() > 100);
  check_ok(heap.give(taken[50].index, taken[50].generation));
  check_ok(heap.give(taken[60].index, taken[60].generation));
  CHECK(heap.take(101 * 64, AllocationType::kData, 1, 0, block) == DRAGON_WOULD_BLOCK);
  check_ok(heap.take(100 * 64, AllocationType::kData, 1, 0, block));
  check_ok(heap.take(98 * 64, AllocationType::kData, 1, 0, block));
  CHECK(audit() == "");
}

TEST_CASE_FIXTURE(HeapFixture, "without a descriptor for the rest a block is not split [MEM-051]") {
  header.descriptors_ready.store(3);
  HeapBlock block;
  check_ok(heap.take(64, AllocationType::kData, 1, 0, block));
  CHECK(heap.take(64, AllocationType::kData, 1, 0, block) == DRAGON_TOO_MANY_RECORDS);
  CHECK(audit() == "");
  header.descriptors_ready.store(4);
  check_ok(heap.take(64, AllocationType::kData, 1, 0, block));
  CHECK(audit() == "");
}

TEST_CASE_FIXTURE(HeapFixture, "the audit sees overlaps, gaps and wrong sums [MEM-052]") {
  HeapBlock a;
  HeapBlock b;
  check_ok(heap.take(640, AllocationType::kData, 1, 0, a));
  check_ok(heap.take(640, AllocationType::kData, 1, 0, b));
  const auto broken = [&](Word64& word, uint64_t value) {
    const uint64_t before = word.load();
    word.store(value);
    CHECK(audit() != "");
    word.store(before);
    CHECK(audit() == "");
  };
  broken(heap.block(b.index).offset, 320);
  broken(heap.block(b.index).size, 6400);
  broken(header.used_bytes, 1);
  broken(header.committed_bytes, 640);
  const uint32_t lists = header.class_maps[0].load();
  for (Word32& list : header.lists) list.store(0);
  CHECK(audit() == "a free block is in no list");
  header.class_maps[0].store(lists);
  heap.rebuild();
  CHECK(audit() == "");
}
