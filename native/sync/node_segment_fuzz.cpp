// Any file as a node's segment, and any bytes in its table of well-known handles.
#include <fcntl.h>
#include <string.h>

#include "fuzz/kernel.h"
#include "sync/crc32c.h"
#include "sync/node_segment.h"

using namespace dragon;
using fuzz::require;

namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr size_t kChecksumOffset = 60;
constexpr size_t kChecked = 48;
constexpr uint64_t kSizeUnit = 64;  // small inputs stand for files of around a page
constexpr size_t kTableBytes = sizeof(WellKnownEntry) * kWellKnown;
constexpr size_t kFileBytesMax = kWellKnownOffset + kTableBytes;

void read_entry(const NodeSegment& segment, uint32_t index) {
  uint8_t handle[64];
  const Status status = segment.well_known(index, handle);
  require((status == DRAGON_INVALID_ARGUMENT) == (index >= kWellKnown));
  require(index >= kWellKnown || status == DRAGON_SUCCESS || status == DRAGON_NOT_FOUND);
}

// The entries that the bytes reach, the next one, and those around the table's end.
template <typename Look>
void each_entry(size_t length, Look look) {
  const auto reached = static_cast<uint32_t>(length / sizeof(WellKnownEntry) + 1);
  for (uint32_t index = 0; index <= reached && index < kWellKnown; ++index) look(index);
  for (uint32_t index = kWellKnown - 1; index < kWellKnown + 2; ++index) look(index);
}

// The first byte says what kind of file it is, the rest is what lies in it: its header, and with
// bit 5 of the shape its table.
void attach(uint8_t shape, const uint8_t* bytes, size_t length) {
  static uint8_t file[kFileBytesMax];
  const size_t in_header = length < sizeof(SegmentHeader) ? length : sizeof(SegmentHeader);
  ::memcpy(file, bytes, in_header);
  if ((shape & 8) != 0 && in_header == sizeof(SegmentHeader)) {
    const uint32_t checksum = crc32c(bytes, kChecked);
    ::memcpy(file + kChecksumOffset, &checksum, sizeof(checksum));
  }
  size_t kept = in_header;
  const size_t rest = length - in_header < kTableBytes ? length - in_header : kTableBytes;
  if ((shape & 32) != 0 && rest > 0) {
    ::memset(file + in_header, 0, kWellKnownOffset - in_header);
    ::memcpy(file + kWellKnownOffset, bytes + in_header, rest);
    kept = kWellKnownOffset + rest;
  }
  uint64_t size = (shape & 4) != 0 ? length * kSizeUnit : kNodeSegmentBytes;
  if (size < kept) size = kept;
  const int seals = (shape & 3) != 2 ? kSeals : 0;
  const int fd = (shape & 3) == 3 ? fuzz::make_device() : fuzz::make_file(file, kept, size, seals);
  NodeSegment segment;
  const Status status = NodeSegment::attach(fd, segment);
  require(status == DRAGON_SUCCESS || status == DRAGON_LAYOUT);
  if (status != DRAGON_SUCCESS) return;
  each_entry(rest, [&](uint32_t index) { read_entry(segment, index); });
}

// One segment for the whole campaign, whose table gets the bytes.
void fill_table(const uint8_t* bytes, size_t length) {
  static NodeSegment segment;
  static const Status made = NodeSegment::create({1, 2}, segment);
  require(made == DRAGON_SUCCESS);
  uint8_t* table = segment.mapping().base() + kWellKnownOffset;
  const size_t kept = length < kTableBytes ? length : kTableBytes;
  ::memcpy(table, bytes, kept);
  const uint8_t handle[64] = {1};
  each_entry(kept, [&](uint32_t index) {
    read_entry(segment, index);
    const bool was_free = index < kWellKnown - 1 && kept <= index * sizeof(WellKnownEntry);
    const Status status = segment.set_well_known(index, handle);
    require(!was_free || status == DRAGON_SUCCESS);
    read_entry(segment, index);
  });
  each_entry(kept, [&](uint32_t index) {
    if (index < kWellKnown)
      ::memset(table + index * sizeof(WellKnownEntry), 0, sizeof(WellKnownEntry));
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t length) {
  if (length == 0) return 0;
  if ((bytes[0] & 16) != 0) {
    fill_table(bytes + 1, length - 1);
  } else {
    attach(bytes[0], bytes + 1, length - 1);
  }
  require(fuzz::open_descriptors() == 0);
  return 0;
}
