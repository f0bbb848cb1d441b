// The simulated network itself: seeds repeat, faults are what they say, and real time works, too.
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "fabric/links_fixture.h"
#include "sync/crc32c.h"

using namespace dragon;
using namespace dragon::fabric;
using namespace dragon::fabric::test;

namespace {

// All that node 1 hears of node 0, and when.
uint32_t history_of(uint64_t seed) {
  SimOptions options;
  options.seed = seed;
  options.is_reliable = false;
  options.loss = 0.2;
  options.duplicate = 0.2;
  SimNetwork network(options);
  const auto a = network.attach(0);
  const auto b = network.attach(1);
  a->connect(1);
  std::vector<uint64_t> history;
  uint64_t sequence = 0;
  while (sequence < 1'000) {
    network.advance(network.now_ns() + 50'000);
    FabricEvent event;
    while (a->next_event(event)) history.push_back(network.now_ns());
    while (b->next_event(event)) {
      history.push_back(network.now_ns());
      history.push_back(event.header.sequence);
    }
    PacketHeader header;
    header.kind = PacketKind::kVoid;
    header.sequence = ++sequence;
    uint8_t bytes[kPacketHeaderBytes];
    encode_packet_header(header, bytes);
    const OutPacket packet{bytes, sizeof(bytes), nullptr, 0};
    a->send(1, &packet, 1);
    if (sequence % 100 == 0) network.break_connection(0, 1);
    a->connect(1);
  }
  CHECK(history.size() > 500);
  return crc32c(history.data(), history.size() * sizeof(uint64_t));
}

}  // namespace

TEST_CASE("a seed gives the same packets at the same times, another one others [FAB-050]") {
  CHECK(history_of(1) == history_of(1));
  CHECK(history_of(1) != history_of(2));
}

TEST_CASE("bytes land only in a landing of their peer, and within it [FAB-012]") {
  SimNetwork network({});
  const auto a = network.attach(0);
  const auto b = network.attach(1);
  a->connect(1);
  const auto run = [&] {
    FabricEvent event;
    FabricEvent last;
    while (network.next_ns() != UINT64_MAX) {
      network.advance(network.next_ns());
      while (a->next_event(event)) {
      }
      while (b->next_event(event)) last = event;
    }
    return last;
  };
  run();
  uint8_t memory[32] = {};
  const uint8_t body[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  const auto lands = [&](uint64_t key, uint64_t offset) {
    PacketHeader header;
    header.kind = PacketKind::kBulk;
    header.sequence = 1;
    header.body_bytes = sizeof(body);
    header.key = key;
    header.offset = offset;
    uint8_t head[kPacketHeaderBytes];
    encode_packet_header(header, head);
    const OutPacket packet{head, sizeof(head), body, sizeof(body)};
    REQUIRE(a->send(1, &packet, 1) == DRAGON_SUCCESS);
    const FabricEvent event = run();
    CHECK(event.kind == FabricEvent::Kind::kBulk);
    return event.landed;
  };
  REQUIRE(b->post_landing(0, 5, memory, 16) == DRAGON_SUCCESS);
  CHECK(b->post_landing(0, 5, memory, 16) == DRAGON_EXISTS);
  REQUIRE(b->post_landing(2, 6, memory, 16) == DRAGON_SUCCESS);
  CHECK(lands(5, 8));
  CHECK_FALSE(lands(5, 9));
  CHECK_FALSE(lands(6, 0));
  CHECK_FALSE(lands(7, 0));
  b->drop_landing(5);
  CHECK_FALSE(lands(5, 0));
  for (size_t i = 0; i < sizeof(memory); ++i) CHECK(memory[i] == (i >= 8 && i < 16 ? 1 : 0));
}

TEST_CASE("memory that was not added is refused where that is checked [FAB-052]") {
  SimOptions options;
  options.checks_memory = true;
  SimNetwork network(options);
  const auto a = network.attach(0);
  uint8_t memory[64];
  CHECK(a->post_landing(1, 1, memory, 64) == DRAGON_INVALID_ARGUMENT);
  CHECK(a->add_memory(memory, 64) == DRAGON_SUCCESS);
  CHECK(a->post_landing(1, 1, memory, 64) == DRAGON_SUCCESS);
  CHECK(a->post_landing(1, 2, memory + 1, 64) == DRAGON_INVALID_ARGUMENT);
  a->remove_memory(memory);
  CHECK(a->post_landing(1, 3, memory, 64) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE("in real time nodes run in threads of their own [FAB-051]") {
  SimOptions options;
  options.is_real_time = true;
  options.is_reliable = false;
  options.loss = 0.01;
  SimNetwork network(options);
  constexpr uint64_t kFrames = 2'000;
  std::atomic<int> done{0};
  const auto work = [&](NodeIndex index) {
    const auto fabric = network.attach(index);
    const int bell = ::eventfd(1, EFD_CLOEXEC);
    REQUIRE(fabric->watch(bell, 9) == DRAGON_SUCCESS);
    Links links(*fabric, {});
    const NodeIndex peer = 1 - index;
    uint64_t sent = 0;
    uint64_t received = 0;
    uint64_t rings = 0;
    bool is_done = false;
    while (done.load() < 2) {
      const Piece piece{&sent, sizeof(sent)};
      while (sent < kFrames && links.send(peer, &piece, 1) == DRAGON_SUCCESS) ++sent;
      links.flush(network.now_ns());
      links.wait(network.now_ns(), network.now_ns() + kMs);
      LinkEvent event;
      while (links.next_event(network.now_ns(), event)) {
        if (event.kind == LinkEvent::Kind::kReadable) {
          ++rings;
          fabric->unwatch(bell);
        }
        if (event.kind != LinkEvent::Kind::kFrame) continue;
        uint64_t number = 0;
        ::memcpy(&number, event.bytes, sizeof(number));
        CHECK(number == received);
        ++received;
        links.consume(peer, event.cost);
      }
      if (is_done || received < kFrames || !links.is_idle(peer)) continue;
      is_done = true;
      ++done;
    }
    CHECK(rings == 1);
    ::close(bell);
  };
  std::thread first(work, 0);
  std::thread second(work, 1);
  first.join();
  second.join();
  CHECK(done.load() == 2);
}
