// How many messages go through a channel.

#include <sys/uio.h>

#include <memory>
#include <vector>

#include "channels.h"
#include "crowd.h"
#include "measure.h"
#include "node_room.h"

namespace dragon::bench {

namespace {

constexpr uint32_t kCapacity = 1024;  // as the ring of the floor

struct End {
  std::shared_ptr<Channel> channel;
  std::vector<uint8_t> bytes;

  void send() {
    const iovec part{bytes.data(), bytes.size()};
    Patience patience;
    Status status = DRAGON_FULL;
    while (is_not_yet(status = channel->try_send(&part, 1, 0))) patience.wait();
    expect(status, "send");
  }

  void receive(ReceivedMessage& message) {
    Patience patience;
    Status status = DRAGON_EMPTY;
    while (is_not_yet(status = channel->try_receive(bytes.data(), message))) patience.wait();
    expect(status, "receive");
  }
};

}  // namespace

void measure_rate(const Options& options) {
  const auto bytes = static_cast<uint32_t>(options.number("bytes", 64));
  NodeRoom room;
  std::unique_ptr<Channel> channel = room.make(kCapacity, bytes);
  HandleBytes handle;
  channel->serialize(handle);
  run_crowd(CrowdShape::from(options), [&](bool produces) -> std::function<void()> {
    const auto end = std::make_shared<End>(End{room.open(handle), {}});
    end->bytes.assign(bytes, 7);
    if (produces) return [end] { end->send(); };
    return [end] {
      ReceivedMessage message;
      end->receive(message);
      if (message.bytes != end->bytes.size()) fail("a message of another length");
    };
  });
}

// As the floor does: the rate of each message as the receiver sees it.
void measure_copy(const Options& options) {
  const auto bytes = static_cast<size_t>(options.number("bytes", 1 << 20));
  const auto capacity = static_cast<uint32_t>(options.number("capacity", 4));
  const long rounds = std::max(1L, options.number("rounds", 300));
  const long warm_up = rounds / 10 + 1;
  const auto [first_cpu, second_cpu] = options.cpus();
  NodeRoom room;
  End mine{room.make(capacity), {}};
  HandleBytes handle;
  mine.channel->serialize(handle);
  const int child = start_echo_process();
  if (child == 0) {
    pin_to(second_cpu);
    End end{room.open(handle), std::vector<uint8_t>(bytes, 7)};
    for (long i = 0; i < rounds + warm_up; ++i) end.send();
    std::_Exit(0);
  }
  pin_to(first_cpu);
  mine.bytes.resize(kChannelBlockBytesMax);
  std::uint64_t sum = 0;
  const auto read_message = [&] {
    ReceivedMessage message;
    mine.receive(message);
    sum += sum_of(message.data, message.bytes);
    if (message.allocation != 0) expect(mine.channel->pool().free(message.allocation), "free");
  };
  for (long i = 0; i < warm_up; ++i) read_message();
  std::vector<double> samples(static_cast<size_t>(rounds));
  for (double& sample : samples) {
    const std::uint64_t start = now_ns();
    read_message();
    sample = static_cast<double>(bytes) * 1e9 / static_cast<double>(now_ns() - start);
  }
  expect_success(child);
  if (sum == 0) fail("nothing was read");
  print_result("B/s", std::move(samples));
}

}  // namespace dragon::bench
