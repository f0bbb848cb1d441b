// User locks and counters.
#include "channel/lock_object.h"

#include <atomic>

#include "channel/channel_fixture.h"
#include "channel/counter.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::unique_ptr<LockObject> make_lock(const std::shared_ptr<Pool>& pool, bool robust = true) {
  std::unique_ptr<LockObject> lock;
  check_ok(LockObject::create(pool, robust, lock));
  return lock;
}

std::unique_ptr<LockObject> attach_lock(const std::shared_ptr<Node>& node, const LockObject& lock) {
  HandleBytes handle;
  lock.serialize(handle);
  std::unique_ptr<LockObject> out;
  RecordId adopted = 0;
  check_ok(LockObject::attach(node, handle, sizeof(handle), false, adopted, out));
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture,
                  "a lock is held by one acquisition, each with its number [SYN-070]") {
  const auto lock = make_lock(pool);
  CHECK_FALSE(lock->locked());
  check_ok(lock->try_acquire());
  CHECK(lock->holder() == node->me().id);
  CHECK(lock->sequence() == 1);
  CHECK(lock->try_acquire() == DRAGON_WOULD_BLOCK);
  check_ok(lock->release());
  CHECK_FALSE(lock->locked());
  check_ok(lock->acquire(Deadline::never()));
  CHECK(lock->sequence() == 2);
  CHECK_FALSE(lock->owner_died());
  check_ok(lock->release());
}

TEST_CASE_FIXTURE(NodeFixture, "anyone may release; a free lock is NOT_OWNER [SYN-071]") {
  const auto lock = make_lock(pool);
  CHECK(lock->release() == DRAGON_NOT_OWNER);
  const auto other = attach();
  {
    const auto its = attach_lock(other, *lock);
    check_ok(its->try_acquire());
    check_ok(lock->release());
    CHECK(its->release() == DRAGON_NOT_OWNER);
  }
  leave(other);
}

TEST_CASE_FIXTURE(NodeFixture, "an acquire ends at its deadline or with the lock [SYN-074]") {
  const auto lock = make_lock(pool);
  check_ok(lock->try_acquire());
  CHECK(lock->acquire(Deadline::once()) == DRAGON_WOULD_BLOCK);
  const uint64_t before = now_ns();
  CHECK(lock->acquire(Deadline::after_ms(30)) == DRAGON_TIMEOUT);
  CHECK(now_ns() - before >= 30'000'000);
  std::atomic<bool> taken_again{false};
  std::thread waiter([&] {
    const auto other = attach_thread();
    {
      const auto its = attach_lock(other, *lock);
      check_ok(its->acquire(Deadline::after_ms(20'000)));
      check_ok(its->release());
      while (!taken_again) ::usleep(500);
      CHECK(its->acquire(Deadline::after_ms(20'000)) == DRAGON_OBJECT_DESTROYED);
    }
    leave(other);
  });
  wait_for_waiter(lock->place());
  check_ok(lock->release());
  while (lock->sequence() < 2 || lock->locked()) ::usleep(500);
  check_ok(lock->try_acquire());
  taken_again = true;
  wait_for_waiter(lock->place());
  check_ok(lock->destroy());
  waiter.join();
  CHECK(lock->try_acquire() == DRAGON_OBJECT_DESTROYED);
  CHECK(lock->release() == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE_FIXTURE(NodeFixture, "actors exclude each other [SYN-070]") {
  const auto lock = make_lock(pool);
  uint64_t counter = 0;  // plain: the thread sanitizer watches it
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      const auto other = attach_thread();
      {
        const auto its = attach_lock(other, *lock);
        for (int step = 0; step < 300; ++step) {
          check_ok(its->acquire(Deadline::never()));
          ++counter;
          check_ok(its->release());
        }
      }
      leave(other);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(counter == 900);
  CHECK(lock->sequence() == 900);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "who has waited for 1 ms is not overtaken again and again [SYN-075]") {
  const auto lock = make_lock(pool);
  check_ok(lock->try_acquire());
  std::atomic<bool> acquired{false};
  std::thread waiter([&] {
    const auto other = attach_thread();
    {
      const auto its = attach_lock(other, *lock);
      check_ok(its->acquire(Deadline::after_ms(20'000)));
      acquired = true;
      check_ok(its->release());
    }
    leave(other);
  });
  wait_for_waiter(lock->place());
  // A greedy holder that is back before a woken thread could have run.
  int overtakes = 0;
  while (!acquired && overtakes < 100'000) {
    check_ok(lock->release());
    while (lock->try_acquire() != DRAGON_SUCCESS) {
    }
    ++overtakes;
  }
  CHECK(acquired);
  check_ok(lock->release());
  waiter.join();
}

TEST_CASE_FIXTURE(NodeFixture, "a release can name its acquisition [SYN-077]") {
  const auto lock = make_lock(pool);
  CHECK(lock->release_if(0) == DRAGON_NOT_OWNER);
  check_ok(lock->try_acquire());
  const uint32_t first = lock->sequence();
  check_ok(lock->release_if(first));
  CHECK(lock->release_if(first) == DRAGON_NOT_OWNER);
  check_ok(lock->try_acquire());
  CHECK(lock->release_if(first) == DRAGON_NOT_OWNER);
  CHECK(lock->locked());
  check_ok(lock->release_if(first + 1));
}

TEST_CASE_FIXTURE(NodeFixture, "a late release never ends another acquisition [SYN-077]") {
  const auto lock = make_lock(pool);
  uint64_t counter = 0;  // plain: the thread sanitizer watches it
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      const auto other = attach_thread();
      {
        const auto its = attach_lock(other, *lock);
        for (int step = 0; step < 300; ++step) {
          check_ok(its->acquire(Deadline::never()));
          const uint32_t mine = its->sequence();
          ++counter;
          check_ok(its->release_if(mine));
          CHECK(its->release_if(mine) == DRAGON_NOT_OWNER);
        }
      }
      leave(other);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(counter == 900);
}

TEST_CASE_FIXTURE(NodeFixture, "a counter adds, tells and wakes [SYN-076]") {
  std::unique_ptr<Counter> counter;
  check_ok(Counter::create(pool, 40, counter));
  uint64_t value = 0;
  check_ok(counter->add(2, value));
  CHECK(value == 42);
  CHECK(counter->wait_at_least(43, Deadline::after_ms(5)) == DRAGON_TIMEOUT);
  HandleBytes handle;
  counter->serialize(handle);
  std::thread waiter([&] {
    const auto other = attach_thread();
    {
      std::unique_ptr<Counter> its;
      RecordId adopted = 0;
      check_ok(Counter::attach(other, handle, sizeof(handle), false, adopted, its));
      check_ok(its->wait_at_least(50, Deadline::after_ms(20'000)));
    }
    leave(other);
  });
  wait_for_waiter(counter->place());
  for (int i = 0; i < 8; ++i) check_ok(counter->add(1, value));
  waiter.join();
  check_ok(counter->load(value));
  CHECK(value == 50);
  check_ok(counter->add(UINT64_MAX, value));
  CHECK(value == 49);
}
