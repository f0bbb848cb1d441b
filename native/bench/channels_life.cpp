// What a channel costs that nobody uses.

#include <algorithm>
#include <memory>
#include <vector>

#include "channels_scene.h"
#include "measure.h"

namespace dragon::bench {

// Create and destroy, close included, of a channel with the default options.
void measure_create(const Options& options) {
  constexpr long kBatch = 32;
  Scene scene;
  pin_to(options.cpus().first);
  std::vector<double> samples(static_cast<size_t>(std::max(1L, options.number("rounds", 500))));
  for (double& sample : samples) {
    const uint64_t start = now_ns();
    for (long i = 0; i < kBatch; ++i) expect(scene.make()->destroy(), "destroy");
    sample = static_cast<double>(now_ns() - start) / kBatch;
  }
  print_result("ns", std::move(samples), kBatch);
}

// Bytes of the pool that an idle channel takes.
void measure_idle(const Options& options) {
  Scene scene;
  std::vector<std::unique_ptr<Channel>> channels;
  std::vector<double> samples;
  for (long i = 0; i < std::max(1L, options.number("rounds", 100)); ++i) {
    const uint64_t before = scene.pool()->stats().used_bytes;
    channels.push_back(scene.make());
    samples.push_back(static_cast<double>(scene.pool()->stats().used_bytes - before));
  }
  print_result("B", std::move(samples));
}

}  // namespace dragon::bench
