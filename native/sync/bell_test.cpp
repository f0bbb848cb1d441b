// Doorbells.
#include "sync/bell.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <vector>

#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

bool readable(const Bell& bell) {
  pollfd poll{bell.fd(), POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

int rings(const Bell& bell) {
  int count = 0;
  char byte = 0;
  while (::read(bell.fd(), &byte, 1) == 1) ++count;
  return count;
}

// Takes all descriptors that this process may still have but `left`.
std::vector<int> take_descriptors(int left) {
  std::vector<int> taken;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);
  for (; left > 0 && !taken.empty(); --left) {
    ::close(taken.back());
    taken.pop_back();
  }
  return taken;
}

// How many descriptors this process may still have.
int take_and_count() {
  const std::vector<int> taken = take_descriptors(0);
  for (const int fd : taken) ::close(fd);
  return static_cast<int>(taken.size());
}

}  // namespace

TEST_CASE("a thousand rings are one, and the next one after a drain is new [SYN-040]") {
  SegmentFixture fixture;
  const auto owner = fixture.actor();
  const auto other = fixture.actor();
  CHECK_FALSE(readable(owner->bell));
  for (int i = 0; i < 1'000; ++i) other->bell.ring(owner->me.id);
  CHECK(readable(owner->bell));
  CHECK(rings(owner->bell) == 1);
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
  owner->table.bell_pending(owner->me.id).store(owner->me.id);
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

TEST_CASE("a ring meant for a former owner of the slot does not silence the bell [SYN-040]") {
  SegmentFixture fixture;
  auto owner = fixture.actor();
  const auto other = fixture.actor();
  const ActorId former = owner->me.id;
  other->bell.ring(former);
  owner->table.leave(former);
  owner.reset();
  const auto next = fixture.actor();
  REQUIRE(actor_slot(next->me.id) == actor_slot(former));
  other->bell.ring(former, true);  // goes to the FIFO that is no more
  other->bell.ring(next->me.id);
  CHECK(readable(next->bell));
}

TEST_CASE("rings to an owner that is awake are noted, and keep it from sleeping [SYN-090]") {
  SegmentFixture fixture;
  const auto owner = fixture.actor();
  const auto other = fixture.actor();
  CHECK(owner->bell.may_sleep());
  CHECK_FALSE(owner->bell.stay_awake());
  CHECK_FALSE(owner->bell.rung());
  for (int i = 0; i < 3; ++i) other->bell.ring(owner->me.id);
  CHECK_FALSE(readable(owner->bell));
  CHECK(owner->bell.rung());
  CHECK_FALSE(owner->bell.may_sleep());
  CHECK(owner->bell.stay_awake());
  CHECK(owner->bell.may_sleep());
  // Sent while it sleeps, and known afterwards; forced, it is sent always.
  other->bell.ring(owner->me.id);
  CHECK(rings(owner->bell) == 1);
  CHECK(owner->bell.stay_awake());
  CHECK_FALSE(owner->bell.stay_awake());
  other->bell.ring(owner->me.id, true);
  CHECK(rings(owner->bell) == 1);
}

TEST_CASE("more bells can be rung than there are descriptors [SYN-045]") {
  const pid_t pid = fork_child([] {
    SegmentFixture fixture;
    std::vector<std::unique_ptr<TestActor>> owners;
    for (size_t i = 0; i < kBellsOpenMax + 4; ++i) owners.push_back(fixture.actor());
    const auto ringer = fixture.actor();
    rlimit limit{64, 64};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(1);
    for (const int left : {40, 3, 1, 0}) {
      const std::vector<int> taken = take_descriptors(left);
      for (const auto& owner : owners) {
        ringer->bell.ring(owner->me.id);
        if (!readable(owner->bell)) ::_exit(2);
        owner->bell.drain();
        if (readable(owner->bell)) ::_exit(3);
      }
      for (const int fd : taken) ::close(fd);
    }
    owners.clear();
  });
  CHECK(wait_for(pid) == 0);
}

TEST_CASE("the bell of an actor that has ended is closed at the next drain [SYN-045]") {
  SegmentFixture fixture;
  const auto me = fixture.actor();
  auto other = fixture.actor();
  me->bell.ring(other->me.id);
  const ActorId gone = other->me.id;
  other.reset();
  const int before = take_and_count();
  check_ok(me->table.leave(gone));
  me->bell.drain();
  CHECK(take_and_count() == before + 1);
}
