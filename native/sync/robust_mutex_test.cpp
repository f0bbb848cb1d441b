// The internal lock among processes: dead and stopped holders.
// variants: plain asan
#include "sync/robust_mutex.h"

#include <signal.h>

#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

// A process that holds the mutex: enters as an actor, locks, then waits to be killed or stopped.
class Holder {
 public:
  Holder(SegmentFixture& fixture, RobustMutex& mutex) : held_(shared_variable<Word32>()) {
    pid_ = fork_child([&] {
      ActorTable table(fixture.segment);
      Actor me{&table, 0};
      table.enter("holder", me.id);
      mutex.lock(me);
      held_.store(me.id);
      for (;;) ::pause();
    });
    while (held_.load() == 0) ::usleep(100);
  }
  ~Holder() { end(); }
  ActorId id() const { return held_.load(); }
  void stop() const {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
  }
  void kill_unreaped() const { ::kill(pid_, SIGKILL); }
  void end() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
    pid_ = 0;
  }

 private:
  Word32& held_;
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("a dead holder's mutex is taken over within 100 ms with OWNER_DIED [SYN-022]") {
  SegmentFixture fixture;
  RobustMutex& mutex = shared_variable<RobustMutex>();
  const auto me = fixture.actor();
  const Holder holder(fixture, mutex);
  CHECK(mutex.holder() == holder.id());
  holder.kill_unreaped();  // a zombie, as long as its parent does not wait for it
  const uint64_t before = now_ns();
  CHECK(mutex.lock(me->me, Deadline::after_ms(10'000)) == DRAGON_OWNER_DIED);
  CHECK(now_ns() - before < 100'000'000);
  CHECK(mutex.holder() == me->me.id);
  mutex.unlock();
  CHECK(mutex.lock(me->me) == DRAGON_SUCCESS);
  mutex.unlock();
}

TEST_CASE("a second death before the unlock gives OWNER_DIED again [SYN-022]") {
  SegmentFixture fixture;
  RobustMutex& mutex = shared_variable<RobustMutex>();
  const auto me = fixture.actor();
  Holder first(fixture, mutex);
  first.end();
  Holder second(fixture, mutex);
  second.end();
  CHECK(mutex.lock(me->me) == DRAGON_OWNER_DIED);
  mutex.unlock();
}

TEST_CASE("a guard recovers before it goes on [SYN-022]") {
  SegmentFixture fixture;
  RobustMutex& mutex = shared_variable<RobustMutex>();
  const auto me = fixture.actor();
  Holder holder(fixture, mutex);
  holder.end();
  Word32& stale = shared_variable<Word32>();
  int recoveries = 0;
  const auto lock_twice = [&] {
    for (int i = 0; i < 2; ++i) {
      const MutexGuard guard(mutex, me->me, Deadline::never(), stale, [&] { ++recoveries; });
      CHECK(guard.held());
    }
  };
  lock_twice();
  CHECK(recoveries == 1);
  stale.store(1);  // somebody changed the truth without the mutex
  lock_twice();
  CHECK(recoveries == 2);
}

TEST_CASE("a living holder costs a locker no more than its deadline [SYN-023]") {
  SegmentFixture fixture;
  RobustMutex& mutex = shared_variable<RobustMutex>();
  const auto me = fixture.actor();
  const Holder holder(fixture, mutex);
  const uint64_t before = now_ns();
  CHECK(mutex.lock(me->me, Deadline::after_ms(50)) == DRAGON_TIMEOUT);
  CHECK(now_ns() - before >= 50'000'000);
  CHECK(mutex.holder() == holder.id());
}

TEST_CASE("who tries once gives up soon if the holder is stopped, in a second if not [SYN-023]") {
  SegmentFixture fixture;
  RobustMutex& mutex = shared_variable<RobustMutex>();
  const auto me = fixture.actor();
  const Holder holder(fixture, mutex);
  uint64_t before = now_ns();
  CHECK(mutex.lock(me->me, Deadline::once()) == DRAGON_TIMEOUT);
  CHECK(now_ns() - before >= kHolderPatienceNs);
  holder.stop();
  before = now_ns();
  CHECK(mutex.lock(me->me, Deadline::once()) == DRAGON_TIMEOUT);
  CHECK(now_ns() - before < kHolderPatienceNs / 2);
}
