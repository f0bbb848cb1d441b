// How long allocation and free take, alone and beside another process.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <random>

#include "memory.h"

namespace dragon::bench {

namespace {

constexpr long kBatch = 1024;
constexpr uint64_t kMiB = 1 << 20;

// Ids on their way from the process that allocates to the one that frees.
struct IdRing {
  static constexpr uint64_t kCells = 256;
  std::atomic<uint64_t> cells[kCells];

  // A cell at a time by its own word: 0 is empty.
  void put(uint64_t place, uint64_t id) {
    std::atomic<uint64_t>& cell = cells[place % kCells];
    while (cell.load(std::memory_order_acquire) != 0) relax();
    cell.store(id, std::memory_order_release);
  }
  uint64_t get(uint64_t place) {
    std::atomic<uint64_t>& cell = cells[place % kCells];
    uint64_t id = 0;
    while ((id = cell.load(std::memory_order_acquire)) == 0) relax();
    cell.store(0, std::memory_order_release);
    return id;
  }
};

void pairs(Pool& pool, uint64_t bytes, long count) {
  for (long i = 0; i < count; ++i) expect(pool.free(allocate(pool, bytes)), "free");
}

// A size from 64 B to 64 KiB, each power of two as often as the others.
uint64_t draw_bytes(std::mt19937_64& random) {
  const uint64_t floor = 64ull << random() % 10;
  return floor + random() % floor;
}

// Leaves so much of the pool in use, in pieces: what is free lies among them.
void fill(Pool& pool, uint64_t percent, uint64_t seed) {
  if (percent == 0) return;
  std::mt19937_64 random(seed);
  std::vector<uint64_t> ids;
  Allocation out;
  while (pool.try_allocate(draw_bytes(random), AllocationType::kData, out) == DRAGON_SUCCESS) {
    ids.push_back(out.id);
  }
  const uint64_t level = pool.limit_bytes() * percent / 100;
  while (pool.stats().used_bytes > level) {
    const size_t victim = random() % ids.size();
    expect(pool.free(ids[victim]), "free");
    ids[victim] = ids.back();
    ids.pop_back();
  }
}

uint64_t bytes_of(const Options& options, long fallback) {
  return static_cast<uint64_t>(options.number("bytes", fallback));
}

std::vector<double> samples_of(const Options& options, long fallback) {
  return std::vector<double>(
      static_cast<std::size_t>(std::max(1L, options.number("rounds", fallback))));
}

}  // namespace

void measure_pair(const Options& options) {
  const PoolPair pools(64 * kMiB);
  const uint64_t bytes = bytes_of(options, 64);
  pin_to(options.cpus().first);
  fill(*pools.mine, static_cast<uint64_t>(options.number("percent", 0)),
       static_cast<uint64_t>(options.number("seed", 1)));
  pairs(*pools.mine, bytes, kBatch);
  std::vector<double> samples = samples_of(options, 500);
  for (double& sample : samples) {
    const uint64_t start = now_ns();
    pairs(*pools.mine, bytes, kBatch);
    sample = static_cast<double>(now_ns() - start) / kBatch;
  }
  print_result("ns", std::move(samples), kBatch);
}

void measure_rate(const Options& options) {
  const PoolPair pools(64 * kMiB);
  const uint64_t bytes = bytes_of(options, 64);
  const bool two = options.number("processes", 1) == 2;
  struct Shared {
    alignas(64) std::atomic<uint64_t> count;
    alignas(64) std::atomic<bool> ended;
  };
  auto& shared = *new (shared_memory(sizeof(Shared))) Shared;
  const int child = two ? start_echo_process() : -1;
  if (child == 0) {
    pin_to(options.cpus().second);
    while (!shared.ended.load()) {
      pairs(*pools.other, bytes, 64);
      shared.count.fetch_add(64, std::memory_order_relaxed);
    }
    _Exit(0);
  }
  pin_to(options.cpus().first);
  while (two && shared.count.load() == 0) relax();
  std::vector<double> samples = samples_of(options, 20);
  constexpr uint64_t kWindowNs = 5'000'000;
  for (double& sample : samples) {
    const uint64_t others = shared.count.load();
    const uint64_t start = now_ns();
    uint64_t count = 0;
    uint64_t elapsed = 0;
    do {
      pairs(*pools.mine, bytes, 64);
      count += 64;
      elapsed = now_ns() - start;
    } while (elapsed < kWindowNs);
    count += shared.count.load() - others;
    sample = static_cast<double>(count) * 1e9 / static_cast<double>(elapsed);
  }
  shared.ended.store(true);
  if (two) expect_success(child);
  print_result("1/s", std::move(samples), 64);
}

void measure_handover(const Options& options) {
  const PoolPair pools(64 * kMiB);
  const uint64_t bytes = bytes_of(options, 64);
  auto& ring = *new (shared_memory(sizeof(IdRing))) IdRing;
  std::vector<double> samples = samples_of(options, 200);
  const uint64_t total = (samples.size() + 1) * kBatch;
  const int child = start_echo_process();
  if (child == 0) {
    pin_to(options.cpus().second);
    for (uint64_t place = 0; place < total; ++place) {
      expect(pools.other->free(ring.get(place)), "free");
    }
    _Exit(0);
  }
  pin_to(options.cpus().first);
  uint64_t place = 0;
  const auto batch = [&] {
    for (long i = 0; i < kBatch; ++i) ring.put(place++, allocate(*pools.mine, bytes));
  };
  batch();
  for (double& sample : samples) {
    const uint64_t start = now_ns();
    batch();
    sample = static_cast<double>(now_ns() - start) / kBatch;
  }
  expect_success(child);
  print_result("ns", std::move(samples), kBatch);
}

namespace {

struct FromPool {
  Pool& pool;
  uint64_t allocate(uint64_t bytes) const {
    Allocation out;
    const Status status = pool.try_allocate(bytes, AllocationType::kData, out);
    return status == DRAGON_SUCCESS ? out.id : 0;
  }
  void free(uint64_t id) const { expect(pool.free(id), "free"); }
};

struct FromLibrary {
  static uint64_t allocate(uint64_t bytes) {
    return reinterpret_cast<uint64_t>(std::malloc(bytes));
  }
  static void free(uint64_t address) { std::free(reinterpret_cast<void*>(address)); }
};

// Whoever frees a block has its id at hand: the ids here are fetched so far ahead that what is
// measured is the allocator, not this program's own list.
constexpr size_t kAhead = 8;

// Blocks that fill their memory to a level, one of which goes and another one comes.
template <typename Source>
class FullMemory {
 public:
  FullMemory(Source source, uint64_t level, uint64_t bytes, uint64_t seed)
      : source_(source), level_(level), bytes_(bytes), random_(seed) {
    for (uint64_t next = draw(); used_ + block_bytes_for(next) <= level; next = draw()) add(next);
  }

  // The choices are drawn before the clock runs. The time of one allocation and one free.
  double batch() {
    for (uint64_t& size : sizes_) size = draw();
    for (uint64_t& victim : victims_) victim = random_();
    size_t victim = 0;
    uint64_t operations = 0;
    const uint64_t start = now_ns();
    for (const uint64_t size : sizes_) {
      while (used_ + block_bytes_for(size) > level_ || !add(size)) {
        __builtin_prefetch(&live_[place_of(victims_[(victim + kAhead) % victims_.size()])]);
        remove(place_of(victims_[victim++ % victims_.size()]));
        ++operations;
      }
      ++operations;
    }
    return 2 * static_cast<double>(now_ns() - start) / static_cast<double>(operations);
  }

 private:
  struct Live {
    uint64_t id;
    uint64_t bytes;
  };

  // A share of them, so that the place of a victim to come is known, give or take one.
  size_t place_of(uint64_t share) const { return (share >> 32) * live_.size() >> 32; }
  uint64_t draw() { return bytes_ != 0 ? bytes_ : draw_bytes(random_); }
  bool add(uint64_t bytes) {
    const uint64_t id = source_.allocate(bytes);
    if (id == 0) return false;
    live_.push_back({id, bytes});
    used_ += block_bytes_for(bytes);
    return true;
  }
  void remove(uint64_t which) {
    Live& victim = live_[which];
    source_.free(victim.id);
    used_ -= block_bytes_for(victim.bytes);
    victim = live_.back();
    live_.pop_back();
  }

  Source source_;
  uint64_t level_;
  uint64_t bytes_;
  std::mt19937_64 random_;
  std::vector<Live> live_;
  uint64_t used_ = 0;
  std::vector<uint64_t> sizes_ = std::vector<uint64_t>(kBatch);
  std::vector<uint64_t> victims_ = std::vector<uint64_t>(4 * kBatch);
};

template <typename Source>
void measure_level(const Options& options, Source source, uint64_t limit) {
  const auto percent = static_cast<uint64_t>(options.number("percent", 95));
  FullMemory<Source> memory(source, limit * percent / 100, bytes_of(options, 0),
                            static_cast<uint64_t>(options.number("seed", 1)));
  std::vector<double> samples = samples_of(options, 200);
  for (int i = 0; i < 20; ++i) memory.batch();
  for (double& sample : samples) sample = memory.batch();
  print_result("ns", std::move(samples), kBatch);
}

}  // namespace

void measure_full(const Options& options) {
  pin_to(options.cpus().first);
  const uint64_t limit = static_cast<uint64_t>(options.number("limit", 16)) * kMiB;
  if (options.text("from", "pool") == "malloc") {
    measure_level(options, FromLibrary{}, limit);
    return;
  }
  const PoolPair pools(limit);
  measure_level(options, FromPool{*pools.mine}, limit);
}

}  // namespace dragon::bench
