// Serialized handles: what is damaged is refused.
#include "memory/handle.h"

#include <string.h>

#include <random>

#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

const NodeIdentity kHere{11, 22};

Handle example() {
  Handle handle;
  handle.kind = HandleKind::kChannel;
  handle.role = 1;
  handle.host_id = kHere.host_id;
  handle.runtime_id = kHere.runtime_id;
  handle.segment_id = 3;
  handle.allocation = 0x0000000500000006;
  handle.lent_record = 0x0000000700000008;
  return handle;
}

}  // namespace

TEST_CASE("a handle comes back as it was [MEM-040]") {
  HandleBytes bytes;
  encode_handle(example(), bytes);
  Handle found;
  check_ok(decode_handle_for(kHere, HandleKind::kChannel, bytes, sizeof(bytes), found));
  CHECK(found.role == 1);
  CHECK(found.segment_id == 3);
  CHECK(found.allocation == 0x0000000500000006);
  CHECK(found.lent_record == 0x0000000700000008);
}

TEST_CASE("the bytes of a handle are those of the layout [MEM-041]") {
  HandleBytes bytes;
  encode_handle(example(), bytes);
  const uint8_t golden[] = {0x44, 0x47, 0x48, 0x31, 1, 0, 2, 1, 11, 0, 0, 0, 0, 0, 0, 0,
                            22,   0,    0,    0,    0, 0, 0, 0, 6,  0, 0, 0, 5, 0, 0, 0,
                            3,    0,    0,    0,    0, 0, 0, 0, 8,  0, 0, 0, 7, 0, 0, 0};
  CHECK(::memcmp(bytes, golden, sizeof(golden)) == 0);
  for (size_t byte = sizeof(golden); byte < 60; ++byte) CHECK(bytes[byte] == 0);
}

TEST_CASE("any changed bit makes a handle BAD_HANDLE [MEM-042]") {
  HandleBytes bytes;
  encode_handle(example(), bytes);
  Handle found;
  for (size_t bit = 0; bit < kHandleBytes * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    CHECK(decode_handle(bytes, sizeof(bytes), found) == DRAGON_BAD_HANDLE);
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
  check_ok(decode_handle(bytes, sizeof(bytes), found));
}

TEST_CASE("bytes of any other length, and noise, are BAD_HANDLE [MEM-042]") {
  uint8_t bytes[200] = {};
  Handle found;
  for (size_t length = 0; length < sizeof(bytes); ++length) {
    CHECK(decode_handle(bytes, length, found) == DRAGON_BAD_HANDLE);
  }
  std::mt19937 random(1);
  for (int i = 0; i < 2'000; ++i) {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    CHECK(decode_handle(bytes, kHandleBytes, found) == DRAGON_BAD_HANDLE);
  }
}

TEST_CASE("another node's or runtime's handle is WRONG_NODE, another kind's BAD_HANDLE [MEM-043]") {
  HandleBytes bytes;
  Handle found;
  encode_handle(example(), bytes);
  const auto decode = [&](NodeIdentity here, HandleKind kind) {
    return decode_handle_for(here, kind, bytes, sizeof(bytes), found);
  };
  CHECK(decode({12, 22}, HandleKind::kChannel) == DRAGON_WRONG_NODE);
  CHECK(decode({11, 23}, HandleKind::kChannel) == DRAGON_WRONG_NODE);
  CHECK(decode(kHere, HandleKind::kLock) == DRAGON_BAD_HANDLE);
}
