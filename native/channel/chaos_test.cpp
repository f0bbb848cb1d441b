// Processes that share everything are killed at random moments while the others work on.
// variants: plain asan
#include <signal.h>

#include <random>
#include <vector>

#include "channel/channel_fixture.h"
#include "channel/lock_object.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint64_t kRunNs = 2'000'000'000;
constexpr int kWorkers = 4;

struct Handles {
  HandleBytes channel;
  HandleBytes lock;
};

// Sends, receives, locks and allocates until it is killed.
void work(const NodeFixture& fixture, const Handles& handles, uint32_t seed, Word64& progress) {
  std::shared_ptr<Node> node;
  if (Node::attach(fixture.dir.path(), {}, node) != DRAGON_SUCCESS) ::_exit(1);
  std::unique_ptr<Channel> channel;
  std::unique_ptr<LockObject> lock;
  RecordId record = 0;
  if (Channel::attach(node, handles.channel, kHandleBytes, false, record, channel) !=
          DRAGON_SUCCESS ||
      LockObject::attach(node, handles.lock, kHandleBytes, false, record, lock) != DRAGON_SUCCESS) {
    ::_exit(2);
  }
  std::mt19937 random(seed);
  const std::string text(10'000, 'x');
  std::vector<uint8_t> buffer(192);
  for (;;) {
    const Deadline soon = Deadline::after_ms(random() % 20);
    const iovec part{const_cast<char*>(text.data()), random() % 600};
    ReceivedMessage message;
    Status status = DRAGON_SUCCESS;
    switch (random() % 4) {
      case 0:
        status = channel->send(&part, 1, part.iov_len, soon);
        break;
      case 1:
        status = channel->receive(buffer.data(), soon, message);
        if (status != DRAGON_SUCCESS) break;
        if (message.bytes != message.hints) ::_exit(3);
        if (message.allocation != 0) status = channel->pool().free(message.allocation);
        break;
      case 2:
        status = lock->acquire(soon);
        if (status == DRAGON_SUCCESS || status == DRAGON_OWNER_DIED) status = lock->release();
        break;
      default:
        status = channel->open_handle(Role::kSender, record);
        if (status == DRAGON_SUCCESS) channel->close_handle(record);
    }
    const bool expected =
        status == DRAGON_SUCCESS || status == DRAGON_TIMEOUT || is_not_yet(status);
    if (!expected) ::_exit(100 + status);
    progress.fetch_add(1);
  }
}

}  // namespace

TEST_CASE("random kills among processes that share everything [SYN-084] [CH-040]") {
  NodeFixture fixture;
  ChannelOptions options;
  options.capacity = 20;
  const auto channel = make_channel(fixture.pool, options);
  std::unique_ptr<LockObject> lock;
  check_ok(LockObject::create(fixture.pool, true, lock));
  Handles handles;
  channel->serialize(handles.channel);
  lock->serialize(handles.lock);
  Word64& progress = shared_variable<Word64>();
  const auto seed = static_cast<uint32_t>(now_ns());
  INFO("seed ", seed);
  std::mt19937 random(seed);
  std::vector<pid_t> workers(kWorkers);
  const auto start = [&](pid_t& worker) {
    const uint32_t own_seed = random();
    worker = fork_child([&] { work(fixture, handles, own_seed, progress); });
  };
  for (pid_t& worker : workers) start(worker);
  int kills = 0;
  const Deadline end = Deadline::after_ns(kRunNs);
  while (!end.passed()) {
    ::usleep(1'000 + random() % 10'000);
    pid_t& victim = workers[random() % workers.size()];
    ::kill(victim, SIGKILL);
    const int status = wait_for(victim);
    REQUIRE_MESSAGE(WIFSIGNALED(status), "a worker ended by itself with ", status >> 8);
    ++kills;
    // Now and then the others live with the remains for a while.
    if (random() % 3 != 0) reclaim_process(fixture.node, victim);
    start(victim);
  }
  for (const pid_t worker : workers) {
    ::kill(worker, SIGKILL);
    wait_for(worker);
  }
  ActorInfo info;
  for (uint32_t slot = 0; fixture.node->actors().info(slot, info); ++slot) {
    if (info.state == ActorState::kFree || fixture.node->actors().probe(info.id)) continue;
    ReclaimReport report;
    check_ok(reclaim(fixture.node, info.id, report));
  }
  CHECK(kills > 20);
  CHECK(progress.load() > 1'000);
  CHECK(channel->audit() == "");
  CHECK(channel->senders() == 0);
  CHECK(fixture.node->lot().audit() == std::string());
  channel->drain();
  CHECK(channel->message_count() == 0);
  // Two objects, and further rings and slots of one.
  AllocationInfo left;
  for (uint32_t index = 1; (index = fixture.pool->next_allocation(index, left)) != 0;) {
    CHECK(left.owner == kOwnerObject);
    CHECK(left.type != AllocationType::kData);
  }
  CHECK(fixture.pool->stats().allocations <= 8);
}
