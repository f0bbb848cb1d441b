// `remote NAME [--key value ...]`: channels of another node, over two agents and TCP on the
// loopback. Each node is a process that is the client, and one that is the agent.
//
// latency [--bytes N]: one way, blocking. rate: messages of --bytes a second, sent without waiting.
// stream [--bytes N] [--ahead N]: allocations from pool to pool, every byte read.
// floor: one way through the same four processes with a pipe, a connection and a futex.
// All take --rounds and --cpus A,B, which pin the two nodes.

#include <cstdio>
#include <string_view>

#include "measure.h"
#include "remote.h"

namespace {

struct Measurement {
  std::string_view name;
  void (*measure)(const dragon::bench::Options&);
};

constexpr Measurement kMeasurements[] = {
    {"latency", dragon::bench::measure_remote_latency},
    {"rate", dragon::bench::measure_remote_rate},
    {"stream", dragon::bench::measure_remote_stream},
    {"floor", dragon::bench::remote_floor},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Measurement& each : kMeasurements) {
    if (each.name != name) continue;
    each.measure(dragon::bench::Options(argc, argv, 2));
    return 0;
  }
  std::fprintf(stderr, "usage: remote latency|rate|stream|floor [--key value ...]\n");
  return 2;
}
