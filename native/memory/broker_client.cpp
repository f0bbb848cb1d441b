#include "memory/broker_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "memory/message_socket.h"

namespace dragon {

namespace {

// A socket that closes itself.
class Connection {
 public:
  ~Connection() {
    if (fd_ >= 0) ::close(fd_);
  }

  Status open(const char* path, Deadline deadline) {
    fd_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return DRAGON_SYSTEM;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ::strcpy(address.sun_path, path);
    set_patience(SO_SNDTIMEO, deadline);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      return errno == EACCES || errno == EPERM ? DRAGON_AUTH : DRAGON_RUNTIME_GONE;
    }
    unsigned uid = 0;
    int pid = 0;
    if (!peer_of(fd_, uid, pid)) return DRAGON_SYSTEM;
    return uid == ::geteuid() ? DRAGON_SUCCESS : DRAGON_AUTH;
  }

  Status exchange(const BrokerMessage& request, int pass_fd, Deadline deadline,
                  BrokerMessage& answer, int& fd_out) {
    if (!send_message(fd_, request, pass_fd)) return DRAGON_RUNTIME_GONE;
    set_patience(SO_RCVTIMEO, deadline);
    const MessageResult result = receive_message(fd_, answer, fd_out);
    return result == MessageResult::kMessage ? DRAGON_SUCCESS : DRAGON_RUNTIME_GONE;
  }

 private:
  void set_patience(int option, Deadline deadline) {
    const uint64_t now = now_ns();
    const uint64_t left_us = deadline.at_ns() > now ? (deadline.at_ns() - now) / 1000 : 1;
    timeval patience{};
    patience.tv_sec = static_cast<time_t>(left_us / 1'000'000);
    patience.tv_usec = static_cast<suseconds_t>(left_us % 1'000'000 + 1);
    ::setsockopt(fd_, SOL_SOCKET, option, &patience, sizeof(patience));
  }
  int fd_ = -1;
};

}  // namespace

BrokerClient::BrokerClient(const char* dir) {
  if (!broker_path(dir, path_)) path_[0] = '\0';
}

Status BrokerClient::hello(int& fd_out) const {
  uint32_t value = 0;
  return call(BrokerOp::kHello, 0, -1, value, &fd_out);
}

Status BrokerClient::get(uint32_t segment_id, int& fd_out) const {
  uint32_t value = 0;
  return call(BrokerOp::kGet, segment_id, -1, value, &fd_out);
}

Status BrokerClient::put(int fd, uint32_t& segment_id_out) const {
  return call(BrokerOp::kPut, 0, fd, segment_id_out, nullptr);
}

Status BrokerClient::drop(uint32_t segment_id) const {
  uint32_t value = 0;
  return call(BrokerOp::kDrop, segment_id, -1, value, nullptr);
}

Status BrokerClient::attached(ActorId actor) const {
  uint32_t value = 0;
  return call(BrokerOp::kAttached, actor, -1, value, nullptr);
}

Status BrokerClient::call(BrokerOp op, uint32_t value, int pass_fd, uint32_t& value_out,
                          int* fd_out) const {
  if (path_[0] == '\0') return DRAGON_INVALID_ARGUMENT;
  const Deadline deadline = Deadline::after_ms(kBrokerPatienceMs);
  Connection connection;
  Status status = connection.open(path_, deadline);
  if (status != DRAGON_SUCCESS) return status;
  BrokerMessage request;
  request.op = static_cast<uint32_t>(op);
  request.value = value;
  BrokerMessage answer;
  int fd = -1;
  status = connection.exchange(request, pass_fd, deadline, answer, fd);
  if (status != DRAGON_SUCCESS) return status;
  status = static_cast<Status>(answer.status);
  const bool wants_fd = fd_out != nullptr;
  if (status == DRAGON_SUCCESS && wants_fd && fd < 0) status = DRAGON_RUNTIME_GONE;
  if (fd >= 0 && (status != DRAGON_SUCCESS || !wants_fd)) {
    ::close(fd);
    fd = -1;
  }
  value_out = answer.value;
  if (wants_fd) *fd_out = fd;
  return status;
}

}  // namespace dragon
