// The system calls that the linker gives to the kernel made of memory.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "fuzz/descriptors.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

using namespace dragon::fuzz;

namespace {

int fail(int error) {
  errno = error;
  return -1;
}

bool is_ready(const Object& object) {
  switch (object.kind) {
    case Kind::kListener:
      return kernel().pending;
    case Kind::kStream:
    case Kind::kPackets:
      return object.count > 0 || object.hung_up;
    case Kind::kProcess:
      return kernel().processes_ended;
    default:
      return false;
  }
}

// Writes one item of control data, as much as there is room for.
class Control {
 public:
  explicit Control(msghdr& message) : message_(message), room_(message.msg_controllen) {
    message_.msg_controllen = 0;
  }
  void put_credentials() {
    const ucred own = {1, kOwnUid, kOwnUid};
    // Unlike descriptors, these are cut off in the middle.
    const size_t room = room_ < CMSG_LEN(0) ? 0 : std::min(room_ - CMSG_LEN(0), sizeof(own));
    if (room < sizeof(own)) message_.msg_flags |= MSG_CTRUNC;
    if (room > 0) ::memcpy(CMSG_DATA(begin(SCM_CREDENTIALS, room)), &own, room);
  }
  void put_descriptors(uint32_t count, bool none_left) {
    const size_t space = room_ > CMSG_LEN(0) ? (room_ - CMSG_LEN(0)) / sizeof(int) : 0;
    int fds[kFdsMax];
    uint32_t opened = 0;
    while (!none_left && opened < count && opened < space) {
      fds[opened] = open_object(Kind::kDevice);
      if (fds[opened] < 0) break;
      ++opened;
    }
    if (opened < count) message_.msg_flags |= MSG_CTRUNC;
    if (opened == 0) return;
    cmsghdr* item = begin(SCM_RIGHTS, opened * sizeof(int));
    ::memcpy(CMSG_DATA(item), fds, opened * sizeof(int));
  }

 private:
  cmsghdr* begin(int type, size_t length) {
    auto* at = static_cast<uint8_t*>(message_.msg_control) + message_.msg_controllen;
    auto* item = reinterpret_cast<cmsghdr*>(at);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = type;
    item->cmsg_len = CMSG_LEN(length);
    const size_t space = std::min(CMSG_SPACE(length), room_);
    message_.msg_controllen += space;
    room_ -= space;
    return item;
  }
  msghdr& message_;
  size_t room_;
};

void drop_first(Object& socket) {
  socket.first = (socket.first + 1) % kArrivalsMax;
  --socket.count;
  socket.next_read = 0;
}

// What comes along with an arrival, once; `message` is null when it was a plain recv.
void take_along(Arrival& arrival, msghdr* message) {
  if (message != nullptr) {
    Control control(*message);
    if (arrival.credentials) control.put_credentials();
    if (arrival.descriptors > 0) {
      control.put_descriptors(arrival.descriptors, arrival.no_descriptors);
    }
  }
  arrival.descriptors = 0;
}

int take_error(Object& socket) {
  return socket.count == 0 ? 0 : std::exchange(socket.arrivals[socket.first].error, 0);
}

ssize_t receive_packet(Object& socket, void* buffer, size_t room, msghdr* message) {
  Arrival& arrival = socket.arrivals[socket.first];
  const size_t copied = std::min(arrival.length, room);
  if (copied > 0) ::memcpy(buffer, arrival.bytes, copied);
  take_along(arrival, message);
  if (message != nullptr && copied < arrival.length) message->msg_flags |= MSG_TRUNC;
  drop_first(socket);
  return static_cast<ssize_t>(copied);
}

// A receive goes from one arrival to the next, but not beyond bytes that carried descriptors.
ssize_t receive_stream(Object& socket, void* buffer, size_t room, msghdr* message) {
  size_t copied = 0;
  for (bool is_last = false; !is_last && socket.count > 0 && copied < room;) {
    Arrival& arrival = socket.arrivals[socket.first];
    const size_t length = std::min(arrival.length - socket.next_read, room - copied);
    if (length > 0) {
      ::memcpy(static_cast<uint8_t*>(buffer) + copied, arrival.bytes + socket.next_read, length);
    }
    is_last = arrival.descriptors > 0 || arrival.credentials;
    if (copied == 0 || is_last) take_along(arrival, message);
    copied += length;
    socket.next_read += length;
    if (socket.next_read == arrival.length) drop_first(socket);
  }
  return static_cast<ssize_t>(copied);
}

ssize_t receive(Object& socket, void* buffer, size_t room, msghdr* message) {
  const bool is_stream = socket.kind == Kind::kStream;
  if (!is_stream && socket.kind != Kind::kPackets) return fail(ENOTSOCK);
  if (const int error = take_error(socket)) return fail(error);
  if (socket.count == 0) {
    if (message != nullptr) message->msg_controllen = 0;
    return socket.hung_up ? 0 : fail(EAGAIN);
  }
  return is_stream ? receive_stream(socket, buffer, room, message)
                   : receive_packet(socket, buffer, room, message);
}

}  // namespace

extern "C" {

// What the real kernel does with descriptors of its own.
int __real_accept4(int, sockaddr*, socklen_t*, int);
int __real_close(int);
int __real_epoll_ctl(int, int, int, epoll_event*);
int __real_epoll_wait(int, epoll_event*, int, int);
int __real_fcntl(int, int, ...);
int __real_fstat(int, struct stat*);
int __real_getsockopt(int, int, int, void*, socklen_t*);
void* __real_mmap(void*, size_t, int, int, int, off_t);
int __real_munmap(void*, size_t);
int __real_poll(pollfd*, nfds_t, int);
ssize_t __real_pread(int, void*, size_t, off_t);
ssize_t __real_recv(int, void*, size_t, int);
ssize_t __real_recvmsg(int, msghdr*, int);
ssize_t __real_sendmsg(int, const msghdr*, int);

int __wrap_close(int fd) {
  if (!is_ours(fd)) return __real_close(fd);
  close_object(fd);
  return 0;
}

int __wrap_fcntl(int fd, int command, ...) {
  va_list more;
  va_start(more, command);
  const long argument = va_arg(more, long);
  va_end(more);
  if (!is_ours(fd)) return __real_fcntl(fd, command, argument);
  const Object& object = object_of(fd);
  if (command == F_GET_SEALS) return object.kind == Kind::kFile ? object.seals : fail(EINVAL);
  require(command == F_DUPFD_CLOEXEC && object.kind == Kind::kDevice);
  const int copy = open_object(object.kind);
  return copy < 0 ? fail(EMFILE) : copy;
}

int __wrap_fstat(int fd, struct stat* out) {
  if (!is_ours(fd)) return __real_fstat(fd, out);
  out->st_size = static_cast<off_t>(object_of(fd).file_bytes);
  return 0;
}

void* __wrap_mmap(void* address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  if (!is_ours(fd)) return __real_mmap(address, bytes, protection, flags, fd, offset);
  const Object& object = object_of(fd);
  require(object.kind == Kind::kFile && bytes == object.file_bytes && offset == 0);
  return map_file(object);
}

int __wrap_munmap(void* base, size_t bytes) {
  return unmap_file(base) ? 0 : __real_munmap(base, bytes);
}

ssize_t __wrap_pread(int fd, void* buffer, size_t length, off_t offset) {
  if (!is_ours(fd)) return __real_pread(fd, buffer, length, offset);
  ::memset(buffer, 0, length);
  return static_cast<ssize_t>(length);
}

ssize_t __wrap_recv(int fd, void* buffer, size_t length, int flags) {
  if (!is_ours(fd)) return __real_recv(fd, buffer, length, flags);
  return receive(object_of(fd), buffer, length, nullptr);
}

ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags) {
  if (!is_ours(fd)) return __real_recvmsg(fd, message, flags);
  require(message->msg_iovlen == 1);
  message->msg_flags = 0;
  return receive(object_of(fd), message->msg_iov->iov_base, message->msg_iov->iov_len, message);
}

// A peer that does not read lets one message wait.
ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  if (!is_ours(fd)) return __real_sendmsg(fd, message, flags);
  Object& socket = object_of(fd);
  if (socket.hung_up) return fail(EPIPE);
  if (socket.sent.length > 0) return fail(EAGAIN);
  const iovec& part = *message->msg_iov;
  require(message->msg_iovlen == 1 && part.iov_len <= sizeof(socket.sent.bytes));
  ::memcpy(socket.sent.bytes, part.iov_base, part.iov_len);
  socket.sent.length = part.iov_len;
  return static_cast<ssize_t>(part.iov_len);
}

int __wrap_getsockopt(int fd, int level, int name, void* value, socklen_t* length) {
  if (!is_ours(fd)) return __real_getsockopt(fd, level, name, value, length);
  if (name == SO_PEERPIDFD) {
    const int pidfd = open_object(Kind::kProcess);
    if (pidfd < 0) return fail(EMFILE);
    ::memcpy(value, &pidfd, sizeof(pidfd));
    return 0;
  }
  require(name == SO_PEERCRED);
  const ucred peer = {1, object_of(fd).peer_uid, kOwnUid};
  ::memcpy(value, &peer, sizeof(peer));
  return 0;
}

uid_t __wrap_geteuid() {
  return kOwnUid;
}

int __wrap_socket(int, int, int) {
  return open_object(Kind::kListener);
}

int __wrap_bind(int, const sockaddr*, socklen_t) {
  return 0;
}

int __wrap_listen(int, int) {
  return 0;
}

int __wrap_accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  if (!is_ours(fd)) return __real_accept4(fd, address, length, flags);
  Kernel& own = kernel();
  if (!own.pending) return fail(EAGAIN);
  const int socket = open_object(Kind::kPackets);
  if (socket < 0) return fail(EMFILE);
  own.pending = false;
  own.accepted = socket;
  object_of(socket).peer_uid = own.pending_uid;
  return socket;
}

int __wrap_epoll_create1(int) {
  return open_object(Kind::kEpoll);
}

int __wrap_epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  if (!is_ours(epoll)) return __real_epoll_ctl(epoll, operation, fd, event);
  Object& object = object_of(fd);
  require(operation == EPOLL_CTL_ADD || operation == EPOLL_CTL_DEL);
  const bool is_added = operation == EPOLL_CTL_ADD;
  require(object.watched != is_added);
  object.watched = is_added;
  if (is_added) object.watch_data = event->data.u64;
  return 0;
}

int __wrap_epoll_wait(int epoll, epoll_event* events, int max, int timeout) {
  if (!is_ours(epoll)) return __real_epoll_wait(epoll, events, max, timeout);
  int found = 0;
  for (const Object& object : kernel().objects) {
    if (object.kind == Kind::kFree || !object.watched || !is_ready(object)) continue;
    events[found].events = EPOLLIN;
    events[found++].data.u64 = object.watch_data;
  }
  return found;
}

int __wrap_poll(pollfd* polled, nfds_t count, int timeout) {
  if (count != 1 || !is_ours(polled->fd)) return __real_poll(polled, count, timeout);
  return is_ready(object_of(polled->fd)) ? 1 : 0;
}

}  // extern "C"
