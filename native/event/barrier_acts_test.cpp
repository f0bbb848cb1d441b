// Barriers whose last party acts before the others go on.
#include <atomic>

#include "event/barrier.h"
#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::unique_ptr<Barrier> make_acting(const std::shared_ptr<Pool>& pool, uint32_t parties) {
  std::unique_ptr<Barrier> barrier;
  check_ok(Barrier::create(pool, parties, true, barrier));
  return barrier;
}

// One wait; `act` is what the last party does.
template <typename Act>
Status pass(Barrier& barrier, uint32_t& index, Act act) {
  Barrier::Arrival arrival;
  const Deadline deadline = Deadline::after_ms(20'000);
  const Status arrived = barrier.enter(deadline, arrival);
  index = arrival.index;
  if (arrived != DRAGON_WOULD_BLOCK) return arrived;
  if (!barrier.is_acting(arrival)) return barrier.wait_for(arrival, deadline);
  act();
  return barrier.finish(arrival);
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "the last party acts once, before anybody goes on [EVT-035]") {
  constexpr uint32_t kThreads = 5;  // more than parties: two of them are always outside
  constexpr uint32_t kParties = 3;
  constexpr uint32_t kRounds = 200;
  const auto barrier = make_acting(pool, kParties);
  std::atomic<uint32_t> acted{0};
  std::atomic<uint32_t> passed{0};
  std::atomic<bool> acting{false};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    threads.push_back(object_thread(*this, *barrier, [&](Barrier& mine) {
      while (passed.load() < kRounds * kParties) {
        uint32_t index = 0;
        const Status status = pass(mine, index, [&] {
          CHECK_FALSE(acting.exchange(true));
          ++acted;
          acting.store(false);
        });
        if (status == DRAGON_BARRIER_BROKEN) break;  // the rest, when enough have passed
        check_ok(status);
        CHECK(acted.load() * kParties > passed.fetch_add(1));
      }
      check_ok(mine.abort());
    }));
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(acted.load() * kParties >= passed.load());
}

TEST_CASE_FIXTURE(NodeFixture,
                  "while the last party acts others wait, newcomers outside [EVT-035]") {
  const auto barrier = make_acting(pool, 2);
  uint32_t index = 0;
  CHECK(barrier->wait(Deadline::after_ms(5), index) == DRAGON_NOT_SUPPORTED);
  Barrier::Arrival first;
  Barrier::Arrival last;
  Barrier::Arrival late;
  CHECK(barrier->try_wait(first) == DRAGON_WOULD_BLOCK);
  CHECK(barrier->waiting() == 0);
  CHECK(barrier->arrive(first) == DRAGON_WOULD_BLOCK);
  CHECK(barrier->try_wait(last) == DRAGON_WOULD_BLOCK);
  CHECK_FALSE(barrier->is_acting(first));
  CHECK(barrier->is_acting(last));
  CHECK(barrier->look(first, true) == DRAGON_WOULD_BLOCK);
  CHECK(barrier->arrive(late) == DRAGON_FULL);
  CHECK(barrier->try_wait(late) == DRAGON_WOULD_BLOCK);
  CHECK(barrier->enter(Deadline::after_ms(5), late) == DRAGON_TIMEOUT);
  CHECK(barrier->finish(first) == DRAGON_STATE);
  check_ok(barrier->finish(last));
  check_ok(barrier->look(first));
  CHECK(barrier->enter(Deadline::after_ms(5), late) == DRAGON_WOULD_BLOCK);
  CHECK(barrier->waiting() == 1);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a party that gives up while the last one acts breaks for all [EVT-036]") {
  const auto barrier = make_acting(pool, 2);
  Barrier::Arrival first;
  Barrier::Arrival last;
  CHECK(barrier->arrive(first) == DRAGON_WOULD_BLOCK);
  CHECK(barrier->arrive(last) == DRAGON_WOULD_BLOCK);
  CHECK(barrier->wait_for(first, Deadline::after_ms(3)) == DRAGON_TIMEOUT);
  CHECK(barrier->finish(last) == DRAGON_BARRIER_BROKEN);
  check_ok(barrier->reset());
  CHECK(barrier->arrive(first) == DRAGON_WOULD_BLOCK);
  CHECK(barrier->arrive(last) == DRAGON_WOULD_BLOCK);
  check_ok(barrier->reset());
  CHECK(barrier->finish(last) == DRAGON_BARRIER_BROKEN);
  CHECK(barrier->look(first) == DRAGON_BARRIER_BROKEN);
  CHECK_FALSE(barrier->broken());
}

TEST_CASE_FIXTURE(NodeFixture, "a last party that dies acting breaks the barrier [EVT-036]") {
  const auto barrier = make_acting(pool, 2);
  Barrier::Arrival first;
  CHECK(barrier->arrive(first) == DRAGON_WOULD_BLOCK);
  const pid_t last = object_process(*this, *barrier, [](Barrier& mine) {
    Barrier::Arrival arrival;
    must_be(mine.arrive(arrival), DRAGON_WOULD_BLOCK);
    ::kill(::getpid(), SIGKILL);
  });
  int ended = 0;
  CHECK(::waitpid(last, &ended, 0) == last);
  CHECK(WIFSIGNALED(ended));
  CHECK(barrier->wait_for(first, Deadline::after_ms(20'000)) == DRAGON_BARRIER_BROKEN);
  CHECK(barrier->broken());
  reclaim_process(node, last);
  check_ok(barrier->reset());
  uint32_t index = 9;
  std::thread other = object_thread(*this, *barrier, [](Barrier& mine) {
    uint32_t its = 0;
    check_ok(pass(mine, its, [] {}));
  });
  check_ok(pass(*barrier, index, [] {}));
  other.join();
}
