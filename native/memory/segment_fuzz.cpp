// Any file as a pool's segment: attached, or refused with LAYOUT.
#include <fcntl.h>
#include <string.h>

#include "fuzz/kernel.h"
#include "memory/segment.h"
#include "sync/crc32c.h"

using namespace dragon;
using fuzz::require;

namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr size_t kChecksumOffset = 60;
constexpr size_t kChecked = 48;
constexpr uint64_t kFileBytes = 64 * kPageBytes;
constexpr uint64_t kSizeUnit = 64;  // small inputs stand for files of around a page

}  // namespace

// The first byte says how the file is made, the rest is what lies in it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t length) {
  if (length == 0) return 0;
  const uint8_t shape = *bytes++;
  --length;
  uint8_t start[sizeof(SegmentHeader)];
  if ((shape & 4) != 0 && length >= sizeof(start)) {
    const uint32_t checksum = crc32c(bytes, kChecked);
    ::memcpy(start, bytes, sizeof(start));
    ::memcpy(start + kChecksumOffset, &checksum, sizeof(checksum));
    bytes = start;
  }
  const size_t kept = length < sizeof(start) ? length : sizeof(start);
  const uint64_t size = (shape & 1) != 0 ? length * kSizeUnit : kFileBytes;
  const int seals = (shape & 2) == 0 ? kSeals : 0;
  const int fd = (shape & 8) != 0 ? fuzz::make_device() : fuzz::make_file(bytes, kept, size, seals);
  {
    Segment segment;
    const Status status = Segment::attach(fd, {1, 2}, segment);
    require(status == DRAGON_SUCCESS || status == DRAGON_LAYOUT);
    if (status == DRAGON_SUCCESS) {
      // What an attacker goes by: the data lie inside the mapping, behind at least one page.
      require(segment.limit_bytes() < segment.mapping().bytes());
      require(segment.metadata_bytes() >= kPageBytes);
      require(segment.header().magic.load() == kSegmentMagic);
    }
  }
  require(fuzz::open_descriptors() == 0);
  return 0;
}
