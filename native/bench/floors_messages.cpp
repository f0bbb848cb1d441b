// One way between two processes through what the kernel offers for messages, blocking: a
// socket pair that keeps message bounds, and a POSIX message queue. Peers more than floors:
// whoever has no channel would use these.

#include "floors.h"

#include <mqueue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "measure.h"

namespace dragon::bench {

namespace {

std::vector<char> message_of(const Options& options) {
  return std::vector<char>(static_cast<std::size_t>(std::max(1L, options.number("bytes", 64))), 7);
}

/// A queue of its own name, which is gone from the file system at once.
mqd_t open_queue(const char* role, std::size_t bytes) {
  const std::string name = "/dragon-bench-" + std::to_string(getpid()) + role;
  mq_attr attributes{};
  attributes.mq_maxmsg = 4;
  attributes.mq_msgsize = static_cast<long>(bytes);
  const mqd_t queue = mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
  if (queue < 0) fail_errno("mq_open");
  mq_unlink(name.c_str());
  return queue;
}

}  // namespace

void socket_floor(const Options& options) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail_errno("socketpair");
  std::vector<char> message = message_of(options);
  const auto bytes = static_cast<ssize_t>(message.size());
  const auto send_to = [&](int end) {
    if (send(end, message.data(), message.size(), 0) != bytes) fail_errno("send");
  };
  const auto receive_from = [&](int end) {
    if (recv(end, message.data(), message.size(), 0) != bytes) fail_errno("recv");
  };
  run_ping_pong(
      PingPong::from(options, 1000, 1),
      [&] {
        send_to(ends[0]);
        receive_from(ends[0]);
      },
      [&] {
        receive_from(ends[1]);
        send_to(ends[1]);
      });
}

void message_queue_floor(const Options& options) {
  std::vector<char> message = message_of(options);
  const mqd_t asks = open_queue("-asks", message.size());
  const mqd_t answers = open_queue("-answers", message.size());
  const auto put = [&](mqd_t queue) {
    if (mq_send(queue, message.data(), message.size(), 0) != 0) fail_errno("mq_send");
  };
  const auto take = [&](mqd_t queue) {
    if (mq_receive(queue, message.data(), message.size(), nullptr) < 0) fail_errno("mq_receive");
  };
  run_ping_pong(
      PingPong::from(options, 1000, 1),
      [&] {
        put(asks);
        take(answers);
      },
      [&] {
        take(asks);
        put(answers);
      });
}

}  // namespace dragon::bench
