// Any bytes as a serialized handle: a handle, BAD_HANDLE or WRONG_NODE, and what is taken for a
// handle is exactly what would be written for it.
#include <string.h>

#include "fuzz/kernel.h"
#include "memory/handle.h"
#include "sync/crc32c.h"

using namespace dragon;
using fuzz::require;

namespace {

constexpr size_t kChecksumOffset = 60;
constexpr uint8_t kKinds = 16;

// As one of a kind, which it is or not.
void read_as(uint8_t kind, const uint8_t* bytes, size_t length, Status status, const Handle& as) {
  Handle same;
  const Status here = decode_handle_for({1, 2}, static_cast<HandleKind>(kind), bytes, length, same);
  require((here == DRAGON_BAD_HANDLE) ==
          (status != DRAGON_SUCCESS || static_cast<uint8_t>(as.kind) != kind));
  if (here != DRAGON_SUCCESS) return;
  require(same.host_id == 1 && same.runtime_id == 2);
}

void read_handle(const uint8_t* bytes, size_t length) {
  Handle handle;
  const Status status = decode_handle(bytes, length, handle);
  require(status == DRAGON_SUCCESS || status == DRAGON_BAD_HANDLE);
  const uint8_t any = length > 0 ? bytes[0] % (kKinds + 1) : 0;
  read_as(any, bytes, length, status, handle);
  if (status != DRAGON_SUCCESS) return;
  for (uint8_t kind = 0; kind <= kKinds; ++kind) read_as(kind, bytes, length, status, handle);
  HandleBytes again;
  encode_handle(handle, again);
  Handle twice;
  require(decode_handle(again, sizeof(again), twice) == DRAGON_SUCCESS);
  require(twice.allocation == handle.allocation && twice.lent_record == handle.lent_record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t length) {
  read_handle(bytes, length);
  if (length != kHandleBytes) return 0;
  // Mutations hardly ever hit a checksum: once more as if it were right.
  HandleBytes sealed;
  ::memcpy(sealed, bytes, length);
  const uint32_t checksum = crc32c(sealed, kChecksumOffset);
  ::memcpy(sealed + kChecksumOffset, &checksum, sizeof(checksum));
  read_handle(sealed, sizeof(sealed));
  return 0;
}
