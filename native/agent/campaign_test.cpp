// Engines of three nodes in one thread: a seed decides who does what when.
// variants: plain asan
//
// With DRAGON_TEST_SIZE=full there are a hundred times as many seeds.
#include <set>

#include "agent/agent_fixture.h"

using namespace dragon;
using namespace dragon::test;
using agent::Op;
using agent::SlotId;

namespace {

constexpr NodeIndex kNodes = 3;
constexpr int kSteps = 150;

int seeds() {
  const char* size = ::getenv("DRAGON_TEST_SIZE");
  return size != nullptr && std::string(size) == "full" ? 2'000 : 20;
}

// What the process behind a port wants of a channel, without ever waiting.
class Actor {
 public:
  Actor(Client& client, const HandleBytes& handle, uint32_t number)
      : client_(client), number_(number) {
    check_ok(client_.gateway->open_port(port_));
    attach_ = claim(Op::kAttach);
    agent::GatewaySlot& slot = client_.gateway->slot(attach_);
    ::memcpy(slot.inline_bytes, handle, kHandleBytes);
    slot.bytes.store(kHandleBytes);
    check_ok(client_.gateway->submit(attach_, false));
  }

  void act(std::mt19937_64& random) {
    collect();
    if (!attached_ || open_.size() > 20) return;
    const uint64_t choice = random() % 10;
    if (choice < 5) {
      send(random);
    } else if (choice < 9) {
      const SlotId id = claim(Op::kReceive);
      client_.gateway->slot(id).limit.store(UINT64_MAX);
      client_.gateway->slot(id).flags.store(random() % 2 == 0 ? agent::kFlagTry : 0);
      submit(id, {Op::kReceive, 0, {}}, false);
    } else if (!open_.empty()) {
      auto chosen = open_.begin();
      std::advance(chosen, static_cast<long>(random() % open_.size()));
      client_.gateway->cancel(chosen->second.id);
    }
  }
  // Wants an end of all that is open.
  void give_up() {
    collect();
    for (auto& [key, one] : open_) client_.gateway->cancel(one.id);
  }
  void collect() {
    if (!attached_ && client_.gateway->try_answer(attach_) == DRAGON_SUCCESS) {
      check_ok(static_cast<Status>(client_.gateway->slot(attach_).status.load()));
      client_.gateway->release(attach_);
      attached_ = true;
    }
    for (auto at = open_.begin(); at != open_.end();) {
      if (client_.gateway->try_answer(at->second.id) != DRAGON_SUCCESS) {
        ++at;
        continue;
      }
      end(at->second);
      at = open_.erase(at);
    }
  }
  void close() { client_.gateway->close_port(port_); }
  bool quiet() const { return attached_ && open_.empty(); }

  // By sender: numbers in the order of their receipt.
  std::map<uint32_t, std::vector<uint64_t>> received;
  std::set<uint64_t> sent;        // surely
  std::set<uint64_t> never_sent;  // surely not
  uint64_t tried = 0;

 private:
  struct Open {
    Op op = Op::kNone;
    uint64_t number = 0;
    SlotId id;
  };
  SlotId claim(Op op) {
    SlotId id;
    check_ok(client_.gateway->try_claim(id));
    agent::GatewaySlot& slot = client_.gateway->slot(id);
    slot.op.store(static_cast<uint32_t>(op));
    slot.port.store(port_);
    slot.flags.store(0);
    slot.landing.store(0);
    slot.bytes.store(0);
    slot.what.store(0);
    return id;
  }
  void submit(SlotId id, Open open, bool detached) {
    open.id = id;
    check_ok(client_.gateway->submit(id, detached));
    if (!detached) open_[++keys_] = open;
  }
  void send(std::mt19937_64& random) {
    constexpr uint64_t kLengths[] = {8, 300, 2'000, 30'000};
    const uint64_t bytes = kLengths[random() % 4];
    const SlotId id = claim(Op::kSend);
    agent::GatewaySlot& slot = client_.gateway->slot(id);
    slot.hints.store(static_cast<uint64_t>(number_) << 32 | ++tried);
    slot.bytes.store(bytes);
    const bool detached = random() % 3 == 0;
    const bool once = !detached && random() % 4 == 0;
    slot.flags.store(once ? agent::kFlagTry : 0);
    slot.what.store(random() % 5 == 0 && !detached ? 3 : 2);
    if (bytes > agent::kInlineBytes) {
      Allocation memory;
      check_ok(client_.gateway->pool()->try_allocate(bytes, AllocationType::kData, memory));
      ::memset(memory.data, static_cast<int>(tried & 0xff), bytes);
      check_ok(client_.gateway->give(id, *client_.gateway->pool(), memory.id));
    }
    if (detached) sent.insert(tried);
    submit(id, {Op::kSend, tried, {}}, detached);
  }
  void end(const Open& one) {
    const agent::GatewaySlot& slot = client_.gateway->slot(one.id);
    const auto status = static_cast<Status>(slot.status.load());
    if (one.op == Op::kSend) {
      (status == DRAGON_SUCCESS ? sent : never_sent).insert(one.number);
    } else if (status == DRAGON_SUCCESS) {
      const uint64_t hints = slot.hints.load();
      received[static_cast<uint32_t>(hints >> 32)].push_back(hints & 0xffffffff);
    }
    std::shared_ptr<Pool> pool;
    Allocation memory;
    const bool has = slot.allocation.load() != 0;
    if (has && client_.gateway->take(one.id, pool, memory) == DRAGON_SUCCESS) {
      pool->free(memory.id);
    }
    client_.gateway->release(one.id);
  }

  Client& client_;
  const uint32_t number_;
  uint64_t port_ = 0;
  SlotId attach_;
  bool attached_ = false;
  std::map<uint64_t, Open> open_;
  uint64_t keys_ = 0;
};

void run_seed(uint64_t seed) {
  INFO("seed ", seed);
  std::mt19937_64 random(seed);
  Cluster cluster(kNodes, seed);
  cluster.wires.room = 1 + random() % 20;
  std::vector<std::unique_ptr<Client>> clients;
  for (NodeIndex node = 0; node < kNodes; ++node) {
    clients.push_back(std::make_unique<Client>(cluster.nodes[node]->dir.path()));
  }
  ChannelOptions options;
  options.capacity = 1 + static_cast<uint32_t>(random() % 6);
  auto channel = make_channel(clients[0]->pool, options);
  HandleBytes handle;
  channel->serialize(handle);
  std::vector<uint64_t> idle;
  for (const auto& node : cluster.nodes) idle.push_back(node->pool->stats().used_bytes);
  std::vector<std::unique_ptr<Actor>> actors;
  for (uint32_t i = 0; i < 4; ++i) {
    actors.push_back(std::make_unique<Actor>(*clients[1 + i % 2], handle, i));
  }
  std::map<uint32_t, std::vector<uint64_t>> local;
  const auto drain = [&] {
    bool any = false;
    for (Received one = try_receive(*channel); one.status == DRAGON_SUCCESS;
         one = try_receive(*channel)) {
      local[static_cast<uint32_t>(one.hints >> 32)].push_back(one.hints & 0xffffffff);
      any = true;
    }
    return any;
  };
  for (int step = 0; step < kSteps; ++step) {
    actors[random() % actors.size()]->act(random);
    if (random() % 3 != 0) cluster.step();
    if (random() % 20 == 0) drain();
  }
  // Everything ends once everybody gives up and the channel is emptied.
  for (int round = 0; round < 200; ++round) {
    bool quiet = true;
    for (const auto& actor : actors) {
      actor->give_up();
      quiet = quiet && actor->quiet();
    }
    cluster.settle();
    if (!drain() && quiet) break;
    REQUIRE(round < 199);
  }
  for (uint32_t sender = 0; sender < actors.size(); ++sender) {
    std::multiset<uint64_t> all(local[sender].begin(), local[sender].end());
    CHECK(std::is_sorted(local[sender].begin(), local[sender].end()));
    for (const auto& receiver : actors) {
      const std::vector<uint64_t>& some = receiver->received[sender];
      all.insert(some.begin(), some.end());
    }
    for (const uint64_t number : actors[sender]->sent) CHECK(all.count(number) == 1);
    for (const uint64_t number : actors[sender]->never_sent) CHECK(all.count(number) == 0);
    CHECK(all.size() == actors[sender]->sent.size());
  }
  for (const auto& actor : actors) actor->close();
  cluster.settle();
  CHECK(channel->info().holders == 1);
  for (NodeIndex node = 0; node < kNodes; ++node) {
    CHECK(cluster.nodes[node]->pool->stats().used_bytes == idle[node]);
  }
  channel.reset();
  clients.clear();
  cluster.settle();
}

}  // namespace

TEST_CASE("whatever the order of events, messages arrive once and in order [AGT-013] [AGT-005]") {
  for (int seed = 1; seed <= seeds(); ++seed) run_seed(static_cast<uint64_t>(seed));
}
