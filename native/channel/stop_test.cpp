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
    if (!complete) {
      ::kill(pid, SIGKILL);
      wait_for(pid);
    }
    reclaim_process(fixture.node, pid);
    scene.out->cancel_lent(scene.lent_handle, kHandleBytes);
  }
  // Each of the ten calls may wait 10 ms before it looks whether the holder is stopped.
  CHECK(slowest_ns < 1'000'000'000);
}

namespace {

ChannelHeader& header_of(const Channel& channel) {
  AllocationInfo info;
  check_ok(channel.pool().find(channel.id(), info));
  return *reinterpret_cast<ChannelHeader*>(info.allocation.data);
}

// Starts a process that attaches, runs `prepare` and stops itself before a point of `body`.
template <typename Prepare, typename Body>
pid_t start_stopped(const NodeFixture& fixture, uint64_t point, Prepare prepare, Body body) {
  const pid_t pid = fork_child([&] {
    std::shared_ptr<Node> node;
    must(Node::attach(fixture.dir.path(), {}, node));
    auto object = prepare(node);
    stop_points_arm(point);
    body(*object);
    stop_points_arm(0);
    object.reset();
    leave(node);
  });
  int status = 0;
  REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
  REQUIRE(WIFSTOPPED(status));
  return pid;
}

// A process that is stopped while it holds a mutex of shared memory.
class StoppedHolder {
 public:
  StoppedHolder(const NodeFixture& fixture, RobustMutex& mutex) {
    pid_ = fork_child([&] {
      std::shared_ptr<Node> node;
      must(Node::attach(fixture.dir.path(), {}, node));
      mutex.lock(node->me());
      ::raise(SIGSTOP);
    });
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
  }
  pid_t end() const {
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
    return pid_;
  }

 private:
  pid_t pid_ = 0;
};

// Stops a process at each point of a send or receive, then another one that holds the channel's
// mutex, and lets the first one go on: it must end all the same. `renew` is what is done to the
// channel between two stops, while the first one is stopped: that must end, too.
template <typename Prepare, typename Body, typename Renew>
int finish_beside_stopped_holder(NodeFixture& fixture, const Channel& channel, Prepare prepare,
                                 Body body, Renew renew) {
  HandleBytes handle;
  channel.serialize(handle);
  const auto attach = [&](const std::shared_ptr<Node>& node) {
    std::unique_ptr<Channel> mine;
    RecordId adopted = 0;
    must(Channel::attach(node, handle, sizeof(handle), false, adopted, mine));
    prepare(*mine);
    return mine;
  };
  bool& beyond = shared_variable<bool>();
  int stops = 0;
  for (uint64_t point = 1;; ++point) {
    const pid_t pid = start_stopped(fixture, point, attach, [&](Channel& mine) {
      body(mine);
      beyond = true;
      ::raise(SIGSTOP);
    });
    if (beyond) {
      ::kill(pid, SIGKILL);
      wait_for(pid);
      reclaim_process(fixture.node, pid);
      return stops;
    }
    ++stops;
    const StoppedHolder holder(fixture, header_of(channel).mutex);
    renew();
    ::kill(pid, SIGCONT);
    int status = 0;
    REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
    CHECK(beyond);
    beyond = false;
    ::kill(pid, SIGKILL);
    wait_for(pid);
    reclaim_process(fixture.node, pid);
    reclaim_process(fixture.node, holder.end());
  }
}

}  // namespace

TEST_CASE("a send ends although others are stopped inside the channel [CH-044]") {
  NodeFixture fixture;
  const auto channel = make_channel(fixture.pool, {});
  check_ok(try_send(*channel, "before"));
  int received = 0;
  const int stops = finish_beside_stopped_holder(
      fixture, *channel, [](Channel& mine) { must(try_send(mine, "first")); },
      [](Channel& mine) { must(try_send(mine, "sent")); },
      [&] {
        check_ok(try_send(*channel, "beside"));
        for (; try_receive(*channel).status == DRAGON_SUCCESS; ++received) {
        }
      });
  CHECK(stops > 5);
  for (; try_receive(*channel).status == DRAGON_SUCCESS; ++received) {
  }
  CHECK(received == 1 + 3 * stops + 2);
  CHECK(channel->audit() == "");
}

TEST_CASE("a receive ends although others are stopped inside the channel [CH-044]") {
  for (const size_t bytes : {8, 800}) {
    NodeFixture fixture;
    const auto channel = make_channel(fixture.pool, {});
    const std::string text(bytes, 'x');
    for (int i = 0; i < 3; ++i) check_ok(try_send(*channel, text));
    const auto body = [bytes](Channel& mine) {
      uint8_t buffer[192];
      ReceivedMessage message;
      must(mine.try_receive(buffer, message));
      if (message.bytes != bytes) ::_exit(50);
    };
    const int stops = finish_beside_stopped_holder(
        fixture, *channel, [](Channel&) {}, body,
        [&] {
          check_ok(try_receive(*channel).status);
          for (int i = 0; i < 2; ++i) check_ok(try_send(*channel, text));
        });
    CHECK(stops >= (bytes > channel->block_bytes() ? 2 : 1));
    CHECK(channel->message_count() == 2);
    CHECK(channel->audit() == "");
    CHECK(try_receive(*channel).text == text);
  }
}

TEST_CASE("a free ends although the pool's mutex is held by a stopped process [MEM-037]") {
  NodeFixture fixture;
  std::vector<uint64_t> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(fixture.allocate(1'000));
  AllocationInfo info;
  check_ok(fixture.pool->find(ids[0], info));
  // The header is the first thing in the mapping, the first block the first of the data.
  const uint64_t metadata = metadata_bytes_for(64ull << 20);
  auto* pool_header = reinterpret_cast<PoolHeader*>(info.allocation.data - metadata);
  REQUIRE(pool_header->segment.magic.load() == kSegmentMagic);
  const StoppedHolder holder(fixture, pool_header->mutex);
  const uint64_t before = now_ns();
  for (const uint64_t id : ids) check_ok(fixture.pool->free(id));
  CHECK(fixture.pool->free(ids[0]) == DRAGON_OBJECT_DESTROYED);
  Allocation block;
  CHECK(fixture.pool->try_allocate(64, AllocationType::kData, block) == DRAGON_WOULD_BLOCK);
  CHECK(now_ns() - before < 3'000'000'000);
  reclaim_process(fixture.node, holder.end());
  CHECK(fixture.pool->audit() == "");
  CHECK(fixture.pool->stats().used_bytes == 0);
}

TEST_CASE("what is not contended makes no system call [SYN-021] [CH-045]") {
  NodeFixture fixture;
  CrashScene scene(fixture);
  const pid_t pid = fork_child([&] {
    std::shared_ptr<Node> node;
    must(Node::attach(fixture.dir.path(), {}, node));
    std::shared_ptr<Pool> pool;
    must(Pool::attach(node, scene.pool_handle, kHandleBytes, pool));
    std::unique_ptr<Channel> channel;
    std::unique_ptr<LockObject> lock;
    must(Channel::create(pool, {}, channel));
    must(LockObject::create(pool, true, lock));
    uint8_t buffer[192] = {};
    const iovec part{buffer, 16};
    const iovec large{pool->node().segment().mapping().base(), 1'000};
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
  });
  CHECK(wait_for(pid) == 0);
  reclaim_process(fixture.node, pid);
}
