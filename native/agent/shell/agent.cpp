#include "agent/shell/agent.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "channel/reclaim.h"

namespace dragon::agent {

namespace {

constexpr uint64_t kBellToken = 1;
constexpr uint64_t kStopToken = 2;
// How soon a dead client's requests are found, and a wake whose waker died.
constexpr uint64_t kTickNs = 100'000'000;
constexpr uint64_t kInitialBytes = 2ull << 20;
// In one turn: clients are faster than they could be rung for.
constexpr size_t kBusyRequests = 4;

}  // namespace

Status Agent::open(const AgentOptions& options, std::unique_ptr<fabric::Fabric> fabric,
                   std::unique_ptr<Agent>& out) {
  std::unique_ptr<Agent> agent(new Agent());
  NodeOptions node;
  node.name = "agent";
  Status status = Node::attach(options.dir, node, agent->node_);
  if (status != DRAGON_SUCCESS) return status;
  PoolOptions pool;
  pool.limit_bytes = options.pool_limit_bytes;
  pool.initial_bytes = kInitialBytes;
  status = Pool::create(agent->node_, pool, agent->pool_);
  if (status != DRAGON_SUCCESS) return status;
  agent->stop_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (agent->stop_fd_ < 0) return DRAGON_SYSTEM;
  agent->fabric_ = std::move(fabric);
  status = agent->fabric_->watch(agent->node_->bell().fd(), kBellToken);
  if (status == DRAGON_SUCCESS) status = agent->fabric_->watch(agent->stop_fd_, kStopToken);
  if (status != DRAGON_SUCCESS) return status;
  fabric::LinksOptions links;
  links.incarnation = now_ns();
  agent->links_ = std::make_unique<fabric::Links>(*agent->fabric_, links);
  agent->carrier_ = std::make_unique<LinksCarrier>(*agent->links_);
  status = GatewayServer::create(agent->pool_, agent->gateway_);
  if (status != DRAGON_SUCCESS) return status;
  agent->engine_ =
      std::make_unique<Engine>(agent->node_, *agent->gateway_, *agent->carrier_, options.nodes);
  out = std::move(agent);
  return DRAGON_SUCCESS;
}

// The links first: they refer to memory of the pools.
Agent::~Agent() {
  links_.reset();
  engine_.reset();
  gateway_.reset();
  pool_.reset();
  fabric_.reset();
  if (stop_fd_ >= 0) ::close(stop_fd_);
  if (node_ != nullptr) leave(node_);
}

void Agent::stop() {
  stopping_.store(true);
  const uint64_t one = 1;
  // A full counter is readable, too.
  if (::write(stop_fd_, &one, sizeof one) < 0) return;
}

// Who has just taken several requests will soon find more, and need not be rung meanwhile.
void Agent::run() {
  while (!stopping_.load()) {
    const bool sleeps = !turn() && node_->bell().may_sleep();
    links_->wait(now_ns(), sleeps ? wake_ns() : 0);
    asleep_ = sleeps;
  }
}

uint64_t Agent::wake_ns() const {
  return engine_->idle() ? UINT64_MAX : next_tick_ns_;
}

// What there is to do now; whether more is likely to come at once.
bool Agent::turn() {
  take_events();
  const bool rung = node_->bell().stay_awake();
  const size_t taken = engine_->take_requests();
  if (rung || asleep_) engine_->on_wakes();
  asleep_ = false;
  const uint64_t now = now_ns();
  if (now >= next_tick_ns_) {
    next_tick_ns_ = now + kTickNs;
    if (!engine_->idle()) engine_->on_tick();
  }
  engine_->flush();
  links_->flush(now_ns());
  return taken >= kBusyRequests;
}

void Agent::take_events() {
  fabric::LinkEvent event;
  while (links_->next_event(now_ns(), event)) on_event(event);
}

void Agent::on_event(const fabric::LinkEvent& event) {
  using Kind = fabric::LinkEvent::Kind;
  switch (event.kind) {
    case Kind::kFrame:
      engine_->on_frame(event.peer, event.bytes, event.length);
      links_->consume(event.peer, event.cost);
      return;
    case Kind::kOffer:
      engine_->on_offer(event.peer, event.bytes, event.length, event.transfer,
                        event.transfer_bytes);
      links_->consume(event.peer, event.cost);
      return;
    case Kind::kLanded:
      return engine_->on_landed(event.token, event.status);
    case Kind::kSent:
      return engine_->on_sent(event.token, event.status);
    case Kind::kWritable:
      return engine_->on_writable(event.peer);
    case Kind::kDown:
      return engine_->on_dead(event.peer);
    case Kind::kReadable:
      // Also while awake: who began to ring before may write only now.
      if (event.token == kBellToken) node_->bell().empty();
      return;
    case Kind::kUp:
    case Kind::kRefused:
      return;
  }
}

}  // namespace dragon::agent
