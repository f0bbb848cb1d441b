// A node for a measuring program: its directory, its broker driven by a thread, as an event loop
// would, and a pool.
//
// Goals: processes forked after the construction attach, and open channels by their handles.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "channel/channel.h"
#include "expect.h"
#include "memory/node.h"
#include "memory/pool.h"
#include "scratch_directory.h"

namespace dragon::bench {

class NodeRoom {
 public:
  explicit NodeRoom(const NodeOptions& options = {}) {
    expect(Node::create(dir_.path(), options, node_), "create a node");
    expect(Pool::create(node_, PoolOptions{}, pool_), "create a pool");
    broker_ = std::thread([this] { serve(); });
  }
  ~NodeRoom() {
    if (::getpid() != maker_) ::_exit(1);  // a forked process ends with _Exit
    ended_.store(true);
    broker_.join();
  }

  const std::string& dir() const { return dir_.path(); }
  const std::shared_ptr<Pool>& pool() const { return pool_; }
  std::unique_ptr<Channel> make(uint32_t capacity = 100, uint32_t block_bytes = 192) const {
    ChannelOptions options;
    options.capacity = capacity;
    options.block_bytes = block_bytes;
    std::unique_ptr<Channel> channel;
    expect(Channel::create(pool_, options, channel), "create a channel");
    return channel;
  }

  // For a forked process, which is one actor.
  const std::shared_ptr<Node>& attach() {
    if (there_ == nullptr) {
      expect(Node::attach(dir_.path(), NodeOptions{}, there_), "attach to the node");
    }
    return there_;
  }
  std::unique_ptr<Channel> open(const HandleBytes& handle) {
    std::unique_ptr<Channel> channel;
    RecordId adopted = 0;
    expect(Channel::attach(attach(), handle, sizeof handle, false, adopted, channel), "attach");
    return channel;
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
  ScratchDirectory dir_;
  std::shared_ptr<Node> node_;
  std::shared_ptr<Pool> pool_;
  std::atomic<bool> ended_ = false;
  std::thread broker_;
  std::shared_ptr<Node> there_;
};

}  // namespace dragon::bench
