// `channels NAME [--key value ...]`: measures channels of the native core.
//
// latency [--wait spin|block] [--bytes N]: one way between two processes.
// large [--bytes N] [--allocate once|each]: the same, spinning, with an allocation that travels.
// rate [--producers N] [--consumers N] [--bytes N]: messages a second between processes.
// copy [--bytes N]: a message by copy, whose receiver reads every byte.
// create: create and destroy. idle: bytes of an idle channel.
// All take --rounds, and --cpus A,B to pin the two sides.

#include <cstdio>
#include <string_view>

#include "channels.h"
#include "measure.h"

namespace {

struct Measurement {
  std::string_view name;
  void (*measure)(const dragon::bench::Options&);
};

constexpr Measurement kMeasurements[] = {
    {"latency", dragon::bench::measure_latency}, {"large", dragon::bench::measure_large},
    {"rate", dragon::bench::measure_rate},       {"copy", dragon::bench::measure_copy},
    {"create", dragon::bench::measure_create},   {"idle", dragon::bench::measure_idle},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Measurement& each : kMeasurements) {
    if (each.name != name) continue;
    each.measure(dragon::bench::Options(argc, argv, 2));
    return 0;
  }
  std::fprintf(stderr, "usage: channels NAME [--key value ...]; names:");
  for (const Measurement& each : kMeasurements) {
    std::fprintf(stderr, " %.*s", static_cast<int>(each.name.size()), each.name.data());
  }
  std::fprintf(stderr, "\n");
  return 2;
}
