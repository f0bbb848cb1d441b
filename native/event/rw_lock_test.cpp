// Reader-writer locks.
#include "event/rw_lock.h"

#include <atomic>

#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::unique_ptr<RwLock> make_lock(const NodeFixture& fixture, uint32_t readers = 16) {
  std::unique_ptr<RwLock> lock;
  check_ok(RwLock::create(fixture.pool, readers, lock));
  return lock;
}

const Deadline kSoon = Deadline::after_ms(20'000);

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "many read or one writes [EVT-080]") {
  const auto lock = make_lock(*this);
  check_ok(lock->try_read());
  check_ok(lock->try_read());
  CHECK(lock->readers() == 1);
  CHECK(lock->try_write() == DRAGON_WOULD_BLOCK);
  object_thread(*this, *lock, [](RwLock& its) {
    check_ok(its.try_read());
    CHECK(its.readers() == 2);
    CHECK(its.try_write() == DRAGON_WOULD_BLOCK);
    check_ok(its.end_read());
  }).join();
  check_ok(lock->end_read());
  CHECK(lock->try_write() == DRAGON_WOULD_BLOCK);
  check_ok(lock->end_read());
  check_ok(lock->try_write());
  CHECK(lock->writer() == node->me().id);
  CHECK(lock->try_read() == DRAGON_WOULD_BLOCK);
  CHECK(lock->try_write() == DRAGON_WOULD_BLOCK);
  check_ok(lock->end_write());
  CHECK(lock->writer() == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "who does not hold it is NOT_OWNER [EVT-081]") {
  const auto lock = make_lock(*this);
  CHECK(lock->end_read() == DRAGON_NOT_OWNER);
  CHECK(lock->end_write() == DRAGON_NOT_OWNER);
  check_ok(lock->try_write());
  CHECK(lock->end_read() == DRAGON_NOT_OWNER);
  object_thread(*this, *lock, [](RwLock& its) { check_ok(its.end_write()); }).join();
  CHECK(lock->end_write() == DRAGON_NOT_OWNER);
}

TEST_CASE_FIXTURE(NodeFixture, "readers and writers exclude each other [EVT-080]") {
  const auto lock = make_lock(*this);
  uint64_t first = 0;  // plain: the thread sanitizer watches them
  uint64_t second = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(object_thread(*this, *lock, [&first, &second, i](RwLock& its) {
      for (int step = 0; step < 200; ++step) {
        if ((step + i) % 4 == 0) {
          check_ok(its.write(kSoon));
          ++first;
          ++second;
          check_ok(its.end_write());
        } else {
          check_ok(its.read(kSoon));
          CHECK(first == second);
          check_ok(its.end_read());
        }
      }
    }));
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(first == 200);
  CHECK(lock->readers() == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "waits end at the deadline or with the lock [EVT-082]") {
  const auto lock = make_lock(*this);
  check_ok(lock->try_write());
  CHECK(lock->read(Deadline::once()) == DRAGON_WOULD_BLOCK);
  CHECK(lock->read(Deadline::after_ms(20)) == DRAGON_TIMEOUT);
  CHECK(lock->write(Deadline::after_ms(20)) == DRAGON_TIMEOUT);
  std::thread reader = object_thread(
      *this, *lock, [](RwLock& its) { CHECK(its.read(kSoon) == DRAGON_OBJECT_DESTROYED); });
  std::thread writer = object_thread(
      *this, *lock, [](RwLock& its) { CHECK(its.write(kSoon) == DRAGON_OBJECT_DESTROYED); });
  wait_for_waiters(*node, lock->read_place(), 1);
  wait_for_waiters(*node, lock->write_place(), 1);
  check_ok(lock->destroy());
  reader.join();
  writer.join();
}

TEST_CASE_FIXTURE(NodeFixture, "a waiting writer goes before readers that come later [EVT-083]") {
  const auto lock = make_lock(*this);
  check_ok(lock->try_read());
  std::thread writer = object_thread(*this, *lock, [](RwLock& its) {
    check_ok(its.write(kSoon));
    check_ok(its.end_write());
  });
  wait_for_waiters(*node, lock->write_place(), 1);
  std::thread reader = object_thread(*this, *lock, [](RwLock& its) {
    CHECK(its.try_read() == DRAGON_WOULD_BLOCK);
    check_ok(its.read(kSoon));
    check_ok(its.end_read());
  });
  wait_for_waiters(*node, lock->read_place(), 1);
  check_ok(lock->end_read());
  writer.join();
  reader.join();
}

TEST_CASE_FIXTURE(NodeFixture,
                  "readers that have waited get their turn between writers [EVT-084]") {
  const auto lock = make_lock(*this);
  check_ok(lock->try_write());
  std::atomic<bool> read{false};
  std::thread reader = object_thread(*this, *lock, [&](RwLock& its) {
    check_ok(its.read(kSoon));
    read = true;
    check_ok(its.end_read());
  });
  wait_for_waiters(*node, lock->read_place(), 1);
  // A greedy writer that is back before a woken thread could have run.
  int turns = 0;
  while (!read && turns < 1'000'000) {
    check_ok(lock->end_write());
    while (lock->try_write() != DRAGON_SUCCESS) {
    }
    ++turns;
  }
  CHECK(read);
  check_ok(lock->end_write());
  reader.join();
}

TEST_CASE_FIXTURE(NodeFixture, "a writer that gives up lets the readers in [EVT-083]") {
  const auto lock = make_lock(*this);
  check_ok(lock->try_read());
  std::thread writer = object_thread(*this, *lock, [](RwLock& its) {
    CHECK(its.write(Deadline::after_ms(50)) == DRAGON_TIMEOUT);
  });
  wait_for_waiters(*node, lock->write_place(), 1);
  std::thread reader = object_thread(*this, *lock, [](RwLock& its) {
    check_ok(its.read(kSoon));
    check_ok(its.end_read());
  });
  writer.join();
  reader.join();
  check_ok(lock->end_read());
}

TEST_CASE_FIXTURE(NodeFixture, "no more actors read than were asked for [EVT-085]") {
  std::unique_ptr<RwLock> none;
  CHECK(RwLock::create(pool, 0, none) == DRAGON_INVALID_ARGUMENT);
  CHECK(RwLock::create(pool, kRwReadersMax + 1, none) == DRAGON_INVALID_ARGUMENT);
  const auto lock = make_lock(*this, 1);
  check_ok(lock->try_read());
  std::thread reader = object_thread(*this, *lock, [](RwLock& its) {
    CHECK(its.try_read() == DRAGON_FULL);
    check_ok(its.read(kSoon));
    check_ok(its.end_read());
  });
  wait_for_waiters(*node, lock->read_place(), 1);
  check_ok(lock->end_read());
  reader.join();
}
