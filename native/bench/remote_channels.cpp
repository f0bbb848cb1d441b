// Two nodes with an agent each, and what goes between them.

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "agent/remote_channel.h"
#include "agent/shell/control.h"
#include "crowd.h"
#include "measure.h"
#include "node_room.h"
#include "remote.h"

namespace dragon::bench {

namespace {

using agent::Gateway;
using agent::RemoteChannel;

constexpr uint64_t kRun = 1;
constexpr uint64_t kHosts[] = {0x10, 0x11};

// An agent as a process: forked before this one has threads.
class AgentChild {
 public:
  explicit AgentChild(int cpu) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) fail_errno("socketpair");
    const int parent = ::getpid();
    if (::fork() == 0) {
      die_with_parent(parent);
      ::close(ends[0]);
      pin_to(cpu);
      agent::Control control(ends[1]);
      control.run();
      std::_Exit(0);
    }
    ::close(ends[1]);
    socket_ = ends[0];
  }
  void say(const std::string& line) const {
    const std::string whole = line + "\n";
    if (::send(socket_, whole.data(), whole.size(), 0) < 0) fail_errno("send");
  }
  std::string hear() const {
    std::string line;
    char byte = 0;
    while (::recv(socket_, &byte, 1, 0) == 1 && byte != '\n') line += byte;
    return line;
  }

 private:
  int socket_ = -1;
};

// Both nodes, of which this process and the one that it forks are the clients.
class TwoNodes {
 public:
  explicit TwoNodes(const PingPong& shape)
      : agents_{AgentChild(shape.first_cpu), AgentChild(shape.second_cpu)} {
    std::string addresses[2];
    for (int i = 0; i < 2; ++i) {
      NodeOptions options;
      options.host_id = kHosts[i];
      options.runtime_id = kRun;
      rooms_[i] = std::make_unique<NodeRoom>(options);
      agents_[i].say("key " + std::string(64, '1') + " 1");
      agents_[i].say("local " + std::to_string(i) + " 127.0.0.1:0 " + rooms_[i]->dir());
      const std::string line = agents_[i].hear();
      addresses[i] = line.substr(line.rfind(' ') + 1);
    }
    for (int i = 0; i < 2; ++i) {
      const int other = 1 - i;
      agents_[i].say("peer " + std::to_string(other) + (other == 0 ? " 10 " : " 11 ") +
                     addresses[other]);
      agents_[i].say("start");
      const std::string answer = agents_[i].hear();
      if (answer != "ready") fail(answer.c_str());
    }
  }
  NodeRoom& room(int i) { return *rooms_[i]; }
  std::unique_ptr<RemoteChannel> open(int node, const HandleBytes& handle) {
    if (gateway_ == nullptr) {
      expect(Gateway::attach(rooms_[node]->attach(), gateway_), "attach to the gateway");
    }
    std::unique_ptr<RemoteChannel> channel;
    uint32_t adopted = 0;
    expect(RemoteChannel::attach(gateway_, handle, sizeof handle, false, adopted, channel),
           "attach");
    return channel;
  }
  const std::shared_ptr<Gateway>& gateway() const { return gateway_; }

 private:
  AgentChild agents_[2];
  std::unique_ptr<NodeRoom> rooms_[2];
  std::shared_ptr<Gateway> gateway_;
};

constexpr uint32_t kCapacity = 1024;

// A channel of one node, its sender the other's client.
struct Way {
  explicit Way(TwoNodes& nodes, int home) : channel(nodes.room(home).make(kCapacity)) {
    channel->serialize(handle);
  }
  std::unique_ptr<Channel> channel;
  HandleBytes handle;
};

void receive(Channel& channel) {
  alignas(64) uint8_t buffer[kChannelBlockBytesMax];
  ReceivedMessage message;
  expect(channel.receive(buffer, Deadline::never(), message), "receive");
  Channel::release(message);
}

}  // namespace

void measure_remote_latency(const Options& options) {
  const PingPong shape = PingPong::from(options, 1000, 1);
  TwoNodes nodes(shape);
  Way out(nodes, 1);
  Way back(nodes, 0);
  const std::vector<uint8_t> bytes(static_cast<size_t>(options.number("bytes", 64)), 7);
  const iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  std::unique_ptr<RemoteChannel> to;
  std::unique_ptr<Channel> from;
  const auto send = [&](int node, const HandleBytes& handle) {
    if (to == nullptr) to = nodes.open(node, handle);
    expect(to->send(&part, 1, 0, Deadline::never(), ReturnMode::kWhenBuffered), "send");
  };
  run_ping_pong(
      shape,
      [&] {
        if (from == nullptr) from = nodes.room(0).open(back.handle);
        send(0, out.handle);
        receive(*from);
      },
      [&] {
        if (from == nullptr) from = nodes.room(1).open(out.handle);
        receive(*from);
        send(1, back.handle);
      });
}

void measure_remote_rate(const Options& options) {
  const PingPong shape = PingPong::from(options, 10, 1);
  const auto messages = options.number("messages", 50'000);
  TwoNodes nodes(shape);
  Way way(nodes, 1);
  const std::vector<uint8_t> bytes(static_cast<size_t>(options.number("bytes", 64)), 7);
  const long total = (shape.rounds + 1) * messages;
  if (start_echo_process() == 0) {
    pin_to(shape.first_cpu);
    const auto to = nodes.open(0, way.handle);
    const iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    for (long i = 0; i < total; ++i) {
      expect(to->send(&part, 1, static_cast<uint64_t>(i), Deadline::never(),
                      ReturnMode::kWhenBuffered),
             "send");
    }
    expect(to->settle(Deadline::never()), "settle");
    std::_Exit(0);
  }
  pin_to(shape.second_cpu);
  const auto from = nodes.room(1).open(way.handle);
  alignas(64) uint8_t buffer[kChannelBlockBytesMax];
  std::vector<double> samples;
  for (long round = 0; round <= shape.rounds; ++round) {
    const std::uint64_t began = now_ns();
    for (long i = 0; i < messages; ++i) {
      ReceivedMessage message;
      expect(from->receive(buffer, Deadline::never(), message), "receive");
      if (message.hints != static_cast<uint64_t>(round * messages + i)) fail("out of order");
    }
    const auto took = static_cast<double>(now_ns() - began);
    if (round > 0) samples.push_back(static_cast<double>(messages) * 1e9 / took);
  }
  print_result("1/s", std::move(samples), messages);
}

void measure_remote_stream(const Options& options) {
  const PingPong shape = PingPong::from(options, 20, 1);
  const auto bytes = static_cast<uint64_t>(options.number("bytes", 1 << 20));
  const auto ahead = static_cast<size_t>(options.number("ahead", 8));
  TwoNodes nodes(shape);
  Way way(nodes, 1);
  // They come in bursts: a sample is as many as are in flight.
  const auto batch = static_cast<long>(ahead);
  const long total = (shape.rounds + 1) * batch;
  if (start_echo_process() == 0) {
    pin_to(shape.first_cpu);
    const auto to = nodes.open(0, way.handle);
    to->set_sends_ahead(ahead);
    Pool& pool = *nodes.gateway()->pool();
    for (long i = 0; i < total; ++i) {
      Allocation memory;
      expect(pool.allocate(bytes, AllocationType::kData, Deadline::never(), memory), "allocate");
      std::memcpy(memory.data, &i, sizeof i);
      expect(to->send_allocation(pool, memory.id, 0, Deadline::never(), ReturnMode::kWhenBuffered),
             "send");
    }
    expect(to->settle(Deadline::never()), "settle");
    std::_Exit(0);
  }
  pin_to(shape.second_cpu);
  const auto from = nodes.room(1).open(way.handle);
  alignas(64) uint8_t buffer[kChannelBlockBytesMax];
  std::vector<double> samples;
  std::uint64_t sum = 0;
  std::uint64_t before = now_ns();
  for (long i = 0; i < total; ++i) {
    ReceivedMessage message;
    expect(from->receive(buffer, Deadline::never(), message), "receive");
    sum += sum_of(message.data, message.bytes);
    long number = 0;
    std::memcpy(&number, message.data, sizeof number);
    if (number != i || message.bytes != bytes) fail("another message was expected");
    Channel::release(message);
    if ((i + 1) % batch != 0) continue;
    const std::uint64_t now = now_ns();
    const auto moved = static_cast<double>(bytes) * static_cast<double>(batch);
    if (i >= batch) samples.push_back(moved * 1e9 / static_cast<double>(now - before));
    before = now;
  }
  if (sum == 1) fail("every byte was read");
  print_result("B/s", std::move(samples), batch);
}

}  // namespace dragon::bench
