#include "sync/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace dragon {

namespace {

// Read and write: no end of a FIFO is ever missing, so nothing blocks, hangs up or signals.
constexpr int kOpenFlags = O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;

constexpr size_t kLongestName = sizeof("/bell.16383");

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

bool is_ring(ActorId pending) {
  return pending != 0 && pending != kBellAwake;
}

int make_reserve() {
  return ::open("/", O_PATH | O_CLOEXEC);
}

}  // namespace

Status Bell::open(const char* dir, ActorTable& actors, ActorId me, bool own) {
  dir_ = dir;
  if (dir_.size() + kLongestName > sizeof(sockaddr_un::sun_path)) return DRAGON_INVALID_ARGUMENT;
  actors_ = &actors;
  me_ = me;
  reserve_ = make_reserve();
  if (reserve_ < 0) return DRAGON_SYSTEM;
  if (!own) return DRAGON_SUCCESS;
  const std::string name = name_of(me);
  // What lies there belonged to a former owner of the slot.
  ::unlink(name.c_str());
  if (::mkfifo(name.c_str(), 0600) == 0) fd_ = ::open(name.c_str(), kOpenFlags);
  if (fd_ >= 0) return DRAGON_SUCCESS;
  const int error = errno;
  ::unlink(name.c_str());
  close_fd(reserve_);
  actors_ = nullptr;
  errno = error;
  return DRAGON_SYSTEM;
}

void Bell::close() {
  if (actors_ == nullptr) return;
  if (fd_ >= 0) remove_name(me_);
  close_fd(fd_);
  close_fd(reserve_);
  for (Opened& one : opened_) close_fd(one.fd);
  actors_ = nullptr;
}

void Bell::ring(ActorId actor, bool force) {
  if (actors_ == nullptr) return;
  const ActorId before = actors_->bell_pending(actor).exchange(actor);
  if ((before == actor || before == kBellAwake) && !force) return;
  const char ring = 1;
  const int fd = reach(actor);
  // Full counts as rung, a missing bell is a dead actor's: no result matters.
  if (fd >= 0 && ::write(fd, &ring, sizeof(ring)) < 0) return;
}

// The actor's bell, opened if it is not; -1 if there is none.
int Bell::reach(ActorId actor) {
  for (Opened& one : opened_) {
    if (one.fd < 0 || one.actor != actor) continue;
    one.used = ++rings_;
    return one.fd;
  }
  const int fd = open_bell(actor);
  if (fd < 0) return fd;
  Opened* place = &opened_[0];
  for (Opened& one : opened_) {
    if (one.used < place->used) place = &one;
  }
  close_fd(place->fd);
  *place = {actor, fd, ++rings_};
  return fd;
}

int Bell::open_bell(ActorId actor) {
  const std::string name = name_of(actor);
  int fd = -1;
  do {
    fd = ::open(name.c_str(), kOpenFlags);
  } while (fd < 0 && (errno == EMFILE || errno == ENFILE) && close_oldest());
  // The reserve is made anew as soon as there is a descriptor for it again.
  if (fd >= 0 && reserve_ < 0) reserve_ = make_reserve();
  return fd;
}

// Frees a descriptor of this actor's; false if it has none left to free.
bool Bell::close_oldest() {
  Opened* oldest = nullptr;
  for (Opened& one : opened_) {
    if (one.fd >= 0 && (oldest == nullptr || one.used < oldest->used)) oldest = &one;
  }
  int& fd = oldest == nullptr ? reserve_ : oldest->fd;
  if (fd < 0) return false;
  close_fd(fd);
  if (oldest != nullptr) oldest->used = 0;
  return true;
}

// Whom this actor told something, and who has ended since, leaves no descriptor behind.
void Bell::close_ended() {
  for (Opened& one : opened_) {
    if (one.fd < 0 || actors_->alive(one.actor)) continue;
    close_fd(one.fd);
    one.used = 0;
  }
}

void Bell::empty() {
  close_ended();
  char rings[512];
  while (::read(fd_, rings, sizeof(rings)) == sizeof(rings)) {
  }
}

void Bell::drain() {
  empty();
  // A read-modify-write: who found it set before has published what the caller looks for next.
  actors_->bell_pending(me_).exchange(0);
}

// All three change one word or look at it, and a ringer changes it after it has published what it
// rings for: so its ring is seen here, or it sees that it has to send it.
bool Bell::stay_awake() {
  return is_ring(actors_->bell_pending(me_).exchange(kBellAwake));
}

bool Bell::rung() const {
  return is_ring(actors_->bell_pending(me_).load());
}

bool Bell::may_sleep() {
  ActorId pending = kBellAwake;
  return actors_->bell_pending(me_).cas(pending, 0) || pending == 0;
}

void Bell::remove_name(ActorId actor) {
  ::unlink(name_of(actor).c_str());
}

std::string Bell::name_of(ActorId actor) const {
  return dir_ + "/bell." + std::to_string(actor_slot(actor));
}

}  // namespace dragon
