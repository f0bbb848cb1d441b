// Agents in processes of their own, over TCP on the loopback interface.
// variants: plain
#include <poll.h>
#include <sys/socket.h>

#include "agent/agent_fixture.h"
#include "agent/shell/control.h"

using namespace dragon;
using namespace dragon::test;

namespace {

const std::string kKeyLine = "key " + std::string(64, 'a') + " 4d";
constexpr int kAnswerMs = 10'000;

// An agent, and the starter's end of its socket. Made before the test has threads.
class AgentProcess {
 public:
  AgentProcess() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    socket_ = ends[0];
    pid_ = fork_child([&] {
      ::close(ends[0]);
      bool well = false;
      {
        agent::Control control(ends[1]);
        well = control.run();
      }
      ::_exit(well ? 0 : 1);
    });
    ::close(ends[1]);
  }
  ~AgentProcess() {
    if (socket_ >= 0) end();
  }

  void say(const std::string& line) const {
    const std::string whole = line + "\n";
    REQUIRE(::send(socket_, whole.data(), whole.size(), MSG_NOSIGNAL) > 0);
  }
  std::string hear() const {
    std::string line;
    for (;;) {
      pollfd ready{socket_, POLLIN, 0};
      REQUIRE(::poll(&ready, 1, kAnswerMs) == 1);
      char byte = 0;
      if (::recv(socket_, &byte, 1, 0) != 1) return "end";
      if (byte == '\n') return line;
      line += byte;
    }
  }
  // Closes the socket; the exit status.
  int end() {
    // A later agent's process has inherited this end.
    ::shutdown(socket_, SHUT_RDWR);
    ::close(socket_);
    socket_ = -1;
    return WEXITSTATUS(wait_for(pid_));
  }
  pid_t pid() const { return pid_; }

 private:
  int socket_ = -1;
  pid_t pid_ = 0;
};

std::string local_line(NodeIndex index, const TemporaryDirectory& dir) {
  return "local " + std::to_string(index) + " 127.0.0.1:0 " + dir.path();
}

std::string peer_line(NodeIndex index, const std::string& listening) {
  char host[32];
  ::snprintf(host, sizeof host, "%llx", static_cast<unsigned long long>(host_of(index)));
  const std::string address = listening.substr(listening.rfind(' ') + 1);
  return "peer " + std::to_string(index) + " " + host + " " + address;
}

std::string text_of(int number) {
  return std::to_string(number) + std::string(number % 50 == 7 ? 100'000 : number % 300, '.');
}

// Two clients exchange messages over what connects their nodes.
void exchange(const std::string& near, const std::string& far) {
  Client here(near);
  Client there(far);
  const auto channel = make_channel(there.pool);
  const auto remote = here.attach(*channel);
  constexpr int kMessages = 400;
  std::thread sender([&] {
    for (int i = 0; i < kMessages; ++i) {
      const std::string text = text_of(i);
      const iovec part = part_of(text);
      const ReturnMode mode = i % 3 == 0 ? ReturnMode::kWhenDeposited : ReturnMode::kWhenBuffered;
      check_ok(remote->send(&part, 1, 0, Deadline::after_ms(20'000), mode));
    }
  });
  for (int i = 0; i < kMessages; ++i) {
    const Received one = receive(*channel, Deadline::after_ms(20'000));
    check_ok(one.status);
    CHECK(one.text == text_of(i));
  }
  sender.join();
  check_ok(try_send(*channel, text_of(7)));
  ReceivedMessage message;
  check_ok(remote->receive_into(here.pool, 0, Deadline::after_ms(20'000), message));
  CHECK(std::string(reinterpret_cast<const char*>(message.data), message.bytes) == text_of(7));
  check_ok(here.pool->free(message.allocation));
  CHECK(remote->try_poll(PollEvent::kIn) == DRAGON_WOULD_BLOCK);
}

}  // namespace

TEST_CASE("processes of two nodes exchange messages through two agents [AGT-020] [AGT-021]") {
  AgentProcess agents[2];
  TemporaryDirectory dirs[2];
  std::string listening[2];
  std::unique_ptr<ServiceThread> services[2];
  for (NodeIndex i = 0; i < 2; ++i) {
    services[i] =
        std::make_unique<ServiceThread>(dirs[i].path(), NodeOptions{"", host_of(i), kRunId, true});
    agents[i].say(kKeyLine);
    agents[i].say(local_line(i, dirs[i]));
    listening[i] = agents[i].hear();
    CHECK(listening[i].rfind("listening " + std::to_string(i) + " 127.0.0.1:", 0) == 0);
  }
  for (NodeIndex i = 0; i < 2; ++i) {
    agents[i].say(peer_line(1 - i, listening[1 - i]));
    agents[i].say("start");
    CHECK(agents[i].hear() == "ready");
  }
  exchange(dirs[0].path(), dirs[1].path());
  exchange(dirs[1].path(), dirs[0].path());
  for (AgentProcess& one : agents) CHECK(one.end() == 0);
}

TEST_CASE("one agent serves several nodes, and ends with its starter [AGT-020] [AGT-021]") {
  AgentProcess agent;
  TemporaryDirectory dirs[2];
  std::unique_ptr<ServiceThread> services[2];
  agent.say(kKeyLine);
  std::string peers[2];
  for (NodeIndex i = 0; i < 2; ++i) {
    services[i] =
        std::make_unique<ServiceThread>(dirs[i].path(), NodeOptions{"", host_of(i), kRunId, true});
    agent.say(local_line(i, dirs[i]));
    peers[i] = peer_line(i, agent.hear());
  }
  for (const std::string& peer : peers) agent.say(peer);
  agent.say("start");
  CHECK(agent.hear() == "ready");
  exchange(dirs[0].path(), dirs[1].path());
  CHECK(agent.end() == 0);
}

TEST_CASE("what an agent does not understand it says, and ends [AGT-022]") {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"local 0 127.0.0.1:0 /"}, "error the key comes first"},
      {{"key 12 1"}, "error the key is not 64 digits and the number of the run"},
      {{kKeyLine, "dance"}, "error unknown line: dance"},
      {{kKeyLine, "local x y"}, "error local takes an index, an address and a directory"},
      {{kKeyLine, "local 0 nowhere /tmp"}, "error listen at nowhere: INVALID_ARGUMENT"},
      {{kKeyLine, "peer 1 zz a"}, "error peer takes an index, a host id and an address"},
      {{kKeyLine, std::string(5'000, 'k')}, "error a line is longer than 4096 bytes"},
  };
  for (const auto& [lines, wanted] : cases) {
    AgentProcess agent;
    for (const std::string& line : lines) agent.say(line);
    CHECK(agent.hear() == wanted);
    CHECK(agent.hear() == "end");
    CHECK(agent.end() == 1);
  }
  AgentProcess agent;
  TemporaryDirectory empty;
  agent.say(kKeyLine);
  agent.say(local_line(0, empty));
  agent.hear();
  agent.say("start");
  CHECK(agent.hear() == "error node in " + empty.path() + ": RUNTIME_GONE");
  CHECK(agent.end() == 1);
}
