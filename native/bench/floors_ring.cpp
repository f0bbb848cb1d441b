// The floor of a stream of small messages: a bounded ring of 64-byte cells in shared memory
// for many producers and consumers, without anything that survives a death.
//
// A cell's turn tells whose it is: turn 2k belongs to the k-th lap's producer, 2k+1 to its
// consumer. Positions are claimed by fetch_add, so a side waits only for its own cell.

#include "floors.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <new>

#include "crowd.h"
#include "measure.h"

namespace dragon::bench {

namespace {

constexpr std::uint64_t kCells = 1024;

struct alignas(64) Cell {
  std::atomic<std::uint64_t> turn;
  std::array<std::uint64_t, 7> payload;
};
static_assert(sizeof(Cell) == 64);

struct alignas(64) Position {
  std::atomic<std::uint64_t> next;
};

struct Ring {
  Position put;
  Position take;
  std::array<Cell, kCells> cells;
};

void await_turn(const Cell& cell, std::uint64_t turn) {
  Patience patience;
  while (cell.turn.load(std::memory_order_acquire) != turn) patience.wait();
}

void put(Ring& ring, std::uint64_t value) {
  const std::uint64_t position = ring.put.next.fetch_add(1, std::memory_order_relaxed);
  Cell& cell = ring.cells[position % kCells];
  const std::uint64_t turn = position / kCells * 2;
  await_turn(cell, turn);
  cell.payload.fill(value);
  cell.turn.store(turn + 1, std::memory_order_release);
}

std::uint64_t take(Ring& ring) {
  const std::uint64_t position = ring.take.next.fetch_add(1, std::memory_order_relaxed);
  Cell& cell = ring.cells[position % kCells];
  const std::uint64_t turn = position / kCells * 2 + 1;
  await_turn(cell, turn);
  std::uint64_t sum = 0;
  for (const std::uint64_t word : cell.payload) sum += word;
  cell.turn.store(turn + 1, std::memory_order_release);
  return sum / cell.payload.size();
}

Ring& make_ring() {
  return *new (shared_memory(sizeof(Ring))) Ring{};
}

}  // namespace

void ring_floor(const Options& options) {
  const CrowdShape shape = CrowdShape::from(options);
  const bool in_order = shape.producers == 1 && shape.consumers == 1;
  Ring& ring = make_ring();
  run_crowd(shape, [&](bool produces) -> std::function<void()> {
    if (produces) return [&ring, next = std::uint64_t{0}]() mutable { put(ring, next++); };
    return [&ring, in_order, next = std::uint64_t{0}]() mutable {
      if (take(ring) != next++ && in_order) fail("a cell was lost or came twice");
    };
  });
}

void ring_pair_floor(const Options& options) {
  constexpr long kBatch = 1024;
  Ring& ring = make_ring();
  std::vector<double> samples(
      static_cast<std::size_t>(std::max(1L, options.number("rounds", 1000))));
  for (double& sample : samples) {
    const std::uint64_t start = now_ns();
    for (std::uint64_t i = 0; i < kBatch; ++i) {
      put(ring, i);
      if (take(ring) != i) fail("a cell was lost or came twice");
    }
    sample = static_cast<double>(now_ns() - start) / kBatch;
  }
  print_result("ns", std::move(samples), kBatch);
}

}  // namespace dragon::bench
