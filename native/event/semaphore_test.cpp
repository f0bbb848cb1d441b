#include "event/semaphore.h"

#include <atomic>

#include "event/barrier.h"
#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::unique_ptr<Semaphore> make_semaphore(const std::shared_ptr<Pool>& pool, uint64_t initial,
                                          uint64_t bound = 0) {
  std::unique_ptr<Semaphore> semaphore;
  check_ok(Semaphore::create(pool, initial, bound, semaphore));
  return semaphore;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a semaphore is attached to by its own kind of handle [EVT-001]") {
  const uint64_t before = pool->stats().used_bytes;
  {
    const auto semaphore = make_semaphore(pool, 3);
    const HandleCopy handle(*semaphore);
    const auto other = attach();
    {
      const auto its = attach_object<Semaphore>(other, handle);
      uint64_t value = 0;
      check_ok(its->try_acquire(value));
      CHECK(value == 3);
      std::unique_ptr<Barrier> barrier;
      RecordId adopted = 0;
      CHECK(Barrier::attach(other, handle.bytes, kHandleBytes, false, adopted, barrier) ==
            DRAGON_BAD_HANDLE);
      HandleBytes lent;
      check_ok(semaphore->lend(Role::kHolder, lent));
      std::unique_ptr<Semaphore> second;
      check_ok(Semaphore::attach(other, lent, kHandleBytes, true, adopted, second));
      CHECK(Semaphore::attach(other, lent, kHandleBytes, true, adopted, second) ==
            DRAGON_OBJECT_DESTROYED);
    }
    leave(other);
    CHECK(semaphore->value() == 2);
  }
  CHECK(pool->stats().used_bytes == before);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "permits are taken down to zero and given back [EVT-003] [EVT-010]") {
  const auto semaphore = make_semaphore(pool, 2);
  uint64_t before = 0;
  check_ok(semaphore->try_acquire(before));
  CHECK(before == 2);
  check_ok(semaphore->acquire(Deadline::never(), before));
  CHECK(before == 1);
  CHECK(semaphore->try_acquire(before) == DRAGON_WOULD_BLOCK);
  CHECK(semaphore->acquire(Deadline::once(), before) == DRAGON_WOULD_BLOCK);
  CHECK(semaphore->acquire(Deadline::after_ms(5), before) == DRAGON_TIMEOUT);
  check_ok(semaphore->release(7));
  CHECK(semaphore->value() == 7);
  CHECK(semaphore->release(0) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(NodeFixture, "more permits than the bound are refused whole [EVT-011]") {
  const auto semaphore = make_semaphore(pool, 2, 4);
  CHECK(semaphore->bound() == 4);
  CHECK(semaphore->release(3) == DRAGON_STATE);
  CHECK(semaphore->release(UINT64_MAX) == DRAGON_STATE);
  CHECK(semaphore->value() == 2);
  check_ok(semaphore->release(2));
  CHECK(semaphore->release(1) == DRAGON_STATE);
  const auto unbounded = make_semaphore(pool, kSemaphoreMax);
  CHECK(unbounded->bound() == 0);
  CHECK(unbounded->release(1) == DRAGON_STATE);
  std::unique_ptr<Semaphore> none;
  CHECK(Semaphore::create(pool, 5, 4, none) == DRAGON_INVALID_ARGUMENT);
  CHECK(Semaphore::create(pool, 0, kSemaphoreMax + 1, none) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(NodeFixture, "a release of n wakes n waiters [EVT-012]") {
  const auto semaphore = make_semaphore(pool, 0);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(object_thread(*this, *semaphore, [&](Semaphore& mine) {
      uint64_t before = 0;
      check_ok(mine.acquire(Deadline::after_ms(20'000), before));
      ++taken;
    }));
  }
  wait_for_waiters(*node, semaphore->place(), 4);
  const uint64_t start = now_ns();
  check_ok(semaphore->release(3));
  while (taken < 3) ::usleep(200);
  CHECK(now_ns() - start < 5'000'000'000);
  wait_for_waiters(*node, semaphore->place(), 1);
  CHECK(taken == 3);
  CHECK(semaphore->value() == 0);
  check_ok(semaphore->release(1));
  for (std::thread& thread : threads) thread.join();
  CHECK(semaphore->value() == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "no permit is lost or made by actors that contend [EVT-010]") {
  const auto semaphore = make_semaphore(pool, 2, 2);
  std::atomic<int> inside{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(object_thread(*this, *semaphore, [&](Semaphore& mine) {
      uint64_t before = 0;
      for (int step = 0; step < 300; ++step) {
        check_ok(mine.acquire(Deadline::after_ms(60'000), before));
        CHECK(++inside <= 2);
        --inside;
        check_ok(mine.release(1));
      }
    }));
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(semaphore->value() == 2);
}

TEST_CASE_FIXTURE(NodeFixture, "who waited 1 ms for a permit is not overtaken for ever [EVT-013]") {
  const auto semaphore = make_semaphore(pool, 0, 1);
  std::atomic<bool> acquired{false};
  std::thread waiter = object_thread(*this, *semaphore, [&](Semaphore& mine) {
    uint64_t before = 0;
    check_ok(mine.acquire(Deadline::after_ms(20'000), before));
    acquired = true;
    check_ok(mine.release(1));
  });
  wait_for_waiters(*node, semaphore->place(), 1);
  int overtakes = 0;
  uint64_t before = 0;
  while (!acquired && overtakes < 100'000) {
    check_ok(semaphore->release(1));
    while (semaphore->try_acquire(before) != DRAGON_SUCCESS) {
    }
    ++overtakes;
  }
  CHECK(acquired);
  waiter.join();
}

TEST_CASE_FIXTURE(NodeFixture, "a permit kept for one who does not come is found [SYN-034]") {
  const auto semaphore = make_semaphore(pool, 0);
  RecordId head = 0;
  check_ok(node->lot().arm(semaphore->place(), WaitKind::kBlocked, 0, head));
  std::atomic<uint64_t> taken_ns{0};
  std::thread waiter = object_thread(*this, *semaphore, [&](Semaphore& mine) {
    uint64_t before = 0;
    check_ok(mine.acquire(Deadline::after_ms(20'000), before));
    taken_ns = now_ns();
  });
  wait_for_waiters(*node, semaphore->place(), 2);
  // Its own looks are at 10, 30, 70, 150, 310, 630 and 1,270 ms.
  ::usleep(700'000);
  const uint64_t released_ns = now_ns();
  check_ok(semaphore->release(1));
  node->lot().wake_everyone();
  waiter.join();
  CHECK(taken_ns - released_ns < 400'000'000);
  node->lot().cancel(head);
}

TEST_CASE_FIXTURE(NodeFixture, "one can wait until a semaphore is at zero [EVT-014]") {
  const auto semaphore = make_semaphore(pool, 2);
  CHECK(semaphore->try_zero() == DRAGON_WOULD_BLOCK);
  CHECK(semaphore->wait_zero(Deadline::after_ms(5)) == DRAGON_TIMEOUT);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.push_back(object_thread(*this, *semaphore, [](Semaphore& mine) {
      check_ok(mine.wait_zero(Deadline::after_ms(20'000)));
    }));
  }
  wait_for_waiters(*node, semaphore->zero_place(), 2);
  uint64_t before = 0;
  check_ok(semaphore->try_acquire(before));
  check_ok(semaphore->try_acquire(before));
  for (std::thread& thread : threads) thread.join();
  check_ok(semaphore->try_zero());
}

TEST_CASE_FIXTURE(NodeFixture, "destroying a semaphore ends every wait on it [EVT-002]") {
  const auto semaphore = make_semaphore(pool, 0);
  std::thread waiter = object_thread(*this, *semaphore, [](Semaphore& mine) {
    uint64_t before = 0;
    CHECK(mine.acquire(Deadline::after_ms(20'000), before) == DRAGON_OBJECT_DESTROYED);
    CHECK(mine.release(1) == DRAGON_OBJECT_DESTROYED);
    CHECK(mine.try_zero() == DRAGON_OBJECT_DESTROYED);
  });
  wait_for_waiters(*node, semaphore->place(), 1);
  check_ok(semaphore->destroy());
  CHECK(semaphore->destroy() == DRAGON_OBJECT_DESTROYED);
  waiter.join();
  semaphore->close();
  uint64_t before = 0;
  CHECK(semaphore->try_acquire(before) == DRAGON_CLOSED);
  CHECK(semaphore->value() == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "many permits are taken in one step or not at all [EVT-015]") {
  const auto semaphore = make_semaphore(pool, 2, 4);
  uint64_t before = 0;
  CHECK(semaphore->try_acquire(before, 0) == DRAGON_INVALID_ARGUMENT);
  CHECK(semaphore->try_acquire(before, 5) == DRAGON_INVALID_ARGUMENT);
  CHECK(semaphore->try_acquire(before, 3) == DRAGON_WOULD_BLOCK);
  CHECK(semaphore->acquire(Deadline::after_ms(3), before, 3) == DRAGON_TIMEOUT);
  CHECK(semaphore->value() == 2);
  std::thread many = object_thread(*this, *semaphore, [](Semaphore& mine) {
    uint64_t found = 0;
    check_ok(mine.acquire(Deadline::after_ms(20'000), found, 4));
    CHECK(found == 4);
  });
  wait_for_waiters(*node, semaphore->many_place(), 1);
  check_ok(semaphore->release(1));
  ::usleep(2'000);
  CHECK(semaphore->value() == 3);
  check_ok(semaphore->release(1));
  many.join();
  CHECK(semaphore->value() == 0);
  check_ok(semaphore->release(4));
  check_ok(semaphore->acquire(Deadline::never(), before, 4));
  check_ok(semaphore->try_zero());
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a release wakes all who want several permits, and ones besides [EVT-015]") {
  const auto semaphore = make_semaphore(pool, 0);
  std::vector<std::thread> threads;
  for (const uint64_t permits : {5, 3, 2, 1}) {
    threads.push_back(object_thread(*this, *semaphore, [permits](Semaphore& mine) {
      uint64_t before = 0;
      check_ok(mine.acquire(Deadline::after_ms(20'000), before, permits));
    }));
  }
  wait_for_waiters(*node, semaphore->many_place(), 3);
  wait_for_waiters(*node, semaphore->place(), 1);
  const auto begin_ns = now_ns();
  check_ok(semaphore->release(3));  // for the smallest ones, in whatever order they look
  while (semaphore->value() > 0) ::usleep(200);
  for (uint64_t left = 8; left > 0; --left) check_ok(semaphore->release(1));
  for (std::thread& thread : threads) thread.join();
  CHECK(now_ns() - begin_ns < 5'000'000'000);
  CHECK(semaphore->value() == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "those who want several permits all hear of a release [EVT-015]") {
  const auto semaphore = make_semaphore(pool, 0);
  RecordId waits[2] = {};
  for (RecordId& wait : waits) {
    check_ok(node->lot().arm(semaphore->many_place(), WaitKind::kEventLoop, 0, wait));
  }
  check_ok(semaphore->release(1));
  for (const RecordId wait : waits) {
    CHECK(node->lot().woken(wait));
    node->lot().cancel(wait);
  }
}
