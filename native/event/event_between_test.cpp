// Calls on event objects in whose middle others act.
// variants: plain
#include <algorithm>

#include "channel/between_fixture.h"
#include "event/barrier.h"
#include "event/broadcast.h"
#include "event/condition.h"
#include "event/event_fixture.h"
#include "event/semaphore.h"

using namespace dragon;
using namespace dragon::test;

namespace {

// The object as an actor of the calling process has it open, until that ends.
template <typename Object>
Object* opened_by_child(const std::shared_ptr<Node>& its_node, const HandleCopy& handle) {
  return attach_object<Object>(its_node, handle).release();
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a round is read whole while others publish [EVT-050] [EVT-052]") {
  BroadcastOptions options;
  options.rounds = 2;
  options.payload_bytes = 64;
  std::unique_ptr<Broadcast> broadcast;
  check_ok(Broadcast::create(pool, options, broadcast));
  const HandleCopy handle(*broadcast);
  const auto publish = [&] {
    const std::string text(64, static_cast<char>('a' + broadcast->round() % 26));
    uint64_t round = 0;
    uint32_t woken = 0;
    check_ok(broadcast->try_publish(reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                    round, woken));
  };
  struct Result {
    Status status;
    BroadcastRound round;
    uint8_t bytes[64];
  };
  auto& result = shared_variable<Result>();
  publish();
  at_every_instruction(29, [&](uint64_t at) {
    const uint64_t from = broadcast->round();
    SteppedCall read([&] {
      auto* its_node = new std::shared_ptr<Node>(attach());
      auto* its = opened_by_child<Broadcast>(*its_node, handle);
      return
          [&result, its, from] { result.status = its->try_read(from, result.bytes, result.round); };
    });
    const bool more = read.step(at);
    for (int i = 0; i < 7; ++i) publish();
    reclaim_process(node, read.finish());
    check_ok(result.status);
    CHECK(result.round.missed == result.round.round - from);
    const auto expected = static_cast<uint8_t>('a' + (result.round.round - 1) % 26);
    CHECK(std::count(result.bytes, result.bytes + 64, expected) == 64);
    return more;
  });
}

TEST_CASE_FIXTURE(NodeFixture, "who gets the lock of a waiter can notify it [EVT-040]") {
  std::unique_ptr<Condition> condition;
  check_ok(Condition::create(pool, 4, condition));
  std::unique_ptr<LockObject> lock;
  check_ok(LockObject::create(pool, true, lock));
  const HandleCopy its_condition(*condition);
  const HandleCopy its_lock(*lock);
  constexpr uint64_t kPatienceNs = 60'000'000;
  constexpr auto kNone = static_cast<Status>(-1);
  struct Result {
    uint64_t began_ns;
    Status status;
  };
  auto& result = shared_variable<Result>();
  result.status = kNone;
  at_every_change([&](uint64_t at) {
    StoppedCall wait(at, [&] {
      auto* its_node = new std::shared_ptr<Node>(attach());
      auto* mine = opened_by_child<Condition>(*its_node, its_condition);
      auto* held = opened_by_child<LockObject>(*its_node, its_lock);
      check_ok(held->try_acquire());
      return [&result, mine, held] {
        result.began_ns = now_ns();
        result.status = mine->wait(*held, Deadline::after_ns(kPatienceNs));
        held->release();
      };
    });
    const bool more = wait.stopped();
    const bool is_free = more && result.status == kNone && !lock->locked();
    uint32_t notified = 0;
    if (is_free) check_ok(condition->notify(1, notified));
    const bool is_early = now_ns() - result.began_ns < kPatienceNs;
    reclaim_process(node, wait.finish());
    if (is_free && is_early) CHECK(notified == 1);
    if (notified == 1) CHECK(result.status == DRAGON_SUCCESS);
    result.status = kNone;
    return more;
  });
}

TEST_CASE_FIXTURE(NodeFixture, "a permit is taken by one, whenever others come [EVT-010]") {
  std::unique_ptr<Semaphore> semaphore;
  check_ok(Semaphore::create(pool, 1, 1, semaphore));
  const HandleCopy handle(*semaphore);
  auto& result = shared_variable<Status>();
  at_every_change([&](uint64_t at) {
    StoppedCall acquire(at, [&] {
      auto* its_node = new std::shared_ptr<Node>(attach());
      auto* its = opened_by_child<Semaphore>(*its_node, handle);
      return [&result, its] {
        uint64_t before = 0;
        result = its->try_acquire(before);
      };
    });
    const bool more = acquire.stopped();
    uint64_t before = 0;
    const Status mine = semaphore->try_acquire(before);
    reclaim_process(node, acquire.finish());
    CHECK((mine == DRAGON_SUCCESS) != (result == DRAGON_SUCCESS));
    CHECK(semaphore->value() == 0);
    check_ok(semaphore->release(1));
    return more;
  });
}

TEST_CASE_FIXTURE(NodeFixture, "whoever comes last ends the generation, for all [EVT-030]") {
  std::unique_ptr<Barrier> barrier;
  check_ok(Barrier::create(pool, 2, barrier));
  const HandleCopy handle(*barrier);
  auto& result = shared_variable<Status>();
  at_every_change([&](uint64_t at) {
    Barrier::Arrival mine;
    CHECK(barrier->arrive(mine) == DRAGON_WOULD_BLOCK);
    StoppedCall arrive(at, [&] {
      auto* its_node = new std::shared_ptr<Node>(attach());
      auto* its = opened_by_child<Barrier>(*its_node, handle);
      return [&result, its] {
        Barrier::Arrival last;
        result = its->arrive(last);
      };
    });
    const bool more = arrive.stopped();
    // Stopped after its arrival, it leaves the end to whoever looks.
    const uint32_t arrived = barrier->waiting();
    const Status early = barrier->look(mine);
    if (more) CHECK((early == DRAGON_SUCCESS) == (arrived != 1));
    reclaim_process(node, arrive.finish());
    check_ok(result);
    if (early != DRAGON_SUCCESS) check_ok(barrier->look(mine));
    return more;
  });
}
