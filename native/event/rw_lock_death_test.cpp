// What the death or stop of a process means to those that share a reader-writer lock with it.
// variants: plain asan
#include <sys/wait.h>

#include "event/event_fixture.h"
#include "event/rw_lock.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::unique_ptr<RwLock> make_lock(const NodeFixture& fixture, uint32_t readers = 16) {
  std::unique_ptr<RwLock> lock;
  check_ok(RwLock::create(fixture.pool, readers, lock));
  return lock;
}

// A process that does something with the lock and is stopped by its own hand then.
template <typename Body>
pid_t start_stopped(const NodeFixture& fixture, const RwLock& lock, Body body) {
  const pid_t pid = object_process(fixture, lock, [&](RwLock& its) {
    body(its);
    ::raise(SIGSTOP);
  });
  int status = 0;
  REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
  REQUIRE(WIFSTOPPED(status));
  return pid;
}

void kill_and_wait(pid_t pid) {
  ::kill(pid, SIGKILL);
  wait_for(pid);
}

const Deadline kSoon = Deadline::after_ms(20'000);

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a dead reader hinders no writer [EVT-086]") {
  const auto lock = make_lock(*this);
  const pid_t pid = start_stopped(*this, *lock, [](RwLock& its) {
    must_be(its.try_read());
    must_be(its.try_read());
  });
  CHECK(lock->try_write() == DRAGON_WOULD_BLOCK);
  kill_and_wait(pid);
  SUBCASE("before its reclamation") {
    check_ok(lock->write(kSoon));
    reclaim_process(node, pid);
  }
  SUBCASE("after it") {
    reclaim_process(node, pid);
    check_ok(lock->try_write());
  }
  CHECK(lock->readers() == 0);
  check_ok(lock->end_write());
}

TEST_CASE_FIXTURE(NodeFixture, "a dead writer's lock says so until a writer ends [EVT-087]") {
  const auto lock = make_lock(*this);
  const pid_t pid = start_stopped(*this, *lock, [](RwLock& its) { must_be(its.try_write()); });
  CHECK(lock->try_read() == DRAGON_WOULD_BLOCK);
  kill_and_wait(pid);
  CHECK(lock->read(kSoon) == DRAGON_OWNER_DIED);
  check_ok(lock->end_read());
  CHECK(lock->owner_died());
  reclaim_process(node, pid);
  CHECK(lock->try_write() == DRAGON_OWNER_DIED);
  check_ok(lock->end_write());
  CHECK_FALSE(lock->owner_died());
  check_ok(lock->try_read());
  check_ok(lock->end_read());
}

TEST_CASE_FIXTURE(NodeFixture, "a place in the table comes back from the dead [EVT-086]") {
  const auto lock = make_lock(*this, 1);
  const pid_t pid = start_stopped(*this, *lock, [](RwLock& its) { must_be(its.try_read()); });
  CHECK(lock->try_read() == DRAGON_FULL);
  kill_and_wait(pid);
  check_ok(lock->read(kSoon));
  check_ok(lock->end_read());
  reclaim_process(node, pid);
}

TEST_CASE_FIXTURE(NodeFixture, "a writer that waits and is stopped holds no reader up [EVT-083]") {
  const auto lock = make_lock(*this);
  check_ok(lock->try_read());
  const pid_t pid =
      object_process(*this, *lock, [](RwLock& its) { must_be(its.write(Deadline::never())); });
  wait_for_waiters(*node, lock->write_place(), 1);
  std::thread reader = object_thread(*this, *lock, [&](RwLock& its) {
    ::kill(pid, SIGSTOP);
    const uint64_t before = now_ns();
    check_ok(its.read(kSoon));
    CHECK(now_ns() - before < 1'500'000'000);
    check_ok(its.end_read());
  });
  reader.join();
  kill_and_wait(pid);
  check_ok(lock->end_read());
  reclaim_process(node, pid);
}

#ifdef DRAGON_KILL_POINTS
TEST_CASE("killed at any change, a reader and writer leave a lock that works [EVT-088]") {
  NodeFixture fixture;
  const auto lock = make_lock(fixture);
  bool complete = false;
  for (uint64_t point = 1; !complete; ++point) {
    INFO("killed at point ", point);
    const pid_t pid = object_process(fixture, *lock, [&](RwLock& its) {
      kill_points_arm(point);
      const auto enter = [](Status status) {
        if (status != DRAGON_OWNER_DIED) must_be(status);
      };
      for (int round = 0; round < 3; ++round) {
        enter(its.try_read());
        must_be(its.end_read());
        enter(its.write(Deadline::never()));
        must_be(its.end_write());
      }
      kill_points_arm(0);
    });
    complete = wait_for(pid) == 0;
    const Status read = lock->read(kSoon);
    CHECK((read == DRAGON_SUCCESS || read == DRAGON_OWNER_DIED));
    check_ok(lock->end_read());
    const Status written = lock->write(kSoon);
    CHECK((written == DRAGON_SUCCESS || written == DRAGON_OWNER_DIED));
    check_ok(lock->end_write());
    reclaim_process(fixture.node, pid);
    CHECK(lock->readers() == 0);
  }
}
#endif
