// A pool as two actors see it; a forked process may go on as the other one.
#pragma once

#include <cstdint>
#include <memory>

#include "expect.h"
#include "memory/node.h"
#include "memory/pool.h"
#include "scratch_directory.h"

namespace dragon::bench {

class PoolPair {
 public:
  explicit PoolPair(uint64_t limit_bytes) {
    // Nobody attaches from outside, so the names are not needed afterwards.
    const ScratchDirectory dir;
    expect(Node::create(dir.path(), NodeOptions{}, node_), "create a node");
    expect(Node::attach_local(node_, NodeOptions{}, other_node_), "attach to the node");
    PoolOptions options;
    options.limit_bytes = limit_bytes;
    expect(Pool::create(node_, options, mine), "create a pool");
    HandleBytes handle;
    mine->serialize(handle);
    expect(Pool::attach(other_node_, handle, sizeof handle, other), "attach to the pool");
  }

 private:
  std::shared_ptr<Node> node_;
  std::shared_ptr<Node> other_node_;

 public:
  std::shared_ptr<Pool> mine;
  std::shared_ptr<Pool> other;
};

}  // namespace dragon::bench
