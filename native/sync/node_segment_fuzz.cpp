// Any file as a node's segment, and any bytes in its table of well-known handles.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sync/crc32c.h"
#include "sync/node_segment.h"

using namespace dragon;

namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr size_t kChecksumOffset = 60;
constexpr size_t kChecked = 48;

void require(bool condition) {
  if (!condition) ::abort();
}

// The first byte says what kind of file it is, the rest is what lies in it.
int make_file(uint8_t shape, const uint8_t* bytes, size_t length) {
  if ((shape & 3) == 3) return ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int fd = ::memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  require(fd >= 0);
  const auto size = static_cast<off_t>((shape & 4) != 0 ? length : kNodeSegmentBytes);
  require(::ftruncate(fd, size) == 0);
  if ((shape & 3) != 2) require(::fcntl(fd, F_ADD_SEALS, kSeals) == 0);
  const size_t kept = size < static_cast<off_t>(length) ? static_cast<size_t>(size) : length;
  require(::pwrite(fd, bytes, kept, 0) == static_cast<ssize_t>(kept));
  if ((shape & 8) != 0 && kept >= sizeof(SegmentHeader)) {
    const uint32_t checksum = crc32c(bytes, kChecked);
    require(::pwrite(fd, &checksum, sizeof(checksum), kChecksumOffset) == sizeof(checksum));
  }
  return fd;
}

void read_table(const NodeSegment& segment) {
  for (uint32_t index = 0; index < kWellKnown + 2; ++index) {
    uint8_t handle[64];
    const Status status = segment.well_known(index, handle);
    require((status == DRAGON_INVALID_ARGUMENT) == (index >= kWellKnown));
    require(index >= kWellKnown || status == DRAGON_SUCCESS || status == DRAGON_NOT_FOUND);
  }
}

// One segment for the whole campaign, whose table gets the bytes.
void fill_table(const uint8_t* bytes, size_t length) {
  static NodeSegment segment;
  static const Status made = NodeSegment::create({1, 2}, segment);
  require(made == DRAGON_SUCCESS);
  constexpr size_t kTableBytes = sizeof(WellKnownEntry) * kWellKnown;
  uint8_t* table = segment.mapping().base() + kWellKnownOffset;
  ::memset(table, 0, kTableBytes);
  ::memcpy(table, bytes, length < kTableBytes ? length : kTableBytes);
  read_table(segment);
  const uint8_t handle[64] = {1};
  for (uint32_t index = 0; index <= kWellKnown; ++index) {
    const bool was_free = index < kWellKnown && length <= index * sizeof(WellKnownEntry);
    const Status status = segment.set_well_known(index, handle);
    require(!was_free || status == DRAGON_SUCCESS);
  }
  read_table(segment);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t length) {
  if (length == 0) return 0;
  if ((bytes[0] & 16) != 0) {
    fill_table(bytes + 1, length - 1);
    return 0;
  }
  NodeSegment segment;
  const Status status = NodeSegment::attach(make_file(bytes[0], bytes + 1, length - 1), segment);
  require(status == DRAGON_SUCCESS || status == DRAGON_LAYOUT);
  if (status == DRAGON_SUCCESS) read_table(segment);
  return 0;
}
