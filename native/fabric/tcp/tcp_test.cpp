// The TCP fabric under links, over real sockets of this machine.
#include <sys/eventfd.h>

#include "fabric/tcp/tcp_fixture.h"

using namespace dragon;
using namespace dragon::fabric;
using namespace dragon::fabric::test;

namespace {

// What goes between two nodes, byte by byte, and can be cut.
class Wire {
 public:
  explicit Wire(const std::string& to) : to_(to) {
    SocketAddress address;
    REQUIRE(parse_address("127.0.0.1:0", address) == DRAGON_SUCCESS);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listener_, address.get(), address.length) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
    address_ = format_address(address);
  }
  ~Wire() {
    cut();
    ::close(listener_);
  }
  const std::string& address() const { return address_; }
  void cut() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[0] = ends_[1] = -1;
  }
  // Passes on up to `bytes` in each direction.
  void pass(size_t bytes) {
    if (ends_[0] < 0) {
      ends_[0] = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (ends_[0] < 0) return;
      SocketAddress to;
      REQUIRE(parse_address(to_, to) == DRAGON_SUCCESS);
      ends_[1] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      REQUIRE(::connect(ends_[1], to.get(), to.length) == 0);
    }
    std::vector<uint8_t> room(bytes);
    for (const auto& [from, to] : {std::pair{0, 1}, std::pair{1, 0}}) {
      const ssize_t got = ::recv(ends_[from], room.data(), bytes, MSG_DONTWAIT);
      if (got == 0) return cut();
      if (got > 0) passed += static_cast<uint64_t>(got);
      for (ssize_t at = 0; at < got;) {
        pollfd end{ends_[to], POLLOUT, 0};
        ::poll(&end, 1, 0);
        const size_t rest = static_cast<size_t>(got - at);
        const ssize_t sent = ::send(ends_[to], room.data() + at, rest, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return cut();
        if (sent > 0) at += sent;
        if (sent < 0 && drain) drain();
      }
    }
  }
  uint64_t passed = 0;
  std::function<void()> drain;

 private:
  std::string to_;
  std::string address_;
  int listener_ = -1;
  int ends_[2] = {-1, -1};
};

// Offers are accepted into memory of their size; what lands is compared with the pattern.
struct Landings {
  std::vector<uint8_t> memory;
  int landed = 0;
  int sent = 0;
  Status last = DRAGON_SUCCESS;

  void serve(TcpNode& node) {
    node.on_event = [this, &node](const LinkEvent& event) {
      if (event.kind == LinkEvent::Kind::kOffer) {
        memory.assign(event.transfer_bytes, 0);
        REQUIRE(node.links->accept(event.peer, event.transfer, memory.data(), 1) == DRAGON_SUCCESS);
        node.links->consume(event.peer, event.cost);
      }
      if (event.kind == LinkEvent::Kind::kLanded) ++landed;
      if (event.kind == LinkEvent::Kind::kLanded) last = event.status;
      if (event.kind == LinkEvent::Kind::kSent) ++sent;
    };
  }
};

std::vector<uint8_t> pattern_of(size_t bytes) {
  std::vector<uint8_t> pattern(bytes);
  for (size_t i = 0; i < bytes; ++i) pattern[i] = static_cast<uint8_t>(i * 7 + (i >> 9));
  return pattern;
}

}  // namespace

TEST_CASE("two nodes that hold the key exchange frames [FAB-001]") {
  TcpNode a(tcp_options(0));
  TcpNode b(tcp_options(1));
  introduce(a, b);
  for (int i = 0; i < 100; ++i) CHECK(a.send(1, "to b " + std::to_string(i)) == DRAGON_SUCCESS);
  run_until({&a, &b}, [&] { return b.frames.size() == 100; });
  CHECK(b.frames[99] == "to b 99");
  CHECK(b.send(0, "to a") == DRAGON_SUCCESS);
  run_until({&a, &b}, [&] { return a.frames.size() == 1; });
  // One connection serves both directions.
  CHECK(a.fabric.counters().connections == 1);
  CHECK(a.links->is_idle(1));
}

TEST_CASE("nodes that call each other at once end with one connection each [FAB-004]") {
  for (int round = 0; round < 20; ++round) {
    TcpNode a(tcp_options(0));
    TcpNode b(tcp_options(1));
    introduce(a, b);
    CHECK(a.send(1, "x") == DRAGON_SUCCESS);
    CHECK(b.send(0, "y") == DRAGON_SUCCESS);
    a.links->flush(now_ns());
    b.links->flush(now_ns());
    run_until({&a, &b}, [&] { return a.frames.size() == 1 && b.frames.size() == 1; });
    CHECK(a.downs + b.downs == 0);
    CHECK(a.fabric.counters().connections == b.fabric.counters().connections);
  }
}

TEST_CASE("bulk bytes go from memory to memory without a copy in between [FAB-010]") {
  TcpNode a(tcp_options(0));
  TcpNode b(tcp_options(1));
  introduce(a, b);
  Landings at_a;
  Landings at_b;
  at_a.serve(a);
  at_b.serve(b);
  for (const size_t bytes : {16ul << 10, 100'000ul, 20ul << 20}) {
    const std::vector<uint8_t> pattern = pattern_of(bytes);
    TransferId id = 0;
    const int before = at_b.landed;
    REQUIRE(a.links->offer(1, {}, pattern.data(), bytes, 9, id) == DRAGON_SUCCESS);
    run_until({&a, &b}, [&] { return at_b.landed == before + 1 && at_a.sent == before + 1; });
    CHECK(at_b.memory == pattern);
  }
  CHECK(b.fabric.counters().bytes_staged == 0);
}

TEST_CASE("frames pass a transfer that is under way [FAB-011]") {
  TcpNode a(tcp_options(0));
  TcpNode b(tcp_options(1));
  introduce(a, b);
  Landings at_b;
  at_b.serve(b);
  const std::vector<uint8_t> pattern = pattern_of(64u << 20);
  TransferId id = 0;
  REQUIRE(a.links->offer(1, {}, pattern.data(), pattern.size(), 9, id) == DRAGON_SUCCESS);
  run_until({&a, &b}, [&] { return !at_b.memory.empty() && at_b.memory[(1u << 20) + 1] != 0; });
  CHECK(a.send(1, "passes") == DRAGON_SUCCESS);
  run_until({&a, &b}, [&] { return b.frames.size() == 1; });
  CHECK(at_b.landed == 0);
  run_until({&a, &b}, [&] { return at_b.landed == 1; });
  CHECK(at_b.memory == pattern);
}

TEST_CASE("a connection that breaks anywhere is made again, and nothing is lost [FAB-020]") {
  TcpNode a(tcp_options(0));
  TcpNode b(tcp_options(1));
  introduce(a, b);
  Wire wire(b.fabric.address());
  wire.drain = [&] { b.turn(), a.turn(); };
  REQUIRE(a.fabric.set_peer(1, wire.address()) == DRAGON_SUCCESS);
  Landings at_b;
  at_b.serve(b);
  const std::vector<uint8_t> pattern = pattern_of(2u << 20);
  TransferId id = 0;
  REQUIRE(a.links->offer(1, {}, pattern.data(), pattern.size(), 9, id) == DRAGON_SUCCESS);
  int sent = 0;
  int steps = 0;
  uint64_t next_cut = 100;
  const auto step = [&] {
    const bool is_time = ++steps % 4 == 0 && sent < 200;
    if (is_time && a.send(1, std::to_string(sent)) == DRAGON_SUCCESS) ++sent;
    wire.pass(static_cast<size_t>(1) << steps % 17);
    if (wire.passed > next_cut && sent < 200) {
      wire.cut();
      next_cut = wire.passed + next_cut * 7 % 40'000;
    }
    return at_b.landed == 1 && b.frames.size() == 200;
  };
  run_until({&a, &b}, step);
  CHECK(at_b.memory == pattern);
  for (size_t i = 0; i < b.frames.size(); ++i) CHECK(b.frames[i] == std::to_string(i));
  CHECK(a.downs + b.downs == 0);
  CHECK(a.fabric.counters().connections > 5);
}

TEST_CASE("a node that was started again takes the place of the one before [FAB-021]") {
  TcpNode a(tcp_options(0));
  auto b = std::make_unique<TcpNode>(tcp_options(1, 1));
  introduce(a, *b);
  CHECK(a.send(1, "x") == DRAGON_SUCCESS);
  run_until({&a, b.get()}, [&] { return b->frames.size() == 1; });
  TcpOptions again = tcp_options(1, 2);
  again.listen = b->fabric.address();
  b.reset();
  TcpNode c(again);
  introduce(a, c);
  CHECK(c.send(0, "y") == DRAGON_SUCCESS);
  run_until({&a, &c}, [&] { return a.frames.size() == 1; });
  CHECK(a.downs == 1);
  CHECK(a.ups == 2);
  // The earlier one is a stranger now.
  TcpNode late(tcp_options(1, 1));
  REQUIRE(late.fabric.set_peer(0, a.fabric.address()) == DRAGON_SUCCESS);
  CHECK(late.send(0, "z") == DRAGON_SUCCESS);
  run_until({&a, &c, &late}, [&] { return a.refusals.size() == 1; });
  CHECK(a.refusals[0] == Refusal::kStranger);
}

TEST_CASE("one wait is for sockets and for descriptors of others [FAB-030]") {
  TcpNode a(tcp_options(0));
  const int bell = ::eventfd(1, EFD_CLOEXEC);
  CHECK(a.fabric.watch(bell, 42) == DRAGON_SUCCESS);
  run_until({&a}, [&] { return a.readable == 42; });
  a.fabric.unwatch(bell);
  a.readable = 0;
  a.turn();
  CHECK(a.readable == 0);
  ::close(bell);
}

TEST_CASE("a node listens on its address only, and says which [FAB-002]") {
  TcpOptions options = tcp_options(0);
  options.listen = "127.0.0.2:0";
  TcpFabric fabric(options);
  REQUIRE(fabric.open() == DRAGON_SUCCESS);
  CHECK(fabric.address().substr(0, 10) == "127.0.0.2:");
  SocketAddress other;
  const std::string port = fabric.address().substr(10);
  REQUIRE(parse_address("127.0.0.1:" + port, other) == DRAGON_SUCCESS);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(::connect(fd, other.get(), other.length) != 0);
  ::close(fd);
  TcpOptions wrong = options;
  wrong.listen = "nowhere";
  CHECK(TcpFabric(wrong).open() == DRAGON_INVALID_ARGUMENT);
  wrong.listen = fabric.address();
  CHECK(TcpFabric(wrong).open() == DRAGON_SYSTEM);
}

TEST_CASE("addresses are read and written in both families [FAB-003]") {
  SocketAddress address;
  for (const char* text : {"127.0.0.1:80", "[::1]:65535", "[fe80::1]:0"}) {
    REQUIRE(parse_address(text, address) == DRAGON_SUCCESS);
    CHECK(format_address(address) == text);
  }
  for (const char* text : {"", ":", "1.2.3.4", "1.2.3:5", "host:80", "[::1:80", "1.2.3.4:65536",
                           "1.2.3.4:8x", "[]:1", "::1"}) {
    CHECK(parse_address(text, address) == DRAGON_INVALID_ARGUMENT);
  }
}
