// The node's segment: layout, checks, growth of its tables.
#include "sync/node_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "sync/crc32c.h"
#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

uint64_t resident_bytes(int fd) {
  struct stat status;
  REQUIRE(::fstat(fd, &status) == 0);
  return static_cast<uint64_t>(status.st_blocks) * 512;
}

// An unsealed or smaller copy of a segment's file, for attaches that must fail.
int file_of(uint64_t bytes, int seals) {
  const int fd = ::memfd_create("not a segment", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  REQUIRE(::ftruncate(fd, static_cast<off_t>(bytes)) == 0);
  if (seals != 0) REQUIRE(::fcntl(fd, F_ADD_SEALS, seals) == 0);
  return fd;
}

}  // namespace

TEST_CASE("the tables lie where the layout says [SYN-002]") {
  CHECK(kWellKnownOffset == 4096);
  CHECK(kBucketsOffset == 8192);
  CHECK(kStripesOffset == 24576);
  CHECK(kActorsOffset == 28672);
  CHECK(kRecordsOffset == 2125824);
  CHECK(kNodeSegmentBytes == 18903040);
  CHECK(offsetof(NodeHeader, actors_committed) == 64);
  CHECK(offsetof(NodeHeader, next_ticket) == 80);
  CHECK(offsetof(NodeHeader, reclaim_mutex) == 88);
}

TEST_CASE("an attach refuses everything but a whole segment of this layout [SYN-003]") {
  SegmentFixture fixture;
  NodeSegment other;
  const auto attach = [&] {
    return NodeSegment::attach(::fcntl(fixture.segment.fd(), F_DUPFD_CLOEXEC, 0), other);
  };
  check_ok(attach());
  CHECK(other.identity().host_id == 1);
  CHECK(other.identity().runtime_id == 2);
  auto* bytes = fixture.segment.mapping().base();
  for (const size_t byte : {0, 8, 12, 16, 24, 32, 40, 60}) {
    bytes[byte] ^= 1;
    CHECK(attach() == DRAGON_LAYOUT);
    bytes[byte] ^= 1;
  }
  SegmentHeader& header = fixture.segment.header().segment;
  header.layout_version.store(kLayoutVersion + 1);  // another version with a right checksum
  header.checksum.store(crc32c(bytes, 48));
  CHECK(attach() == DRAGON_LAYOUT);
}

TEST_CASE("a file without the seals, or of another size, is no segment [SYN-003] [SYN-004]") {
  NodeSegment segment;
  const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  CHECK(NodeSegment::attach(file_of(kNodeSegmentBytes, 0), segment) == DRAGON_LAYOUT);
  CHECK(NodeSegment::attach(file_of(kNodeSegmentBytes, all), segment) == DRAGON_LAYOUT);
  CHECK(NodeSegment::attach(file_of(4096, all), segment) == DRAGON_LAYOUT);
  CHECK(NodeSegment::attach(file_of(10, all), segment) == DRAGON_LAYOUT);
  CHECK(NodeSegment::attach(-1, segment) == DRAGON_LAYOUT);
}

TEST_CASE("nobody can shrink, grow or unseal the segment [SYN-004]") {
  SegmentFixture fixture;
  CHECK(::ftruncate(fixture.segment.fd(), 4096) != 0);
  CHECK(errno == EPERM);
  CHECK(::ftruncate(fixture.segment.fd(), static_cast<off_t>(kNodeSegmentBytes) * 2) != 0);
  CHECK(::fcntl(fixture.segment.fd(), F_ADD_SEALS, F_SEAL_WRITE) != 0);
}

TEST_CASE("a new segment takes at most 256 KiB of memory [SYN-005]") {
  SegmentFixture fixture;
  CHECK(resident_bytes(fixture.segment.fd()) <= 256 * 1024);
}

TEST_CASE("a well-known handle is set once [SYN-006]") {
  SegmentFixture fixture;
  uint8_t handle[64];
  uint8_t found[64];
  for (size_t i = 0; i < 64; ++i) handle[i] = static_cast<uint8_t>(i * 3);
  CHECK(fixture.segment.well_known(31, found) == DRAGON_NOT_FOUND);
  check_ok(fixture.segment.set_well_known(31, handle));
  check_ok(fixture.segment.well_known(31, found));
  CHECK(::memcmp(handle, found, 64) == 0);
  CHECK(fixture.segment.set_well_known(31, handle) == DRAGON_EXISTS);
  CHECK(fixture.segment.set_well_known(32, handle) == DRAGON_INVALID_ARGUMENT);
  CHECK(fixture.segment.well_known(32, found) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE("the record area grows in steps to 262143 records and then refuses [SYN-050] [SYN-051]") {
  SegmentFixture fixture;
  RecordArea records(fixture.segment);
  const uint64_t before = resident_bytes(fixture.segment.fd());
  RecordId id = 0;
  for (uint32_t i = 0; i < kRecordsMax - 1; ++i) REQUIRE(records.claim(77, id) == DRAGON_SUCCESS);
  CHECK(resident_bytes(fixture.segment.fd()) - before > 15 << 20);
  RecordId refused = 0;
  CHECK(records.claim(77, refused) == DRAGON_TOO_MANY_RECORDS);
  CHECK(records.current(id));
  records.release(id);
  CHECK_FALSE(records.current(id));
  check_ok(records.claim(78, refused));
  CHECK(RecordArea::index_of(refused) == RecordArea::index_of(id));
  CHECK(refused != id);
}

TEST_CASE("checksums are CRC-32C [SYN-007]") {
  CHECK(crc32c("123456789", 9) == 0xe3069283);
  CHECK(crc32c("", 0) == 0);
}
