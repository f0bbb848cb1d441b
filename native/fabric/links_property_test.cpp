// Links under everything that may go wrong, from seeds: a failure names the seed that repeats it.
#include <cstdlib>

#include "fabric/links_fixture.h"

using namespace dragon;
using namespace dragon::fabric;
using namespace dragon::fabric::test;

namespace {

constexpr NodeIndex kNodes = 4;

uint64_t seeds() {
  const char* size = ::getenv("DRAGON_TEST_SIZE");
  return size != nullptr && ::strcmp(size, "full") == 0 ? 500 : 8;
}

struct Plan {
  bool is_reliable = true;
  bool crashes = false;
};

SimOptions network_of(uint64_t seed, const Plan& plan) {
  SimRandom random(seed * 2 + 1);
  SimOptions options;
  options.seed = seed;
  options.is_reliable = plan.is_reliable;
  options.hold = random.chance(0.5) ? 0.3 : 0;
  options.delay_ns_max = 100'000 + random.below(5 * kMs);
  if (!plan.is_reliable) {
    options.loss = static_cast<double>(random.below(20)) / 100;
    options.duplicate = static_cast<double>(random.below(20)) / 100;
  }
  return options;
}

LinksOptions links_of(uint64_t seed) {
  SimRandom random(seed * 3 + 1);
  LinksOptions options;
  options.queue_bytes = 2'000 << random.below(8);
  options.credit_bytes = 2'000 << random.below(8);
  options.window_bytes = 20'000 << random.below(8);
  options.ping_ns = 100 * kMs;
  options.death_ns = 2'000 * kMs;
  return options;
}

void fault(World& world, SimRandom& random, const Plan& plan) {
  const auto a = static_cast<NodeIndex>(random.below(kNodes));
  const auto b = static_cast<NodeIndex>((a + 1 + random.below(kNodes - 1)) % kNodes);
  switch (random.below(6)) {
    case 0:
    case 1:
      world.network().break_connection(a, b);
      break;
    case 2:
      world.network().cut(a, b);
      break;
    case 3:
      world.network().heal_all();
      break;
    case 4:
      if (plan.crashes) world.crash(a);
      break;
    default:
      if (plan.crashes) world.node(a).links().declare_dead(world.network().now_ns(), b);
  }
}

void act(World& world, SimRandom& random) {
  TestNode& node = world.node(static_cast<NodeIndex>(random.below(kNodes)));
  const auto peer = static_cast<NodeIndex>((node.index() + 1 + random.below(kNodes - 1)) % kNodes);
  switch (random.below(8)) {
    case 0:
      node.offer(peer, random.below(10) == 0 ? random.below(2u << 20) : random.below(5'000));
      break;
    case 1:
      node.cancel_one();
      break;
    case 2:
      node.consume_all(peer);
      break;
    case 3:
      node.refuse_every = static_cast<uint32_t>(random.below(4));
      break;
    default:
      for (uint64_t i = random.below(20); i > 0; --i) {
        node.send(peer, static_cast<uint32_t>(random.below(400)));
      }
  }
}

// After the last fault everything ends within a bound: what was sent is there, or its link died.
void settle(World& world) {
  world.network().heal_all();
  world.network().options().loss = 0;
  for (int round = 0; round < 50; ++round) {
    for (NodeIndex index = 0; index < kNodes; ++index) world.node(index).consume_all();
    world.run(200 * kMs);
  }
  for (NodeIndex a = 0; a < kNodes; ++a) {
    CHECK(world.node(a).open_transfers() == 0);
    for (NodeIndex b = 0; b < kNodes; ++b) {
      if (a == b) continue;
      CHECK(world.node(a).links().is_idle(b));
      if (world.node(a).sent(b) == 0 || !world.node(a).is_certain(b)) continue;
      CHECK(world.node(b).received(a) == world.node(a).sent(b));
    }
  }
}

void run_seed(uint64_t seed, const Plan& plan) {
  CAPTURE(seed);
  CAPTURE(plan.is_reliable);
  SimRandom random(seed);
  World world(network_of(seed, plan), links_of(seed), kNodes);
  for (int step = 0; step < 250; ++step) {
    act(world, random);
    if (random.below(15) == 0) fault(world, random, plan);
    if (random.below(3) == 0) world.run(random.below(20 * kMs));
  }
  settle(world);
}

}  // namespace

TEST_CASE("whatever breaks, what was sent arrives once and in order [LNK-010] [LNK-012]") {
  for (uint64_t seed = 1; seed <= seeds(); ++seed) run_seed(seed, {true, false});
}

TEST_CASE("the same where packets are lost, doubled, late and overtaken [LNK-011]") {
  for (uint64_t seed = 1; seed <= seeds(); ++seed) run_seed(seed, {false, false});
}

TEST_CASE("the same where nodes die and come back: else its link has died [LNK-050] [LNK-054]") {
  for (uint64_t seed = 1; seed <= seeds(); ++seed) run_seed(seed, {seed % 2 == 0, true});
}
