// `channels latency [--wait spin|block] [--bytes N] [--rounds N] [--cpus A,B]`: one way through
// a channel of the native core between two processes, half of a round trip.
//
// The broker is driven by a thread of this process until the partner has attached, as an event
// loop would drive it.

#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "channel/channel.h"
#include "channel/reclaim.h"
#include "measure.h"

namespace dragon::bench {

namespace {

constexpr int kPollMs = 20;
constexpr size_t kInlineBytesMax = 16384;

void expect(Status status, const char* what) {
  if (status == DRAGON_SUCCESS) return;
  std::fprintf(stderr, "channels: %s: %s\n", what, dragon_status_name(status));
  std::exit(1);
}

// One process's ends: it sends on one channel and receives from the other.
class Ends {
 public:
  Ends(std::unique_ptr<Channel> out, std::unique_ptr<Channel> in, bool spins)
      : out_(std::move(out)), in_(std::move(in)), spins_(spins) {}

  void send(const std::vector<uint8_t>& bytes) {
    const iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    expect(out_->send(&part, 1, 0, Deadline::never()), "send");
  }

  void receive() {
    ReceivedMessage message;
    Status status = DRAGON_EMPTY;
    if (spins_) {
      while ((status = in_->try_receive(buffer_, message)) == DRAGON_EMPTY) relax();
    } else {
      status = in_->receive(buffer_, Deadline::never(), message);
    }
    expect(status, "receive");
    if (message.allocation != 0) in_->pool().free(message.allocation);
  }

 private:
  std::unique_ptr<Channel> out_;
  std::unique_ptr<Channel> in_;
  bool spins_;
  uint8_t buffer_[kInlineBytesMax] = {};
};

void serve(Broker& broker, const std::atomic<bool>& ended) {
  while (!ended.load()) {
    pollfd descriptor{broker.fd(), POLLIN, 0};
    if (::poll(&descriptor, 1, kPollMs) > 0) broker.on_readable();
  }
}

std::unique_ptr<Channel> attach(const std::shared_ptr<Node>& node, const HandleBytes& handle) {
  std::unique_ptr<Channel> channel;
  RecordId adopted = 0;
  expect(Channel::attach(node, handle, sizeof handle, false, adopted, channel), "attach");
  return channel;
}

void measure(const Options& options, const std::string& dir) {
  const bool spins = options.text("wait", "block") == "spin";
  const std::vector<uint8_t> bytes(static_cast<size_t>(options.number("bytes", 64)), 7);
  std::shared_ptr<Node> node;
  std::shared_ptr<Pool> pool;
  std::unique_ptr<Channel> asks;
  std::unique_ptr<Channel> answers;
  expect(Node::create(dir, NodeOptions{}, node), "create a node");
  expect(Pool::create(node, PoolOptions{}, pool), "create a pool");
  expect(Channel::create(pool, ChannelOptions{}, asks), "create a channel");
  expect(Channel::create(pool, ChannelOptions{}, answers), "create a channel");
  HandleBytes ask_handle;
  HandleBytes answer_handle;
  asks->serialize(ask_handle);
  answers->serialize(answer_handle);

  std::atomic<bool> ended = false;
  std::thread broker([&] { serve(*node->broker(), ended); });
  Ends mine(std::move(asks), std::move(answers), spins);
  std::unique_ptr<Ends> partner;
  run_ping_pong(
      PingPong::from(options, 1000, spins ? 32 : 1),
      [&] {
        mine.send(bytes);
        mine.receive();
      },
      [&] {
        if (partner == nullptr) {
          std::shared_ptr<Node> here;
          expect(Node::attach(dir, NodeOptions{}, here), "attach to the node");
          partner =
              std::make_unique<Ends>(attach(here, answer_handle), attach(here, ask_handle), spins);
        }
        partner->receive();
        partner->send(bytes);
      });
  ended.store(true);
  broker.join();
}

}  // namespace

}  // namespace dragon::bench

int main(int argc, char** argv) {
  using namespace dragon::bench;
  if (argc < 2 || std::string_view(argv[1]) != "latency") {
    std::fprintf(stderr, "usage: channels latency [--key value ...]\n");
    return 2;
  }
  std::string dir = (std::filesystem::temp_directory_path() / "channels-XXXXXX").string();
  if (::mkdtemp(dir.data()) == nullptr) fail_errno("mkdtemp");
  measure(Options(argc, argv, 2), dir);
  std::filesystem::remove_all(dir);
  return 0;
}
