// A pool as two actors see it; a forked process may go on as the other one.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "expect.h"
#include "measure.h"
#include "memory/node.h"
#include "memory/pool.h"

namespace dragon::bench {

class PoolPair {
 public:
  explicit PoolPair(uint64_t limit_bytes) {
    std::string dir = (std::filesystem::temp_directory_path() / "bench-XXXXXX").string();
    if (::mkdtemp(dir.data()) == nullptr) fail_errno("mkdtemp");
    expect(Node::create(dir, NodeOptions{}, node_), "create a node");
    expect(Node::attach_local(node_, NodeOptions{}, other_node_), "attach to the node");
    // Nobody attaches from outside, so the names are not needed any more.
    std::filesystem::remove_all(dir);
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
