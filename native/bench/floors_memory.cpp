// What memory that is handed out in one process costs: the allocator of the C library, and the
// two atomic operations that no allocator over shared memory comes under, since another process
// may take the same block at any time.

#include "floors.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "measure.h"

namespace dragon::bench {

namespace {

constexpr long kBatch = 1024;

template <typename Operation>
void time_batches(const Options& options, Operation operation) {
  pin_to(options.cpus().first);
  for (long i = 0; i < kBatch; ++i) operation();
  std::vector<double> samples(
      static_cast<std::size_t>(std::max(1L, options.number("rounds", 1000))));
  for (double& sample : samples) {
    const std::uint64_t start = now_ns();
    for (long i = 0; i < kBatch; ++i) operation();
    sample = static_cast<double>(now_ns() - start) / kBatch;
  }
  print_result("ns", std::move(samples), kBatch);
}

}  // namespace

void atomic_pair_floor(const Options& options) {
  auto& word = *new (shared_memory(sizeof(std::atomic<std::uint64_t>))) std::atomic<std::uint64_t>;
  time_batches(options, [&word] {
    std::uint64_t free = 0;
    std::uint64_t taken = 1;
    if (!word.compare_exchange_strong(free, 1)) fail("the word was taken");
    if (!word.compare_exchange_strong(taken, 0)) fail("the word was free");
  });
}

void malloc_floor(const Options& options) {
  const auto bytes = static_cast<std::size_t>(std::max(1L, options.number("bytes", 64)));
  time_batches(options, [bytes] {
    void* memory = std::malloc(bytes);
    // The compiler may not see that nobody uses it.
    asm volatile("" : "+r"(memory) : : "memory");
    std::free(memory);
  });
}

}  // namespace dragon::bench
