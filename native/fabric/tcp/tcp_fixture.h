// Nodes over real sockets, driven by one thread, and strangers who knock at their listeners.
#pragma once

#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fabric/links.h"
#include "fabric/tcp/tcp_fabric.h"
#include "sync/deadline.h"

namespace dragon::fabric::test {

constexpr uint64_t kTcpMs = 1'000'000;

inline TcpOptions tcp_options(NodeIndex index, uint64_t incarnation = 1) {
  TcpOptions options;
  options.self.index = index;
  options.self.run_id = 77;
  options.self.incarnation = incarnation;
  ::memset(options.self.key.bytes, 5, kKeyBytes);
  return options;
}

class TcpNode {
 public:
  explicit TcpNode(const TcpOptions& options, const LinksOptions& links = {})
      : fabric(options), links_options(links) {
    REQUIRE(fabric.open() == DRAGON_SUCCESS);
    links_options.incarnation = options.self.incarnation;
    this->links = std::make_unique<Links>(fabric, links_options);
  }
  void turn() {
    links->wait(now_ns(), now_ns() + kTcpMs / 10);
    LinkEvent event;
    while (links->next_event(now_ns(), event)) {
      if (event.kind == LinkEvent::Kind::kFrame) {
        frames.emplace_back(reinterpret_cast<const char*>(event.bytes), event.length);
        links->consume(event.peer, event.cost);
      }
      if (event.kind == LinkEvent::Kind::kRefused) refusals.push_back(event.refusal);
      if (event.kind == LinkEvent::Kind::kUp) ++ups;
      if (event.kind == LinkEvent::Kind::kDown) ++downs;
      if (event.kind == LinkEvent::Kind::kReadable) readable = event.token;
      if (on_event) on_event(event);
    }
    links->flush(now_ns());
  }
  Status send(NodeIndex peer, const std::string& text) {
    const Piece piece{text.data(), text.size()};
    return links->send(peer, &piece, 1);
  }

  TcpFabric fabric;
  LinksOptions links_options;
  std::unique_ptr<Links> links;
  std::vector<std::string> frames;
  std::vector<Refusal> refusals;
  std::function<void(const LinkEvent&)> on_event;
  int ups = 0;
  int downs = 0;
  uint64_t readable = 0;
};

inline void introduce(TcpNode& a, TcpNode& b) {
  REQUIRE(a.fabric.set_peer(b.fabric.self(), b.fabric.address()) == DRAGON_SUCCESS);
  REQUIRE(b.fabric.set_peer(a.fabric.self(), a.fabric.address()) == DRAGON_SUCCESS);
}

// Until it is so, at most ten seconds.
template <typename Condition>
void run_until(std::vector<TcpNode*> nodes, Condition condition) {
  const Deadline deadline = Deadline::after_ms(10'000);
  while (!condition() && !deadline.passed()) {
    for (TcpNode* node : nodes) node->turn();
  }
  REQUIRE(condition());
}

// Somebody who connects and writes what he likes.
class Knocker {
 public:
  explicit Knocker(const std::string& address) {
    SocketAddress parsed;
    REQUIRE(parse_address(address, parsed) == DRAGON_SUCCESS);
    fd_ = ::socket(parsed.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(fd_, parsed.get(), parsed.length) == 0);
  }
  Knocker(const Knocker&) = delete;
  Knocker& operator=(const Knocker&) = delete;
  ~Knocker() { ::close(fd_); }
  void say(const void* bytes, size_t length) {
    [[maybe_unused]] const ssize_t sent = ::send(fd_, bytes, length, MSG_NOSIGNAL);
  }
  // What the node said, and whether it hung up.
  bool is_closed() {
    uint8_t bytes[1024];
    const ssize_t got = ::recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got > 0) heard.insert(heard.end(), bytes, bytes + got);
    return got == 0 || (got < 0 && errno != EAGAIN);
  }
  std::vector<uint8_t> heard;

 private:
  int fd_ = -1;
};

}  // namespace dragon::fabric::test
