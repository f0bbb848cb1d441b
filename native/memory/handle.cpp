#include "memory/handle.h"

#include <string.h>

#include "sync/crc32c.h"

namespace dragon {

namespace {

struct Wire {
  uint32_t magic;
  uint16_t version;
  uint8_t kind;
  uint8_t role;
  uint64_t host_id;
  uint64_t runtime_id;
  uint64_t allocation;
  uint32_t segment_id;
  uint32_t zero32;
  uint64_t lent_record;  // kAllocation: view_offset
  uint64_t view_bytes;
  uint32_t zero32b;
  uint32_t checksum;
};
static_assert(sizeof(Wire) == kHandleBytes);
static_assert(offsetof(Wire, allocation) == 24 && offsetof(Wire, lent_record) == 40);
static_assert(offsetof(Wire, checksum) == 60);

bool known_kind(uint8_t kind) {
  return kind >= static_cast<uint8_t>(HandleKind::kPool) &&
         kind <= static_cast<uint8_t>(HandleKind::kDescriptor);
}

}  // namespace

void encode_handle(const Handle& handle, HandleBytes& out) {
  Wire wire{};
  wire.magic = kHandleMagic;
  wire.version = kHandleVersion;
  wire.kind = static_cast<uint8_t>(handle.kind);
  wire.role = handle.role;
  wire.host_id = handle.host_id;
  wire.runtime_id = handle.runtime_id;
  wire.allocation = handle.allocation;
  wire.segment_id = handle.segment_id;
  const bool view = handle.kind == HandleKind::kAllocation;
  wire.lent_record = view ? handle.view_offset : handle.lent_record;
  wire.view_bytes = view ? handle.view_bytes : 0;
  wire.checksum = crc32c(&wire, offsetof(Wire, checksum));
  ::memcpy(out, &wire, sizeof(wire));
}

Status decode_handle(const uint8_t* bytes, size_t length, Handle& out) {
  Wire wire;
  if (length != sizeof(wire)) return DRAGON_BAD_HANDLE;
  ::memcpy(&wire, bytes, sizeof(wire));
  if (wire.checksum != crc32c(&wire, offsetof(Wire, checksum))) return DRAGON_BAD_HANDLE;
  if (wire.magic != kHandleMagic || wire.version != kHandleVersion) return DRAGON_BAD_HANDLE;
  if (!known_kind(wire.kind) || wire.role > 2) return DRAGON_BAD_HANDLE;
  out.kind = static_cast<HandleKind>(wire.kind);
  out.role = wire.role;
  out.host_id = wire.host_id;
  out.runtime_id = wire.runtime_id;
  out.segment_id = wire.segment_id;
  out.allocation = wire.allocation;
  const bool view = out.kind == HandleKind::kAllocation;
  out.lent_record = view ? 0 : wire.lent_record;
  out.view_offset = view ? wire.lent_record : 0;
  out.view_bytes = view ? wire.view_bytes : 0;
  return DRAGON_SUCCESS;
}

Status decode_handle_for(const NodeIdentity& here, HandleKind kind, const uint8_t* bytes,
                         size_t length, Handle& out) {
  const Status status = decode_handle(bytes, length, out);
  if (status != DRAGON_SUCCESS) return status;
  if (out.kind != kind) return DRAGON_BAD_HANDLE;
  const bool local = out.host_id == here.host_id && out.runtime_id == here.runtime_id;
  return local ? DRAGON_SUCCESS : DRAGON_WRONG_NODE;
}

}  // namespace dragon
