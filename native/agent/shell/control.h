// What an agent's starter says to it, and it to its starter: lines of text on a socket.
//
// Goals: the key never stands in arguments, environment or a file; the end of the socket is the
// end of the agent. The lines: spec/agent.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/shell/agent.h"
#include "fabric/tcp/tcp_fabric.h"

namespace dragon::agent {

// Reads lines until there are no more, and carries them out; what is wrong, if anything is.
class Control {
 public:
  explicit Control(int socket) : socket_(socket) {}
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control();

  // Until the socket ends. False after an error, which was said on the socket.
  bool run();

 private:
  struct Local {
    NodeIndex index = 0;
    std::string dir;
    std::unique_ptr<fabric::TcpFabric> fabric;
    std::unique_ptr<Agent> agent;
  };
  struct Peer {
    NodeIndex index = 0;
    uint64_t host_id = 0;
    std::string address;
  };
  std::string on_line(const std::string& line);
  std::string take_key(const std::string& text);
  std::string take_local(std::vector<std::string> words);
  std::string take_peer(const std::vector<std::string>& words);
  std::string start();
  std::string start(Local& local);
  void say(const std::string& line) const;

  const int socket_;
  bool has_key_ = false;
  bool started_ = false;
  uint64_t run_id_ = 0;
  fabric::RunKey key_{};
  std::vector<std::unique_ptr<Local>> locals_;
  std::vector<Peer> peers_;
  std::vector<std::thread> threads_;
};

}  // namespace dragon::agent
