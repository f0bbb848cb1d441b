// How connections come to be: connecting, accepting, the handshake, and who gives way.
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "fabric/tcp/tcp_fabric.h"
#include "sync/deadline.h"

namespace dragon::fabric {
namespace {

constexpr uint64_t kRetryNsMin = 5'000'000;
constexpr uint64_t kRetryNsMax = 500'000'000;
constexpr uint64_t kListenAgainNs = 100'000'000;
constexpr int kAcceptsPerTurn = 64;

}  // namespace

void TcpFabric::connect(NodeIndex index) {
  Peer* peer = known(index);
  if (peer == nullptr || peer->open_id != 0 || peer->is_wanted) return;
  peer->is_wanted = true;
  peer->retry_ns = 0;
  peer->retry_at_ns = UINT64_MAX;
  if (std::find(retrying_.begin(), retrying_.end(), index) == retrying_.end()) {
    retrying_.push_back(index);
  }
  try_connect(index);
}

void TcpFabric::disconnect(NodeIndex index) {
  Peer* peer = known(index);
  if (peer == nullptr) return;
  peer->is_wanted = false;
  close(peer->trying_id);
  close(peer->open_id);
  std::erase_if(events_, [&](const FabricEvent& event) {
    const bool is_other = event.kind == FabricEvent::Kind::kRefused;
    return event.peer == index && !is_other;
  });
}

void TcpFabric::retry_later(Peer& peer) {
  peer.retry_ns = std::clamp(peer.retry_ns * 2, kRetryNsMin, kRetryNsMax);
  peer.retry_at_ns = now_ns() + peer.retry_ns;
}

void TcpFabric::try_connect(NodeIndex index) {
  Peer& peer = peers_[index];
  const int family = peer.address.family();
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return retry_later(peer);
  if (::connect(fd, peer.address.get(), peer.address.length) != 0 && errno != EINPROGRESS) {
    ::close(fd);
    return retry_later(peer);
  }
  Connection& connection = add(fd, Stage::kConnecting, EPOLLOUT);
  connection.peer = index;
  peer.trying_id = connection.id;
  peer.retry_at_ns = UINT64_MAX;
}

TcpFabric::Connection& TcpFabric::add(int fd, Stage stage, uint32_t events) {
  auto made = std::make_unique<Connection>(options_.self);
  Connection& connection = *made;
  connection.fd = fd;
  connection.id = next_id_++;
  connection.stage = stage;
  connection.give_up_at_ns = now_ns() + options_.handshake_ns;
  connections_[connection.id] = std::move(made);
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  epoll_event event{};
  event.events = events;
  event.data.u64 = connection.id;
  ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  return connection;
}

void TcpFabric::poll_for(Connection& connection, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = connection.id;
  ::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, connection.fd, &event);
}

void TcpFabric::accept_all() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // Whoever waits stays in the backlog until there is a descriptor for it.
        epoll_event event{};
        event.data.u64 = 0;
        ::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, listener_, &event);
        listen_at_ns_ = now_ns() + kListenAgainNs;
      }
      return;
    }
    std::erase_if(strangers_, [&](uint64_t id) {
      const Connection* other = find(id);
      return other == nullptr || other->stage == Stage::kOpen;
    });
    if (strangers_.size() >= options_.strangers_max) {
      refuse(*find(strangers_.front()), Refusal::kTimeout);
      strangers_.pop_front();
    }
    strangers_.push_back(add(fd, Stage::kStranger, EPOLLIN).id);
  }
}

// Ends a connection in whatever stage it is. An id that is over, or 0, is none.
void TcpFabric::close(uint64_t id) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  if (reading_id_ == id) reading_id_ = 0;
  ::close(connection->fd);
  Peer* peer = known(connection->peer);
  if (peer != nullptr && peer->open_id == id) {
    peer->open_id = 0;
    peer->is_wanted = false;
    say(FabricEvent::Kind::kLost, connection->peer);
  }
  if (peer != nullptr && peer->trying_id == id) {
    peer->trying_id = 0;
    if (peer->is_wanted) retry_later(*peer);
  }
  connections_.erase(id);
}

// Every one is counted, and the first of each cause is an event.
void TcpFabric::refuse(Connection& connection, Refusal refusal) {
  ++counters_.refused;
  const uint32_t bit = 1u << static_cast<uint32_t>(refusal);
  if ((refusals_said_ & bit) == 0) {
    refusals_said_ |= bit;
    FabricEvent event;
    event.kind = FabricEvent::Kind::kRefused;
    event.peer = connection.peer;
    event.refusal = refusal;
    events_.push_back(event);
  }
  close(connection.id);
}

void TcpFabric::shake(Connection& connection, uint32_t events) {
  if (connection.stage != Stage::kConnecting) {
    on_greeting(connection);
    return;
  }
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &length);
  Nonce nonce;
  if (error != 0 || (events & EPOLLOUT) == 0 || !random_bytes(nonce.bytes, kNonceBytes)) {
    close(connection.id);
    return;
  }
  uint8_t call[kHandshakeBytes];
  connection.handshake.call(connection.peer, nonce, call);
  connection.stage = Stage::kCalled;
  if (say_greeting(connection, call)) poll_for(connection, EPOLLIN);
}

bool TcpFabric::say_greeting(Connection& connection, const uint8_t* bytes) {
  // A new socket's buffer takes this much.
  const ssize_t sent = ::send(connection.fd, bytes, kHandshakeBytes, MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(kHandshakeBytes)) return true;
  close(connection.id);
  return false;
}

void TcpFabric::on_greeting(Connection& connection) {
  uint8_t* at = connection.greeting + connection.greeting_bytes;
  // No more than the message: what follows it is for the packets' reader.
  const ssize_t got = ::recv(connection.fd, at, kHandshakeBytes - connection.greeting_bytes, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    close(connection.id);
    return;
  }
  connection.greeting_bytes += static_cast<size_t>(got);
  const Refusal refusal = Handshake::look(connection.greeting, connection.greeting_bytes);
  if (refusal != Refusal::kNone) {
    refuse(connection, refusal);
    return;
  }
  if (connection.greeting_bytes < kHandshakeBytes) return;
  connection.greeting_bytes = 0;
  if (connection.stage == Stage::kStranger) {
    on_call(connection);
    return;
  }
  uint8_t confirm[kHandshakeBytes];
  const bool is_mine = connection.stage == Stage::kCalled;
  const Refusal judged = is_mine ? connection.handshake.confirm(connection.greeting, confirm)
                                 : connection.handshake.finish(connection.greeting);
  if (judged != Refusal::kNone) {
    refuse(connection, judged);
  } else if (!is_mine || say_greeting(connection, confirm)) {
    become_open(connection);
  }
}

void TcpFabric::on_call(Connection& connection) {
  Nonce nonce;
  uint8_t answer[kHandshakeBytes];
  if (!random_bytes(nonce.bytes, kNonceBytes)) {
    close(connection.id);
    return;
  }
  Refusal refusal = connection.handshake.answer(connection.greeting, nonce, answer);
  Peer* peer = known(connection.handshake.peer());
  const bool is_new = peer != nullptr &&  //
                      connection.handshake.peer_incarnation() >= peer->incarnation;
  if (refusal == Refusal::kNone && !is_new) refusal = Refusal::kStranger;
  if (refusal != Refusal::kNone) {
    refuse(connection, refusal);
    return;
  }
  const NodeIndex index = connection.handshake.peer();
  Connection* mine = find(peer->trying_id);
  if (mine != nullptr) {
    // Both call each other: the lower index's call counts, once it has gone out.
    if (self() < index && mine->stage == Stage::kCalled) {
      close(connection.id);
      return;
    }
    close(mine->id);
  }
  connection.peer = index;
  connection.stage = Stage::kAnswered;
  say_greeting(connection, answer);
}

void TcpFabric::become_open(Connection& connection) {
  const NodeIndex index = connection.peer;
  Peer& peer = peers_[index];
  if (connection.handshake.peer_incarnation() < peer.incarnation) {
    refuse(connection, Refusal::kStranger);
    return;
  }
  peer.incarnation = connection.handshake.peer_incarnation();
  if (peer.trying_id == connection.id) peer.trying_id = 0;
  close(peer.trying_id);
  close(peer.open_id);
  connection.stage = Stage::kOpen;
  peer.open_id = connection.id;
  peer.is_wanted = false;
  peer.retry_at_ns = UINT64_MAX;
  ++counters_.connections;
  say(FabricEvent::Kind::kConnected, index);
}

}  // namespace dragon::fabric
