// Actors: identities, liveness, reuse of slots.
// variants: plain asan
#include "sync/actor.h"

#include <signal.h>

#include <set>

#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

TEST_CASE("actors of one process have different ids, none 0, and bit 31 clear [SYN-010]") {
  SegmentFixture fixture;
  std::set<ActorId> ids;
  ActorTable table(fixture.segment);
  for (int i = 0; i < 200; ++i) {
    ActorId id = 0;
    check_ok(table.enter("many", id));
    CHECK(id != 0);
    CHECK((id & 1u << 31) == 0);
    CHECK(table.alive(id));
    ids.insert(id);
  }
  CHECK(ids.size() == 200);
}

TEST_CASE("a slot that was left comes back under another generation [SYN-011]") {
  SegmentFixture fixture;
  ActorTable table(fixture.segment);
  ActorId first = 0;
  ActorId second = 0;
  check_ok(table.enter("first", first));
  check_ok(table.leave(first));
  CHECK_FALSE(table.alive(first));
  CHECK(table.leave(first) == DRAGON_NOT_FOUND);
  check_ok(table.enter("second", second));
  CHECK(actor_slot(second) == actor_slot(first));
  CHECK(second != first);
  CHECK_FALSE(table.alive(first));
  CHECK_FALSE(table.probe(first));
  CHECK(table.alive(second));
}

TEST_CASE("generations wrap around without id 0 [SYN-010] [SYN-011]") {
  SegmentFixture fixture;
  ActorTable table(fixture.segment);
  // As after 2^17 - 2 owners.
  fixture.segment.actor(0).word.store(uint64_t{kActorGenerations - 1} << 3);
  ActorId last = 0;
  ActorId wrapped = 0;
  check_ok(table.enter("last", last));
  check_ok(table.leave(last));
  check_ok(table.enter("wrapped", wrapped));
  CHECK(actor_generation(last) == kActorGenerations - 1);
  CHECK(actor_generation(wrapped) == 1);
}

TEST_CASE("a probe marks the actor of an ended process dead, also while it is a zombie [SYN-012]") {
  SegmentFixture fixture;
  ActorTable table(fixture.segment);
  ActorId& id = shared_variable<ActorId>();
  const pid_t pid = fork_child([&] { table.enter("child", id); });
  siginfo_t ended;
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT) == 0);
  CHECK(table.alive(id));
  CHECK_FALSE(table.probe(id));
  CHECK_FALSE(table.alive(id));
  wait_for(pid);
  CHECK_FALSE(table.probe(id));
}

TEST_CASE("a stopped process is alive, and known to be stopped [SYN-012]") {
  SegmentFixture fixture;
  ActorTable table(fixture.segment);
  ActorId& id = shared_variable<ActorId>();
  const pid_t pid = fork_child([&] {
    table.enter("child", id);
    ::raise(SIGSTOP);
  });
  int status = 0;
  REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
  CHECK(table.probe(id));
  CHECK(table.stopped(id));
  ::kill(pid, SIGKILL);
  wait_for(pid);
}

TEST_CASE("a process that started at another time is not the actor's [SYN-012]") {
  SegmentFixture fixture;
  ActorTable table(fixture.segment);
  ActorId id = 0;
  check_ok(table.enter("me", id));
  Word64& word = fixture.segment.actor(actor_slot(id)).word;
  CHECK(table.probe(id));
  word.store(word.load() ^ 1ull << 50);  // in the start time
  CHECK_FALSE(table.probe(id));
}

TEST_CASE("a dead actor's slot is not reused before its reclamation [SYN-013] [SYN-014]") {
  SegmentFixture fixture;
  ActorTable table(fixture.segment);
  ActorId dead = 0;
  ActorId other = 0;
  check_ok(table.enter("dead", dead));
  CHECK(table.begin_reclaim(dead) == DRAGON_STATE);
  CHECK(table.mark_dead(dead));
  CHECK_FALSE(table.mark_dead(dead));
  check_ok(table.enter("other", other));
  CHECK(actor_slot(other) != actor_slot(dead));
  check_ok(table.begin_reclaim(dead));
  check_ok(table.begin_reclaim(dead));  // after a reclaimer that died
  check_ok(table.enter("other", other));
  CHECK(actor_slot(other) != actor_slot(dead));
  check_ok(table.leave(dead));
  CHECK(table.begin_reclaim(dead) == DRAGON_NOT_FOUND);
  check_ok(table.enter("next", other));
  CHECK(actor_slot(other) == actor_slot(dead));
}

TEST_CASE("the table holds 16384 actors and refuses the next one [SYN-015]") {
  SegmentFixture fixture;
  ActorTable table(fixture.segment);
  // Slots as a process leaves them, so that the test need not be that many processes.
  ActorId id = 0;
  check_ok(table.enter("first", id));
  const uint64_t live = fixture.segment.actor(0).word.load();
  check_ok(fixture.segment.mapping().commit(kActorsOffset, sizeof(ActorSlot) * kActorSlots));
  fixture.segment.header().actors_committed.store(kActorSlots);
  for (uint32_t slot = 1; slot < kActorSlots - 1; ++slot) {
    fixture.segment.actor(slot).word.store(live);
  }
  check_ok(table.enter("last", id));
  CHECK(actor_slot(id) == kActorSlots - 1);
  CHECK(table.enter("too many", id) == DRAGON_TOO_MANY_ACTORS);
}

TEST_CASE("people see name, pid and start time of an actor [SYN-016]") {
  SegmentFixture fixture;
  ActorTable table(fixture.segment);
  ActorId id = 0;
  check_ok(table.enter("a name that is longer than its thirty-two bytes", id));
  ActorInfo info;
  REQUIRE(table.info(actor_slot(id), info));
  CHECK(info.id == id);
  CHECK(info.pid == ::getpid());
  CHECK(info.start_time > 0);
  CHECK(std::string(info.name) == "a name that is longer than its ");
  CHECK_FALSE(table.info(1, info));
}
