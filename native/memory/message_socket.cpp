#include "memory/message_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dragon {

namespace {

struct Envelope {
  explicit Envelope(BrokerMessage& message) {
    part.iov_base = &message;
    part.iov_len = sizeof(message);
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
  }
  iovec part{};
  msghdr header{};
  // Room for two, so that a second descriptor is seen (and refused) instead of cut off.
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
};

// The one descriptor in the control data; closes any further ones and says so.
bool take_descriptor(msghdr& header, int& fd_out) {
  bool single = true;
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      ::memcpy(&fd, CMSG_DATA(item) + i * sizeof(int), sizeof(fd));
      if (fd_out < 0) {
        fd_out = fd;
      } else {
        ::close(fd);
        single = false;
      }
    }
  }
  return single;
}

}  // namespace

bool send_message(int socket, const BrokerMessage& message, int fd) {
  BrokerMessage copy = message;
  Envelope envelope(copy);
  if (fd < 0) {
    envelope.header.msg_control = nullptr;
    envelope.header.msg_controllen = 0;
  } else {
    envelope.header.msg_controllen = CMSG_SPACE(sizeof(int));
    cmsghdr* item = CMSG_FIRSTHDR(&envelope.header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int));
    ::memcpy(CMSG_DATA(item), &fd, sizeof(fd));
  }
  const ssize_t sent = ::sendmsg(socket, &envelope.header, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(sizeof(copy));
}

MessageResult receive_message(int socket, BrokerMessage& message, int& fd_out) {
  Envelope envelope(message);
  fd_out = -1;
  ssize_t length;
  do {
    length = ::recvmsg(socket, &envelope.header, MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return errno == EAGAIN ? MessageResult::kNothing : MessageResult::kEnd;
  const bool single = take_descriptor(envelope.header, fd_out);
  if (length == 0) return MessageResult::kEnd;
  if ((envelope.header.msg_flags & MSG_CTRUNC) != 0 && fd_out < 0) {
    return MessageResult::kNoDescriptor;
  }
  const bool whole = length == static_cast<ssize_t>(sizeof(message)) &&
                     (envelope.header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  if (whole && single && message.magic == kBrokerMagic) return MessageResult::kMessage;
  if (fd_out >= 0) ::close(fd_out);
  fd_out = -1;
  return MessageResult::kGarbage;
}

bool peer_of(int socket, unsigned& uid_out, int& pid_out) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  uid_out = peer.uid;
  pid_out = peer.pid;
  return true;
}

bool broker_path(const char* dir, char (&out)[108]) {
  const int length = ::snprintf(out, sizeof(out), "%s/%s", dir, kBrokerSocketName);
  return length > 0 && static_cast<size_t>(length) < sizeof(out);
}

}  // namespace dragon
