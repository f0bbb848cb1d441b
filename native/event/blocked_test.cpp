// Who waits on what, as somebody from outside sees it.
#include "event/blocked.h"

#include <algorithm>
#include <string>

#include "event/barrier.h"
#include "event/condition.h"
#include "event/event_fixture.h"
#include "event/rw_lock.h"
#include "event/semaphore.h"

using namespace dragon;
using namespace dragon::test;

namespace {

using Actors = std::vector<ActorId>;

// The waits of one actor, once there is one.
BlockedWait wait_of(const std::shared_ptr<Node>& viewer, ActorId actor) {
  for (;;) {
    for (const BlockedWait& wait : blocked_waits(viewer)) {
      if (wait.wait.actor == actor) return wait;
    }
    ::usleep(500);
  }
}

std::string text_of(const BlockedWait& wait) {
  return std::string(wait.operation) + " " + wait.object;
}

}  // namespace

namespace {

// A viewer, and another actor whose waits it sees.
struct Scene : NodeFixture {
  Scene() : viewer(attach()), other(attach()), me(node->me().id), its(other->me().id) {
    both = {me, its};
    std::sort(both.begin(), both.end());
  }
  ~Scene() {
    leave(other);
    CHECK(blocked_waits(viewer).empty());
    leave(viewer);
    CHECK(blocked_waits(viewer).empty());
  }

  template <typename Object>
  std::unique_ptr<Object> at_other(const Object& object) const {
    return attach_object<Object>(other, HandleCopy(object));
  }
  // The other one waits there; what is seen of that.
  BlockedWait seen(const WaitPlace& place) const {
    RecordId record = 0;
    check_ok(other->lot().arm(place, WaitKind::kBlocked, 0, record));
    BlockedWait wait = wait_of(viewer, its);
    other->lot().cancel(record);
    return wait;
  }

  std::shared_ptr<Node> viewer;
  std::shared_ptr<Node> other;
  ActorId me;
  ActorId its;
  Actors both;
};

}  // namespace

TEST_CASE_FIXTURE(Scene, "a wait for a message or for room names the other side [EVT-070]") {
  const auto channel = make_channel(pool);
  const auto its_channel = at_other(*channel);
  const BlockedWait wait = seen(its_channel->place(PollEvent::kIn));
  CHECK(text_of(wait) == "receive channel");
  CHECK(wait.wakers == both);  // no senders: whoever has it open may come to be one
  CHECK(wait.name.allocation == channel->id());
  RecordId sender = 0;
  check_ok(channel->open_handle(Role::kSender, sender));
  CHECK(seen(its_channel->place(PollEvent::kIn)).wakers == Actors{me});
  CHECK(seen(its_channel->place(PollEvent::kOut)).wakers == both);
  RecordId receiver = 0;
  check_ok(its_channel->open_handle(Role::kReceiver, receiver));
  CHECK(seen(its_channel->place(PollEvent::kOut)).wakers == Actors{its});
  CHECK(text_of(seen(its_channel->place(PollEvent::kOut))) == "send channel");
  CHECK(seen(its_channel->poll_place(PollEvent::kIn)).wakers == both);
  CHECK(text_of(seen(its_channel->poll_place(PollEvent::kFull))) == "poll for full channel");
}

TEST_CASE_FIXTURE(Scene, "a wait for memory names who could free some [EVT-070]") {
  const auto channel = make_channel(pool);
  const auto its_channel = at_other(*channel);
  RecordId receiver = 0;
  check_ok(its_channel->open_handle(Role::kReceiver, receiver));
  const auto its_pool = pool_for(other);
  CHECK(seen(its_pool->place()).wakers == Actors{});
  const uint64_t mine = allocate(5'000);
  const BlockedWait wait = seen(its_pool->place());
  CHECK(text_of(wait) == "allocate pool");
  CHECK(wait.wakers == Actors{me});
  // In a message it is the receivers who may come to free it.
  check_ok(channel->try_send_allocation(mine, 0));
  CHECK(seen(its_pool->place()).wakers == Actors{its});
}

TEST_CASE_FIXTURE(Scene, "a wait for a lock names its holder [EVT-070]") {
  std::unique_ptr<LockObject> lock;
  check_ok(LockObject::create(pool, true, lock));
  const auto its_lock = at_other(*lock);
  CHECK(seen(its_lock->place()).others);  // it is free
  check_ok(lock->try_acquire());
  const BlockedWait wait = seen(its_lock->place());
  CHECK(text_of(wait) == "acquire lock");
  CHECK(wait.wakers == Actors{me});
  CHECK_FALSE(wait.others);
}

TEST_CASE_FIXTURE(Scene, "a wait for a reader-writer lock names who is in the way [EVT-104]") {
  std::unique_ptr<RwLock> lock;
  check_ok(RwLock::create(pool, 2, lock));
  const auto its_lock = at_other(*lock);
  CHECK(seen(its_lock->read_place()).others);  // it is free
  CHECK(seen(its_lock->write_place()).others);
  check_ok(lock->try_write());
  CHECK(text_of(seen(its_lock->read_place())) == "read reader-writer lock");
  CHECK(seen(its_lock->read_place()).wakers == Actors{me});
  const BlockedWait wait = seen(its_lock->write_place());
  CHECK(text_of(wait) == "write reader-writer lock");
  CHECK(wait.wakers == Actors{me});
  CHECK_FALSE(wait.others);
  check_ok(lock->end_write());
  check_ok(lock->try_read());
  CHECK(seen(its_lock->write_place()).wakers == Actors{me});
  CHECK(seen(its_lock->read_place()).others);  // there is room for it
  check_ok(its_lock->try_read());
  CHECK(seen(its_lock->write_place()).wakers == both);
  CHECK(seen(its_lock->read_place()).wakers == both);  // no more may read
  check_ok(its_lock->end_read());
  // A writer that waits goes first.
  RecordId record = 0;
  check_ok(node->lot().arm(lock->write_place(), WaitKind::kBlocked, 0, record));
  CHECK(seen(its_lock->read_place()).wakers == Actors{me});
  node->lot().cancel(record);
  check_ok(lock->end_read());
}

TEST_CASE_FIXTURE(Scene, "a wait for others names those that have the object open [EVT-070]") {
  std::unique_ptr<Semaphore> semaphore;
  check_ok(Semaphore::create(pool, 0, 0, semaphore));
  const auto its_semaphore = at_other(*semaphore);
  CHECK(seen(its_semaphore->place()).wakers == both);
  CHECK(text_of(seen(its_semaphore->place())) == "acquire semaphore");
  CHECK(text_of(seen(its_semaphore->zero_place())) == "wait for zero semaphore");

  std::unique_ptr<Barrier> barrier;
  check_ok(Barrier::create(pool, 2, barrier));
  const auto its_barrier = at_other(*barrier);
  Barrier::Arrival arrival;
  CHECK(its_barrier->arrive(arrival) == DRAGON_WOULD_BLOCK);
  BlockedWait wait = seen(its_barrier->place());
  CHECK(text_of(wait) == "wait barrier");
  CHECK(wait.wakers == Actors{me});
  CHECK_FALSE(wait.others);
  barrier.reset();
  wait = seen(its_barrier->place());
  CHECK(wait.wakers == Actors{});
  CHECK(wait.others);  // the missing party is unknown
}
