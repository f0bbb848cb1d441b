// Doorbells.
#include "sync/bell.h"

#include <poll.h>
#include <sys/socket.h>

#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

bool readable(const Bell& bell) {
  pollfd poll{bell.fd(), POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

int datagrams(const Bell& bell) {
  int count = 0;
  char byte = 0;
  while (::recv(bell.fd(), &byte, 1, MSG_DONTWAIT) >= 0) ++count;
  return count;
}

}  // namespace

TEST_CASE("a thousand rings are one datagram, and the next one after a drain is new [SYN-040]") {
  SegmentFixture fixture;
  const auto owner = fixture.actor();
  const auto other = fixture.actor();
  CHECK_FALSE(readable(owner->bell));
  for (int i = 0; i < 1'000; ++i) other->bell.ring(owner->me.id);
  CHECK(readable(owner->bell));
  CHECK(datagrams(owner->bell) == 1);
  owner->bell.drain();
  CHECK_FALSE(readable(owner->bell));
  other->bell.ring(owner->me.id);
  CHECK(readable(owner->bell));
}

TEST_CASE("a full bell counts as rung and a missing one is ignored [SYN-041]") {
  SegmentFixture fixture;
  const auto owner = fixture.actor();
  auto other = fixture.actor();
  const ActorId gone = other->me.id;
  other.reset();
  for (int i = 0; i < 100'000; ++i) owner->bell.ring(owner->me.id, true);
  CHECK(readable(owner->bell));
  owner->bell.ring(gone);
  owner->bell.ring(gone, true);
  owner->bell.drain();
  CHECK_FALSE(readable(owner->bell));
}

TEST_CASE("a forced ring is sent although the bell counts as rung [SYN-042]") {
  SegmentFixture fixture;
  const auto owner = fixture.actor();
  owner->table.bell_pending(owner->me.id).store(1);
  owner->bell.ring(owner->me.id);
  CHECK_FALSE(readable(owner->bell));
  owner->bell.ring(owner->me.id, true);
  CHECK(readable(owner->bell));
}

TEST_CASE("a directory whose name is too long for a socket is refused [SYN-043]") {
  SegmentFixture fixture;
  ActorTable table(fixture.segment);
  Bell bell;
  const std::string dir = "/tmp/" + std::string(100, 'x');
  CHECK(bell.open(dir.c_str(), table, make_actor_id(1, 1), true) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE("a bell's name goes with it, and one that was left behind is replaced [SYN-044]") {
  SegmentFixture fixture;
  auto owner = fixture.actor();
  const std::string name = fixture.dir.path() + "/bell.0";
  CHECK(::access(name.c_str(), F_OK) == 0);
  owner.reset();
  CHECK(::access(name.c_str(), F_OK) != 0);
  FILE* left = ::fopen(name.c_str(), "w");
  REQUIRE(left != nullptr);
  ::fclose(left);
  ActorTable table(fixture.segment);
  Bell bell;
  check_ok(bell.open(fixture.dir.path().c_str(), table, make_actor_id(1, 0), true));
}
