#include "memory/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "memory/message_socket.h"
#include "memory/object.h"
#include "sync/deadline.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace dragon {

namespace {

// What an epoll event is about; the rest of the data is a descriptor or a pid.
enum class Watched : uint64_t { kListener = 1, kClient = 2, kProcess = 3 };

bool watch_for_reading(int epoll_fd, int fd, Watched what, int32_t value) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = static_cast<uint64_t>(what) << 32 | static_cast<uint32_t>(value);
  return ::epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

// A process forked meanwhile may have the descriptor, too: then closing it does not take it out,
// and its hang-up would be told again and again.
void close_watched(int epoll_fd, int fd) {
  ::epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, nullptr);
  ::close(fd);
}

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

// A descriptor for the process at the other end, which no reuse of its pid can confuse.
int pidfd_of(int client_fd, int32_t pid) {
  int fd = -1;
  socklen_t length = sizeof(fd);
  if (::getsockopt(client_fd, SOL_SOCKET, SO_PEERPIDFD, &fd, &length) == 0) return fd;
  if (errno != ENOPROTOOPT) return -1;
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

}  // namespace

Status Broker::open(const char* dir, NodeSegment& segment) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!broker_path(dir, address.sun_path)) return DRAGON_INVALID_ARGUMENT;
  const int type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
  listen_fd_ = ::socket(AF_UNIX, type, 0);
  epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  reserve_fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (listen_fd_ < 0 || epoll_fd_ < 0 || reserve_fd_ < 0) {
    close();
    return DRAGON_SYSTEM;
  }
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(listen_fd_, name, sizeof(address)) != 0) {
    const Status status = errno == EADDRINUSE ? DRAGON_EXISTS : DRAGON_SYSTEM;
    close();
    return status;
  }
  ::strcpy(path_, address.sun_path);
  if (::listen(listen_fd_, SOMAXCONN) != 0 ||
      !watch_for_reading(epoll_fd_, listen_fd_, Watched::kListener, 0)) {
    close();
    return DRAGON_SYSTEM;
  }
  segment_ = &segment;
  return DRAGON_SUCCESS;
}

void Broker::close() {
  const int error = errno;
  if (path_[0] != '\0') ::unlink(path_);
  path_[0] = '\0';
  for (const auto& [fd, client] : clients_) ::close(fd);
  for (const auto& [pid, fd] : pidfds_) ::close(fd);
  for (const auto& [id, segment] : segments_) ::close(segment.fd);
  clients_.clear();
  pidfds_.clear();
  segments_.clear();
  offers_.clear();
  close_fd(listen_fd_);
  close_fd(reserve_fd_);
  close_fd(epoll_fd_);
  errno = error;
}

void Broker::on_readable() {
  epoll_event events[64];
  const int count = ::epoll_wait(epoll_fd_, events, 64, 0);
  for (int i = 0; i < count; ++i) {
    const auto what = static_cast<Watched>(events[i].data.u64 >> 32);
    const auto value = static_cast<int32_t>(events[i].data.u64);
    switch (what) {
      case Watched::kListener:
        accept_clients();
        break;
      case Watched::kClient:
        serve(value);
        break;
      case Watched::kProcess:
        on_process_end(value);
        break;
    }
  }
}

bool Broker::next_event(BrokerEvent& out) {
  if (events_.empty()) return false;
  out = events_.front();
  events_.pop_front();
  return true;
}

void Broker::accept_clients() {
  for (;;) {
    const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno != EMFILE && errno != ENFILE) return;
      // Without a descriptor to spare the client is turned away; leaving it in the backlog would
      // keep the listener readable for ever.
      close_fd(reserve_fd_);
      const int refused = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (refused >= 0) ::close(refused);
      reserve_fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (refused < 0) return;
      continue;
    }
    unsigned uid = 0;
    int pid = 0;
    if (!peer_of(fd, uid, pid) || uid != ::geteuid()) {
      BrokerMessage refusal;
      refusal.status = DRAGON_AUTH;
      send_message(fd, refusal, -1);
      ::close(fd);
      continue;
    }
    if (!watch_for_reading(epoll_fd_, fd, Watched::kClient, fd)) {
      ::close(fd);
      continue;
    }
    clients_[fd] = {fd, pid};
  }
}

void Broker::serve(int fd) {
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  Client client = found->second;
  BrokerMessage request;
  int passed_fd = -1;
  const MessageResult result = receive_message(fd, request, passed_fd);
  if (result == MessageResult::kNothing) return;
  const bool keep = result == MessageResult::kMessage && answer(client, request, passed_fd);
  if (passed_fd >= 0) ::close(passed_fd);
  if (!keep) close_client(fd);
}

bool Broker::answer(Client& client, const BrokerMessage& request, int passed_fd) {
  BrokerMessage reply;
  reply.op = request.op;
  reply.status = DRAGON_SUCCESS;
  int fd = -1;
  switch (static_cast<BrokerOp>(request.op)) {
    case BrokerOp::kHello:
      watch(client.pid, client.fd);
      fd = segment_->fd();
      break;
    case BrokerOp::kGet:
      fd = get(request.value);
      if (fd < 0) reply.status = DRAGON_NOT_FOUND;
      break;
    case BrokerOp::kPut:
      reply.status =
          passed_fd < 0 ? DRAGON_INVALID_ARGUMENT : put(passed_fd, client.pid, reply.value);
      break;
    case BrokerOp::kDrop:
      reply.status = drop(request.value);
      break;
    case BrokerOp::kAttached:
      attached(request.value, client.pid);
      break;
    case BrokerOp::kOffer:
      watch(client.pid, client.fd);
      reply.status = passed_fd < 0 ? DRAGON_INVALID_ARGUMENT
                                   : offers_.offer(passed_fd, client.pid, reply.ticket);
      if (reply.status == DRAGON_SYSTEM) reply.value = static_cast<uint32_t>(errno);
      break;
    case BrokerOp::kTake:
      fd = offers_.take(request.ticket, client.fd);
      if (fd < 0) reply.status = DRAGON_NOT_FOUND;
      break;
    case BrokerOp::kWithdraw:
      if (!offers_.withdraw(request.ticket)) reply.status = DRAGON_NOT_FOUND;
      break;
    default:
      return false;
  }
  return send_message(client.fd, reply, fd);
}

void Broker::watch(int32_t pid, int client_fd) {
  const auto found = pidfds_.find(pid);
  if (found != pidfds_.end()) {
    pollfd end{found->second, POLLIN, 0};
    if (::poll(&end, 1, 0) == 0) return;
    on_process_end(pid);  // a former process under this pid, whose end is still unread
  }
  const int pidfd = pidfd_of(client_fd, pid);
  if (pidfd < 0 || !watch_for_reading(epoll_fd_, pidfd, Watched::kProcess, pid)) {
    if (pidfd >= 0) ::close(pidfd);
    unwatched_ = true;
    return;
  }
  pidfds_[pid] = pidfd;
}

void Broker::on_process_end(int32_t pid) {
  const auto found = pidfds_.find(pid);
  if (found == pidfds_.end()) return;
  close_watched(epoll_fd_, found->second);
  pidfds_.erase(found);
  report_dead(pid);
  drop_unopened(pid);
  offers_.on_process_end(pid, now_ns());
}

// A pool whose maker died before it had opened it belongs to nobody.
void Broker::drop_unopened(int32_t pid) {
  for (auto next = segments_.begin(); next != segments_.end();) {
    const auto segment = next++;
    uint32_t counts[kRoles] = {};
    const auto offset = static_cast<off_t>(sizeof(SegmentHeader) + offsetof(ObjectHeader, counts));
    const bool read = ::pread(segment->second.fd, counts, sizeof(counts), offset) ==
                      static_cast<ssize_t>(sizeof(counts));
    if (segment->second.maker != pid || !read) continue;
    if (counts[0] + counts[1] + counts[2] == 0) drop(segment->first);
  }
}

void Broker::sweep() {
  ActorTable actors(*segment_);
  ActorInfo info;
  for (uint32_t slot = 0; actors.info(slot, info); ++slot) look_at(actors, info);
  offers_.expire(now_ns());
}

void Broker::report_dead(int32_t pid) {
  ActorTable actors(*segment_);
  ActorInfo info;
  for (uint32_t slot = 0; actors.info(slot, info); ++slot) {
    if (info.pid == pid) look_at(actors, info);
  }
}

// Reports an actor once if it is dead, whoever noticed first. A new process under an old pid is
// told apart by the kernel's start time.
void Broker::look_at(ActorTable& actors, const ActorInfo& info) {
  if (info.state == ActorState::kFree || info.state == ActorState::kReclaiming) return;
  if (info.state == ActorState::kLive && actors.probe(info.id)) return;
  const uint32_t slot = actor_slot(info.id);
  if (reported_dead_.size() <= slot) reported_dead_.resize(slot + 1, 0);
  if (reported_dead_[slot] == info.id) return;
  reported_dead_[slot] = info.id;
  events_.push_back({BrokerEvent::Kind::kDead, info.id, info.pid});
}

void Broker::close_client(int fd) {
  close_watched(epoll_fd_, fd);
  offers_.on_hang_up(fd);
  clients_.erase(fd);
}

Status Broker::put(int fd, int32_t maker, uint32_t& id_out) {
  const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return DRAGON_SYSTEM;
  id_out = next_segment_id_++;
  segments_[id_out] = {own, maker};
  return DRAGON_SUCCESS;
}

int Broker::get(uint32_t id) const {
  const auto found = segments_.find(id);
  return found == segments_.end() ? -1 : found->second.fd;
}

Status Broker::drop(uint32_t id) {
  const auto found = segments_.find(id);
  if (found == segments_.end()) return DRAGON_NOT_FOUND;
  ::close(found->second.fd);
  segments_.erase(found);
  return DRAGON_SUCCESS;
}

std::vector<BrokerSegment> Broker::segments() const {
  std::vector<BrokerSegment> list;
  for (const auto& [id, segment] : segments_) list.push_back({id, segment.fd});
  return list;
}

void Broker::attached(ActorId actor, int32_t pid) {
  events_.push_back({BrokerEvent::Kind::kAttached, actor, pid});
}

}  // namespace dragon
