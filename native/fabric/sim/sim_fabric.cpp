#include "fabric/sim/sim_fabric.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace dragon::fabric {
namespace {

constexpr uint64_t kRetryNs = 20'000'000;
constexpr uint64_t kNsPerMs = 1'000'000;
constexpr int kEventsPerWait = 64;

}  // namespace

SimFabric::SimFabric(SimNetwork& network, NodeIndex index) : network_(network), index_(index) {
  if (!network.options_.is_real_time) return;
  epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  bell_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.fd = bell_fd_;
  ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, bell_fd_, &event);
}

SimFabric::~SimFabric() {
  if (!is_gone_) network_.crash(index_);
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
  if (bell_fd_ >= 0) ::close(bell_fd_);
}

void SimFabric::ring() {
  if (bell_fd_ < 0) return;
  const uint64_t one = 1;
  // A full bell counts as rung.
  [[maybe_unused]] const ssize_t written = ::write(bell_fd_, &one, sizeof(one));
}

void SimFabric::put(What what, NodeIndex peer, uint64_t at_ns, uint64_t generation,
                    std::vector<uint8_t> bytes) {
  items_.push({at_ns, network_.next_order_++, what, peer, generation, std::move(bytes)});
  ring();
}

void SimFabric::connect(NodeIndex peer) {
  const std::lock_guard lock(network_.mutex_);
  if (is_gone_ || up_.contains(peer) || !wanted_.insert(peer).second) return;
  put(What::kTry, peer, network_.now_ns() + network_.delay(), 0, {});
}

void SimFabric::disconnect(NodeIndex peer) {
  const std::lock_guard lock(network_.mutex_);
  wanted_.erase(peer);
  held_.erase(peer);
  if (up_.erase(peer) == 0) return;
  network_.end(SimNetwork::pair(index_, peer), index_);
}

bool SimFabric::knows(const void* memory, uint64_t bytes) const {
  const auto* start = static_cast<const uint8_t*>(memory);
  auto after = memory_.upper_bound(const_cast<uint8_t*>(start));
  if (after == memory_.begin()) return false;
  const auto& [base, length] = *--after;
  return start + bytes <= base + length;
}

Status SimFabric::send(NodeIndex peer, const OutPacket* packets, size_t count) {
  const std::lock_guard lock(network_.mutex_);
  if (is_gone_ || !up_.contains(peer) || held_.contains(peer)) return DRAGON_STATE;
  for (size_t i = 0; i < count && network_.options_.checks_memory; ++i) {
    if (packets[i].body_bytes > 0 && !knows(packets[i].body, packets[i].body_bytes)) {
      return DRAGON_INVALID_ARGUMENT;
    }
  }
  counters_.packets_sent += count;
  ++counters_.sends;
  if (network_.random_.chance(network_.options_.hold)) {
    held_[peer].assign(packets, packets + count);
    put(What::kFlush, peer, network_.now_ns() + network_.delay(), up_[peer], {});
    return DRAGON_WOULD_BLOCK;
  }
  for (size_t i = 0; i < count; ++i) launch(peer, packets[i]);
  return DRAGON_SUCCESS;
}

void SimFabric::launch(NodeIndex peer, const OutPacket& packet) {
  const SimNetwork::Pair nodes = SimNetwork::pair(index_, peer);
  const SimOptions& options = network_.options_;
  SimFabric* to = network_.find(peer);
  if (to == nullptr || network_.cuts_.contains(nodes)) return;
  SimNetwork::Connection& connection = network_.connections_[nodes];
  uint64_t at_ns = network_.now_ns() + network_.delay();
  int copies = 1;
  if (options.is_reliable) {
    // Nothing comes through a connection that has ended, or overtakes.
    if (!connection.is_up || connection.generation != up_[peer]) return;
    uint64_t& busy_until_ns = connection.busy_until_ns[index_ < peer ? 0 : 1];
    at_ns = busy_until_ns = std::max(busy_until_ns, at_ns);
  } else {
    if (network_.random_.chance(options.loss)) copies = 0;
    if (network_.random_.chance(options.duplicate)) ++copies;
  }
  for (int i = 0; i < copies; ++i) {
    std::vector<uint8_t> bytes(packet.head_bytes + packet.body_bytes);
    ::memcpy(bytes.data(), packet.head, packet.head_bytes);
    if (packet.body_bytes > 0) {
      ::memcpy(bytes.data() + packet.head_bytes, packet.body, packet.body_bytes);
    }
    to->put(What::kPacket, index_, at_ns, connection.generation, std::move(bytes));
    at_ns += i + 1 < copies ? network_.delay() : 0;
  }
}

Status SimFabric::post_landing(NodeIndex peer, uint64_t key, void* memory, uint64_t bytes) {
  if (network_.options_.checks_memory && !knows(memory, bytes)) return DRAGON_INVALID_ARGUMENT;
  const bool is_new = landings_.insert({key, {peer, static_cast<uint8_t*>(memory), bytes}}).second;
  return is_new ? DRAGON_SUCCESS : DRAGON_EXISTS;
}

Status SimFabric::add_memory(void* base, uint64_t bytes) {
  memory_[static_cast<uint8_t*>(base)] = bytes;
  return DRAGON_SUCCESS;
}

Status SimFabric::watch(int fd, uint64_t token) {
  if (epoll_fd_ < 0) return DRAGON_NOT_SUPPORTED;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return DRAGON_SYSTEM;
  watched_[fd] = token;
  return DRAGON_SUCCESS;
}

void SimFabric::unwatch(int fd) {
  if (watched_.erase(fd) > 0) ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

void SimFabric::wait(uint64_t until_ns) {
  if (epoll_fd_ < 0) return;  // the clock is moved by somebody else
  int timeout_ms = 0;
  {
    const std::lock_guard lock(network_.mutex_);
    const uint64_t now = network_.now_ns();
    uint64_t at_ns = until_ns;
    if (!items_.empty()) at_ns = std::min(at_ns, items_.top().at_ns);
    if (at_ns == UINT64_MAX) {
      timeout_ms = -1;
    } else if (at_ns > now) {
      timeout_ms = static_cast<int>(std::min<uint64_t>((at_ns - now) / kNsPerMs + 1, 60'000));
    }
  }
  epoll_event events[kEventsPerWait];
  const int count = ::epoll_wait(epoll_fd_, events, kEventsPerWait, timeout_ms);
  for (int i = 0; i < count; ++i) {
    const auto found = watched_.find(events[i].data.fd);
    if (found != watched_.end()) readable_.push_back(found->second);
  }
}

bool SimFabric::next_event(FabricEvent& out) {
  const std::lock_guard lock(network_.mutex_);
  if (!readable_.empty()) {
    out = FabricEvent{};
    out.kind = FabricEvent::Kind::kReadable;
    out.token = readable_.back();
    readable_.pop_back();
    return true;
  }
  while (!is_gone_ && !items_.empty() && items_.top().at_ns <= network_.now_ns()) {
    current_ = items_.top();
    items_.pop();
    out = FabricEvent{};
    out.peer = current_.peer;
    if (take(current_, out)) return true;
  }
  return false;
}

bool SimFabric::take(Item& item, FabricEvent& out) {
  const auto found = up_.find(item.peer);
  const bool is_current = found != up_.end() && found->second == item.generation;
  switch (item.what) {
    case What::kTry:
      return take_try(item);
    case What::kConnected: {
      const auto& connection = network_.connections_[SimNetwork::pair(index_, item.peer)];
      if (!connection.is_up || connection.generation != item.generation) {
        // It broke before this side has seen it.
        if (wanted_.contains(item.peer)) put(What::kTry, item.peer, network_.now_ns(), 0, {});
        return false;
      }
      wanted_.erase(item.peer);
      up_[item.peer] = item.generation;
      out.kind = FabricEvent::Kind::kConnected;
      ++counters_.connections;
      return true;
    }
    case What::kLost:
      if (!is_current) return false;
      up_.erase(found);
      held_.erase(item.peer);
      out.kind = FabricEvent::Kind::kLost;
      return true;
    case What::kFlush:
      return is_current && take_flush(item, out);
    case What::kPacket:
      // A reliable connection takes what is on its way along with it.
      if (network_.options_.is_reliable && !is_current) return false;
      return take_packet(out);
  }
  return false;
}

bool SimFabric::take_try(const Item& item) {
  if (!wanted_.contains(item.peer)) return false;
  const SimNetwork::Pair nodes = SimNetwork::pair(index_, item.peer);
  if (network_.find(item.peer) == nullptr || network_.cuts_.contains(nodes)) {
    put(What::kTry, item.peer, network_.now_ns() + kRetryNs, 0, {});
  } else {
    network_.join(index_, item.peer);
  }
  return false;
}

bool SimFabric::take_flush(const Item& item, FabricEvent& out) {
  const auto held = held_.find(item.peer);
  if (held == held_.end()) return false;
  for (const OutPacket& packet : held->second) launch(item.peer, packet);
  held_.erase(held);
  out.kind = FabricEvent::Kind::kFlushed;
  return true;
}

bool SimFabric::take_packet(FabricEvent& out) {
  if (!decode_packet_header(current_.bytes.data(), out.header)) return false;
  ++counters_.packets_received;
  out.kind = FabricEvent::Kind::kPacket;
  out.body = current_.bytes.data() + kPacketHeaderBytes;
  if (out.header.kind != PacketKind::kBulk) return true;
  out.kind = FabricEvent::Kind::kBulk;
  const auto found = landings_.find(out.header.key);
  if (found == landings_.end() || found->second.peer != out.peer) return true;
  const Landing& landing = found->second;
  if (out.header.offset + out.header.body_bytes > landing.bytes) return true;
  ::memcpy(landing.memory + out.header.offset, out.body, out.header.body_bytes);
  out.landed = true;
  return true;
}

}  // namespace dragon::fabric
