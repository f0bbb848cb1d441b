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

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace dragon::bench {

void expect(Status status, const char* what) {
  if (status == DRAGON_SUCCESS) return;
  std::fprintf(stderr, "memory: %s: %s\n", what, dragon_status_name(status));
  std::exit(1);
}

PoolPair::PoolPair(uint64_t limit_bytes) {
  std::string dir = (std::filesystem::temp_directory_path() / "memory-XXXXXX").string();
  if (::mkdtemp(dir.data()) == nullptr) fail_errno("mkdtemp");
  expect(Node::create(dir, NodeOptions{}, node_), "create a node");
  expect(Node::attach_local(node_, NodeOptions{}, other_node_), "attach to the node");
  // Nobody attaches from outside, so the names are not needed any more.
  std::filesystem::remove_all(dir);
  PoolOptions options;
  options.limit_bytes = limit_bytes;
  expect(Pool::create(node_, options, mine), "create a pool");
  HandleBytes handle;
  mine->serialize(handle);
  expect(Pool::attach(other_node_, handle, sizeof handle, other), "attach to the pool");
}

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
