#include "event/broadcast.h"

#include <cstring>

#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::unique_ptr<Broadcast> make_broadcast(const std::shared_ptr<Pool>& pool,
                                          const BroadcastOptions& options = {}) {
  std::unique_ptr<Broadcast> broadcast;
  check_ok(Broadcast::create(pool, options, broadcast));
  return broadcast;
}

uint64_t publish(Broadcast& broadcast, const std::string& text) {
  uint64_t round = 0;
  uint32_t woken = 0;
  const auto* data = reinterpret_cast<const uint8_t*>(text.data());
  check_ok(broadcast.publish(data, text.size(), Deadline::after_ms(20'000), round, woken));
  return round;
}

std::string read(Broadcast& broadcast, uint64_t from, BroadcastRound& round) {
  uint8_t buffer[kBroadcastPayloadMax];
  check_ok(broadcast.try_read(from, buffer, round));
  return {reinterpret_cast<const char*>(buffer), round.bytes};
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a round's payload goes to everybody who waits [EVT-050]") {
  BroadcastOptions options;
  options.payload_bytes = kBroadcastPayloadMax;
  const auto broadcast = make_broadcast(pool, options);
  const std::string text(kBroadcastPayloadMax, 'x');
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(object_thread(*this, *broadcast, [&](Broadcast& mine) {
      uint8_t buffer[kBroadcastPayloadMax];
      BroadcastRound round;
      check_ok(mine.wait(Deadline::after_ms(20'000), buffer, round));
      CHECK(round.round == 1);
      CHECK(round.missed == 0);
      CHECK(round.bytes == text.size());
      CHECK(std::memcmp(buffer, text.data(), text.size()) == 0);
    }));
  }
  wait_for_waiters(*node, broadcast->place(), 3);
  uint64_t round = 0;
  uint32_t woken = 0;
  const auto* data = reinterpret_cast<const uint8_t*>(text.data());
  check_ok(broadcast->try_publish(data, text.size(), round, woken));
  CHECK(round == 1);
  CHECK(woken == 3);
  for (std::thread& thread : threads) thread.join();
  CHECK(broadcast->try_publish(data, text.size() + 1, round, woken) == DRAGON_TOO_LARGE);
  std::unique_ptr<Broadcast> none;
  options.payload_bytes = kBroadcastPayloadMax + 1;
  CHECK(Broadcast::create(pool, options, none) == DRAGON_INVALID_ARGUMENT);
  options.payload_bytes = 1;
  options.rounds = 0;
  CHECK(Broadcast::create(pool, options, none) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(NodeFixture, "who comes late waits for the next round [EVT-003] [EVT-051]") {
  const auto broadcast = make_broadcast(pool);
  CHECK(publish(*broadcast, "one") == 1);
  uint8_t buffer[256];
  BroadcastRound round;
  CHECK(broadcast->wait(Deadline::once(), buffer, round) == DRAGON_WOULD_BLOCK);
  CHECK(broadcast->wait(Deadline::after_ms(5), buffer, round) == DRAGON_TIMEOUT);
  std::thread waiter = object_thread(*this, *broadcast, [](Broadcast& mine) {
    uint8_t its[256];
    BroadcastRound its_round;
    check_ok(mine.wait(Deadline::after_ms(20'000), its, its_round));
    CHECK(its_round.round == 2);
    CHECK(std::memcmp(its, "two", 3) == 0);
  });
  wait_for_waiters(*node, broadcast->place(), 1);
  CHECK(publish(*broadcast, "two") == 2);
  waiter.join();
}

TEST_CASE_FIXTURE(NodeFixture, "the last rounds stay readable for who is slow [EVT-052]") {
  BroadcastOptions options;
  options.rounds = 4;
  const auto broadcast = make_broadcast(pool, options);
  for (int i = 1; i <= 40; ++i) {
    publish(*broadcast, std::to_string(i));
    for (int back = 0; back < std::min(i, 4); ++back) {
      BroadcastRound round;
      CHECK(read(*broadcast, i - back, round) == std::to_string(i - back));
      CHECK(round.missed == 0);
    }
  }
  BroadcastRound round;
  const std::string oldest = read(*broadcast, 1, round);
  CHECK(oldest == std::to_string(round.round));
  CHECK(round.round <= 37);
  CHECK(round.missed == round.round - 1);
  uint8_t buffer[256];
  CHECK(broadcast->try_read(41, buffer, round) == DRAGON_WOULD_BLOCK);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "writers that contend give every round one whole payload [EVT-053]") {
  BroadcastOptions options;
  options.payload_bytes = 512;
  options.rounds = 2;
  const auto broadcast = make_broadcast(pool, options);
  constexpr int kRounds = 200;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.push_back(object_thread(*this, *broadcast, [writer](Broadcast& mine) {
      uint64_t last = 0;
      for (int i = 0; i < kRounds; ++i) {
        const uint64_t round = publish(mine, std::string(i * 2 + writer, char('a' + i % 26)));
        CHECK(round > last);
        last = round;
      }
    }));
  }
  threads.push_back(object_thread(*this, *broadcast, [](Broadcast& mine) {
    uint64_t next = 1;
    while (next <= 2 * kRounds) {
      uint8_t buffer[512];
      BroadcastRound round;
      const Status status = mine.try_read(next, buffer, round);
      if (status == DRAGON_WOULD_BLOCK) {
        ::usleep(50);
        continue;
      }
      check_ok(status);
      CHECK(round.round >= next);
      const char expected = char('a' + round.bytes / 2 % 26);
      for (uint64_t at = 0; at < round.bytes; ++at) CHECK(buffer[at] == uint8_t(expected));
      next = round.round + 1;
    }
  }));
  for (std::thread& thread : threads) thread.join();
  CHECK(broadcast->round() == 2 * kRounds);
}

TEST_CASE_FIXTURE(NodeFixture, "before the first round there is nothing to read [EVT-051]") {
  const auto broadcast = make_broadcast(pool);
  uint8_t buffer[kBroadcastPayloadMax];
  BroadcastRound round;
  CHECK(broadcast->try_read(0, buffer, round) == DRAGON_WOULD_BLOCK);
  CHECK(broadcast->try_read(1, buffer, round) == DRAGON_WOULD_BLOCK);
  publish(*broadcast, "first");
  CHECK(read(*broadcast, 0, round) == "first");
  CHECK(round.missed == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "destroying a broadcast ends every wait on it [EVT-002]") {
  const auto broadcast = make_broadcast(pool);
  std::thread waiter = object_thread(*this, *broadcast, [](Broadcast& mine) {
    uint8_t buffer[256];
    BroadcastRound round;
    CHECK(mine.wait(Deadline::after_ms(20'000), buffer, round) == DRAGON_OBJECT_DESTROYED);
  });
  wait_for_waiters(*node, broadcast->place(), 1);
  check_ok(broadcast->destroy());
  waiter.join();
}
