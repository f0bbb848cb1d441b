// Serialized handles: 64 bytes that name an object or an allocation on any node of any runtime.
//
// Goals: whatever bytes come in, the answer is a handle, BAD_HANDLE or WRONG_NODE, never somebody
// else's memory. Handles are versioned and checksummed; they are names, not references: only an
// open record, or a lent one inside the handle, keeps an object alive.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/segment_header.h"
#include "sync/status.h"

namespace dragon {

constexpr uint32_t kHandleMagic = 0x31484744;  // "DGH1"
constexpr uint16_t kHandleVersion = 1;
constexpr size_t kHandleBytes = 64;

enum class HandleKind : uint8_t {
  kPool = 1,
  kChannel = 2,
  kLock = 3,
  kCounter = 4,
  kAllocation = 5,
  kSemaphore = 6,
  kBarrier = 7,
  kEvent = 8,
  kCondition = 9,
  kBroadcast = 10,
  kRwLock = 11,
  kTaskBoard = 12,
  kRegion = 13,
  kDescriptor = 14,  // on its way to another process; `allocation` is its ticket
};

struct Handle {
  HandleKind kind = HandleKind::kPool;
  uint8_t role = 0;  // of the lent record
  uint64_t host_id = 0;
  uint64_t runtime_id = 0;
  uint32_t segment_id = 0;
  uint64_t allocation = 0;   // 0 for pools
  uint64_t lent_record = 0;  // RecordId of a reference in flight, 0 if none
  uint64_t view_offset = 0;  // kAllocation: the part of it that is meant
  uint64_t view_bytes = 0;
};

using HandleBytes = uint8_t[kHandleBytes];

void encode_handle(const Handle& handle, HandleBytes& out);
// BAD_HANDLE unless these are exactly 64 bytes that `encode_handle` wrote.
Status decode_handle(const uint8_t* bytes, size_t length, Handle& out);
// The same, and WRONG_NODE if it is another node's, BAD_HANDLE if it is of another kind.
Status decode_handle_for(const NodeIdentity& here, HandleKind kind, const uint8_t* bytes,
                         size_t length, Handle& out);

}  // namespace dragon
