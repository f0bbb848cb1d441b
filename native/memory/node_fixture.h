// For tests: a node whose broker runs in a thread of its own, and attachments to it.
#pragma once

#include <poll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "channel/reclaim.h"
#include "memory/pool.h"
#include "sync/segment_fixture.h"

namespace dragon::test {

// The process that a launcher would be, as a thread: creates the node and serves its broker.
class ServiceThread {
 public:
  explicit ServiceThread(const std::string& dir, const NodeOptions& options = {}) {
    check_ok(Node::create(dir, options, node_));
    thread_ = std::thread([this] { serve(); });
  }
  ~ServiceThread() {
    stop_ = true;
    thread_.join();
    leave(node_);
  }

 private:
  void serve() {
    while (!stop_) {
      pollfd poll{node_->broker()->fd(), POLLIN, 0};
      ::poll(&poll, 1, 10);
      node_->broker()->on_readable();
      BrokerEvent event;
      while (node_->broker()->next_event(event)) {
      }
    }
  }
  std::shared_ptr<Node> node_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
};

// A node and one attachment of the test's own, with a pool.
struct NodeFixture {
  explicit NodeFixture(uint64_t limit_bytes = 64ull << 20) {
    services = std::make_unique<ServiceThread>(dir.path());
    node = attach();
    PoolOptions options;
    options.limit_bytes = limit_bytes;
    check_ok(Pool::create(node, options, pool));
  }
  ~NodeFixture() {
    CHECK(pool->audit() == "");
    pool.reset();
    leave(node);
    node.reset();
    services.reset();
  }
  std::shared_ptr<Node> attach() const {
    std::shared_ptr<Node> out;
    check_ok(Node::attach(dir.path(), {}, out));
    return out;
  }
  // An actor that shares the test's mappings, as threads do: the thread sanitizer knows a word by
  // its address.
  std::shared_ptr<Node> attach_thread() const {
    std::shared_ptr<Node> out;
    check_ok(Node::attach_local(node, {}, out));
    return out;
  }
  // The same pool as another attachment sees it.
  std::shared_ptr<Pool> pool_for(const std::shared_ptr<Node>& other) const {
    HandleBytes handle;
    pool->serialize(handle);
    std::shared_ptr<Pool> out;
    check_ok(Pool::attach(other, handle, sizeof(handle), out));
    return out;
  }
  uint64_t allocate(uint64_t bytes) const {
    Allocation allocation;
    check_ok(pool->try_allocate(bytes, AllocationType::kData, allocation));
    return allocation.id;
  }

  TemporaryDirectory dir;
  std::unique_ptr<ServiceThread> services;
  std::shared_ptr<Node> node;
  std::shared_ptr<Pool> pool;
};

// Reclaims every actor of an ended process.
inline ReclaimReport reclaim_process(const std::shared_ptr<Node>& node, int32_t pid) {
  ReclaimReport report;
  ActorInfo info;
  for (uint32_t slot = 0; node->actors().info(slot, info); ++slot) {
    if (info.pid != pid || info.state == ActorState::kFree || node->actors().probe(info.id))
      continue;
    check_ok(reclaim(node, info.id, report));
  }
  return report;
}

}  // namespace dragon::test
