// The broker and its clients.
// variants: plain asan
#include "memory/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <vector>

#include "memory/message_socket.h"
#include "memory/node_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

struct BrokerFixture : SegmentFixture {
  BrokerFixture() { check_ok(broker.open(dir.path().c_str(), segment)); }
  // Serves until the child has ended.
  int serve(pid_t pid) {
    for (;;) {
      broker.on_readable();
      int status = 0;
      if (::waitpid(pid, &status, WNOHANG) == pid) {
        broker.on_readable();
        return status;
      }
      pollfd poll{broker.fd(), POLLIN, 0};
      ::poll(&poll, 1, 5);
    }
  }
  int connect() const {
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(broker_path(dir.path().c_str(), address.sun_path));
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    return fd;
  }
  std::vector<BrokerEvent> events() {
    std::vector<BrokerEvent> list;
    for (BrokerEvent event; broker.next_event(event);) list.push_back(event);
    return list;
  }

  Broker broker;
};

bool is_closed(int fd) {
  char byte = 0;
  const ssize_t length = ::recv(fd, &byte, 1, MSG_DONTWAIT);
  return length == 0 || (length < 0 && errno != EAGAIN);
}

int highest_descriptor() {
  int highest = 0;
  for (int fd = 0; fd < 1'024; ++fd) highest = ::fcntl(fd, F_GETFD) >= 0 ? fd : highest;
  return highest;
}

}  // namespace

TEST_CASE_FIXTURE(BrokerFixture,
                  "a client gets the node segment and what others have put [MEM-010]") {
  const pid_t pid = fork_child([&] {
    const BrokerClient client(dir.path().c_str());
    int fd = -1;
    NodeSegment found;
    if (client.hello(fd) != DRAGON_SUCCESS) ::_exit(1);
    if (NodeSegment::attach(fd, found) != DRAGON_SUCCESS) ::_exit(2);
    uint32_t id = 0;
    if (client.put(found.fd(), id) != DRAGON_SUCCESS || id != 1) ::_exit(3);
    if (client.get(id, fd) != DRAGON_SUCCESS) ::_exit(4);
    struct stat put;
    struct stat got;
    ::fstat(found.fd(), &put);
    ::fstat(fd, &got);
    if (put.st_ino != got.st_ino || fd == found.fd()) ::_exit(5);
    if (client.get(77, fd) != DRAGON_NOT_FOUND) ::_exit(6);
    if (client.drop(id) != DRAGON_SUCCESS || client.get(id, fd) != DRAGON_NOT_FOUND) ::_exit(7);
    if (client.put(-1, id) != DRAGON_INVALID_ARGUMENT) ::_exit(8);
  });
  CHECK(serve(pid) == 0);
  CHECK(broker.segments().empty());
}

TEST_CASE_FIXTURE(BrokerFixture, "what is offered is taken once, whoever still lives [MEM-110]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  uint64_t& ticket = shared_variable<uint64_t>();
  const pid_t sender = fork_child([&] {
    const BrokerClient client(dir.path().c_str());
    uint64_t withdrawn = 0;
    if (client.offer(ends[1], ticket) != DRAGON_SUCCESS) ::_exit(1);
    if (client.offer(-1, withdrawn) != DRAGON_INVALID_ARGUMENT) ::_exit(2);
    if (client.offer(ends[1], withdrawn) != DRAGON_SUCCESS) ::_exit(3);
    if (client.withdraw(withdrawn) != DRAGON_SUCCESS) ::_exit(4);
    if (client.withdraw(withdrawn) != DRAGON_NOT_FOUND) ::_exit(5);
    ::raise(SIGKILL);
  });
  serve(sender);
  ::close(ends[1]);
  const pid_t receiver = fork_child([&] {
    ::close(ends[0]);
    const BrokerClient client(dir.path().c_str());
    int fd = -1;
    if (client.take(ticket, fd) != DRAGON_SUCCESS) ::_exit(1);
    if ((::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) ::_exit(2);
    if (::write(fd, "x", 1) != 1) ::_exit(3);
    if (client.take(ticket, fd) != DRAGON_NOT_FOUND) ::_exit(4);
  });
  CHECK(serve(receiver) == 0);
  char bytes[2];
  CHECK(::read(ends[0], bytes, 2) == 1);
  CHECK(::read(ends[0], bytes, 2) == 0);  // nobody holds the other end
  ::close(ends[0]);
}

TEST_CASE_FIXTURE(BrokerFixture, "a take that fails leaves the descriptor to the next [MEM-111]") {
  uint64_t ticket = 0;
  check_ok(broker.offers().offer(0, ::getpid(), ticket));
  BrokerMessage take;
  take.op = static_cast<uint32_t>(BrokerOp::kTake);
  take.ticket = ticket;
  const auto answer_of = [&](int client) {
    REQUIRE(send_message(client, take, -1));
    for (int i = 0; i < 3; ++i) broker.on_readable();
    BrokerMessage answer;
    int fd = -1;
    REQUIRE(receive_message(client, answer, fd) == MessageResult::kMessage);
    if (fd >= 0) ::close(fd);
    return static_cast<Status>(answer.status);
  };
  const int dies = connect();
  CHECK(answer_of(dies) == DRAGON_SUCCESS);
  const int other = connect();
  CHECK(answer_of(other) == DRAGON_NOT_FOUND);
  ::close(dies);
  broker.on_readable();
  CHECK(answer_of(other) == DRAGON_SUCCESS);
  ::close(other);
  broker.on_readable();
  const pid_t full = fork_child([&] {
    const BrokerClient client(dir.path().c_str());
    const int spare = ::dup(0);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(highest_descriptor() + 1);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(1);
    while (::dup(0) >= 0) {
    }
    ::close(spare);  // for the socket
    int fd = -1;
    if (client.take(ticket, fd) != DRAGON_SYSTEM || errno != EMFILE) ::_exit(2);
    ::close(highest_descriptor());
    ::_exit(client.take(ticket, fd) == DRAGON_SUCCESS ? 0 : 3);
  });
  CHECK(serve(full) == 0);
}

TEST_CASE_FIXTURE(BrokerFixture, "a process has 64 descriptors on their way [MEM-112]") {
  const pid_t pid = fork_child([&] {
    const BrokerClient client(dir.path().c_str());
    uint64_t ticket = 0;
    for (size_t i = 0; i < kOffersMax; ++i) {
      if (client.offer(0, ticket) != DRAGON_SUCCESS) ::_exit(1);
    }
    uint64_t more = 0;
    if (client.offer(0, more) != DRAGON_TOO_MANY_DESCRIPTORS) ::_exit(2);
    int fd = -1;
    if (client.take(ticket, fd) != DRAGON_SUCCESS) ::_exit(3);
    ::_exit(client.offer(fd, more) == DRAGON_SUCCESS ? 0 : 4);
  });
  CHECK(serve(pid) == 0);
  CHECK(broker.needs_sweep());
}

TEST_CASE("what a dead process has offered stays for 30 s [MEM-113]") {
  Offers offers;
  uint64_t kept = 0;
  uint64_t left = 0;
  const uint64_t now = now_ns();
  check_ok(offers.offer(0, ::getpid(), kept));
  check_ok(offers.offer(0, 12'345, left));
  CHECK_FALSE(offers.has_orphans());
  offers.on_process_end(12'345, now);
  CHECK(offers.has_orphans());
  offers.expire(now + (kOrphanedMs - 1) * 1'000'000);
  CHECK(offers.take(left, 1) >= 0);
  offers.on_hang_up(1);
  offers.expire(now + kOrphanedMs * 1'000'000);
  CHECK(offers.take(left, 1) == -1);
  CHECK(offers.take(kept, 1) >= 0);
  CHECK_FALSE(offers.has_orphans());
}

TEST_CASE_FIXTURE(BrokerFixture, "garbage closes its connection and no other [MEM-011]") {
  const int good = connect();
  std::vector<int> bad;
  const BrokerMessage unknown{kBrokerMagic, 99, 0, 0, {}};
  const BrokerMessage foreign{0x12345678, 1, 0, 0, {}};
  const auto send = [&](const void* bytes, size_t length) {
    bad.push_back(connect());
    REQUIRE(::send(bad.back(), bytes, length, 0) == static_cast<ssize_t>(length));
  };
  send(&unknown, sizeof(unknown));
  send(&foreign, sizeof(foreign));
  send("short", 5);
  const std::string longer(200, 'x');
  send(longer.data(), longer.size());
  bad.push_back(connect());
  ::shutdown(bad.back(), SHUT_WR);
  for (int i = 0; i < 20; ++i) broker.on_readable();
  for (const int fd : bad) CHECK(is_closed(fd));
  BrokerMessage hello;
  hello.op = static_cast<uint32_t>(BrokerOp::kHello);
  REQUIRE(send_message(good, hello, -1));
  broker.on_readable();
  BrokerMessage answer;
  int fd = -1;
  CHECK(receive_message(good, answer, fd) == MessageResult::kMessage);
  CHECK(fd >= 0);
  ::close(fd);
  ::close(good);
  for (const int each : bad) ::close(each);
}

TEST_CASE_FIXTURE(BrokerFixture, "a client that never reads delays nobody [MEM-012]") {
  const int slow = connect();
  BrokerMessage hello;
  hello.op = static_cast<uint32_t>(BrokerOp::kHello);
  int sent = 0;
  for (int i = 0; i < 10'000 && send_message(slow, hello, -1); ++i) {
    ++sent;
    broker.on_readable();  // answers until the client's queue is full, then hangs up
  }
  CHECK(sent < 10'000);
  const pid_t pid = fork_child([&] {
    int fd = -1;
    ::_exit(BrokerClient(dir.path().c_str()).hello(fd) == DRAGON_SUCCESS ? 0 : 1);
  });
  CHECK(serve(pid) == 0);
  ::close(slow);
}

TEST_CASE_FIXTURE(BrokerFixture, "another user's process is refused with AUTH [MEM-013]") {
  if (::geteuid() != 0) {
    // Only root can become somebody else; anybody else's directory refuses the connection.
    return;
  }
  REQUIRE(::chmod(dir.path().c_str(), 0755) == 0);
  REQUIRE(::chmod((dir.path() + "/broker.sock").c_str(), 0777) == 0);
  const pid_t pid = fork_child([&] {
    if (::setuid(65534) != 0) ::_exit(9);
    int fd = -1;
    ::_exit(BrokerClient(dir.path().c_str()).hello(fd) == DRAGON_AUTH ? 0 : 1);
  });
  CHECK(serve(pid) == 0);
  REQUIRE(::chmod(dir.path().c_str(), 0700) == 0);
}

TEST_CASE("nobody at the socket is RUNTIME_GONE, at once or after 5 s of silence [MEM-014]") {
  BrokerFixture fixture;
  int fd = -1;
  CHECK(BrokerClient("/nonexistent").hello(fd) == DRAGON_RUNTIME_GONE);
  CHECK(BrokerClient(std::string(200, 'x').c_str()).hello(fd) == DRAGON_INVALID_ARGUMENT);
  const uint64_t before = now_ns();  // nobody serves
  CHECK(BrokerClient(fixture.dir.path().c_str()).hello(fd) == DRAGON_RUNTIME_GONE);
  const uint64_t elapsed_ms = (now_ns() - before) / 1'000'000;
  CHECK(elapsed_ms >= 4'900);
  CHECK(elapsed_ms < 8'000);
  std::shared_ptr<Node> node;
  CHECK(Node::attach("/nonexistent", {}, node) == DRAGON_RUNTIME_GONE);
}

TEST_CASE_FIXTURE(BrokerFixture, "a second broker in the same directory is refused [MEM-015]") {
  Broker second;
  CHECK(second.open(dir.path().c_str(), segment) == DRAGON_EXISTS);
}

TEST_CASE_FIXTURE(BrokerFixture,
                  "actors are reported when they attach and once when they die [MEM-016]") {
  const pid_t pid = fork_child([&] {
    std::shared_ptr<Node> one;
    std::shared_ptr<Node> two;
    Node::attach(dir.path(), {}, one);
    Node::attach(dir.path(), {}, two);
    ::raise(SIGKILL);
  });
  serve(pid);
  for (int i = 0; i < 3; ++i) {
    broker.on_readable();
    broker.sweep();
  }
  const std::vector<BrokerEvent> list = events();
  REQUIRE(list.size() == 4);
  CHECK(list[0].kind == BrokerEvent::Kind::kAttached);
  CHECK(list[1].kind == BrokerEvent::Kind::kAttached);
  CHECK(list[2].kind == BrokerEvent::Kind::kDead);
  CHECK(list[3].kind == BrokerEvent::Kind::kDead);
  CHECK(list[2].actor == list[0].actor);
  CHECK(list[3].actor == list[1].actor);
  CHECK(list[3].pid == pid);
  CHECK_FALSE(broker.needs_sweep());
  for (const std::string name : {"/bell.0", "/bell.1"}) ::unlink((dir.path() + name).c_str());
}

TEST_CASE_FIXTURE(BrokerFixture,
                  "a process that dies while it attaches is reported too [MEM-016]") {
  ActorId& id = shared_variable<ActorId>();
  const pid_t pid = fork_child([&] {
    int fd = -1;
    NodeSegment found;
    BrokerClient(dir.path().c_str()).hello(fd);
    NodeSegment::attach(fd, found);
    ActorTable table(found);
    table.enter("half", id);
    ::raise(SIGKILL);
  });
  serve(pid);
  broker.on_readable();
  const std::vector<BrokerEvent> list = events();
  REQUIRE(list.size() == 1);
  CHECK(list[0].actor == id);
}

TEST_CASE_FIXTURE(BrokerFixture, "a sweep finds the dead that nobody watched [MEM-017]") {
  const pid_t pid = fork_child([&] {
    ActorTable table(segment);
    ActorId id = 0;
    table.enter("unwatched", id);
  });
  wait_for(pid);
  broker.on_readable();
  CHECK(events().empty());
  broker.sweep();
  CHECK(events().size() == 1);
  broker.sweep();
  CHECK(events().empty());
}

TEST_CASE_FIXTURE(BrokerFixture, "without descriptors to spare clients are turned away [MEM-018]") {
  const pid_t pid = fork_child([&] {
    // The broker lives in this process, the clients too: connected, and then one too many.
    const int waiting = connect();
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(highest_descriptor() + 1);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(1);
    while (::dup(0) >= 0) {
    }
    broker.on_readable();
    if (!is_closed(waiting)) ::_exit(2);
    pollfd poll{broker.fd(), POLLIN, 0};
    ::_exit(::poll(&poll, 1, 0) == 0 ? 0 : 3);  // and the listener is quiet again
  });
  CHECK(wait_for(pid) == 0);
}

TEST_CASE_FIXTURE(BrokerFixture,
                  "clients that a forked process has descriptors of are forgotten [MEM-018]") {
  std::atomic<bool>& attached = shared_variable<std::atomic<bool>>();
  std::atomic<bool>& leaves = shared_variable<std::atomic<bool>>();
  const pid_t client = fork_child([&] {
    int fd = -1;
    BrokerClient connection(dir.path().c_str());
    connection.hello(fd);
    attached = true;
    while (!leaves) ::usleep(1'000);
  });
  while (!attached) broker.on_readable();
  const pid_t heir = fork_child([] { ::pause(); });
  leaves = true;
  serve(client);
  pollfd poll{broker.fd(), POLLIN, 0};
  CHECK(::poll(&poll, 1, 0) == 0);
  ::kill(heir, SIGKILL);
  wait_for(heir);
}

TEST_CASE_FIXTURE(BrokerFixture,
                  "a pool whose maker died before it opened it is dropped [MEM-019]") {
  const pid_t pid = fork_child([&] {
    std::shared_ptr<Node> node;
    Node::attach(dir.path(), {}, node);
    Segment pool;
    Segment::create(node->identity(), kPageBytes, 1 << 20, pool);
    node->put_segment(pool);
    ::raise(SIGKILL);
  });
  serve(pid);
  broker.on_readable();
  CHECK(broker.segments().empty());
  ::unlink((dir.path() + "/bell.0").c_str());
}
