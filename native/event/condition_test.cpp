#include "event/condition.h"

#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

struct Scene : NodeFixture {
  Scene() {
    check_ok(Condition::create(pool, kConditionWaiters, condition));
    check_ok(LockObject::create(pool, true, lock));
  }
  ~Scene() {
    condition.reset();
    lock.reset();
  }

  // A thread that holds the lock and then runs the body.
  template <typename Body>
  std::thread waiter(Body body) {
    const HandleCopy handle(*lock);
    return object_thread(*this, *condition, [handle, body](Condition& mine) {
      const auto its_lock = attach_object<LockObject>(mine.pool().node_pointer(), handle);
      check_ok(its_lock->acquire(Deadline::after_ms(20'000)));
      body(mine, *its_lock);
    });
  }

  uint32_t notify(uint32_t count) const {
    uint32_t notified = 0;
    check_ok(condition->notify(count, notified));
    return notified;
  }

  std::unique_ptr<Condition> condition;
  std::unique_ptr<LockObject> lock;
};

}  // namespace

TEST_CASE_FIXTURE(Scene, "a wait releases the lock, and has it again at its end [EVT-040]") {
  std::thread other = waiter([](Condition& mine, LockObject& its_lock) {
    check_ok(mine.wait(its_lock, Deadline::after_ms(20'000)));
    CHECK(its_lock.holder() == mine.node().me().id);
    check_ok(its_lock.release());
  });
  while (condition->waiting() == 0) ::usleep(200);
  check_ok(lock->acquire(Deadline::after_ms(20'000)));
  CHECK(notify(1) == 1);
  CHECK(condition->waiting() == 0);
  ::usleep(5'000);
  CHECK(lock->holder() == node->me().id);
  check_ok(lock->release());
  other.join();
  CHECK_FALSE(lock->locked());
}

TEST_CASE_FIXTURE(Scene, "a wait ends at its deadline with the lock held [EVT-041]") {
  CHECK(condition->wait(*lock, Deadline::never()) == DRAGON_NOT_OWNER);
  check_ok(lock->try_acquire());
  const uint64_t start = now_ns();
  CHECK(condition->wait(*lock, Deadline::after_ms(20)) == DRAGON_TIMEOUT);
  CHECK(now_ns() - start >= 20'000'000);
  CHECK(lock->locked());
  CHECK(condition->wait(*lock, Deadline::once()) == DRAGON_WOULD_BLOCK);
  CHECK(lock->locked());
  CHECK(condition->waiting() == 0);
  CHECK(notify(1) == 0);  // nobody is there, and nothing is kept
  CHECK(condition->wait(*lock, Deadline::after_ms(5)) == DRAGON_TIMEOUT);
}

TEST_CASE_FIXTURE(Scene, "a notify reaches who came first, and nobody who comes later [EVT-042]") {
  Condition::Ticket tickets[4];
  for (Condition::Ticket& ticket : tickets) check_ok(condition->enter(ticket));
  CHECK(condition->waiting() == 4);
  CHECK(notify(2) == 2);
  Condition::Ticket late;
  check_ok(condition->enter(late));
  CHECK(condition->look(late) == DRAGON_WOULD_BLOCK);
  check_ok(condition->look(tickets[0]));
  CHECK(condition->look(tickets[2]) == DRAGON_WOULD_BLOCK);
  check_ok(condition->look(tickets[1]));
  CHECK(notify(UINT32_MAX) == 3);
  check_ok(condition->look(tickets[2]));
  check_ok(condition->look(tickets[3]));
  check_ok(condition->look(late));
}

TEST_CASE_FIXTURE(Scene, "who gives up a notify passes it on [EVT-043]") {
  Condition::Ticket first;
  Condition::Ticket second;
  check_ok(condition->enter(first));
  check_ok(condition->enter(second));
  CHECK(notify(1) == 1);
  check_ok(condition->leave(first, true));
  check_ok(condition->look(second));
  check_ok(condition->enter(first));
  check_ok(condition->enter(second));
  CHECK(condition->leave(first, true) == DRAGON_WOULD_BLOCK);
  CHECK(condition->look(second) == DRAGON_WOULD_BLOCK);
  CHECK(notify(1) == 1);
  check_ok(condition->look(second));
}

TEST_CASE_FIXTURE(Scene, "closing passes notifies on, and frees its places [EVT-043]") {
  auto other = attach_object<Condition>(node, HandleCopy(*condition));
  Condition::Ticket its;
  Condition::Ticket mine;
  check_ok(other->enter(its));
  check_ok(condition->enter(mine));
  CHECK(notify(1) == 1);
  other.reset();
  check_ok(condition->look(mine));
  CHECK(condition->waiting() == 0);
}

TEST_CASE_FIXTURE(Scene, "there is room for a number of waiters, then FULL [EVT-044]") {
  std::unique_ptr<Condition> small;
  CHECK(Condition::create(pool, 0, small) == DRAGON_INVALID_ARGUMENT);
  CHECK(Condition::create(pool, kConditionWaitersMax + 1, small) == DRAGON_INVALID_ARGUMENT);
  check_ok(Condition::create(pool, 2, small));
  Condition::Ticket tickets[3];
  check_ok(small->enter(tickets[0]));
  check_ok(small->enter(tickets[1]));
  check_ok(lock->try_acquire());
  CHECK(small->wait(*lock, Deadline::never()) == DRAGON_FULL);
  CHECK(lock->locked());
  CHECK(small->leave(tickets[0], false) == DRAGON_WOULD_BLOCK);
  check_ok(small->enter(tickets[2]));
}

TEST_CASE_FIXTURE(Scene, "notifies are not lost between threads that pass a token [EVT-042]") {
  constexpr int kTurns = 100;
  int turn = 0;  // under the lock
  std::vector<std::thread> threads;
  for (int me = 0; me < 3; ++me) {
    threads.push_back(waiter([&turn, me](Condition& mine, LockObject& its_lock) {
      for (int i = 0; i < kTurns; ++i) {
        while (turn % 3 != me) check_ok(mine.wait(its_lock, Deadline::after_ms(20'000)));
        ++turn;
        uint32_t notified = 0;
        check_ok(mine.notify(UINT32_MAX, notified));
      }
      check_ok(its_lock.release());
    }));
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(turn == 3 * kTurns);
}

TEST_CASE_FIXTURE(Scene, "as many waits end as there are notifies [EVT-042]") {
  constexpr uint32_t kWaits = 150;
  std::atomic<uint32_t> ended{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(waiter([&](Condition& mine, LockObject& its_lock) {
      for (uint32_t wait = 0; wait < kWaits / 3; ++wait) {
        check_ok(mine.wait(its_lock, Deadline::after_ms(20'000)));
        ++ended;
      }
      check_ok(its_lock.release());
    }));
  }
  uint32_t notified = 0;
  while (notified < kWaits) notified += notify(1);
  for (std::thread& thread : threads) thread.join();
  CHECK(notified == kWaits);
  CHECK(ended == kWaits);
}

TEST_CASE_FIXTURE(Scene, "destroying a condition ends every wait, with the lock held [EVT-002]") {
  std::thread other = waiter([](Condition& mine, LockObject& its_lock) {
    CHECK(mine.wait(its_lock, Deadline::after_ms(20'000)) == DRAGON_OBJECT_DESTROYED);
    CHECK(its_lock.holder() == mine.node().me().id);
    check_ok(its_lock.release());
  });
  while (condition->waiting() == 0) ::usleep(200);
  check_ok(condition->destroy());
  other.join();
}
