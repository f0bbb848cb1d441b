// What two processes of one machine get from a bare TCP connection over the loopback: a hand-off
// with blocking reads, and a stream of messages into the same memory again and again.

#include "floors.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "crowd.h"
#include "measure.h"

namespace dragon::bench {

namespace {

/// As many messages as are on the way at once are one sample.
constexpr std::size_t kPlaces = 8;

struct Ends {
  int near = -1;
  int far = -1;
};

Ends connect_ends() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Ends ends;
  ends.near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, length) != 0 || listen(listener, 1) != 0) fail_errno("listen");
  if (getsockname(listener, generic, &length) != 0) fail_errno("getsockname");
  if (connect(ends.near, generic, length) != 0) fail_errno("connect");
  ends.far = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (ends.far < 0) fail_errno("accept");
  const int one = 1;
  for (const int end : {ends.near, ends.far}) {
    setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  close(listener);
  return ends;
}

void send_all(int end, const unsigned char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t sent = send(end, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) fail_errno("send");
    bytes += sent;
    count -= static_cast<std::size_t>(sent);
  }
}

void receive_all(int end, unsigned char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t got = recv(end, bytes, count, 0);
    if (got <= 0) fail_errno("recv");
    bytes += got;
    count -= static_cast<std::size_t>(got);
  }
}

std::size_t bytes_of(const Options& options, long fallback) {
  return static_cast<std::size_t>(std::max(1L, options.number("bytes", fallback)));
}

}  // namespace

void tcp_floor(const Options& options) {
  const Ends ends = connect_ends();
  std::vector<unsigned char> message(bytes_of(options, 64), 7);
  run_ping_pong(
      PingPong::from(options, 1000, 1),
      [&] {
        send_all(ends.near, message.data(), message.size());
        receive_all(ends.near, message.data(), message.size());
      },
      [&] {
        receive_all(ends.far, message.data(), message.size());
        send_all(ends.far, message.data(), message.size());
      });
}

void tcp_stream_floor(const Options& options) {
  const std::size_t bytes = bytes_of(options, 1 << 20);
  const long rounds = std::max(1L, options.number("rounds", 300));
  const long warm_up = rounds / 10 + 1;
  const long messages = (rounds + warm_up) * static_cast<long>(kPlaces);
  const auto [first_cpu, second_cpu] = options.cpus();
  const Ends ends = connect_ends();
  const int child = start_echo_process();
  if (child == 0) {
    pin_to(second_cpu);
    const std::vector<unsigned char> source(bytes, 7);
    for (long i = 0; i < messages; ++i) send_all(ends.far, source.data(), bytes);
    std::_Exit(0);
  }
  pin_to(first_cpu);
  std::vector<std::vector<unsigned char>> places(kPlaces, std::vector<unsigned char>(bytes));
  std::uint64_t sum = 0;
  std::vector<double> samples;
  for (long i = 0; i < rounds + warm_up; ++i) {
    const std::uint64_t start = now_ns();
    for (std::vector<unsigned char>& place : places) {
      receive_all(ends.near, place.data(), bytes);
      sum += sum_of(place.data(), bytes);
    }
    const auto took = static_cast<double>(now_ns() - start);
    if (i >= warm_up) samples.push_back(static_cast<double>(bytes * kPlaces) * 1e9 / took);
  }
  expect_success(child);
  const std::vector<unsigned char> source(bytes, 7);
  const std::uint64_t expected =
      sum_of(source.data(), bytes) * static_cast<std::uint64_t>(messages);
  if (sum != expected) fail("other bytes came");
  print_result("B/s", std::move(samples), kPlaces);
}

}  // namespace dragon::bench
