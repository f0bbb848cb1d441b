#include "sync/bell.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace dragon {

namespace {

struct BellAddress {
  sockaddr_un address{};
  socklen_t length = 0;
};

bool make_address(const char* dir, ActorId actor, BellAddress& out) {
  out.address.sun_family = AF_UNIX;
  const int length = ::snprintf(out.address.sun_path, sizeof(out.address.sun_path), "%s/bell.%u",
                                dir, actor_slot(actor));
  if (length < 0 || static_cast<size_t>(length) >= sizeof(out.address.sun_path)) return false;
  out.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + 1);
  return true;
}

}  // namespace

Status Bell::open(const char* dir, ActorTable& actors, ActorId me, bool bound) {
  BellAddress own;
  if (::strlen(dir) >= sizeof(dir_) || !make_address(dir, kActorSlots - 1, own)) {
    return DRAGON_INVALID_ARGUMENT;
  }
  make_address(dir, me, own);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return DRAGON_SYSTEM;
  if (bound) {
    // What lies there belonged to a former owner of the slot.
    ::unlink(own.address.sun_path);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&own.address), own.length) != 0) {
      const int error = errno;
      ::close(fd);
      errno = error;
      return DRAGON_SYSTEM;
    }
  }
  ::strcpy(dir_, dir);
  actors_ = &actors;
  me_ = me;
  fd_ = fd;
  bound_ = bound;
  return DRAGON_SUCCESS;
}

void Bell::close() {
  if (fd_ < 0) return;
  if (bound_) remove_name(me_);
  ::close(fd_);
  fd_ = -1;
}

void Bell::ring(ActorId actor, bool force) {
  if (actors_->bell_pending(actor).exchange(1) != 0 && !force) return;
  BellAddress target;
  if (fd_ < 0 || !make_address(dir_, actor, target)) return;
  // Full counts as rung, a missing socket is a dead actor's: no result matters.
  const char ring = 1;
  ::sendto(fd_, &ring, sizeof(ring), MSG_DONTWAIT | MSG_NOSIGNAL,
           reinterpret_cast<sockaddr*>(&target.address), target.length);
}

void Bell::drain() {
  char rings[16];
  while (::recv(fd_, rings, sizeof(rings), MSG_DONTWAIT) >= 0 || errno == EINTR) {
  }
  // A read-modify-write: who found it set before has published what the caller looks for next.
  actors_->bell_pending(me_).exchange(0);
}

void Bell::remove_name(ActorId actor) {
  BellAddress target;
  if (make_address(dir_, actor, target)) ::unlink(target.address.sun_path);
}

}  // namespace dragon
