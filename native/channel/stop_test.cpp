// A process that is stopped anywhere delays the others up to their deadlines and no longer; and
// what is not contended makes no system call at all.
// variants: plain
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "channel/crash_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

// One round of everything that tries once; each of it may find the object in use by the stopped.
void try_everything(CrashScene& scene) {
  const auto expect = [](Status status) {
    const bool ok = status == DRAGON_SUCCESS || is_not_yet(status);
    CHECK_MESSAGE(ok, dragon_status_name(status));
    return status == DRAGON_SUCCESS;
  };
  expect(try_send(*scene.in, "x"));
  expect(try_send(*scene.out, "x"));
  expect(try_receive(*scene.in).status);
  Allocation block;
  if (expect(scene.fixture.pool->try_allocate(64, AllocationType::kData, block))) {
    check_ok(scene.fixture.pool->free(block.id));
  }
  const Status acquired = scene.lock->try_acquire();
  if (acquired == DRAGON_SUCCESS) scene.lock->release();
}

}  // namespace

TEST_CASE("stopped at any point, a process holds nobody up beyond a deadline [SYN-024] [CH-044]") {
  NodeFixture fixture;
  uint64_t slowest_ns = 0;
  bool complete = false;
  for (uint64_t point = 1; !complete; point += 11) {
    INFO("stopped at point ", point);
    CrashScene scene(fixture);
    const pid_t pid = fork_child([&] {
      stop_points_arm(point);
      victim_script(scene);
    });
    int status = 0;
    REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
    complete = !WIFSTOPPED(status);
    const uint64_t before = now_ns();
    try_everything(scene);
    const Deadline soon = Deadline::after_ms(20);
    const Status sent = send(*scene.in, "x", soon);
    CHECK((sent == DRAGON_SUCCESS || sent == DRAGON_TIMEOUT));
    slowest_ns = std::max(slowest_ns, now_ns() - before);
    ::kill(pid, SIGKILL);
    if (!complete) wait_for(pid);
    reclaim_process(fixture.node, pid);
    scene.out->cancel_lent(scene.lent_handle, kHandleBytes);
  }
  // Each of the ten calls may wait 10 ms before it looks whether the holder is stopped.
  CHECK(slowest_ns < 1'000'000'000);
}

TEST_CASE("what is not contended makes no system call [SYN-021] [CH-045]") {
  NodeFixture fixture;
  CrashScene scene(fixture);
  const int status = wait_for(fork_child([&] {
    std::shared_ptr<Node> node;
    must(Node::attach(fixture.dir.path(), {}, node));
    std::shared_ptr<Pool> pool;
    must(Pool::attach(node, scene.pool_handle, kHandleBytes, pool));
    std::unique_ptr<Channel> channel;
    std::unique_ptr<LockObject> lock;
    must(Channel::create(pool, {}, channel));
    must(LockObject::create(pool, true, lock));
    const iovec part{&part, 16};
    const iovec large{pool->node().segment().mapping().base(), 1'000};
    uint8_t buffer[192];
    ReceivedMessage message;
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) ::_exit(9);
    // From here on anything but read, write and exit kills the process.
    for (int i = 0; i < 100; ++i) {
      Status worst = channel->try_send(&part, 1, 0);
      worst = std::max(worst, channel->try_send(&large, 1, 0));
      worst = std::max(worst, channel->try_receive(buffer, message));
      worst = std::max(worst, channel->receive(buffer, Deadline::never(), message));
      worst = std::max(worst, pool->free(message.allocation));
      worst = std::max(worst, lock->try_acquire());
      worst = std::max(worst, lock->release());
      worst = std::max(worst, channel->try_poll(PollEvent::kOut));
      if (worst != DRAGON_SUCCESS) ::syscall(SYS_exit, 10);
    }
    ::syscall(SYS_exit, 0);
  }));
  CHECK(status == 0);
  ActorInfo info;
  for (uint32_t slot = 0; fixture.node->actors().info(slot, info); ++slot) {
    if (info.state == ActorState::kLive && !fixture.node->actors().probe(info.id)) {
      ReclaimReport report;
      check_ok(reclaim(fixture.node, info.id, report));
    }
  }
}
