#include "event/event.h"

#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::unique_ptr<Event> make_event(const std::shared_ptr<Pool>& pool, bool set = false) {
  std::unique_ptr<Event> event;
  check_ok(Event::create(pool, set, event));
  return event;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "an event is set and cleared, and waits see that [EVT-020]") {
  const auto event = make_event(pool);
  CHECK_FALSE(event->is_set());
  CHECK(event->wait(Deadline::once()) == DRAGON_WOULD_BLOCK);
  CHECK(event->wait(Deadline::after_ms(5)) == DRAGON_TIMEOUT);
  check_ok(event->set());
  check_ok(event->set());
  CHECK(event->times_set() == 1);
  check_ok(event->wait(Deadline::never()));
  check_ok(event->clear());
  CHECK_FALSE(event->is_set());
  CHECK(event->wait(Deadline::once()) == DRAGON_WOULD_BLOCK);
  CHECK(make_event(pool, true)->is_set());
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a set releases all who wait, also if it is cleared at once [EVT-021]") {
  const auto event = make_event(pool);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(object_thread(
        *this, *event, [](Event& mine) { check_ok(mine.wait(Deadline::after_ms(20'000))); }));
  }
  wait_for_waiters(*node, event->place(), 3);
  check_ok(event->set());
  check_ok(event->clear());
  for (std::thread& thread : threads) thread.join();
  const uint64_t since = event->times_set();
  check_ok(event->set());
  check_ok(event->clear());
  check_ok(event->try_wait(since));
  CHECK(event->try_wait(event->times_set()) == DRAGON_WOULD_BLOCK);
}

TEST_CASE_FIXTURE(NodeFixture, "destroying an event ends every wait on it [EVT-002]") {
  const auto event = make_event(pool);
  std::thread waiter = object_thread(*this, *event, [](Event& mine) {
    CHECK(mine.wait(Deadline::after_ms(20'000)) == DRAGON_OBJECT_DESTROYED);
    CHECK(mine.set() == DRAGON_OBJECT_DESTROYED);
  });
  wait_for_waiters(*node, event->place(), 1);
  check_ok(event->destroy());
  waiter.join();
}
