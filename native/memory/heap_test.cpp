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
    const uint64_t used = header.held_bytes.load();
    // Ruin every index.
    for (Word32& list : header.lists) list.store(random() % 512);
    for (Word32& map : header.class_maps) map.store(random());
    header.level_map.store(random());
    header.last_block.store(random() % 512);
    header.spare_descriptor.store(random() % 512);
    header.held_bytes.store(random());
    header.held_blocks.store(random());
    heap.rebuild();
    CHECK(audit() == "");
    CHECK(header.held_bytes.load() == used);
    for (const auto& [index, each] : live) {
      CHECK(heap.live(index, each.generation));
      CHECK(heap.block(index).offset.load() == each.offset);
    }
  }
}

TEST_CASE_FIXTURE(HeapFixture, "a search finds any free block that is large enough [MEM-051]") {
  // Free blocks of 68,096 bytes only, in a list that begins at 65,536.
  std::vector<HeapBlock> taken;
  HeapBlock block;
  HeapBlock separator;
  while (heap.take(1064 * 64, AllocationType::kData, 1, 0, block) == DRAGON_SUCCESS &&
         heap.take(64, AllocationType::kData, 1, 0, separator) == DRAGON_SUCCESS) {
    taken.push_back(block);
  }
  while (heap.take(64, AllocationType::kData, 1, 0, separator) == DRAGON_SUCCESS) {
  }
  REQUIRE(taken.size() == 15);
  check_ok(heap.give(taken[5].index, taken[5].generation));
  check_ok(heap.give(taken[7].index, taken[7].generation));
  CHECK(heap.take(1065 * 64, AllocationType::kData, 1, 0, block) == DRAGON_WOULD_BLOCK);
  check_ok(heap.take(1064 * 64, AllocationType::kData, 1, 0, block));
  check_ok(heap.take(1030 * 64, AllocationType::kData, 1, 0, block));
  CHECK(audit() == "");
}

TEST_CASE_FIXTURE(HeapFixture,
                  "blocks of more than 1 KiB and of objects begin at lines [MEM-038]") {
  std::mt19937 random(11);
  std::vector<HeapBlock> taken;
  const AllocationType types[] = {AllocationType::kData, AllocationType::kChannel};
  for (int round = 0; round < 2'000; ++round) {
    const AllocationType type = types[random() % 2];
    const uint64_t bytes = 1 + random() % (1u << random() % 13);
    HeapBlock block;
    const Status status = heap.take(bytes, type, 1, 0, block);
    if (status == DRAGON_SUCCESS) {
      const bool line = type != AllocationType::kData || bytes > 1024;
      CHECK(block.offset % (line ? 64 : 16) == 0);
      taken.push_back(block);
    }
    if (status == DRAGON_SUCCESS && taken.size() < 100) continue;
    const size_t victim = random() % taken.size();
    check_ok(heap.give(taken[victim].index, taken[victim].generation));
    taken.erase(taken.begin() + static_cast<long>(victim));
  }
  CHECK(audit() == "");
}

TEST_CASE_FIXTURE(HeapFixture,
                  "a free block that begins well is found at last [MEM-051] [MEM-038]") {
  // Two free blocks of just the size; the one that stands first in the list begins badly.
  header.committed_bytes.store(0);
  heap.rebuild();
  check_ok(heap.extend(1216 + 1152 + 16));
  HeapBlock small[74];
  HeapBlock large;
  HeapBlock end;
  const auto take = [&](uint64_t bytes, HeapBlock& out) {
    return heap.take(bytes, AllocationType::kData, 1, 0, out);
  };
  for (HeapBlock& each : small) check_ok(take(16, each));
  check_ok(take(32, end));
  check_ok(take(1152, large));
  check_ok(take(16, end));
  CHECK(heap.largest_free() == 0);
  CHECK(large.offset == 1216);
  check_ok(heap.give(large.index, large.generation));
  for (int i = 1; i <= 72; ++i) check_ok(heap.give(small[i].index, small[i].generation));
  CHECK(heap.largest_free() == 1152);
  check_ok(take(1152, large));
  CHECK(large.offset == 1216);
  CHECK(take(1152, large) == DRAGON_WOULD_BLOCK);
  CHECK(audit() == "");
}

TEST_CASE_FIXTURE(HeapFixture, "a block changes its size where it lies [MEM-053]") {
  std::vector<HeapBlock> blocks(3);
  for (HeapBlock& each : blocks) check_ok(heap.take(1024, AllocationType::kData, 1, 0, each));
  const HeapBlock& middle = blocks[1];
  const auto resize = [&](uint64_t bytes) {
    const Status status = heap.resize(middle.index, middle.generation, bytes);
    CHECK(audit() == "");
    CHECK(heap.live(middle.index, middle.generation));
    return status;
  };
  CHECK(resize(1025) == DRAGON_WOULD_BLOCK);
  check_ok(resize(100));
  CHECK(header.held_bytes.load() == 2 * 1024 + 112);
  check_ok(resize(1024));
  CHECK(resize(2048) == DRAGON_WOULD_BLOCK);
  check_ok(heap.give(blocks[2].index, blocks[2].generation));
  check_ok(resize(2048));
  CHECK(header.held_bytes.load() == 1024 + 2048);
  CHECK(heap.block(middle.index).bytes.load() == 2048);
  check_ok(heap.give(middle.index, middle.generation));
  CHECK(heap.resize(middle.index, middle.generation, 16) == DRAGON_OBJECT_DESTROYED);
  check_ok(heap.give(blocks[0].index, blocks[0].generation));
  CHECK(header.held_bytes.load() == 0);
  CHECK(heap.largest_free() == 1 << 20);
}

TEST_CASE_FIXTURE(HeapFixture, "a cached block changes hands by one swap of its word [MEM-065]") {
  HeapBlock block;
  check_ok(heap.take_cached(64, 9, block));
  CHECK_FALSE(heap.live(block.index, block.generation));
  CHECK(heap.give(block.index, block.generation) == DRAGON_OBJECT_DESTROYED);
  const uint64_t word = heap.block(block.index).state.load();
  CHECK(slot_of(word) == 9);
  CHECK(audit() == "");
  heap.rebuild();
  CHECK(audit() == "");
  CHECK(header.held_bytes.load() == 64);
  CHECK(heap.give_cached(block.index, word));
  CHECK_FALSE(heap.give_cached(block.index, word));
  CHECK_FALSE(heap.give_cached_unlisted(block.index, word));
  // Cached again at the same place, it is another block for who had it before.
  check_ok(heap.take_cached(64, 9, block));
  CHECK(heap.block(block.index).state.load() != word);
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
  broken(header.held_bytes, 1);
  broken(header.committed_bytes, 640);
  const uint32_t lists = header.class_maps[0].load();
  for (Word32& list : header.lists) list.store(0);
  CHECK(audit() == "a free block is in no list");
  header.class_maps[0].store(lists);
  heap.rebuild();
  CHECK(audit() == "");
}
