#include "event/barrier.h"

#include <set>

#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::unique_ptr<Barrier> make_barrier(const std::shared_ptr<Pool>& pool, uint32_t parties) {
  std::unique_ptr<Barrier> barrier;
  check_ok(Barrier::create(pool, parties, barrier));
  return barrier;
}

Status wait_20_s(Barrier& barrier, uint32_t& index) {
  return barrier.wait(Deadline::after_ms(20'000), index);
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture,
                  "parties go on when all have arrived, each with its index [EVT-030]") {
  constexpr uint32_t kParties = 4;
  constexpr uint32_t kGenerations = 100;
  const auto barrier = make_barrier(pool, kParties);
  std::atomic<uint32_t> arrivals{0};
  std::atomic<uint32_t> indexes[kGenerations] = {};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kParties; ++i) {
    threads.push_back(object_thread(*this, *barrier, [&](Barrier& mine) {
      for (uint32_t generation = 0; generation < kGenerations; ++generation) {
        ++arrivals;
        uint32_t index = 0;
        check_ok(wait_20_s(mine, index));
        CHECK(arrivals >= (generation + 1) * kParties);
        CHECK((indexes[generation].fetch_or(1u << index) & 1u << index) == 0);
      }
    }));
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& seen : indexes) CHECK(seen == (1u << kParties) - 1);
  CHECK(barrier->waiting() == 0);
  CHECK_FALSE(barrier->broken());
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a party that tries once passes as the last or not at all [EVT-031]") {
  std::unique_ptr<Barrier> none;
  CHECK(Barrier::create(pool, 0, none) == DRAGON_INVALID_ARGUMENT);
  CHECK(Barrier::create(pool, kBarrierPartiesMax + 1, none) == DRAGON_INVALID_ARGUMENT);
  uint32_t index = 9;
  const auto alone = make_barrier(pool, 1);
  check_ok(alone->wait(Deadline::once(), index));
  CHECK(index == 0);
  const auto pair = make_barrier(pool, 2);
  CHECK(pair->wait(Deadline::once(), index) == DRAGON_WOULD_BLOCK);
  CHECK(pair->waiting() == 0);
  std::thread other = object_thread(*this, *pair, [](Barrier& mine) {
    uint32_t its = 9;
    check_ok(wait_20_s(mine, its));
    CHECK(its == 0);
  });
  while (pair->waiting() == 0) ::usleep(200);
  check_ok(pair->wait(Deadline::once(), index));
  CHECK(index == 1);
  other.join();
}

TEST_CASE_FIXTURE(NodeFixture, "a time-out breaks the barrier for all until a reset [EVT-032]") {
  const auto barrier = make_barrier(pool, 3);
  std::thread other = object_thread(*this, *barrier, [](Barrier& mine) {
    uint32_t index = 0;
    CHECK(wait_20_s(mine, index) == DRAGON_BARRIER_BROKEN);
    CHECK(wait_20_s(mine, index) == DRAGON_BARRIER_BROKEN);
  });
  while (barrier->waiting() == 0) ::usleep(200);
  uint32_t index = 0;
  CHECK(barrier->wait(Deadline::after_ms(5), index) == DRAGON_TIMEOUT);
  CHECK(barrier->broken());
  CHECK(barrier->waiting() == 0);
  other.join();
  check_ok(barrier->reset());
  CHECK_FALSE(barrier->broken());
  Barrier::Arrival arrivals[3];
  CHECK(barrier->arrive(arrivals[0]) == DRAGON_WOULD_BLOCK);
  CHECK(barrier->arrive(arrivals[1]) == DRAGON_WOULD_BLOCK);
  check_ok(barrier->arrive(arrivals[2]));
  check_ok(barrier->look(arrivals[0]));
  check_ok(barrier->look(arrivals[1]));
}

TEST_CASE_FIXTURE(NodeFixture,
                  "abort breaks, reset begins anew, and both end every wait [EVT-033]") {
  const auto barrier = make_barrier(pool, 2);
  check_ok(barrier->reset());  // nothing to do
  for (const bool by_reset : {false, true}) {
    std::thread other = object_thread(*this, *barrier, [](Barrier& mine) {
      uint32_t index = 0;
      CHECK(wait_20_s(mine, index) == DRAGON_BARRIER_BROKEN);
    });
    wait_for_waiters(*node, barrier->place(), 1);
    check_ok(by_reset ? barrier->reset() : barrier->abort());
    other.join();
    CHECK(barrier->broken() == !by_reset);
    check_ok(barrier->abort());
    check_ok(barrier->reset());
  }
}

TEST_CASE_FIXTURE(NodeFixture, "who looks late learns how its own generation ended [EVT-034]") {
  const auto barrier = make_barrier(pool, 2);
  Barrier::Arrival tripped;
  Barrier::Arrival broken;
  Barrier::Arrival last;
  CHECK(barrier->arrive(tripped) == DRAGON_WOULD_BLOCK);
  check_ok(barrier->arrive(last));
  CHECK(barrier->arrive(broken) == DRAGON_WOULD_BLOCK);
  for (uint32_t round = 0; round < kBarrierEnds; ++round) {
    CHECK(barrier->look(tripped) == DRAGON_SUCCESS);
    if (round > 0) CHECK(barrier->look(broken) == DRAGON_BARRIER_BROKEN);
    check_ok(barrier->abort());
    check_ok(barrier->reset());
    for (int i = 0; i < 100; ++i) {
      CHECK(barrier->arrive(last) == DRAGON_WOULD_BLOCK);
      check_ok(barrier->arrive(last));
    }
  }
  // Of what is longer ago it is told the worse.
  check_ok(barrier->abort());
  check_ok(barrier->reset());
  CHECK(barrier->look(tripped) == DRAGON_BARRIER_BROKEN);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a party that closes or leaves while it waits breaks the barrier [EVT-032]") {
  const auto barrier = make_barrier(pool, 2);
  const auto other = attach();
  {
    const auto its = attach_object<Barrier>(other, HandleCopy(*barrier));
    Barrier::Arrival arrival;
    CHECK(its->arrive(arrival) == DRAGON_WOULD_BLOCK);
    CHECK(barrier->waiting() == 1);
    its->close();
    CHECK(barrier->broken());
    CHECK(its->look(arrival) == DRAGON_CLOSED);
    check_ok(barrier->reset());
    const auto again = attach_object<Barrier>(other, HandleCopy(*barrier));
    CHECK(again->arrive(arrival) == DRAGON_WOULD_BLOCK);
    leave(other);
  }
  uint32_t index = 0;
  CHECK(wait_20_s(*barrier, index) == DRAGON_BARRIER_BROKEN);
  check_ok(barrier->destroy());
  CHECK(wait_20_s(*barrier, index) == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE_FIXTURE(NodeFixture, "who comes again at once after a reset is not refused [EVT-033]") {
  const auto barrier = make_barrier(pool, 3);
  constexpr uint32_t kResets = 100;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.push_back(object_thread(*this, *barrier, [](Barrier& mine) {
      Barrier::Arrival arrival;
      for (uint32_t round = 0; round < kResets; ++round) {
        CHECK(mine.arrive(arrival) == DRAGON_WOULD_BLOCK);
        while (mine.look(arrival) == DRAGON_WOULD_BLOCK) std::this_thread::yield();
      }
    }));
  }
  for (uint32_t round = 0; round < kResets; ++round) {
    while (barrier->waiting() < 2) std::this_thread::yield();
    check_ok(barrier->reset());
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(barrier->waiting() == 0);
}
