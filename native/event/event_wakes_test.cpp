// Which change of an event object wakes whom.
#include "channel/wake_fixture.h"
#include "event/barrier.h"
#include "event/broadcast.h"
#include "event/condition.h"
#include "event/event.h"
#include "event/event_fixture.h"
#include "event/rw_lock.h"
#include "event/semaphore.h"

using namespace dragon;
using namespace dragon::test;

TEST_CASE_FIXTURE(NodeFixture, "permits wake as many, the last one who waits for zero [EVT-134]") {
  std::unique_ptr<Semaphore> semaphore;
  check_ok(Semaphore::create(pool, 0, 0, semaphore));
  uint64_t before = 0;
  CHECK(wakes_first(*node, semaphore->place(), 3, [&] { check_ok(semaphore->release(3)); }));
  check_ok(semaphore->try_acquire(before));
  CHECK_FALSE(
      wakes_all(*node, semaphore->zero_place(), [&] { check_ok(semaphore->try_acquire(before)); }));
  CHECK(
      wakes_all(*node, semaphore->zero_place(), [&] { check_ok(semaphore->try_acquire(before)); }));
  CHECK(wakes_all(*node, semaphore->place(), [&] { check_ok(semaphore->destroy()); }));
}

TEST_CASE_FIXTURE(NodeFixture, "the last permit is kept for who has waited for 1 ms [EVT-013]") {
  std::unique_ptr<Semaphore> semaphore;
  check_ok(Semaphore::create(pool, 0, 1, semaphore));
  const auto other = attach();
  {
    const auto its = attach_object<Semaphore>(other, HandleCopy(*semaphore));
    uint64_t before = 0;
    bool kept = false;
    // It is kept for 1 ms, which may be over when this thread goes on.
    for (int tries = 0; tries < 100 && !kept; ++tries) {
      const ArmedWait waiter(*node, semaphore->place());
      ::usleep(2'000);
      check_ok(semaphore->release(1));
      kept = its->try_acquire(before) == DRAGON_WOULD_BLOCK;
      if (kept) check_ok(semaphore->try_acquire(before));
    }
    CHECK(kept);
  }
  leave(other);
}

TEST_CASE_FIXTURE(NodeFixture, "an event that is set wakes everybody [EVT-134] [EVT-021]") {
  std::unique_ptr<Event> event;
  check_ok(Event::create(pool, false, event));
  for (int round = 0; round < 2; ++round) {
    CHECK(wakes_all(*node, event->place(), [&] { check_ok(event->set()); }));
    check_ok(event->clear());
  }
}

TEST_CASE_FIXTURE(NodeFixture, "each end of a barrier's generation wakes all [EVT-134] [EVT-033]") {
  std::unique_ptr<Barrier> barrier;
  check_ok(Barrier::create(pool, 2, barrier));
  const WaitPlace place = barrier->place();
  Barrier::Arrival arrival;
  CHECK(barrier->arrive(arrival) == DRAGON_WOULD_BLOCK);
  CHECK(wakes_all(*node, place, [&] { check_ok(barrier->arrive(arrival)); }));
  CHECK(barrier->arrive(arrival) == DRAGON_WOULD_BLOCK);
  CHECK(wakes_all(*node, place, [&] { check_ok(barrier->abort()); }));
  CHECK(wakes_all(*node, place, [&] { check_ok(barrier->reset()); }));
  CHECK(barrier->arrive(arrival) == DRAGON_WOULD_BLOCK);
  CHECK(
      wakes_all(*node, place, [&] { CHECK(barrier->give_up(arrival) == DRAGON_BARRIER_BROKEN); }));
}

TEST_CASE_FIXTURE(NodeFixture, "a notify wakes as many as it notified [EVT-134] [EVT-042]") {
  std::unique_ptr<Condition> condition;
  check_ok(Condition::create(pool, 8, condition));
  Condition::Ticket tickets[3];
  for (Condition::Ticket& ticket : tickets) check_ok(condition->enter(ticket));
  uint32_t notified = 0;
  CHECK(
      wakes_first(*node, condition->place(), 2, [&] { check_ok(condition->notify(2, notified)); }));
  CHECK(notified == 2);
  // A notify that is passed on wakes who gets it.
  CHECK(wakes_first(*node, condition->place(), 1,
                    [&] { check_ok(condition->leave(tickets[0], true)); }));
}

TEST_CASE_FIXTURE(NodeFixture, "a round wakes all who read and one who writes [EVT-134]") {
  std::unique_ptr<Broadcast> broadcast;
  check_ok(Broadcast::create(pool, {}, broadcast));
  const auto publish = [&] {
    uint64_t round = 0;
    uint32_t woken = 0;
    check_ok(broadcast->try_publish(nullptr, 0, round, woken));
  };
  CHECK(wakes_all(*node, broadcast->place(), publish));
  CHECK(wakes_first(*node, broadcast->buffer_place(), 1, publish));
}

TEST_CASE_FIXTURE(NodeFixture, "who ends reading or writing wakes who may go on [EVT-134]") {
  std::unique_ptr<RwLock> lock;
  check_ok(RwLock::create(pool, 1, lock));
  check_ok(lock->try_write());
  CHECK(wakes_all(*node, lock->read_place(), [&] { check_ok(lock->end_write()); }));
  check_ok(lock->try_write());
  CHECK(wakes_first(*node, lock->write_place(), 1, [&] { check_ok(lock->end_write()); }));
  check_ok(lock->try_read());
  CHECK(wakes_first(*node, lock->write_place(), 1, [&] { check_ok(lock->end_read()); }));
  ::usleep(5'000);  // until nothing is kept for a writer any more
  check_ok(lock->read(Deadline::after_ms(20'000)));
  CHECK(wakes_first(*node, lock->read_place(), 1, [&] { check_ok(lock->end_read()); }));
}
