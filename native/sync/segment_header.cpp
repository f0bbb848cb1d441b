#include "sync/segment_header.h"

#include "sync/crc32c.h"

namespace dragon {

namespace {

// The fields that never change, in the order of the layout.
struct FixedPart {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t kind;
  uint64_t bytes;
  uint64_t host_id;
  uint64_t runtime_id;
  uint64_t limit_bytes;
};
static_assert(sizeof(FixedPart) == offsetof(SegmentHeader, segment_id));

FixedPart fixed_part_of(const SegmentHeader& header) {
  return {header.magic.load(),      header.layout_version.load(), header.kind.load(),
          header.bytes.load(),      header.host_id.load(),        header.runtime_id.load(),
          header.limit_bytes.load()};
}

}  // namespace

void write_segment_header(SegmentHeader& header, SegmentKind kind, uint64_t bytes,
                          const NodeIdentity& identity, uint64_t limit_bytes) {
  header.layout_version.store(kLayoutVersion);
  header.kind.store(static_cast<uint32_t>(kind));
  header.bytes.store(bytes);
  header.host_id.store(identity.host_id);
  header.runtime_id.store(identity.runtime_id);
  header.limit_bytes.store(limit_bytes);
  header.magic.store(kSegmentMagic);
  const FixedPart fixed = fixed_part_of(header);
  header.checksum.store(crc32c(&fixed, sizeof(fixed)));
}

Status check_segment_header(const SegmentHeader& header, SegmentKind kind, uint64_t bytes) {
  const FixedPart fixed = fixed_part_of(header);
  const bool whole = fixed.magic == kSegmentMagic && fixed.layout_version == kLayoutVersion &&
                     header.checksum.load() == crc32c(&fixed, sizeof(fixed));
  const bool fits = fixed.kind == static_cast<uint32_t>(kind) && fixed.bytes == bytes;
  return whole && fits ? DRAGON_SUCCESS : DRAGON_LAYOUT;
}

}  // namespace dragon
