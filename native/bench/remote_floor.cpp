// The floor of a remote message: client, agent, agent, client, each a process that sleeps; a pipe
// rings the first agent, a connection the second, a futex the client.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "measure.h"
#include "remote.h"
#include "sync/futex.h"
#include "sync/word.h"

namespace dragon::bench {

namespace {

struct Lane {
  int bell[2] = {-1, -1};
  Word32* word = nullptr;
};

void make_pair(int (&ends)[2]) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, raw, length) != 0 || ::listen(listener, 1) != 0) fail_errno("listen");
  ::getsockname(listener, raw, &length);
  ends[0] = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(ends[0], raw, length) != 0) fail_errno("connect");
  ends[1] = ::accept(listener, nullptr, nullptr);
  const int one = 1;
  for (const int end : ends) ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::close(listener);
}

// Passes rings on to the connection, and what comes from there to the client's word.
void relay(const Lane& lane, int connection) {
  char bytes[64] = {};
  pollfd both[] = {{lane.bell[0], POLLIN, 0}, {connection, POLLIN, 0}};
  for (;;) {
    if (::poll(both, 2, -1) < 0) std::_Exit(1);
    if (both[0].revents != 0) {
      if (::read(lane.bell[0], bytes, sizeof bytes) <= 0) std::_Exit(0);
      if (::send(connection, bytes, sizeof bytes, MSG_NOSIGNAL) < 0) std::_Exit(0);
    }
    if (both[1].revents != 0) {
      if (::recv(connection, bytes, sizeof bytes, 0) <= 0) std::_Exit(0);
      lane.word->fetch_add(1);
      futex_wake(*lane.word, 1);
    }
  }
}

void ring(const Lane& lane) {
  const char one = 1;
  if (::write(lane.bell[1], &one, 1) != 1) fail_errno("write");
}

void wait(const Lane& lane, uint32_t& seen) {
  while (lane.word->load() == seen) futex_wait(*lane.word, seen, Deadline::never());
  ++seen;
}

}  // namespace

void remote_floor(const Options& options) {
  const PingPong shape = PingPong::from(options, 1000, 1);
  Lane lanes[2];
  int connection[2];
  make_pair(connection);
  for (Lane& lane : lanes) {
    if (::pipe(lane.bell) != 0) fail_errno("pipe");
    lane.word = static_cast<Word32*>(shared_memory(sizeof(Word32)));
  }
  const int cpus[] = {shape.first_cpu, shape.second_cpu};
  const int parent = ::getpid();
  for (int side = 0; side < 2; ++side) {
    if (::fork() != 0) continue;
    die_with_parent(parent);
    pin_to(cpus[side]);
    relay(lanes[side], connection[side]);
  }
  uint32_t asked = 0;
  uint32_t answered = 0;
  run_ping_pong(
      shape,
      [&] {
        ring(lanes[0]);
        wait(lanes[0], answered);
      },
      [&] {
        wait(lanes[1], asked);
        ring(lanes[1]);
      });
}

}  // namespace dragon::bench
