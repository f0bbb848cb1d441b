// A node for a measuring program: its directory, its broker driven by a thread, and a pool.
//
// Goals: processes forked after the construction attach with `attach`. The directory goes when the
// process that made it does.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "expect.h"
#include "measure.h"
#include "memory/node.h"
#include "memory/pool.h"

namespace dragon::bench {

class NodeRoom {
 public:
  NodeRoom() : dir_((std::filesystem::temp_directory_path() / "bench-XXXXXX").string()) {
    if (::mkdtemp(dir_.data()) == nullptr) fail_errno("mkdtemp");
    expect(Node::create(dir_, NodeOptions{}, node_), "create a node");
    expect(Pool::create(node_, PoolOptions{}, pool_), "create a pool");
    broker_ = std::thread([this] { serve(); });
  }
  ~NodeRoom() {
    if (::getpid() != maker_) ::_exit(1);  // a forked process ends with _Exit
    ended_.store(true);
    broker_.join();
    std::filesystem::remove_all(dir_);
  }

  const std::shared_ptr<Pool>& pool() const { return pool_; }
  const std::shared_ptr<Node>& node() const { return node_; }
  // For a forked process.
  std::shared_ptr<Node> attach() const {
    std::shared_ptr<Node> node;
    expect(Node::attach(dir_, NodeOptions{}, node), "attach to the node");
    return node;
  }

 private:
  void serve() {
    constexpr int kPollMs = 20;
    while (!ended_.load()) {
      pollfd descriptor{node_->broker()->fd(), POLLIN, 0};
      if (::poll(&descriptor, 1, kPollMs) > 0) node_->broker()->on_readable();
    }
  }

  const int maker_ = ::getpid();
  std::string dir_;
  std::shared_ptr<Node> node_;
  std::shared_ptr<Pool> pool_;
  std::atomic<bool> ended_ = false;
  std::thread broker_;
};

}  // namespace dragon::bench
