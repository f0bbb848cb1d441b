// A process may be killed or stopped at any change of an event object, and the others go on.
// variants: plain
//
// With DRAGON_TEST_SIZE=full every point is tried; else every third, from another one each time.
#include <sys/wait.h>

#include "event/barrier.h"
#include "event/broadcast.h"
#include "event/condition.h"
#include "event/event.h"
#include "event/event_fixture.h"
#include "event/semaphore.h"
#include "sync/kill_points.h"

using namespace dragon;
using namespace dragon::test;

namespace {

uint64_t point_step() {
  return is_full_size() ? 1 : 3;
}
uint64_t first_point() {
  return 1 + now_ns() % point_step();
}

constexpr uint64_t kBound = 9;
constexpr uint64_t kVictimRounds = 6;

std::string payload_of(uint64_t round) {
  return std::string(round * 30, static_cast<char>('a' + round % 26));
}

Status publish(Broadcast& broadcast, uint64_t& round) {
  const std::string text = payload_of(broadcast.round() + 1);
  uint32_t woken = 0;
  return broadcast.try_publish(reinterpret_cast<const uint8_t*>(text.data()), text.size(), round,
                               woken);
}

// One of each, as the survivor has them open.
struct Scene {
  explicit Scene(NodeFixture& owner) : fixture(owner) {
    check_ok(Semaphore::create(owner.pool, 3, kBound, semaphore));
    check_ok(Event::create(owner.pool, false, event));
    check_ok(Barrier::create(owner.pool, 2, barrier));
    check_ok(Condition::create(owner.pool, 8, condition));
    check_ok(Broadcast::create(owner.pool, {256, 3}, broadcast));
    // The survivor's part: it waits at each of them.
    check_ok(condition->enter(waiting));
    check_ok(node().lot().arm(event->place(), WaitKind::kEventLoop, 0, event_wait));
    check_ok(node().lot().arm(semaphore->place(), WaitKind::kEventLoop, 0, semaphore_wait));
  }
  Node& node() const { return *fixture.node; }

  NodeFixture& fixture;
  std::unique_ptr<Semaphore> semaphore;
  std::unique_ptr<Event> event;
  std::unique_ptr<Barrier> barrier;
  std::unique_ptr<Condition> condition;
  std::unique_ptr<Broadcast> broadcast;
  Condition::Ticket waiting;
  RecordId event_wait = 0;
  RecordId semaphore_wait = 0;
};

// What the victim does, in a process of its own.
void victim_script(const Scene& scene, const HandleBytes (&handles)[5]) {
  std::shared_ptr<Node> node;
  must_be(Node::attach(scene.fixture.dir.path(), {}, node));
  {
    RecordId adopted = 0;
    std::unique_ptr<Semaphore> semaphore;
    std::unique_ptr<Event> event;
    std::unique_ptr<Barrier> barrier;
    std::unique_ptr<Condition> condition;
    std::unique_ptr<Broadcast> broadcast;
    must_be(Semaphore::attach(node, handles[0], kHandleBytes, false, adopted, semaphore));
    must_be(Event::attach(node, handles[1], kHandleBytes, false, adopted, event));
    must_be(Barrier::attach(node, handles[2], kHandleBytes, false, adopted, barrier));
    must_be(Condition::attach(node, handles[3], kHandleBytes, false, adopted, condition));
    must_be(Broadcast::attach(node, handles[4], kHandleBytes, false, adopted, broadcast));
    uint64_t before = 0;
    must_be(semaphore->try_acquire(before));
    must_be(semaphore->try_acquire(before));
    must_be(semaphore->release(4));
    must_be(event->set());
    must_be(event->clear());
    Barrier::Arrival first;
    Barrier::Arrival second;
    must_be(barrier->arrive(first), DRAGON_WOULD_BLOCK);
    must_be(barrier->arrive(second));
    must_be(barrier->look(first));
    must_be(barrier->arrive(first), DRAGON_WOULD_BLOCK);
    must_be(barrier->give_up(first), DRAGON_BARRIER_BROKEN);
    must_be(barrier->reset());
    Condition::Ticket ticket;
    uint32_t notified = 0;
    must_be(condition->enter(ticket));
    must_be(condition->notify(1, notified));  // the survivor's
    must_be(condition->notify(1, notified));  // its own
    must_be(condition->look(ticket));
    for (uint64_t round = 0; round < kVictimRounds; ++round) must_be(publish(*broadcast, before));
    must_be(barrier->arrive(first), DRAGON_WOULD_BLOCK);
    must_be(condition->enter(ticket));
  }
  leave(node);
}

void run_victim(const Scene& scene) {
  HandleBytes handles[5];
  scene.semaphore->serialize(handles[0]);
  scene.event->serialize(handles[1]);
  scene.barrier->serialize(handles[2]);
  scene.condition->serialize(handles[3]);
  scene.broadcast->serialize(handles[4]);
  victim_script(scene, handles);
}

// Everything that a survivor may do at once; none of it waits.
void use(Scene& scene) {
  uint64_t before = 0;
  check_ok(scene.semaphore->try_acquire(before));
  CHECK(before >= 1);
  CHECK(before <= 5);
  check_ok(scene.semaphore->release(1));
  CHECK(scene.semaphore->release(kBound) == DRAGON_STATE);
  check_ok(scene.event->set());
  check_ok(scene.event->wait(Deadline::never()));
  uint64_t round = 0;
  check_ok(publish(*scene.broadcast, round));
  uint64_t next = 1;
  while (next <= round) {
    uint8_t buffer[256];
    BroadcastRound got;
    check_ok(scene.broadcast->try_read(next, buffer, got));
    const std::string text(reinterpret_cast<const char*>(buffer), got.bytes);
    CHECK(text == payload_of(got.round));
    next = got.round + 1;
  }
  CHECK(round <= kVictimRounds + 2);
}

void use_waits(Scene& scene) {
  // A barrier in which somebody died is fresh after a reset.
  Barrier::Arrival first;
  Barrier::Arrival second;
  check_ok(scene.barrier->reset());
  CHECK(scene.barrier->arrive(first) == DRAGON_WOULD_BLOCK);
  check_ok(scene.barrier->arrive(second));
  check_ok(scene.barrier->look(first));
  // The survivor's wait has been notified, or can be.
  uint32_t notified = 0;
  if (scene.condition->look(scene.waiting) == DRAGON_WOULD_BLOCK) {
    check_ok(scene.condition->notify(1, notified));
    CHECK(notified == 1);
    check_ok(scene.condition->look(scene.waiting));
  }
  Condition::Ticket tickets[8];
  for (Condition::Ticket& ticket : tickets) check_ok(scene.condition->enter(ticket));
  check_ok(scene.condition->notify(8, notified));
  CHECK(notified >= 7);  // one may have come from the dead
  for (Condition::Ticket& ticket : tickets) check_ok(scene.condition->look(ticket));
}

void take_down(Scene& scene) {
  // What the victim changed has been told: a wake was owed to both.
  scene.node().lot().cancel(scene.event_wait);
  scene.node().lot().cancel(scene.semaphore_wait);
  CHECK(scene.node().lot().audit() == std::string());
  scene.semaphore.reset();
  scene.event.reset();
  scene.barrier.reset();
  scene.condition.reset();
  scene.broadcast.reset();
  CHECK(scene.fixture.pool->audit() == "");
  CHECK(scene.fixture.pool->stats().used_bytes == 0);
  for (uint32_t index = 1; index < scene.node().records().committed(); ++index) {
    const auto owner = static_cast<ActorId>(scene.node().records().at(index).owner.load());
    CHECK((owner == 0 || scene.node().actors().alive(owner)));
  }
}

}  // namespace

TEST_CASE("killed at any point, a user of event objects leaves them usable [EVT-004]") {
  NodeFixture fixture;
  uint64_t ended_at = 0;
  for (uint64_t point = first_point(); ended_at == 0; point += point_step()) {
    INFO("killed at point ", point);
    Scene scene(fixture);
    const pid_t pid = fork_child([&] {
      kill_points_arm(point);
      run_victim(scene);
    });
    const int status = wait_for(pid);
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    REQUIRE_MESSAGE((killed || status == 0), "the victim ended with ", status);
    if (!killed) ended_at = point;
    // At once, and again after the reclamation.
    if (point % 2 == 0) use(scene);
    const bool released = scene.semaphore->value() > 3;
    const bool was_set = scene.event->times_set() > 0;
    reclaim_process(fixture.node, pid);
    if (released) CHECK(scene.node().lot().woken(scene.semaphore_wait));
    if (was_set) CHECK(scene.node().lot().woken(scene.event_wait));
    use(scene);
    use_waits(scene);
    take_down(scene);
  }
  MESSAGE("points: ", ended_at);
  CHECK(ended_at > 100);
}

TEST_CASE("stopped at any point, a user of event objects holds nobody up [EVT-005]") {
  NodeFixture fixture;
  bool complete = false;
  uint64_t slowest_ns = 0;
  for (uint64_t point = first_point(); !complete; point += 2 * point_step()) {
    INFO("stopped at point ", point);
    Scene scene(fixture);
    const pid_t pid = fork_child([&] {
      stop_points_arm(point);
      run_victim(scene);
    });
    int status = 0;
    REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
    complete = !WIFSTOPPED(status);
    const uint64_t start = now_ns();
    use(scene);
    uint32_t index = 0;
    const Status passed = scene.barrier->wait(Deadline::after_ms(20), index);
    CHECK(
        (passed == DRAGON_SUCCESS || passed == DRAGON_TIMEOUT || passed == DRAGON_BARRIER_BROKEN));
    uint32_t notified = 0;
    check_ok(scene.condition->notify(8, notified));
    check_ok(scene.condition->look(scene.waiting));
    slowest_ns = std::max(slowest_ns, now_ns() - start);
    if (!complete) {
      ::kill(pid, SIGKILL);
      wait_for(pid);
    }
    reclaim_process(fixture.node, pid);
    check_ok(scene.condition->enter(scene.waiting));
    use_waits(scene);
    take_down(scene);
  }
  CHECK(slowest_ns < 1'000'000'000);
}

TEST_CASE_FIXTURE(NodeFixture, "a party that dies while it waits breaks the barrier [EVT-032]") {
  std::unique_ptr<Barrier> barrier;
  check_ok(Barrier::create(pool, 3, barrier));
  const pid_t pid = object_process(*this, *barrier, [](Barrier& mine) {
    uint32_t index = 0;
    mine.wait(Deadline::never(), index);
  });
  std::thread other = object_thread(*this, *barrier, [](Barrier& mine) {
    uint32_t index = 0;
    CHECK(mine.wait(Deadline::after_ms(20'000), index) == DRAGON_BARRIER_BROKEN);
  });
  while (barrier->waiting() < 2) ::usleep(500);
  ::kill(pid, SIGKILL);
  wait_for(pid);
  SUBCASE("noticed by who waits, with nobody to reclaim it") {}
  SUBCASE("told by its reclamation") {
    reclaim_process(node, pid);
  }
  other.join();
  reclaim_process(node, pid);
  CHECK(barrier->broken());
}

TEST_CASE_FIXTURE(NodeFixture, "a notify of a waiter that dies goes to the next one [EVT-043]") {
  std::unique_ptr<Condition> condition;
  check_ok(Condition::create(pool, 8, condition));
  bool complete = false;
  for (uint64_t point = 1; !complete; ++point) {
    INFO("the one that passes it on is killed at point ", point);
    auto& entered = shared_variable<Word32>();
    const pid_t victim = object_process(*this, *condition, [&](Condition& mine) {
      Condition::Ticket ticket;
      must_be(mine.enter(ticket));
      entered.store(1);
      for (;;) ::pause();
    });
    while (entered.load() == 0) ::usleep(200);
    Condition::Ticket next;
    check_ok(condition->enter(next));
    uint32_t notified = 0;
    check_ok(condition->notify(1, notified));
    CHECK(notified == 1);
    CHECK(condition->look(next) == DRAGON_WOULD_BLOCK);
    ::kill(victim, SIGKILL);
    wait_for(victim);
    // Another process finds the death and passes the notify on, and may be killed at that.
    const pid_t helper = object_process(*this, *condition, [&](Condition& mine) {
      Condition::Ticket ticket;
      must_be(mine.enter(ticket));
      for (uint32_t slot = 0; slot < 64; ++slot) {
        ActorInfo info;
        if (mine.node().actors().info(slot, info) && info.pid == victim) {
          mine.node().actors().probe(info.id);
        }
      }
      kill_points_arm(point);
      mine.look(ticket);
      kill_points_arm(0);
      mine.leave(ticket, true);
    });
    complete = wait_for(helper) == 0;
    reclaim_process(node, victim);
    reclaim_process(node, helper);
    check_ok(condition->look(next));
    CHECK(condition->waiting() == 0);
    ::munmap(&entered, sizeof(entered));
  }
}
