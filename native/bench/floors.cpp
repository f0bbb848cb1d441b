// `floors NAME [--key value ...] [-- COMMAND]`: measures one floor and prints one line of JSON.
//
// Options: --rounds samples, --warm-up, --batch operations a sample, --cpus A,B pins the
// measuring process to A and its partner to B, --bytes for memcpy.

#include "floors.h"

#include <cstdio>
#include <string_view>

#include "measure.h"

namespace {

struct Floor {
  std::string_view name;
  void (*measure)(const dragon::bench::Options&);
};

constexpr Floor kFloors[] = {
    {"shm-spin", dragon::bench::spin_floor},
    {"futex", dragon::bench::futex_floor},
    {"eventfd", dragon::bench::eventfd_floor},
    {"pipe", dragon::bench::pipe_floor},
    {"spawn", dragon::bench::spawn_floor},
    {"memcpy", dragon::bench::memcpy_floor},
    {"ring", dragon::bench::ring_floor},
    {"stream", dragon::bench::stream_floor},
    {"ring-pair", dragon::bench::ring_pair_floor},
    {"mutex", dragon::bench::mutex_floor},
    {"socket", dragon::bench::socket_floor},
    {"tcp", dragon::bench::tcp_floor},
    {"tcp-stream", dragon::bench::tcp_stream_floor},
    {"mq", dragon::bench::message_queue_floor},
    {"atomic-pair", dragon::bench::atomic_pair_floor},
    {"malloc", dragon::bench::malloc_floor},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Floor& floor : kFloors) {
    if (floor.name != name) continue;
    floor.measure(dragon::bench::Options(argc, argv, 2));
    return 0;
  }
  std::fprintf(stderr, "usage: floors NAME [--key value ...] [-- COMMAND]; names:");
  for (const Floor& floor : kFloors) {
    std::fprintf(stderr, " %.*s", static_cast<int>(floor.name.size()), floor.name.data());
  }
  std::fprintf(stderr, "\n");
  return 2;
}
