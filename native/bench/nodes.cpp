// `nodes NAME [--key value ...]`: what two nodes get from links over the TCP fabric, each a process
// of its own on the loopback: `latency`, `stream` (transfers of --bytes, eight on the way) and
// `rate` (frames of 64 bytes).
//
// Options: --rounds samples, --warm-up, --bytes, --cpus A,B.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "crowd.h"
#include "expect.h"
#include "fabric/links.h"
#include "fabric/tcp/tcp_fabric.h"
#include "measure.h"

namespace dragon::bench {

namespace {

using fabric::LinkEvent;

constexpr fabric::NodeIndex kNear = 0;
constexpr fabric::NodeIndex kFar = 1;
constexpr std::size_t kPlaces = 8;

fabric::TcpOptions options_of(fabric::NodeIndex index) {
  fabric::TcpOptions options;
  options.self.index = index;
  options.self.run_id = 1;
  options.self.incarnation = 1;
  return options;
}

/// One node. The far one is made after the fork, and calls the near one.
struct Node {
  explicit Node(fabric::NodeIndex index) : tcp(options_of(index)), links(tcp, {}) {
    expect(tcp.open(), "open");
  }

  /// Until there is an event; everything that was asked for goes out first.
  LinkEvent next() {
    LinkEvent event;
    while (!links.next_event(now_ns(), event)) {
      links.flush(now_ns());
      links.wait(now_ns(), UINT64_MAX);
    }
    return event;
  }
  LinkEvent next(LinkEvent::Kind kind) {
    while (true) {
      const LinkEvent event = next();
      if (event.kind == kind) return event;
      if (event.kind == LinkEvent::Kind::kDown) fail("the other node died");
    }
  }
  void send(fabric::NodeIndex peer, const void* bytes, std::size_t count) {
    const fabric::Piece piece{bytes, count};
    while (true) {
      const Status status = links.send(peer, &piece, 1);
      if (status == DRAGON_SUCCESS) return;
      if (status != DRAGON_WOULD_BLOCK) expect(status, "send");
      next(LinkEvent::Kind::kWritable);
    }
  }
  void receive(fabric::NodeIndex peer) {
    const LinkEvent event = next(LinkEvent::Kind::kFrame);
    links.consume(peer, event.cost);
  }
  /// Until the other side has all that was sent.
  void drain(fabric::NodeIndex peer) {
    LinkEvent event;
    while (!links.is_idle(peer)) {
      links.flush(now_ns());
      links.wait(now_ns(), UINT64_MAX);
      while (links.next_event(now_ns(), event)) {
      }
    }
  }

  fabric::TcpFabric tcp;
  fabric::Links links;
};

/// The far node, in the child, once the near one listens.
void join(Node& far, const std::string& near) {
  expect(far.tcp.set_peer(kNear, near), "set_peer");
}

/// The near node need not know where the far one listens: it is called.
void expect_far(Node& near) {
  expect(near.tcp.set_peer(kFar, "127.0.0.1:1"), "set_peer");
}

void latency(const Options& options) {
  const PingPong shape = PingPong::from(options, 1000, 1);
  const std::vector<char> message(static_cast<std::size_t>(options.number("bytes", 64)), 7);
  Node near(kNear);
  expect_far(near);
  const int child = start_echo_process();
  if (child == 0) {
    pin_to(shape.second_cpu);
    Node far(kFar);
    join(far, near.tcp.address());
    far.send(kNear, message.data(), message.size());
    for (long i = 0; i < shape.round_trips(); ++i) {
      far.receive(kNear);
      far.send(kNear, message.data(), message.size());
    }
    far.drain(kNear);
    std::_Exit(0);
  }
  pin_to(shape.first_cpu);
  near.receive(kFar);
  std::vector<double> samples;
  for (long i = 0; i < shape.round_trips(); ++i) {
    const std::uint64_t start = now_ns();
    near.send(kFar, message.data(), message.size());
    near.receive(kFar);
    if (i >= shape.warm_up) samples.push_back(static_cast<double>(now_ns() - start) / 2);
  }
  near.links.flush(now_ns());
  near.links.wait(now_ns(), now_ns() + 1);
  expect_success(child);
  print_result("ns", std::move(samples));
}

/// Offers the same memory again and again, eight times at once.
void offer_all(long count, std::size_t bytes, const std::string& near) {
  Node far(kFar);
  join(far, near);
  const std::vector<unsigned char> source(bytes, 7);
  long offered = 0;
  long sent = 0;
  while (sent < count) {
    fabric::TransferId transfer = 0;
    while (offered < count && offered - sent < static_cast<long>(kPlaces)) {
      expect(far.links.offer(kNear, {}, source.data(), bytes, 0, transfer), "offer");
      ++offered;
    }
    if (far.next(LinkEvent::Kind::kSent).status != DRAGON_SUCCESS) fail("a transfer failed");
    ++sent;
  }
  far.drain(kNear);
}

void stream(const Options& options) {
  const auto bytes = static_cast<std::size_t>(std::max(1L, options.number("bytes", 1 << 20)));
  const long rounds = std::max(1L, options.number("rounds", 300));
  const long warm_up = (rounds / 10 + 1) * static_cast<long>(kPlaces);
  const long messages = rounds * static_cast<long>(kPlaces) + warm_up;
  const auto [first_cpu, second_cpu] = options.cpus();
  Node near(kNear);
  expect_far(near);
  const int child = start_echo_process();
  if (child == 0) {
    pin_to(second_cpu);
    offer_all(messages, bytes, near.tcp.address());
    std::_Exit(0);
  }
  pin_to(first_cpu);
  std::vector<std::vector<unsigned char>> places(kPlaces, std::vector<unsigned char>(bytes));
  std::vector<std::size_t> free{0, 1, 2, 3, 4, 5, 6, 7};
  std::vector<double> samples;
  std::uint64_t sum = 0;
  std::uint64_t start = 0;
  for (long landed = 0; landed < messages;) {
    const LinkEvent event = near.next();
    if (event.kind == LinkEvent::Kind::kOffer) {
      const std::size_t place = free.back();
      free.pop_back();
      void* memory = places[place].data();
      expect(near.links.accept(kFar, event.transfer, memory, place), "accept");
      near.links.consume(kFar, event.cost);
    }
    if (event.kind != LinkEvent::Kind::kLanded) continue;
    const unsigned char* place = places[event.token].data();
    sum += sum_of(place, bytes);
    free.push_back(event.token);
    // As many as are on the way at once are one sample: they share the connection, and end
    // together.
    if (++landed % static_cast<long>(kPlaces) != 0) continue;
    const std::uint64_t now = now_ns();
    const auto took = static_cast<double>(now - start);
    if (landed > warm_up) samples.push_back(static_cast<double>(bytes * kPlaces) * 1e9 / took);
    start = now;
  }
  near.drain(kFar);
  expect_success(child);
  const std::vector<unsigned char> source(bytes, 7);
  const std::uint64_t expected =
      sum_of(source.data(), bytes) * static_cast<std::uint64_t>(messages);
  if (sum != expected) fail("other bytes came");
  if (near.tcp.counters().bytes_staged > 0) fail("bytes were copied");
  print_result("B/s", std::move(samples), kPlaces);
}

void rate(const Options& options) {
  constexpr long kFrames = 200'000;
  const long rounds = std::max(1L, options.number("rounds", 20));
  const auto [first_cpu, second_cpu] = options.cpus();
  Node near(kNear);
  expect_far(near);
  const int child = start_echo_process();
  if (child == 0) {
    pin_to(second_cpu);
    Node far(kFar);
    join(far, near.tcp.address());
    const std::vector<char> message(64, 7);
    for (long i = 0; i < (rounds + 1) * kFrames; ++i) far.send(kNear, message.data(), 64);
    far.drain(kNear);
    std::_Exit(0);
  }
  pin_to(first_cpu);
  std::vector<double> samples;
  for (long round = 0; round <= rounds; ++round) {
    const std::uint64_t start = now_ns();
    for (long i = 0; i < kFrames; ++i) near.receive(kFar);
    const auto took = static_cast<double>(now_ns() - start);
    if (round > 0) samples.push_back(static_cast<double>(kFrames) * 1e9 / took);
  }
  near.links.flush(now_ns());
  near.links.wait(now_ns(), now_ns() + 1);
  near.drain(kFar);
  expect_success(child);
  print_result("1/s", std::move(samples));
}

struct Case {
  std::string_view name;
  void (*measure)(const Options&);
};

constexpr Case kCases[] = {{"latency", latency}, {"stream", stream}, {"rate", rate}};

}  // namespace

}  // namespace dragon::bench

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const auto& each : dragon::bench::kCases) {
    if (each.name != name) continue;
    each.measure(dragon::bench::Options(argc, argv, 2));
    return 0;
  }
  std::fprintf(stderr, "usage: nodes latency|stream|rate [--key value ...]\n");
  return 2;
}
