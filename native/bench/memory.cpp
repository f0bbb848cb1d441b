// `memory NAME [--key value ...]`: how long allocation from a pool takes; one line of JSON.
//
//   pair      allocate and free `--bytes`, one process; `--percent` of the pool is in use by blocks
//             of 64 B to 64 KiB
//   rate      such pairs a second of `--processes` 1 or 2 together
//   handover  allocated here, freed in another process: the time of one such pair
//   full      a pool `--percent` full (95) of blocks of `--bytes`, 0 for sizes from 64 B to 64 KiB:
//             any one of them is freed and another one allocated; `--limit` MiB; `--from malloc`
//             does the same with the allocator of the C library
//
// Options: --rounds samples, --cpus A,B, --seed.

#include "memory.h"

#include <cstdio>
#include <string_view>

namespace dragon::bench {

uint64_t allocate(Pool& pool, uint64_t bytes) {
  Allocation out;
  expect(pool.try_allocate(bytes, AllocationType::kData, out), "allocate");
  return out.id;
}

}  // namespace dragon::bench

namespace {

struct Measurement {
  std::string_view name;
  void (*measure)(const dragon::bench::Options&);
};

constexpr Measurement kMeasurements[] = {
    {"pair", dragon::bench::measure_pair},
    {"rate", dragon::bench::measure_rate},
    {"handover", dragon::bench::measure_handover},
    {"full", dragon::bench::measure_full},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Measurement& each : kMeasurements) {
    if (each.name != name) continue;
    each.measure(dragon::bench::Options(argc, argv, 2));
    return 0;
  }
  std::fprintf(stderr, "usage: memory pair|rate|handover|full [--key value ...]\n");
  return 2;
}
