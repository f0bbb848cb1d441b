// The first 64 bytes of every segment.
//
// Goals: an attach refuses with LAYOUT whatever is not a segment of this layout, kind and size.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/status.h"
#include "sync/word.h"

namespace dragon {

constexpr uint64_t kSegmentMagic = 0x314d475347415244;  // "DRAGSGM1"
// Raised by every change of a shared layout; spec/memory.md and spec/sync.md list the layouts.
constexpr uint32_t kLayoutVersion = 1;

enum class SegmentKind : uint32_t { kNode = 1, kPool = 2 };

struct SegmentHeader {
  Word64 magic;
  Word32 layout_version;
  Word32 kind;
  Word64 bytes;
  Word64 host_id;
  Word64 runtime_id;
  Word64 limit_bytes;  // pools: most bytes of data
  Word32 segment_id;   // given by the broker, so not part of the checksum; 0 is the node's own
  Word32 spare32;
  Word32 spare;
  Word32 checksum;  // CRC-32C of bytes 0..47
};
static_assert(sizeof(SegmentHeader) == 64);
static_assert(offsetof(SegmentHeader, segment_id) == 48 && offsetof(SegmentHeader, checksum) == 60);

struct NodeIdentity {
  uint64_t host_id = 0;
  uint64_t runtime_id = 0;
};

void write_segment_header(SegmentHeader& header, SegmentKind kind, uint64_t bytes,
                          const NodeIdentity& identity, uint64_t limit_bytes);
Status check_segment_header(const SegmentHeader& header, SegmentKind kind, uint64_t bytes);

}  // namespace dragon
