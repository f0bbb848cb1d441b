// What a channel costs that nobody uses.

#include <algorithm>
#include <memory>
#include <vector>

#include "channels.h"
#include "measure.h"
#include "node_room.h"

namespace dragon::bench {

// Create and destroy, close included, of a channel with the default options.
void measure_create(const Options& options) {
  constexpr long kBatch = 32;
  NodeRoom room;
  pin_to(options.cpus().first);
  std::vector<double> samples(static_cast<size_t>(std::max(1L, options.number("rounds", 500))));
  for (double& sample : samples) {
    const uint64_t start = now_ns();
    for (long i = 0; i < kBatch; ++i) expect(room.make()->destroy(), "destroy");
    sample = static_cast<double>(now_ns() - start) / kBatch;
  }
  print_result("ns", std::move(samples), kBatch);
}

// Bytes of the pool that an idle channel takes.
void measure_idle(const Options& options) {
  NodeRoom room;
  std::vector<std::unique_ptr<Channel>> channels;
  std::vector<double> samples;
  for (long i = 0; i < std::max(1L, options.number("rounds", 100)); ++i) {
    const uint64_t before = room.pool()->stats().used_bytes;
    channels.push_back(room.make());
    samples.push_back(static_cast<double>(room.pool()->stats().used_bytes - before));
  }
  print_result("B", std::move(samples));
}

}  // namespace dragon::bench
