// Nodes that die, and nodes that do not answer.
// variants: plain asan
#include "agent/agent_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint64_t kGraceMs = 20;

// Nodes 0 and 1; a channel on node 1, a client on node 0.
struct Far {
  explicit Far(const ChannelOptions& options = {}) : cluster(2) {
    home = std::make_unique<Client>(cluster.nodes[1]->dir.path());
    channel = make_channel(home->pool, options);
    channel->serialize(handle);
    cluster.start();
    client = std::make_unique<Client>(cluster.nodes[0]->dir.path());
    remote = client->attach(handle);
    remote->set_grace_ns(kGraceMs * 1'000'000);
  }
  ~Far() {
    remote.reset();
    client.reset();
    channel.reset();
    home.reset();
    cluster.stop();
  }
  Status send(size_t bytes, Deadline deadline, ReturnMode mode = ReturnMode::kWhenDeposited) {
    const std::string text(bytes, 'd');
    const iovec part = part_of(text);
    return remote->send(&part, 1, 0, deadline, mode);
  }

  Cluster cluster;
  std::unique_ptr<Client> home;
  std::unique_ptr<Channel> channel;
  std::unique_ptr<Client> client;
  std::unique_ptr<RemoteChannel> remote;
  HandleBytes handle;
};

template <typename Condition>
bool soon(Condition&& condition) {
  for (int tries = 0; tries < 20'000; ++tries) {
    if (condition()) return true;
    ::usleep(200);
  }
  return false;
}

}  // namespace

TEST_CASE("when a channel's node dies, who waits for it is told, and later callers [REM-018]") {
  ChannelOptions options;
  options.capacity = 1;
  Far far(options);
  check_ok(far.send(1, Deadline::never()));
  check_ok(far.remote->poll(PollEvent::kFull, Deadline::never()));
  const uint64_t before = far.cluster.nodes[0]->pool->stats().used_bytes;
  std::vector<std::thread> waiters;
  for (const size_t bytes : {size_t{0}, size_t{10}, size_t{5'000}, size_t{50'000}}) {
    waiters.emplace_back([&, bytes] {
      Client client(far.cluster.nodes[0]->dir.path());
      const auto remote = client.attach(far.handle);
      const std::string text(bytes, 'w');
      const iovec part = part_of(text);
      const Status status = bytes == 0 ? remote->poll(PollEvent::kEmpty, Deadline::never())
                                       : remote->send(&part, 1, 0, Deadline::never());
      CHECK(status == DRAGON_NODE_GONE);
    });
  }
  CHECK(soon([&] { return far.channel->info().holders == 6; }));
  ::usleep(20'000);
  far.cluster.to_kill = 1;
  for (std::thread& waiter : waiters) waiter.join();
  CHECK(far.send(5, Deadline::never()) == DRAGON_NODE_GONE);
  CHECK(far.send(5, Deadline::never(), ReturnMode::kWhenBuffered) == DRAGON_NODE_GONE);
  CHECK(far.remote->try_poll(PollEvent::kIn) == DRAGON_NODE_GONE);
  CHECK(soon([&] { return far.cluster.nodes[0]->pool->stats().used_bytes == before; }));
}

TEST_CASE("when a node dies, what its processes had open elsewhere is closed [REM-020] [AGT-014]") {
  ChannelOptions options;
  options.capacity = 1;
  Far far(options);
  uint32_t sender = 0;
  check_ok(far.remote->open_handle(Role::kSender, sender));
  check_ok(far.send(1, Deadline::never()));
  for (int i = 0; i < 20; ++i) {
    check_ok(far.send(i % 2 == 0 ? 600 : 30'000, Deadline::never(), ReturnMode::kWhenBuffered));
  }
  CHECK(soon([&] { return far.channel->senders() == 1; }));
  const uint64_t empty = far.home->pool->stats().used_bytes;
  far.cluster.to_kill = 0;
  CHECK(soon([&] { return far.channel->senders() == 0 && far.channel->info().holders == 1; }));
  far.channel->drain();
  CHECK(soon([&] { return far.home->pool->stats().allocations <= 3; }));
  CHECK(far.home->pool->stats().used_bytes <= empty);
  CHECK(try_receive(*far.channel).status == DRAGON_EMPTY);
}

TEST_CASE("a node that does not answer holds nobody beyond deadline and grace [REM-021]") {
  Far far;
  far.cluster.frozen = 1;
  std::vector<uint8_t> buffer(192);
  ReceivedMessage message;
  const uint64_t began = now_ns();
  CHECK(far.remote->receive(buffer.data(), Deadline::after_ms(5), message) == DRAGON_TIMEOUT);
  CHECK(far.remote->poll(PollEvent::kIn, Deadline::after_ms(5)) == DRAGON_TIMEOUT);
  CHECK(now_ns() - began < 2'000'000'000);
  const std::string first = "kept";
  check_ok(try_send(*far.channel, first));
  far.cluster.frozen = Cluster::kNobody;
  far.remote->set_grace_ns(agent::kGraceNs);
  check_ok(far.remote->receive(buffer.data(), Deadline::after_ms(5'000), message));
  CHECK(std::string(reinterpret_cast<const char*>(message.data), message.bytes) == first);
  far.remote->set_grace_ns(kGraceMs * 1'000'000);
  far.cluster.frozen = 1;
  CHECK(far.send(4, Deadline::after_ms(5)) == DRAGON_NODE_GONE);
  CHECK(far.send(40'000, Deadline::after_ms(5)) == DRAGON_NODE_GONE);
  far.cluster.frozen = Cluster::kNobody;
}

TEST_CASE("a full channel holds up neither others nor its own receivers [AGT-011]") {
  ChannelOptions options;
  options.capacity = 1;
  Far far(options);
  const auto other = make_channel(far.home->pool);
  const auto open = far.client->attach(*other);
  check_ok(far.send(1, Deadline::never()));
  for (int i = 0; i < 60; ++i) {
    check_ok(far.send(i % 3 == 0 ? 20'000 : 10, Deadline::never(), ReturnMode::kWhenBuffered));
  }
  const iovec part{const_cast<char*>("past"), 4};
  check_ok(open->send(&part, 1, 0, Deadline::after_ms(5'000)));
  CHECK(try_receive(*other).text == "past");
  std::vector<uint8_t> buffer(192);
  ReceivedMessage message;
  for (int i = 0; i <= 60; ++i) {
    check_ok(far.remote->receive(buffer.data(), Deadline::after_ms(5'000), message));
    Channel::release(message);
  }
}

TEST_CASE("a link without room holds up only what goes to its node [AGT-012] [AGT-010]") {
  Cluster cluster(3);
  cluster.wires.room = 3;
  Client near(cluster.nodes[1]->dir.path());
  Client slow(cluster.nodes[2]->dir.path());
  const auto to_near = make_channel(near.pool);
  const auto to_slow = make_channel(slow.pool);
  cluster.start();
  {
    Client client(cluster.nodes[0]->dir.path());
    const auto quick = client.attach(*to_near);
    const auto stuck = client.attach(*to_slow);
    cluster.frozen = 2;
    const iovec part{const_cast<char*>("m"), 1};
    for (uint32_t i = 0; i < agent::kSendsAhead; ++i) {
      check_ok(stuck->send(&part, 1, i, Deadline::never(), ReturnMode::kWhenBuffered));
    }
    for (int i = 0; i < 50; ++i) {
      check_ok(quick->send(&part, 1, 0, Deadline::after_ms(5'000)));
      CHECK(try_receive(*to_near).text == "m");
    }
    cluster.frozen = Cluster::kNobody;
    for (uint32_t i = 0; i < agent::kSendsAhead; ++i) {
      const Received one = receive(*to_slow, Deadline::after_ms(5'000));
      check_ok(one.status);
      CHECK(one.hints == i);
    }
  }
  cluster.stop();
  cluster.settle();
}
