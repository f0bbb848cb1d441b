#include <string.h>

#include "memory/node_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint64_t kBytes = 3000;

// Bytes of this actor's that are shared; its share.
uint64_t shared_bytes(Pool& pool, uint32_t holders, uint64_t* bytes_id = nullptr) {
  Allocation bytes;
  check_ok(pool.try_allocate(kBytes, AllocationType::kData, bytes));
  ::memset(bytes.data, 'x', kBytes);
  uint64_t share = 0;
  check_ok(pool.share(bytes.id, holders, share));
  if (bytes_id != nullptr) *bytes_id = bytes.id;
  return share;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "shared bytes are freed with the last share [MEM-090]") {
  const uint64_t before = pool->stats().used_bytes;
  uint64_t id = 0;
  const uint64_t first = shared_bytes(*pool, 3, &id);
  uint64_t second = 0;
  uint64_t third = 0;
  check_ok(pool->share_again(first, second));
  check_ok(pool->share_again(second, third));
  AllocationInfo info;
  check_ok(pool->find_bytes(third, info));
  CHECK(info.allocation.bytes == kBytes);
  CHECK(info.allocation.data[kBytes - 1] == 'x');
  check_ok(pool->free(first));
  check_ok(pool->free(third));
  CHECK(pool->exists(id));
  check_ok(pool->find_bytes(second, info));
  CHECK(info.allocation.data[0] == 'x');
  check_ok(pool->free(second));
  CHECK_FALSE(pool->exists(id));
  CHECK(pool->free(second) == DRAGON_OBJECT_DESTROYED);
  CHECK(pool->stats().used_bytes == before);
  CHECK(pool->audit() == "");
}

TEST_CASE_FIXTURE(NodeFixture, "places of shares that have ended are used again [MEM-091]") {
  uint64_t share = shared_bytes(*pool, 2);
  for (int round = 0; round < 10; ++round) {
    uint64_t next = 0;
    uint64_t none = 0;
    check_ok(pool->share_again(share, next));
    CHECK(pool->share_again(share, none) == DRAGON_STATE);
    check_ok(pool->free(share));
    share = next;
  }
  check_ok(pool->free(share));
  CHECK(pool->stats().allocations == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "only its owner shares an allocation or a share [MEM-090]") {
  Allocation bytes;
  check_ok(pool->try_allocate(kBytes, AllocationType::kData, bytes));
  uint64_t share = 0;
  uint64_t none = 0;
  CHECK(pool->share(bytes.id, 0, share) == DRAGON_INVALID_ARGUMENT);
  CHECK(pool->share(bytes.id, 5000, share) == DRAGON_INVALID_ARGUMENT);
  CHECK(pool->share_again(bytes.id, none) == DRAGON_INVALID_ARGUMENT);
  check_ok(pool->share(bytes.id, 4, share));
  CHECK(pool->share(bytes.id, 4, none) == DRAGON_NOT_OWNER);
  CHECK(pool->share(share, 4, none) == DRAGON_INVALID_ARGUMENT);
  const auto other = attach();
  {
    const auto its = pool_for(other);
    CHECK(its->share_again(share, none) == DRAGON_NOT_OWNER);
  }
  leave(other);
  check_ok(pool->free(share));
  CHECK(pool->share_again(share, none) == DRAGON_OBJECT_DESTROYED);
  CHECK(pool->stats().allocations == 0);
}
