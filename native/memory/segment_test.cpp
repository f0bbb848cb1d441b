// Segments of pools: seals, checks, memory that is really there.
// variants: plain asan
#include "memory/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <set>

#include "memory/memory_limit.h"
#include "memory/node_fixture.h"
#include "sync/crc32c.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::set<std::string> names_in(const char* dir) {
  std::set<std::string> names;
  DIR* open = ::opendir(dir);
  REQUIRE(open != nullptr);
  while (const dirent* entry = ::readdir(open)) names.insert(entry->d_name);
  ::closedir(open);
  return names;
}

}  // namespace

TEST_CASE("segments have no names: nothing of a node appears in /dev/shm [MEM-001]") {
  const std::set<std::string> before = names_in("/dev/shm");
  NodeFixture fixture;
  CHECK(names_in("/dev/shm") == before);
}

TEST_CASE("a segment is sealed, and refused where it is not ours [MEM-002] [MEM-003]") {
  const NodeIdentity here{1, 2};
  Segment segment;
  check_ok(Segment::create(here, kPageBytes, 1 << 20, segment));
  CHECK(::ftruncate(segment.mapping().fd(), 4096) != 0);
  CHECK(::ftruncate(segment.mapping().fd(), 1 << 30) != 0);
  Segment other;
  const auto attach = [&](NodeIdentity identity) {
    const int fd = ::fcntl(segment.mapping().fd(), F_DUPFD_CLOEXEC, 0);
    return Segment::attach(fd, identity, other);
  };
  check_ok(attach(here));
  CHECK(other.limit_bytes() == 1 << 20);
  CHECK(other.metadata_bytes() == kPageBytes);
  CHECK(attach({1, 3}) == DRAGON_LAYOUT);
  CHECK(attach({2, 2}) == DRAGON_LAYOUT);
  uint8_t* bytes = segment.mapping().base();
  for (const size_t byte : {1, 9, 13, 17, 45, 63}) {
    bytes[byte] ^= 1;
    CHECK(attach(here) == DRAGON_LAYOUT);
    bytes[byte] ^= 1;
  }
  NodeSegment node;
  check_ok(NodeSegment::create(here, node));
  CHECK(Segment::attach(::fcntl(node.fd(), F_DUPFD_CLOEXEC, 0), here, other) == DRAGON_LAYOUT);
}

TEST_CASE("the tables of a pool lie where the layout says [MEM-004]") {
  CHECK(offsetof(PoolHeader, object) == 64);
  CHECK(offsetof(PoolHeader, mutex) == 128);
  CHECK(offsetof(PoolHeader, heap) == 192);
  CHECK(offsetof(HeapHeader, class_maps) == 56);
  CHECK(offsetof(HeapHeader, lists) == 192);
  CHECK(kDescriptorsOffset == 4096);
  CHECK(offsetof(BlockDescriptor, owner) == 8);
  CHECK(offsetof(BlockDescriptor, offset) == 16);
  CHECK(offsetof(BlockDescriptor, tag) == 40);
  CHECK(offsetof(ObjectHeader, hint) == 8);
  CHECK(offsetof(ObjectHeader, counts) == 16);
}

TEST_CASE("metadata and data lie apart [MEM-005]") {
  NodeFixture fixture;
  AllocationInfo info;
  const uint64_t id = fixture.allocate(100);
  check_ok(fixture.pool->find(id, info));
  // Everything behind a block up to the end of the mapping is data of the pool.
  ::memset(info.allocation.data, 0xff, 4 << 20);
  CHECK(fixture.pool->audit() == "");
  check_ok(fixture.pool->free(id));
}

TEST_CASE("a default limit is at most 4 GiB and half of the allowed memory [MEM-021]") {
  CHECK(allowed_memory_bytes() > 0);
  CHECK(default_pool_limit_bytes() <= 4ull << 30);
  const uint64_t half = std::max<uint64_t>(allowed_memory_bytes() / 2, 16 << 20);
  CHECK(default_pool_limit_bytes() <= half);
  CHECK(default_pool_limit_bytes() >= 16 << 20);
}
