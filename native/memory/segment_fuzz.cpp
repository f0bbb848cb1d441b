// Any file as a pool's segment: attached, or refused with LAYOUT.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/segment.h"
#include "sync/crc32c.h"

using namespace dragon;

namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr size_t kChecksumOffset = 60;
constexpr size_t kChecked = 48;
constexpr off_t kFileBytes = 64 * static_cast<off_t>(kPageBytes);

void require(bool condition) {
  if (!condition) ::abort();
}

}  // namespace

// The first byte says how the file is made, the rest is what lies in it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t length) {
  if (length == 0) return 0;
  const uint8_t shape = *bytes++;
  --length;
  const int fd = ::memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  require(fd >= 0);
  const off_t size = (shape & 1) != 0 ? static_cast<off_t>(length) : kFileBytes;
  require(::ftruncate(fd, size) == 0);
  if ((shape & 2) == 0) require(::fcntl(fd, F_ADD_SEALS, kSeals) == 0);
  const size_t kept = size < static_cast<off_t>(length) ? static_cast<size_t>(size) : length;
  require(::pwrite(fd, bytes, kept, 0) == static_cast<ssize_t>(kept));
  if ((shape & 4) != 0 && kept >= sizeof(SegmentHeader)) {
    const uint32_t checksum = crc32c(bytes, kChecked);
    require(::pwrite(fd, &checksum, sizeof(checksum), kChecksumOffset) == sizeof(checksum));
  }
  Segment segment;
  const Status status = Segment::attach(fd, {1, 2}, segment);
  require(status == DRAGON_SUCCESS || status == DRAGON_LAYOUT);
  if (status == DRAGON_SUCCESS) {
    // What an attacher goes by: the data lie inside the mapping, behind at least one page.
    require(segment.limit_bytes() < segment.mapping().bytes());
    require(segment.metadata_bytes() >= kPageBytes);
    require(segment.header().magic.load() == kSegmentMagic);
  }
  return 0;
}
