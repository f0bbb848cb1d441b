// Rounds of many processes; see crowd.h.

#include "crowd.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <vector>

#include "measure.h"

namespace dragon::bench {

namespace {

constexpr long kProcessesMax = 64;
constexpr int kLooksBeforeYield = 128;
constexpr useconds_t kCountEveryUs = 200;

struct Turn {
  std::atomic<std::uint64_t> began;
  std::atomic<std::uint64_t> ended;
};

struct Board {
  std::atomic<long> ready;
  std::atomic<long> round;
  std::atomic<long> done;
  Turn turns[kProcessesMax];
};

void work(Board& board, Turn& turn, const CrowdShape& shape, bool produces,
          const Prepare& prepare) {
  const std::function<void()> step = prepare(produces);
  const long share = shape.messages / (produces ? shape.producers : shape.consumers);
  board.ready.fetch_add(1);
  for (long round = 1; round <= shape.rounds; ++round) {
    while (board.round.load(std::memory_order_acquire) < round) sched_yield();
    turn.began.store(now_ns());
    for (long i = 0; i < share; ++i) step();
    turn.ended.store(now_ns());
    board.done.fetch_add(1);
  }
}

double rate_of(const Board& board, const CrowdShape& shape) {
  std::uint64_t began = UINT64_MAX;
  std::uint64_t ended = 0;
  for (long i = 0; i < shape.producers + shape.consumers; ++i) {
    began = std::min(began, board.turns[i].began.load());
    ended = std::max(ended, board.turns[i].ended.load());
  }
  return static_cast<double>(shape.messages) * 1e9 / static_cast<double>(ended - began);
}

}  // namespace

CrowdShape CrowdShape::from(const Options& options) {
  CrowdShape shape;
  shape.producers = std::clamp(options.number("producers", 1), 1L, kProcessesMax / 2);
  shape.consumers = std::clamp(options.number("consumers", 1), 1L, kProcessesMax / 2);
  shape.rounds = std::max(1L, options.number("rounds", shape.rounds));
  const long each = shape.producers * shape.consumers;
  shape.messages = std::max(1L, options.number("messages", shape.messages) / each) * each;
  std::tie(shape.first_cpu, shape.second_cpu) = options.cpus();
  return shape;
}

void run_crowd(const CrowdShape& shape, const Prepare& prepare) {
  Board& board = *new (shared_memory(sizeof(Board))) Board{};
  const long count = shape.producers + shape.consumers;
  std::vector<int> children;
  for (long i = 0; i < count; ++i) {
    const bool produces = i < shape.producers;
    const int child = start_echo_process();
    if (child == 0) {
      pin_to(produces ? shape.first_cpu : shape.second_cpu);
      work(board, board.turns[i], shape, produces, prepare);
      std::_Exit(0);
    }
    children.push_back(child);
  }
  while (board.ready.load() < count) usleep(kCountEveryUs);
  std::vector<double> samples(static_cast<std::size_t>(shape.rounds));
  for (long round = 0; round < shape.rounds; ++round) {
    board.round.store(round + 1, std::memory_order_release);
    while (board.done.load() < (round + 1) * count) usleep(kCountEveryUs);
    samples[static_cast<std::size_t>(round)] = rate_of(board, shape);
  }
  for (const int child : children) expect_success(child);
  print_result("1/s", std::move(samples), shape.messages);
}

// A cache line a turn, in sums of their own: a short loop runs at half the speed where it happens
// to cross a boundary of what the processor decodes at once, and then limits one program of two.
std::uint64_t sum_of(const void* bytes, std::size_t count) {
  constexpr std::size_t kWords = 8;
  std::uint64_t sums[kWords] = {};
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (; count >= sizeof sums; at += sizeof sums, count -= sizeof sums) {
    std::uint64_t words[kWords];
    std::memcpy(words, at, sizeof words);
    for (std::size_t i = 0; i < kWords; ++i) sums[i] += words[i];
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t each : sums) sum += each;
  for (; count > 0; --count) sum += *at++;
  return sum;
}

void Patience::wait() {
  if (++looks_ < kLooksBeforeYield) {
    relax();
  } else {
    sched_yield();
  }
}

}  // namespace dragon::bench
