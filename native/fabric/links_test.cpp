// Links between two nodes, one behaviour at a time, in virtual time.
#include "fabric/links_fixture.h"

using namespace dragon;
using namespace dragon::fabric;
using namespace dragon::fabric::test;

namespace {

LinksOptions quick() {
  LinksOptions options;
  options.ping_ns = 100 * kMs;
  options.window_bytes = 1u << 20;
  options.death_ns = 1'000 * kMs;
  return options;
}

}  // namespace

TEST_CASE("frames arrive once, in the order in which they were sent [LNK-001]") {
  World world({}, quick());
  for (uint32_t i = 0; i < 500; ++i) CHECK(world.node(0).send(1, i) == DRAGON_SUCCESS);
  world.run(50 * kMs);
  CHECK(world.node(1).received(0) == 500);
  CHECK(world.node(0).links().is_idle(1));
}

TEST_CASE("small frames to one destination share packets [LNK-020]") {
  SimNetwork network({});
  const auto near = network.attach(0);
  const auto far = network.attach(1);
  Links links(*near, quick());
  Links others(*far, quick());
  const uint64_t content[8] = {};
  const Piece piece{content, sizeof(content)};
  for (int i = 0; i < 5'000; ++i) REQUIRE(links.send(1, &piece, 1) == DRAGON_SUCCESS);
  LinkEvent event;
  int frames = 0;
  while (frames < 5'000) {
    for (Links* each : {&links, &others}) {
      while (each->next_event(network.now_ns(), event)) {
        frames += event.kind == LinkEvent::Kind::kFrame ? 1 : 0;
      }
      each->flush(network.now_ns());
    }
    const uint64_t timer = std::min(links.next_timer_ns(), others.next_timer_ns());
    network.advance(std::max(network.now_ns(), std::min(network.next_ns(), timer)));
  }
  CHECK(near->counters().packets_sent < 5'000 / 500);
}

TEST_CASE("a frame that is too large, or for the node itself, is refused [LNK-002]") {
  World world({}, quick());
  CHECK(world.node(0).send(1, kFrameBytesMax) == DRAGON_TOO_LARGE);
  CHECK(world.node(0).send(0, 1) == DRAGON_INVALID_ARGUMENT);
  CHECK(world.node(0).send(kNodesMax, 1) == DRAGON_INVALID_ARGUMENT);
  CHECK(world.node(0).send(1, kFrameBytesMax - sizeof(TestFrame)) == DRAGON_SUCCESS);
  world.run(10 * kMs);
  CHECK(world.node(1).received(0) == 1);
}

TEST_CASE("a transfer's bytes land where the receiver said [LNK-040]") {
  World world({}, quick());
  for (const uint64_t bytes : {0ull, 1ull, 16'384ull, 1ull << 20, (1ull << 20) + 5}) {
    CHECK(world.node(0).offer(1, bytes) == DRAGON_SUCCESS);
  }
  world.run(100 * kMs);
  CHECK(world.node(1).landed == 5);
  CHECK(world.node(0).sent_transfers == 5);
  CHECK(world.node(0).open_transfers() + world.node(1).open_transfers() == 0);
}

TEST_CASE("a refused offer ends with what the receiver said [LNK-041]") {
  World world({}, quick());
  world.node(1).refuse_every = 1;
  CHECK(world.node(0).offer(1, 100'000) == DRAGON_SUCCESS);
  world.run(100 * kMs);
  CHECK(world.node(0).failed_transfers == 1);
  CHECK(world.node(0).open_transfers() == 0);
}

TEST_CASE("a cancelled transfer gives both sides their memory back [LNK-042]") {
  for (const uint64_t after_ns : {0ull, 20'000ull, 150'000ull, 250'000ull, 400'000ull}) {
    SimOptions options;
    options.hold = 0.5;
    options.delay_ns_min = options.delay_ns_max = 50'000;
    World world(options, quick());
    CHECK(world.node(0).offer(1, 4u << 20) == DRAGON_SUCCESS);
    world.run(after_ns);
    world.node(0).cancel_one();
    world.run(200 * kMs);
    CHECK(world.node(0).open_transfers() + world.node(1).open_transfers() == 0);
    CHECK(world.node(0).failed_transfers + world.node(0).sent_transfers == 1);
    CHECK(world.node(0).send(1, 1) == DRAGON_SUCCESS);
    world.run(200 * kMs);
    CHECK(world.node(1).received(0) == 1);
  }
}

TEST_CASE("a full queue is WOULD_BLOCK until there is room again [LNK-030]") {
  LinksOptions options = quick();
  options.credit_bytes = 16'384;
  options.queue_bytes = 16'384;
  World world({}, options);
  int sent = 0;
  while (world.node(0).send(1, 1'000) == DRAGON_SUCCESS) ++sent;
  CHECK(sent == 16'384 / (1'016 + kFrameCost));
  world.run(100 * kMs);
  CHECK_FALSE(world.node(0).is_blocked(1));  // all of it has arrived
  // Nothing is consumed: what is beyond the credit stays in the queue.
  for (int round = 0; round < 20; ++round) {
    while (world.node(0).send(1, 1'000) == DRAGON_SUCCESS) ++sent;
    world.run(100 * kMs);
  }
  CHECK(world.node(0).is_blocked(1));
  CHECK(world.node(1).received(0) < static_cast<uint64_t>(sent));
  world.node(1).consume_all();
  world.run(100 * kMs);
  CHECK(world.node(1).received(0) == static_cast<uint64_t>(sent));
  CHECK_FALSE(world.node(0).is_blocked(1));
}

TEST_CASE("who does not consume holds up nobody else, and no transfer [LNK-031]") {
  LinksOptions options = quick();
  options.credit_bytes = options.queue_bytes = 16'384;
  World world({}, options, 3);
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 10; ++i) {
      for (const NodeIndex peer : {1, 2}) world.node(0).send(peer, 1'000);
    }
    world.run(10 * kMs);
    world.node(2).consume_all();
  }
  CHECK(world.node(0).is_blocked(1));
  CHECK(world.node(2).received(0) > 400);
  // Node 1 holds what it got; its own transfer needs the accept from node 0 nevertheless.
  CHECK(world.node(1).offer(0, 100'000) == DRAGON_SUCCESS);
  world.run(100 * kMs);
  CHECK(world.node(1).sent_transfers == 1);
}

TEST_CASE("nothing is lost or doubled when connections break [LNK-010]") {
  World world({}, quick());
  uint64_t sent = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 20; ++i) {
      sent += world.node(0).send(1, 100) == DRAGON_SUCCESS ? 1 : 0;
      world.node(1).send(0, 10);
    }
    if (round % 10 == 0) world.node(0).offer(1, 2u << 20);
    world.run(world.network().random().below(300'000));
    world.network().break_connection(0, 1);
    for (const NodeIndex index : {0, 1}) world.node(index).consume_all();
  }
  world.run(1'000 * kMs);
  CHECK(world.node(1).received(0) == sent);
  CHECK(world.node(1).landed == 20);
  CHECK(world.node(0).deaths(1) == 0);
}

TEST_CASE("what the fabric loses is sent again [LNK-011]") {
  SimOptions options;
  options.is_reliable = false;
  options.loss = 0.2;
  options.duplicate = 0.1;
  World world(options, quick());
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 10; ++i) CHECK(world.node(0).send(1, 100) == DRAGON_SUCCESS);
    if (round % 10 == 0) CHECK(world.node(0).offer(1, 1u << 20) == DRAGON_SUCCESS);
    world.run(5 * kMs);
    world.node(1).consume_all();
  }
  world.run(2'000 * kMs);
  CHECK(world.node(1).received(0) == 500);
  CHECK(world.node(1).landed == 5);
  CHECK(world.node(0).deaths(1) == 0);
}

TEST_CASE("a peer that comes back as another incarnation was dead [LNK-050]") {
  World world({}, quick());
  CHECK(world.node(0).send(1, 1) == DRAGON_SUCCESS);
  CHECK(world.node(0).offer(1, 8u << 20) == DRAGON_SUCCESS);
  world.run(1 * kMs / 2);
  CHECK(world.node(0).is_up(1));
  world.crash(1);
  world.run(500 * kMs);
  CHECK(world.node(0).deaths(1) == 1);
  CHECK(world.node(0).failed_transfers == 1);
  CHECK(world.node(0).send(1, 1) == DRAGON_SUCCESS);
  world.run(100 * kMs);
  CHECK(world.node(1).received(0) == 1);
}

TEST_CASE("a peer that does not answer in time is dead, and everything open fails [LNK-051]") {
  World world({}, quick());
  world.run(10 * kMs);
  CHECK(world.node(0).send(1, 1) == DRAGON_SUCCESS);
  world.run(10 * kMs);
  world.network().cut(0, 1);
  CHECK(world.node(0).offer(1, 1'000) == DRAGON_SUCCESS);
  world.run(900 * kMs);
  CHECK(world.node(0).deaths(1) == 0);
  world.run(300 * kMs);
  CHECK(world.node(0).deaths(1) == 1);
  CHECK(world.node(0).failed_transfers == 1);
  // The other side had nothing open; it learns when they meet again, and goes on.
  CHECK(world.node(1).deaths(0) == 0);
  world.network().heal(0, 1);
  CHECK(world.node(0).send(1, 1) == DRAGON_SUCCESS);
  world.run(300 * kMs);
  CHECK(world.node(1).deaths(0) == 1);
  CHECK(world.node(1).received(0) == 1);
}

TEST_CASE("a watched peer is asked whether it lives, an idle one is left alone [LNK-052]") {
  World world({}, quick());
  CHECK(world.node(0).send(1, 1) == DRAGON_SUCCESS);
  world.run(300 * kMs);
  CHECK(world.node(0).links().next_timer_ns() == UINT64_MAX);
  CHECK(world.network().next_ns() == UINT64_MAX);
  world.node(0).links().watch(1, true);
  world.run(5'000 * kMs);
  CHECK(world.node(0).deaths(1) == 0);
  world.network().cut(0, 1);
  world.run(1'500 * kMs);
  CHECK(world.node(0).deaths(1) == 1);
}

TEST_CASE("whoever knows of a death says so, and need not wait for it [LNK-053]") {
  World world({}, quick());
  CHECK(world.node(0).offer(1, 8u << 20) == DRAGON_SUCCESS);
  world.run(1 * kMs / 2);
  world.node(0).links().declare_dead(world.network().now_ns(), 1);
  world.run(1 * kMs);
  CHECK(world.node(0).failed_transfers == 1);
  CHECK(world.node(0).deaths(1) == 1);
}

TEST_CASE("after an abandoned transfer nothing is written into its memory [LNK-042]") {
  SimOptions slow;
  slow.delay_ns_min = slow.delay_ns_max = 1 * kMs;
  SimNetwork network(slow);
  const auto near = network.attach(0);
  const auto far = network.attach(1);
  Links links(*near, quick());
  Links others(*far, quick());
  const std::vector<uint8_t> source(4u << 20, 1);
  std::vector<uint8_t> target(source.size());
  TransferId offered = 0;
  REQUIRE(links.offer(1, {}, source.data(), source.size(), 1, offered) == DRAGON_SUCCESS);
  Status ended = DRAGON_SUCCESS;
  bool is_landed = false;
  bool is_abandoned = false;
  while (network.now_ns() < 1'000 * kMs) {
    LinkEvent event;
    while (links.next_event(network.now_ns(), event)) {
      if (event.kind == LinkEvent::Kind::kSent) ended = event.status;
    }
    while (others.next_event(network.now_ns(), event)) {
      is_landed = is_landed || event.kind == LinkEvent::Kind::kLanded;
      if (event.kind != LinkEvent::Kind::kOffer) continue;
      REQUIRE(others.accept(0, event.transfer, target.data(), 2) == DRAGON_SUCCESS);
      CHECK(others.accept(0, event.transfer, target.data(), 2) == DRAGON_STATE);
    }
    if (!is_abandoned && target[0] == 1) {
      others.abandon(0, offered);
      target.assign(target.size(), 2);
      is_abandoned = true;
    }
    links.flush(network.now_ns());
    others.flush(network.now_ns());
    const uint64_t timer = std::min(links.next_timer_ns(), others.next_timer_ns());
    const uint64_t next = std::min(network.next_ns(), timer);
    if (next == UINT64_MAX) break;
    network.advance(std::max(network.now_ns(), next));
  }
  CHECK(is_abandoned);
  CHECK_FALSE(is_landed);
  CHECK(ended == DRAGON_CLOSED);
  CHECK(std::count(target.begin(), target.end(), 2) == static_cast<ptrdiff_t>(target.size()));
  CHECK(others.accept(0, offered, target.data(), 2) == DRAGON_NOT_FOUND);
}
