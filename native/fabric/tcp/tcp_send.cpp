// What goes out on an open connection: the packets' pieces as they lie, several in one call.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "fabric/tcp/tcp_fabric.h"

namespace dragon::fabric {
namespace {

constexpr size_t kPiecesPerCall = 64;

}  // namespace

Status TcpFabric::send(NodeIndex index, const OutPacket* packets, size_t count) {
  Peer* peer = known(index);
  Connection* connection = peer == nullptr ? nullptr : find(peer->open_id);
  if (connection == nullptr || !connection->unsent.empty()) return DRAGON_STATE;
  for (size_t i = 0; i < count; ++i) {
    const OutPacket& packet = packets[i];
    connection->unsent.push_back({const_cast<void*>(packet.head), packet.head_bytes});
    if (packet.body_bytes == 0) continue;
    connection->unsent.push_back({const_cast<void*>(packet.body), packet.body_bytes});
  }
  connection->next_unsent = 0;
  counters_.packets_sent += count;
  if (!write_some(*connection)) {
    close(connection->id);
    return DRAGON_STATE;
  }
  if (connection->unsent.empty()) return DRAGON_SUCCESS;
  connection->wants_write = true;
  poll_for(*connection, EPOLLIN | EPOLLOUT);
  return DRAGON_WOULD_BLOCK;
}

// Until all is written or the kernel takes no more; false if the connection is gone.
bool TcpFabric::write_some(Connection& connection) {
  std::vector<iovec>& unsent = connection.unsent;
  while (connection.next_unsent < unsent.size()) {
    msghdr message{};
    message.msg_iov = unsent.data() + connection.next_unsent;
    message.msg_iovlen = std::min(unsent.size() - connection.next_unsent, kPiecesPerCall);
    const ssize_t sent = ::sendmsg(connection.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN;
    ++counters_.sends;
    size_t taken = static_cast<size_t>(sent);
    while (taken > 0 && taken >= unsent[connection.next_unsent].iov_len) {
      taken -= unsent[connection.next_unsent++].iov_len;
    }
    if (taken == 0) continue;
    iovec& piece = unsent[connection.next_unsent];
    piece.iov_base = static_cast<uint8_t*>(piece.iov_base) + taken;
    piece.iov_len -= taken;
  }
  unsent.clear();
  return true;
}

void TcpFabric::on_writable(Connection& connection) {
  if (!connection.wants_write) return;
  if (!write_some(connection)) {
    close(connection.id);
    return;
  }
  if (!connection.unsent.empty()) return;
  connection.wants_write = false;
  poll_for(connection, EPOLLIN);
  say(FabricEvent::Kind::kFlushed, connection.peer);
}

}  // namespace dragon::fabric
