// The floor of large messages by copy: a ring of bytes between two processes. The sender copies
// piece by piece, the receiver reads every byte where it lies. Several sizes are tried, and the
// best one counts.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "crowd.h"
#include "floors.h"
#include "measure.h"

namespace dragon::bench {

namespace {

struct alignas(64) Count {
  std::atomic<std::uint64_t> pieces;
};

struct Ends {
  Count sent;
  Count read;
};

struct Size {
  std::size_t piece;
  std::size_t pieces;
};

constexpr Size kSizes[] = {{16 << 10, 8},  {32 << 10, 8},  {64 << 10, 4}, {64 << 10, 16},
                           {128 << 10, 4}, {256 << 10, 4}, {1 << 20, 2},  {1 << 20, 4}};

/// The rate of each message, measured by the receiver.
std::vector<double> stream(const Options& options, const Size& size, std::size_t bytes) {
  const long rounds = std::max(1L, options.number("rounds", 300));
  const long warm_up = rounds / 10 + 1;
  const auto [first_cpu, second_cpu] = options.cpus();
  Ends& ends = *new (shared_memory(sizeof(Ends))) Ends{};
  auto* ring = static_cast<unsigned char*>(shared_memory(size.piece * size.pieces));
  const auto pieces_of = [&](long messages) {
    return static_cast<std::uint64_t>(messages) * ((bytes + size.piece - 1) / size.piece);
  };
  const auto slot = [&](std::uint64_t piece) { return ring + piece % size.pieces * size.piece; };
  const int child = start_echo_process();
  if (child == 0) {
    pin_to(second_cpu);
    const std::vector<unsigned char> source(bytes, 7);
    for (std::uint64_t i = 0; i < pieces_of(rounds + warm_up); ++i) {
      Patience patience;
      while (i - ends.read.pieces.load(std::memory_order_acquire) >= size.pieces) patience.wait();
      const std::size_t from = i % pieces_of(1) * size.piece;
      std::memcpy(slot(i), source.data() + from, std::min(size.piece, bytes - from));
      ends.sent.pieces.store(i + 1, std::memory_order_release);
    }
    std::_Exit(0);
  }
  pin_to(first_cpu);
  std::uint64_t next = 0;
  std::uint64_t sum = 0;
  const auto read_message = [&] {
    for (std::uint64_t i = 0; i < pieces_of(1); ++i, ++next) {
      Patience patience;
      while (ends.sent.pieces.load(std::memory_order_acquire) <= next) patience.wait();
      sum += sum_of(slot(next), std::min(size.piece, bytes - i * size.piece));
      ends.read.pieces.store(next + 1, std::memory_order_release);
    }
  };
  for (long i = 0; i < warm_up; ++i) read_message();
  std::vector<double> samples(static_cast<std::size_t>(rounds));
  for (double& sample : samples) {
    const std::uint64_t start = now_ns();
    read_message();
    sample = static_cast<double>(bytes) * 1e9 / static_cast<double>(now_ns() - start);
  }
  expect_success(child);
  if (sum == 0) fail("nothing was read");
  return samples;
}

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

}  // namespace

void stream_floor(const Options& options) {
  const auto bytes = static_cast<std::size_t>(std::max(1L, options.number("bytes", 1 << 20)));
  std::vector<double> best;
  for (const Size& size : kSizes) {
    std::vector<double> samples = stream(options, size, bytes);
    if (best.empty() || median(samples) > median(best)) best = std::move(samples);
  }
  print_result("B/s", std::move(best));
}

}  // namespace dragon::bench
