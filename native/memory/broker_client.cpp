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
    const int error = errno;
    if (fd_ >= 0) ::close(fd_);
    errno = error;
  }

  Status open(const char* path, Deadline deadline) {
    if (path[0] == '\0') return DRAGON_INVALID_ARGUMENT;
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

  // The answer takes the place of the request. A descriptor is the caller's only with SUCCESS, and
  // only if it is wanted.
  Status exchange(BrokerMessage& message, int pass_fd, Deadline deadline, int* fd_out) {
    if (!send_message(fd_, message, pass_fd)) return DRAGON_RUNTIME_GONE;
    set_patience(SO_RCVTIMEO, deadline);
    int fd = -1;
    const MessageResult result = receive_message(fd_, message, fd);
    if (result == MessageResult::kNoDescriptor) errno = EMFILE;
    if (result == MessageResult::kNoDescriptor) return DRAGON_SYSTEM;
    if (result != MessageResult::kMessage) return DRAGON_RUNTIME_GONE;
    Status status = static_cast<Status>(message.status);
    if (status == DRAGON_SUCCESS && fd_out != nullptr && fd < 0) status = DRAGON_RUNTIME_GONE;
    if (fd >= 0 && (status != DRAGON_SUCCESS || fd_out == nullptr)) {
      ::close(fd);
      fd = -1;
    }
    if (status == DRAGON_SYSTEM) errno = static_cast<int>(message.value);
    if (fd_out != nullptr) *fd_out = fd;
    return status;
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

BrokerMessage request_of(BrokerOp op) {
  BrokerMessage message;
  message.op = static_cast<uint32_t>(op);
  return message;
}

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

Status BrokerClient::offer(int fd, uint64_t& ticket_out) const {
  BrokerMessage message = request_of(BrokerOp::kOffer);
  const Status status = call(message, fd, nullptr);
  ticket_out = message.ticket;
  return status;
}

Status BrokerClient::take(uint64_t ticket, int& fd_out) const {
  const Deadline deadline = Deadline::after_ms(kBrokerPatienceMs);
  Connection connection;
  Status status = connection.open(path_, deadline);
  if (status != DRAGON_SUCCESS) return status;
  BrokerMessage message = request_of(BrokerOp::kTake);
  message.ticket = ticket;
  status = connection.exchange(message, -1, deadline, &fd_out);
  if (status != DRAGON_SUCCESS) return status;
  // Only now: had it not arrived, it would be there for another try.
  message = request_of(BrokerOp::kWithdraw);
  message.ticket = ticket;
  connection.exchange(message, -1, deadline, nullptr);
  return DRAGON_SUCCESS;
}

Status BrokerClient::withdraw(uint64_t ticket) const {
  BrokerMessage message = request_of(BrokerOp::kWithdraw);
  message.ticket = ticket;
  return call(message, -1, nullptr);
}

Status BrokerClient::call(BrokerOp op, uint32_t value, int pass_fd, uint32_t& value_out,
                          int* fd_out) const {
  BrokerMessage message = request_of(op);
  message.value = value;
  const Status status = call(message, pass_fd, fd_out);
  value_out = message.value;
  return status;
}

Status BrokerClient::call(BrokerMessage& message, int pass_fd, int* fd_out) const {
  const Deadline deadline = Deadline::after_ms(kBrokerPatienceMs);
  Connection connection;
  const Status status = connection.open(path_, deadline);
  if (status != DRAGON_SUCCESS) return status;
  return connection.exchange(message, pass_fd, deadline, fd_out);
}

}  // namespace dragon
