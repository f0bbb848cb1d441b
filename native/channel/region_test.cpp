// Regions: bytes that several processes have open.
#include "channel/region.h"

#include <cstring>

#include "channel/channel_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::unique_ptr<Region> make_region(const std::shared_ptr<Pool>& pool, uint64_t bytes) {
  std::unique_ptr<Region> region;
  check_ok(Region::create(pool, bytes, region));
  return region;
}

Status attach_region(const std::shared_ptr<Node>& node, const Region& region,
                     std::unique_ptr<Region>& out) {
  HandleBytes handle;
  region.serialize(handle);
  RecordId adopted = 0;
  return Region::attach(node, handle, sizeof(handle), false, adopted, out);
}

bool is_zero(const Region& region) {
  for (uint64_t i = 0; i < region.bytes(); ++i) {
    if (region.data()[i] != 0) return false;
  }
  return true;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a region is zero, whatever lay there before [MEM-100]") {
  for (const uint64_t bytes : {1, 8, 4096, 100'000}) {
    const auto dirty = make_region(pool, bytes);
    ::memset(dirty->data(), 0xa5, bytes);
    dirty->close();
    const auto fresh = make_region(pool, bytes);
    CHECK(fresh->bytes() == bytes);
    CHECK(reinterpret_cast<uintptr_t>(fresh->data()) % 64 == 0);
    CHECK(is_zero(*fresh));
  }
  std::unique_ptr<Region> none;
  CHECK(Region::create(pool, 0, none) == DRAGON_INVALID_ARGUMENT);
  CHECK(Region::create(pool, UINT64_MAX, none) == DRAGON_TOO_LARGE);
  CHECK(Region::create(pool, pool->limit_bytes(), none) == DRAGON_TOO_LARGE);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "all attachments see the same bytes; the last one frees them [MEM-101]") {
  const uint64_t before = pool->stats().used_bytes;
  auto region = make_region(pool, 1000);
  const auto other = attach();
  {
    std::unique_ptr<Region> its;
    check_ok(attach_region(other, *region, its));
    its->data()[999] = 7;
    CHECK(region->data()[999] == 7);
    region->close();
    CHECK(region->data() == nullptr);
    CHECK(region->bytes() == 0);
    CHECK(its->data()[999] == 7);
    CHECK(pool->stats().used_bytes > before);
  }
  CHECK(pool->stats().used_bytes == before);
  leave(other);
}

TEST_CASE_FIXTURE(NodeFixture, "a destroyed region stays with those that have it open [MEM-102]") {
  const uint64_t before = pool->stats().used_bytes;
  auto region = make_region(pool, 64);
  region->data()[3] = 9;
  check_ok(region->destroy());
  CHECK(region->destroy() == DRAGON_OBJECT_DESTROYED);
  std::unique_ptr<Region> late;
  CHECK(attach_region(node, *region, late) == DRAGON_OBJECT_DESTROYED);
  HandleBytes handle;
  CHECK(region->lend(Role::kHolder, handle) == DRAGON_OBJECT_DESTROYED);
  CHECK(region->data()[3] == 9);
  region->close();
  CHECK(pool->stats().used_bytes == before);
}
