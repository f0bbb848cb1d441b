#include "fabric/tcp/tcp_fabric.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "sync/deadline.h"

namespace dragon::fabric {
namespace {

constexpr size_t kEventsPerWait = 128;
constexpr size_t kScratchBytes = 256u << 10;
constexpr int kBacklog = 1024;
constexpr uint64_t kNsPerMs = 1'000'000;
constexpr uint64_t kWaitMsMax = 60'000;
// What the epoll set calls a descriptor: the listener, a connection's id, or one that is watched.
constexpr uint64_t kListenerId = 0;
constexpr uint64_t kWatchedBit = uint64_t{1} << 63;
// What one connection may give before others have their turn.
constexpr uint64_t kReadingBudget = 2u << 20;

}  // namespace

TcpFabric::TcpFabric(const TcpOptions& options)
    : options_(options), scratch_(new uint8_t[kScratchBytes]) {}

TcpFabric::~TcpFabric() {
  for (const auto& [id, connection] : connections_) ::close(connection->fd);
  if (listener_ >= 0) ::close(listener_);
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
}

Status TcpFabric::open() {
  SocketAddress address;
  const Status parsed = parse_address(options_.listen, address);
  if (parsed != DRAGON_SUCCESS) return parsed;
  epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  listener_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (epoll_fd_ < 0 || listener_ < 0) return DRAGON_SYSTEM;
  // Connections of an earlier life may still linger in the kernel.
  const int one = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (::bind(listener_, address.get(), address.length) != 0) return DRAGON_SYSTEM;
  if (::listen(listener_, kBacklog) != 0) return DRAGON_SYSTEM;
  address.length = sizeof(address.storage);
  auto* bound = reinterpret_cast<sockaddr*>(&address.storage);
  if (::getsockname(listener_, bound, &address.length) != 0) return DRAGON_SYSTEM;
  address_ = format_address(address);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kListenerId;
  const int added = ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, listener_, &event);
  return added == 0 ? DRAGON_SUCCESS : DRAGON_SYSTEM;
}

Status TcpFabric::set_peer(NodeIndex peer, const std::string& address) {
  if (peer >= kNodesMax || peer == self()) return DRAGON_INVALID_ARGUMENT;
  SocketAddress parsed;
  const Status status = parse_address(address, parsed);
  if (status != DRAGON_SUCCESS) return status;
  if (peer >= peers_.size()) peers_.resize(peer + 1);
  peers_[peer].address = parsed;
  peers_[peer].is_known = true;
  return DRAGON_SUCCESS;
}

TcpFabric::Peer* TcpFabric::known(NodeIndex peer) {
  return peer < peers_.size() && peers_[peer].is_known ? &peers_[peer] : nullptr;
}

TcpFabric::Connection* TcpFabric::find(uint64_t id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void TcpFabric::say(FabricEvent::Kind kind, NodeIndex peer) {
  FabricEvent event;
  event.kind = kind;
  event.peer = peer;
  events_.push_back(event);
}

Status TcpFabric::post_landing(NodeIndex peer, uint64_t key, void* memory, uint64_t bytes) {
  Peer* from = known(peer);
  if (from == nullptr) return DRAGON_INVALID_ARGUMENT;
  const Landing landing{peer, static_cast<uint8_t*>(memory), bytes};
  if (!landings_.insert({key, landing}).second) return DRAGON_EXISTS;
  ++from->landings;
  return DRAGON_SUCCESS;
}

void TcpFabric::drop_landing(uint64_t key) {
  const auto found = landings_.find(key);
  if (found == landings_.end()) return;
  --peers_[found->second.peer].landings;
  landings_.erase(found);
}

Status TcpFabric::watch(int fd, uint64_t token) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWatchedBit | static_cast<uint32_t>(fd);
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return DRAGON_SYSTEM;
  watched_[fd] = token;
  return DRAGON_SUCCESS;
}

void TcpFabric::unwatch(int fd) {
  if (watched_.erase(fd) > 0) ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

uint64_t TcpFabric::next_timer_ns() const {
  uint64_t at = listen_at_ns_;
  for (const uint64_t id : strangers_) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    at = std::min(at, found->second->give_up_at_ns);
    break;  // the others came later
  }
  for (const NodeIndex peer : retrying_) {
    at = std::min(at, peers_[peer].retry_at_ns);
    const auto found = connections_.find(peers_[peer].trying_id);
    if (found != connections_.end()) at = std::min(at, found->second->give_up_at_ns);
  }
  return at;
}

void TcpFabric::run_timers(uint64_t now_ns) {
  if (listen_at_ns_ <= now_ns) {
    listen_at_ns_ = UINT64_MAX;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kListenerId;
    ::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, listener_, &event);
  }
  while (!strangers_.empty()) {
    Connection* oldest = find(strangers_.front());
    if (oldest != nullptr && oldest->stage != Stage::kOpen) {
      if (oldest->give_up_at_ns > now_ns) break;
      refuse(*oldest, Refusal::kTimeout);
    }
    strangers_.pop_front();
  }
  const std::vector<NodeIndex> retrying(std::move(retrying_));
  retrying_.clear();
  for (const NodeIndex index : retrying) {
    Peer& peer = peers_[index];
    Connection* trying = find(peer.trying_id);
    if (trying != nullptr && trying->give_up_at_ns <= now_ns) close(trying->id);
    if (!peer.is_wanted || peer.open_id != 0) continue;
    retrying_.push_back(index);
    if (peer.trying_id != 0 || peer.retry_at_ns > now_ns) continue;
    try_connect(index);
  }
}

void TcpFabric::wait(uint64_t until_ns) {
  uint64_t timeout_ms = 0;
  uint64_t at = events_.empty() ? std::min(until_ns, next_timer_ns()) : 0;
  if (at == UINT64_MAX) {
    timeout_ms = UINT64_MAX;
  } else if (at != 0) {
    const uint64_t now = now_ns();
    if (at > now) timeout_ms = std::min((at - now + kNsPerMs - 1) / kNsPerMs, kWaitMsMax);
  }
  ready_.resize(kEventsPerWait);
  const int timeout = timeout_ms == UINT64_MAX ? -1 : static_cast<int>(timeout_ms);
  const int count = ::epoll_wait(epoll_fd_, ready_.data(), kEventsPerWait, timeout);
  ready_.resize(count > 0 ? static_cast<size_t>(count) : 0);
  next_ready_ = 0;
  if (next_timer_ns() != UINT64_MAX) run_timers(now_ns());
}

bool TcpFabric::next_event(FabricEvent& out) {
  while (true) {
    if (!events_.empty()) {
      out = events_.front();
      events_.pop_front();
      return true;
    }
    if (reading_id_ != 0) {
      if (parse(out)) return true;
      continue;
    }
    if (next_ready_ == ready_.size()) return false;
    if (next_ready(out)) return true;
  }
}

bool TcpFabric::next_ready(FabricEvent& out) {
  const epoll_event event = ready_[next_ready_++];
  if (event.data.u64 == kListenerId) {
    accept_all();
    return false;
  }
  if ((event.data.u64 & kWatchedBit) != 0) {
    const auto found = watched_.find(static_cast<int>(event.data.u64 & ~kWatchedBit));
    if (found == watched_.end()) return false;
    out = FabricEvent{};
    out.kind = FabricEvent::Kind::kReadable;
    out.token = found->second;
    return true;
  }
  Connection* connection = find(event.data.u64);
  if (connection == nullptr) return false;
  if (connection->stage != Stage::kOpen) {
    shake(*connection, event.events);
    return false;
  }
  if ((event.events & EPOLLOUT) != 0) on_writable(*connection);
  if ((event.events & ~static_cast<uint32_t>(EPOLLOUT)) != 0 && find(event.data.u64) != nullptr) {
    reading_id_ = event.data.u64;
    reading_budget_ = kReadingBudget;
    is_in_scratch_ = false;
    partial_used_ = 0;
  }
  return false;
}

}  // namespace dragon::fabric
