// Channels between actors: blocking, fairness to all, order, under the sanitizers.
#include <atomic>
#include <map>

#include "channel/channel_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

ChannelOptions capacity_of(uint32_t capacity) {
  ChannelOptions options;
  options.capacity = capacity;
  return options;
}

}  // namespace

TEST_CASE_FIXTURE(
    NodeFixture,
    "many senders and receivers: all arrive once, in each sender's order [CH-006] [CH-007]") {
  constexpr int kSenders = 3;
  constexpr int kReceivers = 2;
  constexpr int kMessages = 600;
  const auto channel = make_channel(pool, capacity_of(5));
  std::vector<std::thread> threads;
  std::atomic<int> left{kSenders * kMessages};
  std::atomic<int> disorder{0};
  for (int sender = 0; sender < kSenders; ++sender) {
    threads.push_back(actor_thread(*this, *channel, [sender](Channel& mine) {
      for (int i = 0; i < kMessages; ++i) {
        const std::string padding(i % 10 == 0 ? 300 : 0, ' ');  // some by descriptor
        const std::string text = std::to_string(sender) + " " + std::to_string(i) + padding;
        check_ok(send(mine, text, Deadline::never()));
      }
    }));
  }
  for (int receiver = 0; receiver < kReceivers; ++receiver) {
    threads.push_back(actor_thread(*this, *channel, [&](Channel& mine) {
      std::map<int, int> last;
      while (left.fetch_sub(1) > 0) {
        const Received message = receive(mine, Deadline::never());
        check_ok(message.status);
        const int sender = message.text[0] - '0';
        const int number = std::atoi(message.text.c_str() + 2);
        if (last.count(sender) != 0 && last[sender] >= number) ++disorder;
        last[sender] = number;
      }
    }));
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(disorder == 0);
  CHECK(channel->message_count() == 0);
  CHECK(channel->audit() == "");
}

TEST_CASE_FIXTURE(NodeFixture, "a blocked receiver and a blocked sender are woken [CH-008]") {
  const auto channel = make_channel(pool, capacity_of(1));
  std::thread receiver = actor_thread(*this, *channel, [](Channel& mine) {
    CHECK(receive(mine, Deadline::after_ms(20'000)).text == "first");
  });
  wait_for_waiter(channel->place(PollEvent::kIn));
  check_ok(try_send(*channel, "first"));
  receiver.join();
  check_ok(try_send(*channel, "second"));
  std::thread sender = actor_thread(*this, *channel, [](Channel& mine) {
    check_ok(send(mine, "third", Deadline::after_ms(20'000)));
  });
  wait_for_waiter(channel->place(PollEvent::kOut));
  CHECK(try_receive(*channel).text == "second");
  sender.join();
  CHECK(try_receive(*channel).text == "third");
}

TEST_CASE_FIXTURE(NodeFixture, "a sender that waits for memory is woken by a free [CH-015]") {
  const auto channel = make_channel(pool);
  const uint64_t all = allocate(63 << 20);
  std::thread sender = actor_thread(*this, *channel, [](Channel& mine) {
    check_ok(send(mine, std::string(2 << 20, 'x'), Deadline::after_ms(20'000)));
  });
  wait_for_waiter(pool->place());
  check_ok(pool->free(all));
  sender.join();
  CHECK(try_receive(*channel).text.size() == 2 << 20);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a poll that waits takes nothing from a receiver that waits [CH-025]") {
  const auto channel = make_channel(pool);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.push_back(actor_thread(*this, *channel, [](Channel& mine) {
      check_ok(mine.poll(PollEvent::kIn, Deadline::after_ms(20'000)));
    }));
  }
  wait_for_waiter(channel->poll_place(PollEvent::kIn));
  threads.push_back(actor_thread(*this, *channel, [](Channel& mine) {
    CHECK(receive(mine, Deadline::after_ms(20'000)).text == "first");
  }));
  wait_for_waiter(channel->place(PollEvent::kIn));
  check_ok(try_send(*channel, "first"));
  threads.back().join();
  check_ok(try_send(*channel, "second"));  // for a poll that came too late for the first
  for (std::thread& thread : threads) {
    if (thread.joinable()) thread.join();
  }
}

TEST_CASE_FIXTURE(NodeFixture, "polls for empty and full wait [CH-020]") {
  const auto channel = make_channel(pool, capacity_of(2));
  check_ok(try_send(*channel, "x"));
  std::thread empty = actor_thread(*this, *channel, [](Channel& mine) {
    check_ok(mine.poll(PollEvent::kEmpty, Deadline::after_ms(20'000)));
    check_ok(mine.poll(PollEvent::kFull, Deadline::after_ms(20'000)));
  });
  wait_for_waiter(channel->poll_place(PollEvent::kEmpty));
  CHECK(try_receive(*channel).text == "x");
  wait_for_waiter(channel->poll_place(PollEvent::kFull));
  for (int i = 0; i < 2; ++i) check_ok(try_send(*channel, "x"));
  empty.join();
}

TEST_CASE_FIXTURE(NodeFixture, "a peek beside receivers shows whole messages only [CH-017]") {
  const auto channel = make_channel(pool, capacity_of(4));
  std::atomic<bool> done{false};
  std::thread peeker = actor_thread(*this, *channel, [&](Channel& mine) {
    std::vector<uint8_t> buffer(1'000);
    ReceivedMessage message;
    while (!done) {
      const Status status = mine.try_peek(buffer.data(), buffer.size(), message);
      if (status == DRAGON_EMPTY) continue;
      check_ok(status);
      for (uint64_t i = 0; i < message.bytes; ++i) REQUIRE(buffer[i] == buffer[0]);
    }
  });
  for (int i = 0; i < 2'000; ++i) {
    const size_t bytes = i % 2 == 0 ? 150 : 900;
    check_ok(try_send(*channel, std::string(bytes, static_cast<char>(i))));
    if (i % 2 == 1) check_ok(try_receive(*channel).status);
    if (channel->message_count() == 4) channel->drain();
  }
  done = true;
  peeker.join();
}

namespace {

// Opens, sends, receives and closes until the channel is destroyed, which may be at any moment.
void use_until_destroyed(const std::shared_ptr<Node>& node, const HandleBytes& handle, int number) {
  std::unique_ptr<Channel> mine;
  RecordId record = 0;
  Status status = Channel::attach(node, handle, kHandleBytes, false, record, mine);
  while (status != DRAGON_OBJECT_DESTROYED) {
    check_ok(status);
    status = mine->open_handle(Role::kSender, record);
    if (status != DRAGON_SUCCESS) continue;
    const Status sent = try_send(*mine, std::string(number * 150, 'x'));
    CHECK((sent == DRAGON_SUCCESS || is_not_yet(sent) || sent == DRAGON_OBJECT_DESTROYED));
    const Status got = try_receive(*mine).status;
    CHECK((got == DRAGON_SUCCESS || is_not_yet(got) || got == DRAGON_OBJECT_DESTROYED));
    mine->close_handle(record);
  }
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture,
                  "destroying what others attach, use and close is safe [CH-035] [CH-034]") {
  for (int round = 0; round < 5; ++round) {
    const auto channel = make_channel(pool, capacity_of(20));
    HandleBytes handle;
    channel->serialize(handle);
    std::vector<std::thread> threads;
    for (int number = 0; number < 3; ++number) {
      threads.emplace_back([&, number] {
        const auto other = attach_thread();
        use_until_destroyed(other, handle, number);
        leave(other);
      });
    }
    ::usleep(5'000 * round);
    check_ok(channel->destroy());
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(pool->stats().allocations == 0);
}
