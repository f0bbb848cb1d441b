// Views of allocations: windows, designators, contents.
#include "memory/memory_view.h"

#include <string.h>

#include <algorithm>
#include <string>
#include <vector>

#include "memory/node_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

MemoryView make_view(const std::shared_ptr<Pool>& pool, const std::string& text) {
  MemoryView view;
  check_ok(
      MemoryView::allocate(pool, text.size(), AllocationType::kData, 0, Deadline::once(), view));
  uint8_t* data = nullptr;
  check_ok(view.data(data));
  if (!text.empty()) ::memcpy(data, text.data(), text.size());
  return view;
}

std::string text_of(const MemoryView& view) {
  uint8_t* data = nullptr;
  check_ok(view.data(data));
  return data == nullptr ? "" : std::string(reinterpret_cast<char*>(data), view.bytes());
}

uint64_t hash_of(const MemoryView& view) {
  uint64_t hash = 0;
  check_ok(view.hash(hash));
  return hash;
}

bool equal(const MemoryView& a, const MemoryView& b) {
  bool out = false;
  check_ok(a.equal(b, out));
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture,
                  "offsets of clones of clones add, and none leaves its view [MEM-070]") {
  MemoryView whole = make_view(pool, "0123456789");
  MemoryView part;
  MemoryView inner;
  check_ok(whole.clone(2, 6, part));
  check_ok(part.clone(1, kRestOfView, inner));
  CHECK(text_of(part) == "234567");
  CHECK(text_of(inner) == "34567");
  CHECK(inner.offset() == 3);
  CHECK(part.clone(7, 0, inner) == DRAGON_INVALID_ARGUMENT);
  CHECK(part.clone(6, 1, inner) == DRAGON_INVALID_ARGUMENT);
  CHECK(part.clone(UINT64_MAX, UINT64_MAX, inner) == DRAGON_INVALID_ARGUMENT);
  check_ok(part.clone(6, 0, inner));
  CHECK(text_of(inner) == "");
  check_ok(part.set_bytes(8));
  CHECK(text_of(part) == "23456789");
  CHECK(part.set_bytes(9) == DRAGON_INVALID_ARGUMENT);
  // Even a window of nothing frees the allocation, and all of it.
  check_ok(inner.free());
  uint8_t* data = nullptr;
  CHECK(whole.data(data) == DRAGON_OBJECT_DESTROYED);
  CHECK(whole.free() == DRAGON_OBJECT_DESTROYED);
  CHECK(part.clone(0, 1, inner) == DRAGON_OBJECT_DESTROYED);
  CHECK(part.set_bytes(1) == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE_FIXTURE(NodeFixture, "a designator takes no memory and is legal everywhere [MEM-071]") {
  MemoryView nothing = make_view(pool, "");
  CHECK(nothing.designator());
  CHECK(pool->stats().allocations == 0);
  uint8_t* data = nullptr;
  check_ok(nothing.data(data));
  CHECK(data == nullptr);
  CHECK(equal(nothing, MemoryView(pool)));
  CHECK(nothing.same(MemoryView(pool)));
  CHECK(hash_of(nothing) == content_hash(nullptr, 0));
  check_ok(nothing.copy_to(MemoryView(pool)));
  check_ok(nothing.clear());
  CHECK(nothing.clear(1) == DRAGON_INVALID_ARGUMENT);
  CHECK(nothing.set_bytes(1) == DRAGON_INVALID_ARGUMENT);
  check_ok(nothing.free());
  HandleBytes handle;
  nothing.serialize(handle);
  MemoryView attached;
  check_ok(MemoryView::attach(node, handle, sizeof(handle), attached));
  CHECK(attached.designator());
  CHECK(attached.same(nothing));
  check_ok(attached.resize(100));
  CHECK(attached.bytes() == 100);
  CHECK(pool->stats().allocations == 1);
  CHECK_FALSE(attached.same(nothing));
  check_ok(attached.free());
}

TEST_CASE_FIXTURE(NodeFixture, "a view is attached as it was serialized [MEM-072]") {
  MemoryView whole = make_view(pool, "0123456789");
  MemoryView part;
  check_ok(whole.clone(3, 4, part));
  HandleBytes handle;
  part.serialize(handle);
  const auto other = attach();
  {
    MemoryView its;
    check_ok(MemoryView::attach(other, handle, sizeof(handle), its));
    CHECK(text_of(its) == "3456");
    CHECK(its.same(part));
    uint8_t* data = nullptr;
    check_ok(its.data(data));
    data[0] = 'x';
    CHECK(text_of(whole) == "012x456789");
    check_ok(whole.resize(5));
    CHECK(its.data(data) == DRAGON_INVALID_ARGUMENT);
    MemoryView late;
    CHECK(MemoryView::attach(other, handle, sizeof(handle), late) == DRAGON_INVALID_ARGUMENT);
    check_ok(whole.free());
    CHECK(MemoryView::attach(other, handle, sizeof(handle), late) == DRAGON_OBJECT_DESTROYED);
    CHECK(its.free() == DRAGON_OBJECT_DESTROYED);
    handle[40] ^= 1;
    CHECK(MemoryView::attach(other, handle, sizeof(handle), late) == DRAGON_BAD_HANDLE);
    pool->serialize(handle);
    CHECK(MemoryView::attach(other, handle, sizeof(handle), late) == DRAGON_BAD_HANDLE);
  }
  leave(other);
}

TEST_CASE_FIXTURE(NodeFixture, "an allocation is resized where it lies, by its owner [MEM-073]") {
  MemoryView view = make_view(pool, std::string(10'000, 'a'));
  const uint64_t used = pool->stats().used_bytes;
  check_ok(view.resize(100));
  CHECK(view.bytes() == 100);
  CHECK(pool->stats().used_bytes == used - block_bytes_for(10'000) + block_bytes_for(100));
  check_ok(view.resize(9'000));
  CHECK(text_of(view).substr(0, 100) == std::string(100, 'a'));
  CHECK(view.resize(0) == DRAGON_INVALID_ARGUMENT);
  CHECK(view.resize(65ull << 20) == DRAGON_TOO_LARGE);
  MemoryView part;
  check_ok(view.clone(1, 5, part));
  CHECK(part.resize(10) == DRAGON_INVALID_ARGUMENT);
  // Somebody else's memory lies behind it now.
  MemoryView next = make_view(pool, std::string(70'000, 'b'));
  CHECK(view.resize(200'000) == DRAGON_OUT_OF_MEMORY);
  CHECK(text_of(view).substr(0, 100) == std::string(100, 'a'));
  const auto other = attach();
  {
    const auto its = pool_for(other);
    CHECK(its->resize(view.id(), 50) == DRAGON_NOT_OWNER);
  }
  leave(other);
  check_ok(view.free());
  CHECK(view.resize(50) == DRAGON_OBJECT_DESTROYED);
  check_ok(next.free());
}

TEST_CASE_FIXTURE(NodeFixture,
                  "equality and hash are of content, sameness of place [MEM-074] [MEM-075]") {
  std::shared_ptr<Pool> second;
  check_ok(Pool::create(node, {}, second));
  MemoryView a = make_view(pool, "hello, world");
  MemoryView b = make_view(second, "hello, world");
  MemoryView c = make_view(second, "hello, World");
  MemoryView shorter;
  check_ok(a.clone(0, 11, shorter));
  CHECK(equal(a, b));
  CHECK_FALSE(equal(a, c));
  CHECK_FALSE(equal(a, shorter));
  CHECK_FALSE(equal(shorter, a));
  CHECK(hash_of(a) == hash_of(b));
  CHECK(hash_of(a) != hash_of(c));
  CHECK(hash_of(a) != hash_of(shorter));
  CHECK(a.same(shorter));
  // The first allocation of each pool has the same number.
  CHECK_FALSE(a.same(b));
  CHECK_FALSE(MemoryView(pool).same(MemoryView(second)));
  const uint8_t golden[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  CHECK(content_hash(golden, 0) == 0);
  CHECK(content_hash(golden, 9) == 0x6e317251a572accd);
  check_ok(a.free());
  bool out = false;
  uint64_t hash = 0;
  CHECK(b.equal(a, out) == DRAGON_OBJECT_DESTROYED);
  CHECK(a.hash(hash) == DRAGON_OBJECT_DESTROYED);
  check_ok(b.free());
  check_ok(c.free());
}

TEST_CASE_FIXTURE(NodeFixture, "copies may overlap, go to other pools, and stay inside [MEM-076]") {
  std::shared_ptr<Pool> second;
  check_ok(Pool::create(node, {}, second));
  MemoryView whole = make_view(pool, "0123456789");
  MemoryView front;
  MemoryView back;
  check_ok(whole.clone(0, 6, front));
  check_ok(whole.clone(2, 6, back));
  check_ok(front.copy_to(back));
  CHECK(text_of(whole) == "0101234589");
  CHECK(whole.copy_to(back) == DRAGON_BUFFER_TOO_SHORT);
  MemoryView copy;
  check_ok(back.copy_to(second, Deadline::once(), copy));
  CHECK(text_of(copy) == "012345");
  CHECK(copy.pool() == second);
  check_ok(front.clear(5, 100));
  CHECK(text_of(whole) == std::string("01012\0"
                                      "4589",
                                      10));
  check_ok(copy.clear(4, 100));
  CHECK(text_of(copy) == std::string("0123\0\0", 6));
  CHECK(copy.clear(7) == DRAGON_INVALID_ARGUMENT);
  check_ok(copy.clear(3, 2));
  check_ok(copy.clear());
  CHECK(text_of(copy) == std::string(6, '\0'));
  check_ok(whole.free());
  CHECK(back.copy_to(copy) == DRAGON_OBJECT_DESTROYED);
  CHECK(copy.copy_to(back) == DRAGON_OBJECT_DESTROYED);
  CHECK(back.copy_to(second, Deadline::once(), front) == DRAGON_OBJECT_DESTROYED);
  CHECK(second->stats().allocations == 1);
  check_ok(copy.free());
}

TEST_CASE_FIXTURE(NodeFixture, "allocations are found by id, type and tag [MEM-077] [MEM-029]") {
  MemoryView boot;
  check_ok(
      MemoryView::allocate(pool, 10, AllocationType::kBootstrap, 4711, Deadline::once(), boot));
  MemoryView data = make_view(pool, "data");
  AllocationInfo info;
  const uint32_t next = pool->next_allocation(1, AllocationType::kBootstrap, info);
  REQUIRE(next != 0);
  CHECK(info.allocation.id == boot.id());
  CHECK(info.tag == 4711);
  CHECK(pool->next_allocation(next, AllocationType::kBootstrap, info) == 0);
  CHECK(pool->next_allocation(1, AllocationType::kChannel, info) == 0);
  MemoryView found;
  check_ok(MemoryView::of(pool, data.id(), found));
  CHECK(text_of(found) == "data");
  CHECK(pool->exists(data.id()));
  check_ok(data.free());
  CHECK_FALSE(pool->exists(data.id()));
  CHECK(MemoryView::of(pool, data.id(), found) == DRAGON_OBJECT_DESTROYED);
  check_ok(boot.free());
}
