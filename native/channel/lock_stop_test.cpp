// A waiter that is stopped or killed holds nobody up, whatever was handed to it.
// variants: plain asan
#include <signal.h>

#include "channel/channel_fixture.h"
#include "channel/lock_object.h"

using namespace dragon;
using namespace dragon::test;

namespace {

// A process that waits for the lock and has stood in its queue for longer than a hand-over takes.
pid_t start_waiter(const NodeFixture& fixture, const LockObject& lock) {
  HandleBytes handle;
  lock.serialize(handle);
  const pid_t pid = fork_child([&] {
    std::shared_ptr<Node> node;
    if (Node::attach(fixture.dir.path(), {}, node) != DRAGON_SUCCESS) ::_exit(1);
    std::unique_ptr<LockObject> mine;
    RecordId adopted = 0;
    if (LockObject::attach(node, handle, sizeof(handle), false, adopted, mine) != DRAGON_SUCCESS) {
      ::_exit(2);
    }
    if (mine->acquire(Deadline::never()) != DRAGON_SUCCESS) ::_exit(3);
    if (mine->release() != DRAGON_SUCCESS) ::_exit(4);
    mine.reset();
    leave(node);
  });
  wait_for_waiter(lock.place());
  return pid;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a stopped or dead waiter holds nobody up [SYN-078]") {
  std::unique_ptr<LockObject> lock;
  check_ok(LockObject::create(pool, true, lock));
  for (const int signal : {SIGSTOP, SIGKILL}) {
    CAPTURE(signal);
    check_ok(lock->acquire(Deadline::never()));
    const pid_t pid = start_waiter(*this, *lock);
    ::kill(pid, signal);
    if (signal == SIGKILL) wait_for(pid);
    check_ok(lock->release());
    const uint64_t released_ns = now_ns();
    const Status at_once = lock->try_acquire();
    CHECK(at_once == DRAGON_WOULD_BLOCK);  // kept for the waiter, which does not come
    check_ok(lock->acquire(Deadline::after_ms(5'000)));
    CHECK(now_ns() - released_ns < 200'000'000);
    check_ok(lock->release());
    check_ok(lock->try_acquire());  // the acquisition has ended the hand-over
    check_ok(lock->release());
    if (signal == SIGSTOP) {
      ::kill(pid, SIGCONT);
      CHECK(wait_for(pid) == 0);
    }
    reclaim_process(node, pid);
  }
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a waiter stopped for a moment gets the lock when it goes on "
                  "[SYN-078] [SYN-034]") {
  std::unique_ptr<LockObject> lock;
  check_ok(LockObject::create(pool, true, lock));
  check_ok(lock->acquire(Deadline::never()));
  const pid_t pid = start_waiter(*this, *lock);
  ::kill(pid, SIGSTOP);
  check_ok(lock->release());
  ::usleep(5'000);
  check_ok(lock->acquire(Deadline::after_ms(5'000)));
  ::kill(pid, SIGCONT);
  ::usleep(20'000);
  check_ok(lock->release());
  CHECK(wait_for(pid) == 0);
}
