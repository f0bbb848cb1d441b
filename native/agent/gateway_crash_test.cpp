// A client may be killed at any change that it makes, and the agent gives back what it had.
// variants: plain
#include "agent/agent_fixture.h"
#include "channel/crash_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr int kRuns = 60;

void must_send(RemoteChannel& channel, const std::string& text, ReturnMode mode) {
  const iovec part = part_of(text);
  must(channel.send(&part, 1, 0, Deadline::never(), mode));
}

// What a client does, from its attachment to its end.
void victim(const std::string& dir, const HandleBytes& out, const HandleBytes& in) {
  std::shared_ptr<Node> node;
  must(Node::attach(dir, {}, node));
  {
    std::shared_ptr<agent::Gateway> gateway;
    must(agent::Gateway::attach(node, gateway));
    std::unique_ptr<RemoteChannel> to;
    std::unique_ptr<RemoteChannel> from;
    uint32_t adopted = 0;
    must(RemoteChannel::attach(gateway, out, kHandleBytes, false, adopted, to));
    must(RemoteChannel::attach(gateway, in, kHandleBytes, false, adopted, from));
    uint32_t handle = 0;
    must(to->open_handle(Role::kSender, handle));
    must_send(*to, "0", ReturnMode::kWhenDeposited);
    must_send(*to, "1", ReturnMode::kWhenBuffered);
    must_send(*to, "2" + std::string(1'000, '.'), ReturnMode::kWhenBuffered);
    Allocation memory;
    must(gateway->pool()->try_allocate(40'000, AllocationType::kData, memory));
    ::memset(memory.data, '3', memory.bytes);
    must(to->send_allocation(*gateway->pool(), memory.id, 0, Deadline::never()));
    uint8_t buffer[192];
    ReceivedMessage message;
    must(from->receive(buffer, Deadline::never(), message));
    Channel::release(message);
    must(from->receive(buffer, Deadline::never(), message));
    Channel::release(message);
    if (from->receive(buffer, Deadline::after_ms(1), message) != DRAGON_TIMEOUT) ::_exit(3);
  }
  leave(node);
}

uint64_t used_slots(const agent::Gateway& gateway) {
  uint64_t used = 0;
  for (uint32_t index = 0; index < agent::kSlots; ++index) {
    const uint64_t word = gateway.slot({index, 0}).owner.load();
    if (agent::slot_state(word) != agent::SlotState::kFree) ++used;
  }
  return used;
}

template <typename Condition>
bool soon(Condition&& condition) {
  for (int tries = 0; tries < 20'000; ++tries) {
    if (condition()) return true;
    ::usleep(200);
  }
  return false;
}

}  // namespace

TEST_CASE(
    "killed at any point, a client of the gateway leaves nothing behind [AGT-001] [REM-020]") {
  Cluster cluster(2);
  AgentNode& near = *cluster.nodes[0];
  Client home(cluster.nodes[1]->dir.path());
  auto out = make_channel(home.pool);
  auto in = make_channel(home.pool);
  HandleBytes out_handle;
  HandleBytes in_handle;
  out->serialize(out_handle);
  in->serialize(in_handle);
  cluster.start();
  auto survivor = std::make_unique<Client>(near.dir.path());
  auto remote = survivor->attach(*out);
  const uint64_t memory = near.pool->stats().used_bytes;
  uint64_t& points = shared_variable<uint64_t>();
  const auto fill = [&] {
    in->drain();
    check_ok(try_send(*in, "short"));
    check_ok(try_send(*in, std::string(30'000, 'l')));
  };
  fill();
  const int whole = wait_for(fork_child([&] {
    kill_points_arm(0);
    victim(near.dir.path(), out_handle, in_handle);
    points = kill_points_passed();
  }));
  REQUIRE(whole == 0);
  MESSAGE("kill points: ", points);
  REQUIRE(points > 100);
  out->drain();
  const uint64_t step = points / kRuns + 1;
  for (uint64_t point = 1 + now_ns() % step; point <= points; point += step) {
    INFO("killed at point ", point);
    fill();
    const pid_t pid = run_killed(point, [&] { victim(near.dir.path(), out_handle, in_handle); });
    reclaim_process(survivor->node, pid);
    CHECK(soon([&] { return used_slots(*survivor->gateway) == 0; }));
    CHECK(soon([&] { return out->info().holders == 2 && in->info().holders == 1; }));
    CHECK(soon([&] { return near.pool->stats().used_bytes == memory; }));
    CHECK(out->senders() == 0);
    char next = '0';
    for (Received one = try_receive(*out); one.status == DRAGON_SUCCESS; one = try_receive(*out)) {
      CHECK(one.text[0] == next);
      ++next;
    }
    const iovec part = {const_cast<char*>("on"), 2};
    check_ok(remote->send(&part, 1, 0, Deadline::after_ms(5'000)));
    CHECK(try_receive(*out).text == "on");
  }
  remote.reset();
  survivor.reset();
  cluster.stop();
  cluster.settle();
}

TEST_CASE("when the agent ends, who waits for another node is told [REM-019]") {
  NodeFixture fixture;
  uint32_t& ready = shared_variable<uint32_t>();
  const pid_t pid = fork_child([&] {
    std::shared_ptr<Node> node;
    must(Node::attach(fixture.dir.path(), {}, node));
    std::shared_ptr<Pool> pool;
    must(Pool::create(node, {}, pool));
    std::unique_ptr<agent::GatewayServer> gateway;
    must(agent::GatewayServer::create(pool, gateway));
    __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    ::pause();
  });
  while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) == 0) ::usleep(500);
  Handle wanted;
  wanted.kind = HandleKind::kChannel;
  wanted.host_id = 4;
  wanted.allocation = 1;
  HandleBytes handle;
  encode_handle(wanted, handle);
  uint64_t began = 0;
  {
    const auto node = fixture.attach();
    std::shared_ptr<agent::Gateway> gateway;
    check_ok(agent::Gateway::attach(node, gateway));
    std::thread killer([&] {
      ::usleep(30'000);
      ::kill(pid, SIGKILL);
      wait_for(pid);
      began = now_ns();
    });
    std::unique_ptr<RemoteChannel> out;
    uint32_t adopted = 0;
    const auto attach = [&] {
      return RemoteChannel::attach(gateway, handle, sizeof handle, false, adopted, out);
    };
    CHECK(attach() == DRAGON_AGENT_GONE);
    killer.join();
    CHECK(now_ns() - began < 2'000'000'000);
    CHECK(attach() == DRAGON_AGENT_GONE);
    gateway.reset();
    leave(node);
  }
  reclaim_process(fixture.node, pid);
}
