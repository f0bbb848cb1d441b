// `waste sizes [--from N] [--to N]`: the largest share of its block, in percent, that an
// allocation of such a size leaves unused.
// `waste trace [--trace uniform|power|drift] [--live-mib N] [--turns N] [--seed N]`: how much of a
// pool one comes to need for live bytes of which another process frees one half: the span of
// addresses that were ever handed out, over the most bytes that were asked for and live at once.
// What lies in magazines, between blocks and behind the bytes of a block is in the span. In the
// end everything is freed and the pool has to be one free extent.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "measure.h"
#include "pool_pair.h"

namespace dragon::bench {

namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

void measure_sizes(const Options& options) {
  const auto from = static_cast<uint64_t>(std::max(1L, options.number("from", 64)));
  const auto to = static_cast<uint64_t>(std::max(1L, options.number("to", 65536)));
  const PoolPair actors(64 * kMiB);
  Pool& pool = *actors.mine;
  std::vector<double> shares;
  // Every size where they are close to their blocks, and a part of the larger ones.
  for (uint64_t bytes = from; bytes <= to; bytes += bytes < 4096 ? 1 : 61) {
    const uint64_t before = pool.stats().used_bytes;
    Allocation allocation;
    expect(pool.try_allocate(bytes, AllocationType::kData, allocation), "allocate");
    const auto used = static_cast<double>(pool.stats().used_bytes - before);
    shares.push_back(100.0 * (used - static_cast<double>(bytes)) / used);
    expect(pool.free(allocation.id), "free");
  }
  const double worst = *std::max_element(shares.begin(), shares.end());
  std::sort(shares.begin(), shares.end());
  const double typical = shares[shares.size() / 2];
  // The worst is the figure: it is a bound that is asked for.
  std::printf(R"({"unit":"%%","n":%zu,"p50":%.6g,"p99":%.6g,"min":%.6g,)"
              R"("detail":{"medianPercent":%.6g}})"
              "\n",
              shares.size(), std::max(worst, 1e-6), std::max(worst, 1e-6), std::max(worst, 1e-6),
              typical);
}

// Ids on their way to the process that frees them; 0 says that there will be none.
struct Belt {
  static constexpr uint64_t kCells = 64;
  std::atomic<uint64_t> ids[kCells];
};

void put(Belt& belt, uint64_t& position, uint64_t id) {
  std::atomic<uint64_t>& cell = belt.ids[position++ % Belt::kCells];
  while (cell.load(std::memory_order_acquire) != 0) relax();
  cell.store(id, std::memory_order_release);
}

constexpr uint64_t kEnd = UINT64_MAX;

void free_what_comes(Pool& pool, Belt& belt) {
  for (uint64_t position = 0;; ++position) {
    std::atomic<uint64_t>& cell = belt.ids[position % Belt::kCells];
    uint64_t id = 0;
    while ((id = cell.load(std::memory_order_acquire)) == 0) ::usleep(20);
    cell.store(0, std::memory_order_release);
    if (id == kEnd) return;
    expect(pool.free(id), "free");
  }
}

// Sizes of one trace; `progress` goes from 0 to 1 over it.
class Sizes {
 public:
  Sizes(const std::string& trace, uint64_t seed) : trace_(trace), random_(seed) {
    if (trace != "uniform" && trace != "power" && trace != "drift") {
      fail("--trace is uniform, power or drift");
    }
  }

  uint64_t next(double progress) {
    const double share = std::uniform_real_distribution<double>(0, 1)(random_);
    if (trace_ == "uniform") return 16 + static_cast<uint64_t>(share * 4080);
    if (trace_ == "power") return std::min<uint64_t>(65536, power_law(share));
    // From 64 bytes to 8 KiB and back, half up and half down from there.
    const double doublings = 7.0 * (1.0 - std::abs(2.0 * progress - 1.0));
    return static_cast<uint64_t>(64.0 * std::exp2(doublings) * (0.5 + share));
  }
  size_t index(size_t count) {
    return std::uniform_int_distribution<size_t>(0, count - 1)(random_);
  }

 private:
  static uint64_t power_law(double share) {
    return static_cast<uint64_t>(16.0 / std::pow(1.0 - share, 1.0 / 1.2));
  }

  std::string trace_;
  std::mt19937_64 random_;
};

struct Live {
  uint64_t id;
  uint64_t bytes;
};

// Allocates at a constant number of live bytes, and keeps the books about it.
class Trace {
 public:
  Trace(Pool& pool, Belt& belt) : pool_(pool), belt_(belt) {}

  void allocate(uint64_t bytes) {
    Allocation allocation;
    expect(pool_.try_allocate(bytes, AllocationType::kData, allocation), "allocate");
    lowest_ = std::min(lowest_, allocation.data);
    highest_ = std::max(highest_, allocation.data + bytes);
    live_.push_back({allocation.id, bytes});
    live_bytes_ += bytes;
    most_live_bytes_ = std::max(most_live_bytes_, live_bytes_);
  }
  void free(size_t index) {
    const Live gone = live_[index];
    live_[index] = live_.back();
    live_.pop_back();
    live_bytes_ -= gone.bytes;
    if (++freed_ % 2 == 0) {
      expect(pool_.free(gone.id), "free");
    } else {
      put(belt_, position_, gone.id);
    }
  }
  void end() { put(belt_, position_, kEnd); }

  uint64_t live_bytes() const { return live_bytes_; }
  size_t count() const { return live_.size(); }
  uint64_t freed() const { return freed_; }
  double span_over_live() const {
    return static_cast<double>(highest_ - lowest_) / static_cast<double>(most_live_bytes_);
  }

 private:
  Pool& pool_;
  Belt& belt_;
  uint64_t position_ = 0;
  std::vector<Live> live_;
  uint64_t live_bytes_ = 0;
  uint64_t most_live_bytes_ = 0;
  uint64_t freed_ = 0;
  uint8_t* lowest_ = reinterpret_cast<uint8_t*>(UINTPTR_MAX);
  uint8_t* highest_ = nullptr;
};

// Fails unless the whole pool is free in one piece: magazines are taken back for it.
void expect_one_extent(Pool& pool) {
  Allocation all;
  expect(pool.try_allocate(pool.stats().limit_bytes, AllocationType::kData, all),
         "allocate the whole pool when all is freed");
  expect(pool.free(all.id), "free");
}

void measure_trace(const Options& options) {
  const uint64_t target =
      static_cast<uint64_t>(std::max(1L, options.number("live-mib", 32))) * kMiB;
  const double total =
      static_cast<double>(target) * static_cast<double>(options.number("turns", 24));
  // A seed of its own for each run, which `--seed` repeats.
  const auto seed =
      static_cast<uint64_t>(options.number("seed", static_cast<long>(now_ns() >> 10)));
  Sizes sizes(options.text("trace", "uniform"), seed);
  const PoolPair actors(2 * target);
  auto* belt = new (shared_memory(sizeof(Belt))) Belt{};
  const int child = start_echo_process();
  if (child == 0) {
    free_what_comes(*actors.other, *belt);
    _Exit(0);
  }
  Trace trace(*actors.mine, *belt);
  for (double allocated = 0; allocated < total;) {
    const uint64_t bytes = sizes.next(allocated / total);
    while (trace.live_bytes() + bytes > target) trace.free(sizes.index(trace.count()));
    trace.allocate(bytes);
    allocated += static_cast<double>(bytes);
  }
  while (trace.count() > 0) trace.free(trace.count() - 1);
  trace.end();
  expect_success(child);
  expect_one_extent(*actors.mine);
  const double span = trace.span_over_live();
  std::printf(R"({"unit":"x","n":%llu,"p50":%.6g,"p99":%.6g,"min":%.6g,"detail":{"seed":%llu}})"
              "\n",
              static_cast<unsigned long long>(trace.freed()), span, span, span,
              static_cast<unsigned long long>(seed));
}

}  // namespace

}  // namespace dragon::bench

int main(int argc, char** argv) {
  using namespace dragon::bench;
  const std::string_view name = argc > 1 ? argv[1] : "";
  const Options options(argc, argv, 2);
  if (name == "sizes") {
    measure_sizes(options);
  } else if (name == "trace") {
    measure_trace(options);
  } else {
    std::fprintf(stderr, "usage: waste sizes|trace [--key value ...]\n");
    return 2;
  }
  return 0;
}
