// Slots of the gateway, and the messages between agents.
// variants: plain asan
#include <poll.h>

#include "agent/agent_fixture.h"

using namespace dragon;
using namespace dragon::test;
using agent::Message;
using agent::MessageKind;
using agent::Op;
using agent::SlotId;

namespace {

SlotId submit_one(agent::Gateway& gateway, uint64_t hints) {
  SlotId id;
  check_ok(gateway.try_claim(id));
  gateway.slot(id).op.store(static_cast<uint32_t>(Op::kInfo));
  gateway.slot(id).hints.store(hints);
  check_ok(gateway.submit(id, false));
  return id;
}

}  // namespace

TEST_CASE(
    "requests are taken in their order, and a bell that is awake is not rung [AGT-002] [AGT-003]") {
  Cluster cluster(1);
  AgentNode& here = *cluster.nodes[0];
  Client client(here.dir.path());
  here.node->bell().stay_awake();
  std::vector<SlotId> ids;
  for (uint64_t i = 0; i < agent::kSlots; ++i) ids.push_back(submit_one(*client.gateway, i));
  CHECK(here.node->bell().rung());
  pollfd bell{here.node->bell().fd(), POLLIN, 0};
  CHECK(::poll(&bell, 1, 0) == 0);
  SlotId taken;
  for (uint64_t i = 0; i < agent::kSlots; ++i) {
    REQUIRE(here.gateway->next(taken));
    CHECK(here.gateway->slot(taken).hints.load() == i);
    CHECK(here.gateway->finish(taken, DRAGON_SUCCESS));
  }
  CHECK_FALSE(here.gateway->next(taken));
  for (const SlotId id : ids) {
    check_ok(client.gateway->try_answer(id));
    client.gateway->release(id);
    CHECK(client.gateway->ended(id));
  }
}

TEST_CASE("who finds no slot waits for one with its own deadline [AGT-004]") {
  Cluster cluster(2);
  Client home(cluster.nodes[1]->dir.path());
  const auto channel = make_channel(home.pool);
  cluster.start();
  {
    Client client(cluster.nodes[0]->dir.path());
    const auto remote = client.attach(*channel);
    std::vector<SlotId> all(agent::kSlots);
    for (SlotId& id : all) check_ok(client.gateway->try_claim(id));
    const iovec part{const_cast<char*>("x"), 1};
    CHECK(remote->try_send(&part, 1, 0) == DRAGON_FULL);
    CHECK(remote->send(&part, 1, 0, Deadline::after_ms(20)) == DRAGON_TIMEOUT);
    uint8_t buffer[192];
    ReceivedMessage message;
    CHECK(remote->try_receive(buffer, message) == DRAGON_EMPTY);
    std::thread later([&] {
      ::usleep(10'000);
      for (const SlotId id : all)
        client.gateway->slot(id).owner.store(agent::freed(client.gateway->slot(id).owner.load()));
      Client other(cluster.nodes[0]->dir.path());
      SlotId id;
      check_ok(other.gateway->try_claim(id));
      other.gateway->release(id);
    });
    check_ok(remote->send(&part, 1, 0, Deadline::never()));
    later.join();
  }
  cluster.stop();
  cluster.settle();
}

TEST_CASE("a cancelled request is answered, whatever had become of it [AGT-005]") {
  Cluster cluster(2);
  Client home(cluster.nodes[1]->dir.path());
  ChannelOptions options;
  options.capacity = 1;
  const auto channel = make_channel(home.pool, options);
  cluster.start();
  {
    Client client(cluster.nodes[0]->dir.path());
    const auto remote = client.attach(*channel);
    uint8_t buffer[192];
    ReceivedMessage message;
    int received = 0;
    int sent = 0;
    for (int round = 0; round < 200; ++round) {
      std::thread sender([&] {
        ::usleep(static_cast<useconds_t>(round * 7 % 500));
        if (try_send(*channel, "m") == DRAGON_SUCCESS) ++sent;
      });
      const Status status =
          remote->receive(buffer, Deadline::after_ns(100'000), message, WaitMode::kIdle);
      CHECK((status == DRAGON_SUCCESS || status == DRAGON_TIMEOUT));
      if (status == DRAGON_SUCCESS) ++received;
      sender.join();
    }
    while (remote->try_receive(buffer, message) == DRAGON_SUCCESS) ++received;
    CHECK(received == sent);
  }
  cluster.stop();
  cluster.settle();
}

TEST_CASE("messages are written and read as the vector has them [AGT-006] [AGT-007]") {
  Message message;
  message.kind = MessageKind::kAnswer;
  message.op = Op::kReceive;
  message.flags = agent::kFlagAdopt;
  message.status = DRAGON_EOF;
  message.request = 0x1122334455667788;
  message.port = 0x99;
  message.hints = 7;
  message.bytes = 0x0102;
  message.limit = UINT64_MAX;
  message.what = 3;
  const uint8_t wanted[agent::kMessageHeaderBytes] = {
      2,    6,    2,    0,    8,    0,    0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33,
      0x22, 0x11, 0x99, 0,    0,    0,    0, 0, 0,    0,    7,    0,    0,    0,
      0,    0,    0,    0,    2,    1,    0, 0, 0,    0,    0,    0,    0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 3, 0, 0,    0,    0,    0,    0,    0};
  uint8_t bytes[agent::kMessageHeaderBytes];
  agent::encode_message(message, bytes);
  CHECK(::memcmp(bytes, wanted, sizeof bytes) == 0);
  Message again;
  REQUIRE(agent::decode_message(bytes, sizeof bytes, again));
  CHECK(again.request == message.request);
  CHECK(again.limit == message.limit);
  CHECK(again.status == DRAGON_EOF);
  CHECK_FALSE(agent::decode_message(bytes, sizeof bytes - 1, again));
  for (const auto& [at, value] :
       {std::pair{0, 0}, {0, 6}, {1, 0}, {1, 15}, {2, 8}, {3, 1}, {5, 9}, {52, 1}}) {
    agent::encode_message(message, bytes);
    bytes[at] = static_cast<uint8_t>(value);
    CHECK_FALSE(agent::decode_message(bytes, sizeof bytes, again));
  }
  Cluster cluster(2);
  std::mt19937_64 random(5);
  for (int i = 0; i < 2'000; ++i) {
    std::vector<uint8_t> garbage(random() % 200);
    for (uint8_t& byte : garbage) byte = static_cast<uint8_t>(random() % 9);
    cluster.nodes[0]->engine->on_frame(1, garbage.data(), garbage.size());
  }
  CHECK(cluster.nodes[0]->engine->garbage() > 0);
  cluster.wires.queues.clear();
}
