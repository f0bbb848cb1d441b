// The measurements of `memory`, one function each.
#pragma once

#include <cstdint>
#include <memory>

#include "measure.h"
#include "memory/pool.h"

namespace dragon::bench {

void expect(Status status, const char* what);

/// A pool as two actors see it; a forked process may go on as the other one.
class PoolPair {
 public:
  explicit PoolPair(uint64_t limit_bytes);

 private:
  std::shared_ptr<Node> node_;
  std::shared_ptr<Node> other_node_;

 public:
  std::shared_ptr<Pool> mine;
  std::shared_ptr<Pool> other;
};

uint64_t allocate(Pool& pool, uint64_t bytes);

void measure_pair(const Options& options);
void measure_rate(const Options& options);
void measure_handover(const Options& options);
void measure_full(const Options& options);

}  // namespace dragon::bench
