// What one may wish of a pool when it is made or attached, and what became of it.
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include <fstream>
#include <string>
#include <vector>

#include "memory/node_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint64_t kMiB = 1 << 20;

uint64_t huge_pages_left() {
  std::ifstream meminfo("/proc/meminfo");
  std::string word;
  uint64_t left = 0;
  while (meminfo >> word) {
    if (word == "HugePages_Free:") meminfo >> left;
  }
  return left;
}

uint64_t resident_pages(const uint8_t* data, uint64_t bytes) {
  std::vector<unsigned char> pages(bytes / kPageBytes);
  REQUIRE(::mincore(const_cast<uint8_t*>(data), bytes, pages.data()) == 0);
  uint64_t count = 0;
  for (const unsigned char page : pages) count += page & 1;
  return count;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a pool grows by the step that was asked for [MEM-080]") {
  PoolOptions options;
  options.limit_bytes = 64 * kMiB;
  options.initial_bytes = kMiB;
  options.growth_bytes = 2 * kMiB;
  std::shared_ptr<Pool> growing;
  check_ok(Pool::create(node, options, growing));
  Allocation out;
  check_ok(growing->try_allocate(kMiB, AllocationType::kData, out));
  check_ok(growing->try_allocate(kMiB, AllocationType::kData, out));
  CHECK(growing->stats().committed_bytes == 3 * kMiB);
  check_ok(growing->try_allocate(10 * kMiB, AllocationType::kData, out));
  CHECK(growing->stats().committed_bytes == 12 * kMiB);
  options.growth_bytes = 65 * kMiB;
  CHECK(Pool::create(node, options, growing) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "huge pages are used if there are any, and else it says so [MEM-081]") {
  PoolOptions options;
  options.limit_bytes = 4 * kMiB;
  options.initial_bytes = 64 << 10;
  options.huge_pages = true;
  const uint64_t before = huge_pages_left();
  std::shared_ptr<Pool> huge;
  check_ok(Pool::create(node, options, huge));
  // Header, descriptors and data each take one at least.
  if (before >= 8) CHECK(huge->placement().pages == PageKind::kHuge);
  if (huge->placement().pages == PageKind::kHuge) CHECK(huge_pages_left() < before);
  if (before == 0) CHECK(huge->placement().pages != PageKind::kHuge);
  Allocation out;
  check_ok(huge->try_allocate(100'000, AllocationType::kData, out));
  ::memset(out.data, 7, out.bytes);
  const auto other = attach();
  {
    HandleBytes handle;
    huge->serialize(handle);
    std::shared_ptr<Pool> its;
    check_ok(Pool::attach(other, handle, sizeof(handle), its));
    CHECK(its->placement().pages == huge->placement().pages);
    AllocationInfo info;
    check_ok(its->find(out.id, info));
    CHECK(info.allocation.data[99'999] == 7);
  }
  leave(other);
  CHECK(huge->audit() == "");
  CHECK(pool->placement().pages == PageKind::kSmall);
}

TEST_CASE_FIXTURE(NodeFixture, "memory comes from a NUMA node if the kernel has any [MEM-082]") {
  PoolOptions options;
  options.limit_bytes = 4 * kMiB;
  options.numa_node = 0;
  std::shared_ptr<Pool> placed;
  check_ok(Pool::create(node, options, placed));
  const int in_effect = placed->placement().numa_node;
  CHECK((in_effect == 0 || in_effect == -1));
  Allocation out;
  check_ok(placed->try_allocate(1'000, AllocationType::kData, out));
  ::memset(out.data, 1, out.bytes);
  CHECK(pool->placement().numa_node == -1);
  options.numa_node = 100'000;
  CHECK(Pool::create(node, options, placed) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(NodeFixture, "a populated pool has its pages before they are used [MEM-083]") {
  PoolOptions options;
  options.limit_bytes = 4 * kMiB;
  options.initial_bytes = kMiB;
  options.populate = true;
  std::shared_ptr<Pool> populated;
  check_ok(Pool::create(node, options, populated));
  Allocation out;
  check_ok(populated->try_allocate(kMiB, AllocationType::kData, out));
  CHECK(resident_pages(out.data, kMiB) == kMiB / kPageBytes);
  check_ok(populated->try_allocate(3 * kMiB, AllocationType::kData, out));
  CHECK(resident_pages(out.data, 3 * kMiB) == 3 * kMiB / kPageBytes);
}

TEST_CASE_FIXTURE(NodeFixture, "a read-only attachment finds, and changes nothing [MEM-084]") {
  Allocation out;
  check_ok(pool->try_allocate(1'000, AllocationType::kData, out));
  ::memset(out.data, 5, out.bytes);
  HandleBytes handle;
  pool->serialize(handle);
  {
    std::shared_ptr<Pool> reader;
    check_ok(Pool::attach_read_only(node, handle, sizeof(handle), reader));
    CHECK(reader->read_only());
    AllocationInfo info;
    check_ok(reader->find(out.id, info));
    CHECK(info.allocation.data[999] == 5);
    CHECK(info.allocation.data != out.data);
    Allocation none;
    CHECK(reader->try_allocate(1, AllocationType::kData, none) == DRAGON_NOT_SUPPORTED);
    CHECK(reader->free(out.id) == DRAGON_NOT_SUPPORTED);
    CHECK(reader->resize(out.id, 10) == DRAGON_NOT_SUPPORTED);
    CHECK(reader->change_owner(out.id, node->me().id, 1) == DRAGON_NOT_SUPPORTED);
    CHECK(reader->destroy() == DRAGON_NOT_SUPPORTED);
    CHECK(reader->trim() == 0);
    const int status = wait_for(fork_child([&] {
      ::signal(SIGSEGV, SIG_DFL);
      info.allocation.data[0] = 6;
    }));
    CHECK(status != 0);
    CHECK(out.data[0] == 5);
  }
  // What this actor allocated through its other attachment is still there.
  CHECK(pool->exists(out.id));
  check_ok(pool->free(out.id));
}
