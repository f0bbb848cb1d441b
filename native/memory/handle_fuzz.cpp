// Any bytes as a serialized handle: a handle, BAD_HANDLE or WRONG_NODE, and what is taken for a
// handle is exactly what would be written for it.
#include <stdlib.h>
#include <string.h>

#include "memory/handle.h"
#include "sync/crc32c.h"

using namespace dragon;

namespace {

constexpr size_t kChecksumOffset = 60;

void require(bool condition) {
  if (!condition) ::abort();
}

void read_handle(const uint8_t* bytes, size_t length) {
  Handle handle;
  const Status status = decode_handle(bytes, length, handle);
  require(status == DRAGON_SUCCESS || status == DRAGON_BAD_HANDLE);
  const NodeIdentity here = {1, 2};
  for (uint8_t kind = 0; kind <= 16; ++kind) {
    Handle same;
    const Status here_status =
        decode_handle_for(here, static_cast<HandleKind>(kind), bytes, length, same);
    if (here_status == DRAGON_SUCCESS) {
      require(same.host_id == 1 && same.runtime_id == 2);
      require(status == DRAGON_SUCCESS && static_cast<uint8_t>(handle.kind) == kind);
    }
  }
  if (status != DRAGON_SUCCESS) return;
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
