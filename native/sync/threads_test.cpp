// Threads as actors: exclusion and wakes under load, for the thread sanitizer.
#include <atomic>
#include <thread>
#include <vector>

#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr int kThreads = 4;

template <typename Body>
void run_actors(SegmentFixture& fixture, int count, Body&& body) {
  std::vector<std::unique_ptr<TestActor>> actors;
  for (int i = 0; i < count; ++i) actors.push_back(fixture.actor());
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&, i] { body(*actors[i], i); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("a mutex is held by one actor at a time [SYN-020]") {
  SegmentFixture fixture;
  RobustMutex& mutex = fixture.segment.header().reclaim_mutex;
  uint64_t counter = 0;  // plain: the sanitizer reports it if the mutex does not order
  run_actors(fixture, kThreads, [&](TestActor& actor, int) {
    for (int i = 0; i < 5'000; ++i) {
      REQUIRE(mutex.lock(actor.me) == DRAGON_SUCCESS);
      ++counter;
      mutex.unlock();
    }
  });
  CHECK(counter == 5'000 * kThreads);
  CHECK(mutex.holder() == 0);
}

TEST_CASE("no wake is lost between waiters and wakers that live [SYN-032]") {
  SegmentFixture fixture;
  Word32& hint = shared_variable<Word32>();
  Word32& tokens = shared_variable<Word32>();
  const WaitPlace place{4711, &hint, 1};
  constexpr uint32_t kTokens = 3'000;
  std::atomic<uint32_t> slow{0};
  run_actors(fixture, kThreads, [&](TestActor& actor, int number) {
    if (number % 2 == 0) {
      for (uint32_t i = 0; i < kTokens; ++i) {
        tokens.fetch_add(1);
        actor.lot->signal(place);
      }
      return;
    }
    for (uint32_t i = 0; i < kTokens; ++i) {
      const uint64_t before = now_ns();
      const auto take = [&] {
        uint32_t found = tokens.load();
        while (found != 0 && !tokens.cas(found, found - 1)) {
        }
        return found == 0 ? DRAGON_EMPTY : DRAGON_SUCCESS;
      };
      REQUIRE(wait_until(*actor.lot, place, Deadline::never(), true, take) == DRAGON_SUCCESS);
      // A lost wake would be made up for by the waiter's own look, 10 ms later at the earliest.
      if (now_ns() - before > 2'000'000'000) ++slow;
    }
  });
  CHECK(tokens.load() == 0);
  CHECK(slow == 0);
}

TEST_CASE("records are claimed by one actor each [SYN-050]") {
  SegmentFixture fixture;
  std::atomic<uint64_t> sum{0};
  run_actors(fixture, kThreads, [&](TestActor& actor, int) {
    std::vector<RecordId> mine;
    for (int i = 0; i < 1'000; ++i) {
      RecordId id = 0;
      check_ok(actor.lot->records().claim(actor.me.id, id));
      mine.push_back(id);
    }
    for (const RecordId id : mine) {
      const uint64_t owner = actor.lot->records().of(id).owner.load();
      if (static_cast<ActorId>(owner) == actor.me.id) ++sum;
      actor.lot->records().release(id);
    }
  });
  CHECK(sum == 1'000 * kThreads);
}
