// The parking lot: queues, wakes, and what happens to those that are not used.
#include "sync/parking.h"

#include <poll.h>

#include <thread>

#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

struct LotFixture : SegmentFixture {
  LotFixture() : first(actor()), second(actor()) {}
  WaitPlace place(uint64_t key, uint32_t bit = 1) { return {key, &hint, bit}; }
  RecordId arm(const WaitPlace& where, uint64_t ticket = 0) {
    RecordId id = 0;
    check_ok(first->lot->arm(where, WaitKind::kEventLoop, ticket, id));
    return id;
  }

  Word32& hint = shared_variable<Word32>();
  std::unique_ptr<TestActor> first;
  std::unique_ptr<TestActor> second;
};

// Another key whose waiters stand in the same bucket.
uint64_t neighbour_of(uint64_t key) {
  uint64_t other = key + 1;
  while (hash_key(other) % kBuckets != hash_key(key) % kBuckets) ++other;
  return other;
}

bool waits(const WaitPlace& place) {
  return (place.hint->load() & place.bit) != 0;
}

bool readable(const Bell& bell) {
  pollfd poll{bell.fd(), POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

}  // namespace

TEST_CASE_FIXTURE(LotFixture,
                  "waiters are woken in the order of their tickets [SYN-030] [SYN-031]") {
  const RecordId a = arm(place(1));
  const RecordId b = arm(place(1));
  CHECK(second->lot->wake_one(place(1)));
  CHECK(first->lot->woken(a));
  CHECK_FALSE(first->lot->woken(b));
  CHECK(second->lot->wake_one(place(1)));
  CHECK(first->lot->woken(b));
  CHECK_FALSE(second->lot->wake_one(place(1)));
}

TEST_CASE_FIXTURE(LotFixture, "a waiter that arms again keeps its place [SYN-030]") {
  const RecordId a = arm(place(1));
  const RecordId b = arm(place(1));
  second->lot->wake_one(place(1));
  first->lot->rearm(place(1), a);
  CHECK_FALSE(first->lot->woken(a));
  second->lot->wake_one(place(1));
  CHECK(first->lot->woken(a));
  CHECK_FALSE(first->lot->woken(b));
  const uint64_t ticket = now_ns();
  const RecordId c = arm(place(2));
  const RecordId d = arm(place(2), ticket);
  second->lot->wake_one(place(2));
  CHECK(first->lot->woken(d));
  CHECK_FALSE(first->lot->woken(c));
}

TEST_CASE_FIXTURE(LotFixture, "a wake reaches waiters of its own key only [SYN-031]") {
  const uint64_t other = neighbour_of(1);
  const RecordId b = arm(place(other, 2));
  const RecordId a = arm(place(1));
  CHECK(second->lot->wake_all(place(1)) == 1);
  CHECK(first->lot->woken(a));
  CHECK_FALSE(first->lot->woken(b));
  const RecordId c = arm(place(other, 2));
  CHECK(second->lot->wake_all(place(other, 2)) == 2);
  CHECK(first->lot->woken(b));
  CHECK(first->lot->woken(c));
}

TEST_CASE_FIXTURE(LotFixture, "the hint bit says whether somebody may wait [SYN-037]") {
  CHECK(hint.load() == 0);
  const RecordId a = arm(place(1));
  const RecordId b = arm(place(1));
  CHECK(hint.load() == 1);
  second->lot->wake_one(place(1));
  CHECK(hint.load() == 1);
  second->lot->wake_one(place(1));
  CHECK(hint.load() == 0);
  first->lot->cancel(a);
  first->lot->cancel(b);
  const RecordId c = arm(place(1));
  CHECK(hint.load() == 1);
  first->lot->cancel(c);
  CHECK_FALSE(second->lot->wake_one(place(1)));
  CHECK(hint.load() == 0);
}

TEST_CASE_FIXTURE(LotFixture, "a cancel tells whether a wake had come [SYN-033]") {
  const RecordId a = arm(place(1));
  const RecordId b = arm(place(1));
  second->lot->wake_one(place(1));
  CHECK(first->lot->cancel(a));
  CHECK_FALSE(first->lot->cancel(b));
  CHECK_FALSE(second->lot->wake_one(place(1)));
}

TEST_CASE_FIXTURE(LotFixture, "a wait that times out passes its wake on to the next [SYN-033]") {
  // The first waiter is woken before it has looked for the last time, and does not use it.
  int looks = 0;
  const auto attempt = [&] {
    if (waits(place(1)) && ++looks == 1) {
      const RecordId behind = arm(place(1));
      CHECK(second->lot->wake_one(place(1)));
      ::usleep(30'000);
      CHECK_FALSE(first->lot->woken(behind));
    }
    return DRAGON_EMPTY;
  };
  const Status status = wait_until(*first->lot, place(1), Deadline::after_ms(20), true, attempt);
  CHECK(status == DRAGON_TIMEOUT);
  CHECK(readable(first->bell));
  CHECK_FALSE(second->lot->wake_one(place(1)));
}

TEST_CASE_FIXTURE(LotFixture, "a wait that takes nothing passes its wake on [SYN-033]") {
  int looks = 0;
  RecordId behind = 0;
  const auto attempt = [&]() -> Status {
    if (!waits(place(1)) || ++looks > 1) return DRAGON_WOULD_BLOCK;
    behind = arm(place(1));
    second->lot->wake_one(place(1));
    return DRAGON_SUCCESS;
  };
  check_ok(wait_until(*first->lot, place(1), Deadline::never(), false, attempt));
  CHECK(first->lot->woken(behind));
}

TEST_CASE_FIXTURE(LotFixture,
                  "a blocked waiter looks by itself after 10 ms, then later [SYN-034]") {
  RecordId id = 0;
  check_ok(first->lot->arm(place(1), WaitKind::kBlocked, 0, id));
  SleepSteps steps;
  uint64_t before = now_ns();
  CHECK(first->lot->block(id, Deadline::never(), steps) == DRAGON_WOULD_BLOCK);
  CHECK(now_ns() - before >= 10'000'000);
  before = now_ns();
  CHECK(first->lot->block(id, Deadline::never(), steps) == DRAGON_WOULD_BLOCK);
  CHECK(now_ns() - before >= 20'000'000);
  CHECK(steps.next_ns == 40'000'000);
  steps.next_ns = 600'000'000;
  CHECK(first->lot->block(id, Deadline::after_ms(5), steps) == DRAGON_TIMEOUT);
  second->lot->wake_one(place(1));
  check_ok(first->lot->block(id, Deadline::after_ms(5'000), steps));
  CHECK(first->lot->cancel(id));
}

TEST_CASE_FIXTURE(LotFixture, "a wake ends a blocked thread's sleep at once [SYN-031]") {
  Word32& flag = shared_variable<Word32>();
  std::thread waker([&] {
    while ((hint.load() & 1) == 0) ::usleep(100);
    ::usleep(3'000);
    flag.store(1);
    second->lot->signal(place(1));
  });
  const uint64_t before = now_ns();
  check_ok(wait_until(*first->lot, place(1), Deadline::never(), true,
                      [&] { return flag.load() != 0 ? DRAGON_SUCCESS : DRAGON_EMPTY; }));
  CHECK(now_ns() - before < 2'000'000'000);
  waker.join();
}

TEST_CASE_FIXTURE(LotFixture,
                  "a deadline of once does not arm, one in the past is TIMEOUT [SYN-060]") {
  const auto attempt = [] { return DRAGON_FULL; };
  CHECK(wait_until(*first->lot, place(1), Deadline::once(), true, attempt) == DRAGON_FULL);
  CHECK(hint.load() == 0);
  const uint64_t before = now_ns();
  const Status status = wait_until(*first->lot, place(1), Deadline::after_ms(35), true, attempt);
  CHECK(status == DRAGON_TIMEOUT);
  CHECK(now_ns() - before >= 35'000'000);
  CHECK(Deadline::from_timeout_ms(-1).is_never());
  CHECK(Deadline::from_timeout_ms(0).is_once());
  CHECK_FALSE(Deadline::from_timeout_ms(1e300).passed());
}

TEST_CASE_FIXTURE(LotFixture, "a wake that comes after the success goes to the next [SYN-033]") {
  RecordId other = 0;
  const auto attempt = [&] {
    if (!waits(place(1))) return DRAGON_EMPTY;
    check_ok(second->lot->arm(place(1), WaitKind::kEventLoop, 0, other));
    CHECK(second->lot->wake_one(place(1)));  // for something that came after what this one takes
    return DRAGON_SUCCESS;
  };
  check_ok(wait_until(*first->lot, place(1), Deadline::never(), true, attempt));
  CHECK(second->lot->woken(other));
}

TEST_CASE_FIXTURE(LotFixture, "a wake whose ring died with the waker is rung again [SYN-035]") {
  const RecordId a = arm(place(1));
  CHECK(second->lot->wake_one(place(1)));
  first->bell.drain();  // as if the ring had not been sent
  CHECK_FALSE(readable(first->bell));
  second->lot->wake_everyone();
  CHECK(readable(first->bell));
  CHECK(first->lot->cancel(a));
}

TEST_CASE_FIXTURE(LotFixture, "after a death every waiter of every object is woken [SYN-035]") {
  const RecordId a = arm(place(1));
  const RecordId b = arm(place(2, 2));
  first->bell.drain();
  second->table.bell_pending(first->me.id).store(1);  // as a ringer that died before the socket
  CHECK(second->lot->wake_everyone() == 2);
  CHECK(first->lot->woken(a));
  CHECK(first->lot->woken(b));
  CHECK(readable(first->bell));
}

TEST_CASE_FIXTURE(LotFixture, "who waits on what since when can be read [SYN-039]") {
  const RecordId a = arm(place(0x77));
  WaitInfo info;
  REQUIRE(second->lot->info(RecordArea::index_of(a), info));
  CHECK(info.actor == first->me.id);
  CHECK(info.key == 0x77);
  CHECK(info.kind == WaitKind::kEventLoop);
  CHECK(now_ns() - info.since_ns < 10'000'000'000);
  second->lot->wake_one(place(0x77));
  CHECK_FALSE(second->lot->info(RecordArea::index_of(a), info));
}

TEST_CASE_FIXTURE(LotFixture, "a dead actor's waits are given back [SYN-080]") {
  arm(place(1));
  RecordId none = 0;
  check_ok(first->lot->records().claim(first->me.id, none));
  const RecordId lost = first->lot->records().id_of(RecordArea::index_of(none));
  CHECK(second->lot->give_back(first->me.id) == 2);
  CHECK_FALSE(second->lot->wake_one(place(1)));
  CHECK_FALSE(second->lot->records().current(lost));
}
