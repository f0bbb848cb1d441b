// When a send is back, what else can be done with messages, and what can be read.
#include "channel/channel_fixture.h"
#include "channel/channel_handles.h"

using namespace dragon;
using namespace dragon::test;

namespace {

ChannelOptions capacity_of(uint32_t capacity) {
  ChannelOptions options;
  options.capacity = capacity;
  return options;
}

Status send_as(Channel& channel, const std::string& text, ReturnMode mode, Deadline deadline) {
  const iovec part = part_of(text);
  return channel.send(&part, 1, 0, deadline, mode);
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a send that is back has put its message in [CH-022]") {
  const auto channel = make_channel(pool);
  uint64_t sent = 0;
  for (const ReturnMode mode :
       {ReturnMode::kImmediately, ReturnMode::kWhenBuffered, ReturnMode::kWhenDeposited}) {
    std::string text = "first";
    check_ok(send_as(*channel, text, mode, Deadline::once()));
    CHECK(channel->message_count() == ++sent);
    text = "other";
  }
  for (; sent > 0; --sent) CHECK(try_receive(*channel).text == "first");
}

TEST_CASE_FIXTURE(NodeFixture, "a send that waits for its receipt is back after it [CH-050]") {
  for (const size_t bytes : {5, 500}) {
    const auto channel = make_channel(pool);
    std::thread sender = actor_thread(*this, *channel, [bytes](Channel& mine) {
      for (int i = 0; i < 3; ++i) {
        check_ok(send_as(mine, std::string(bytes, 'x'), ReturnMode::kWhenReceived,
                         Deadline::after_ms(20'000)));
      }
    });
    const auto wait = [&] {
      while (channel->info().blocked_senders == 0) ::usleep(500);
      CHECK(channel->message_count() == 1);
    };
    wait();
    CHECK(try_receive(*channel).text == std::string(bytes, 'x'));
    wait();
    check_ok(channel->try_pop());
    wait();
    CHECK(channel->drain() == 1);
    sender.join();
    CHECK(channel->audit() == "");
  }
}

TEST_CASE_FIXTURE(NodeFixture, "a send without a receipt takes its message back [CH-051]") {
  const auto channel = make_channel(pool, capacity_of(4));
  const ReturnMode mode = ReturnMode::kWhenReceived;
  for (const size_t bytes : {5, 500}) {
    const uint64_t before = pool->stats().allocations;
    const std::string text(bytes, 'x');
    CHECK(send_as(*channel, text, mode, Deadline::once()) == DRAGON_WOULD_BLOCK);
    CHECK(send_as(*channel, text, mode, Deadline::after_ms(5)) == DRAGON_TIMEOUT);
    CHECK(channel->message_count() == 0);
    CHECK(try_receive(*channel).status == DRAGON_EMPTY);
    CHECK(pool->stats().allocations == before);
    // From the middle of the queue, too.
    check_ok(try_send(*channel, "before"));
    CHECK(send_as(*channel, text, mode, Deadline::once()) == DRAGON_WOULD_BLOCK);
    check_ok(try_send(*channel, "after"));
    CHECK(try_receive(*channel).text == "before");
    CHECK(try_receive(*channel).text == "after");
    CHECK(try_receive(*channel).status == DRAGON_EMPTY);
    CHECK(pool->stats().allocations == before);
  }
  const uint64_t payload = allocate(100);
  CHECK(channel->send_allocation(payload, 0, Deadline::after_ms(5), mode) == DRAGON_TIMEOUT);
  check_ok(channel->try_send_allocation(payload, 0));  // it is the sender's again
  CHECK(try_receive(*channel).text.size() == 100);
  CHECK(channel->audit() == "");
}

TEST_CASE_FIXTURE(NodeFixture, "sends in flight are known by their receipts [CH-050] [CH-051]") {
  const auto channel = make_channel(pool, capacity_of(40));
  for (int i = 0; i < 30; ++i) check_ok(try_send(*channel, "that it has its slots"));
  channel->drain();
  for (const size_t bytes : {5, 500}) {
    const uint64_t before = pool->stats().allocations;
    const std::string text(bytes, 'x');
    const iovec part = part_of(text);
    Channel::Receipt receipts[30];
    for (auto& receipt : receipts) check_ok(channel->try_send_noted(&part, 1, 0, receipt));
    for (int i = 0; i < 10; ++i) CHECK(try_receive(*channel).text == text);
    for (int i = 0; i < 30; ++i) {
      CHECK(channel->try_receipt(receipts[i]) == (i < 10 ? DRAGON_SUCCESS : DRAGON_WOULD_BLOCK));
    }
    for (int i = 0; i < 20; ++i) {
      CHECK(channel->take_back(receipts[i]) == (i < 10 ? DRAGON_STATE : DRAGON_SUCCESS));
      CHECK(channel->take_back(receipts[i]) == DRAGON_STATE);
    }
    for (int i = 0; i < 10; ++i) CHECK(try_receive(*channel).text == text);
    CHECK(try_receive(*channel).status == DRAGON_EMPTY);
    for (const auto& receipt : receipts) check_ok(channel->try_receipt(receipt));
    CHECK(pool->stats().allocations == before);
  }
  Channel::Receipt receipt;
  for (const bool read_only : {false, true}) {
    const uint64_t payload = allocate(100);
    check_ok(channel->try_send_allocation_noted(payload, 0, read_only, receipt));
    check_ok(channel->take_back(receipt));
    check_ok(channel->try_receipt(receipt));
    check_ok(pool->free(payload));  // it is the sender's again
  }
  CHECK(channel->audit() == "");
  const iovec part{nullptr, 0};
  check_ok(channel->try_send_noted(&part, 1, 0, receipt));
  check_ok(channel->destroy());
  CHECK(channel->try_receipt(receipt) == DRAGON_OBJECT_DESTROYED);
  CHECK(channel->take_back(receipt) == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "messages that are taken back beside receivers: all or none [CH-051]") {
  const auto channel = make_channel(pool, capacity_of(4));
  constexpr int kMessages = 400;
  std::atomic<int> sent{0};
  std::atomic<bool> done{false};
  std::thread sender = actor_thread(*this, *channel, [&](Channel& mine) {
    for (int i = 0; i < kMessages; ++i) {
      const std::string text(i % 2 == 0 ? 5 : 500, 'x');
      const Status status = send_as(mine, text, ReturnMode::kWhenReceived,
                                    Deadline::after_ns(uint64_t(i % 50) * 1'000 + 1));
      CHECK((status == DRAGON_SUCCESS || status == DRAGON_TIMEOUT));
      if (status == DRAGON_SUCCESS) ++sent;
    }
    done = true;
  });
  int received = 0;
  while (!done) received += try_receive(*channel).status == DRAGON_SUCCESS ? 1 : 0;
  sender.join();
  CHECK(received == sent);
  CHECK(try_receive(*channel).status == DRAGON_EMPTY);
  CHECK(channel->audit() == "");
}

TEST_CASE_FIXTURE(NodeFixture, "a channel that ends ends the wait for a receipt [CH-050]") {
  const auto channel = make_channel(pool);
  std::thread sender = actor_thread(*this, *channel, [](Channel& mine) {
    CHECK(send_as(mine, "x", ReturnMode::kWhenReceived, Deadline::after_ms(20'000)) ==
          DRAGON_OBJECT_DESTROYED);
  });
  while (channel->info().blocked_senders == 0) ::usleep(500);
  check_ok(channel->destroy());
  sender.join();
}

TEST_CASE_FIXTURE(NodeFixture, "a pop and a reset free messages and payloads [CH-056] [CH-057]") {
  ChannelOptions options = capacity_of(4);
  options.end_of_stream = true;
  const auto channel = make_channel(pool, options);
  const uint64_t before = pool->stats().used_bytes;
  CHECK(channel->try_pop() == DRAGON_EMPTY);
  for (int i = 0; i < 4; ++i) check_ok(try_send(*channel, std::string(1 + i * 400, 'x')));
  check_ok(channel->try_pop());
  check_ok(channel->try_pop());
  CHECK(channel->message_count() == 2);
  for (int i = 0; i < 2; ++i) check_ok(try_send(*channel, "x"));
  std::thread sender = actor_thread(*this, *channel, [](Channel& mine) {
    check_ok(send(mine, "after", Deadline::after_ms(20'000)));
  });
  wait_for_waiter(channel->place(PollEvent::kOut));
  check_ok(channel->reset());
  sender.join();
  CHECK(try_receive(*channel).text == "after");
  CHECK(pool->stats().used_bytes == before);
  RecordId record = 0;
  check_ok(channel->open_handle(Role::kSender, record));
  channel->close_handle(record);
  CHECK(channel->try_pop() == DRAGON_EOF);
}

TEST_CASE_FIXTURE(NodeFixture, "what a channel is and who waits for it can be read [CH-058]") {
  ChannelOptions options = capacity_of(2);
  options.end_of_stream = true;
  options.block_bytes = 100;
  const auto channel = make_channel(pool, options);
  RecordId record = 0;
  check_ok(channel->open_handle(Role::kSender, record));
  check_ok(channel->open_handle(Role::kReceiver, record));
  std::thread receiver = actor_thread(*this, *channel, [](Channel& mine) {
    CHECK(receive(mine, Deadline::after_ms(20'000)).status == DRAGON_SUCCESS);
  });
  while (channel->info().blocked_receivers == 0) ::usleep(500);
  check_ok(try_send(*channel, "x"));
  receiver.join();
  for (int i = 0; i < 2; ++i) check_ok(try_send(*channel, "x"));
  std::thread sender = actor_thread(*this, *channel, [](Channel& mine) {
    check_ok(send(mine, "x", Deadline::after_ms(20'000)));
  });
  while (channel->info().blocked_senders == 0) ::usleep(500);
  const ChannelInfo info = channel->info();
  CHECK(info.capacity == 2);
  CHECK(info.block_bytes == 128);
  CHECK(info.end_of_stream);
  CHECK_FALSE(info.remote);
  CHECK(info.messages == 2);
  CHECK(info.free == 0);
  CHECK(info.senders == 1);
  CHECK(info.receivers == 1);
  CHECK(info.holders == 2);
  CHECK(info.blocked_receivers == 0);
  check_ok(try_receive(*channel).status);
  sender.join();
  CHECK(channel->info().blocked_senders == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "many messages go in and out in one call [CH-059]") {
  const auto channel = make_channel(pool, capacity_of(20));
  std::vector<std::string> texts;
  std::vector<iovec> messages;
  for (int i = 0; i < 30; ++i) texts.push_back(std::to_string(i) + std::string(i * 20, '.'));
  for (const std::string& text : texts) messages.push_back(part_of(text));
  size_t moved = 0;
  CHECK(channel->try_send_many(messages.data(), 30, 7, moved) == DRAGON_FULL);
  CHECK(moved == 20);
  std::vector<uint8_t> buffer(30 * channel->block_bytes());
  std::vector<ReceivedMessage> got(30);
  check_ok(channel->try_receive_many(buffer.data(), 5, got.data(), moved));
  CHECK(moved == 5);
  CHECK(channel->try_receive_many(buffer.data(), 30, got.data(), moved) == DRAGON_EMPTY);
  CHECK(moved == 15);
  for (size_t i = 0; i < moved; ++i) {
    const auto* text = reinterpret_cast<const char*>(got[i].data);
    CHECK(std::string(text, got[i].bytes) == texts[i + 5]);
    CHECK(got[i].hints == 7);
    Channel::release(got[i]);
  }
  CHECK(channel->try_receive_many(buffer.data(), 30, got.data(), moved) == DRAGON_EMPTY);
  CHECK(moved == 0);
  CHECK(pool->stats().allocations <= 4);
}

TEST_CASE_FIXTURE(NodeFixture, "many messages wait for room with one deadline [CH-059]") {
  const auto channel = make_channel(pool, capacity_of(3));
  const std::string text = "x";
  const std::vector<iovec> messages(10, part_of(text));
  size_t sent = 0;
  CHECK(channel->send_many(messages.data(), 5, 0, Deadline::once(), sent) == DRAGON_FULL);
  CHECK(sent == 3);
  CHECK(channel->send_many(messages.data(), 5, 0, Deadline::after_ms(5), sent) == DRAGON_TIMEOUT);
  CHECK(sent == 0);
  std::thread receiver = actor_thread(*this, *channel, [](Channel& mine) {
    for (int i = 0; i < 13; ++i) check_ok(receive(mine, Deadline::after_ms(20'000)).status);
  });
  check_ok(channel->send_many(messages.data(), 10, 0, Deadline::after_ms(20'000), sent));
  CHECK(sent == 10);
  receiver.join();
  check_ok(channel->send_many(messages.data(), 0, 0, Deadline::never(), sent));
  CHECK(sent == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "many messages wake as many who wait [CH-059]") {
  const auto channel = make_channel(pool, capacity_of(4));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(actor_thread(*this, *channel, [](Channel& mine) {
      check_ok(receive(mine, Deadline::after_ms(20'000)).status);
    }));
  }
  while (channel->info().blocked_receivers < 3) ::usleep(500);
  const std::string text = "x";
  const std::vector<iovec> messages(4, part_of(text));
  size_t moved = 0;
  const uint64_t before = now_ns();
  check_ok(channel->try_send_many(messages.data(), 3, 0, moved));
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  check_ok(channel->try_send_many(messages.data(), 4, 0, moved));
  for (int i = 0; i < 3; ++i) {
    threads.push_back(actor_thread(
        *this, *channel, [](Channel& mine) { check_ok(send(mine, "y", Deadline::never())); }));
  }
  while (channel->info().blocked_senders < 3) ::usleep(500);
  std::vector<uint8_t> buffer(4 * channel->block_bytes());
  ReceivedMessage got[4];
  check_ok(channel->try_receive_many(buffer.data(), 4, got, moved));
  for (std::thread& thread : threads) thread.join();
  CHECK(now_ns() - before < 5'000'000'000);
  CHECK(channel->message_count() == 3);
}

TEST_CASE_FIXTURE(NodeFixture, "who polls for the end is told [CH-060]") {
  const auto channel = make_channel(pool);
  CHECK(channel->try_poll(PollEvent::kDestroyed) == DRAGON_WOULD_BLOCK);
  std::thread poller = actor_thread(*this, *channel, [](Channel& mine) {
    check_ok(mine.poll(PollEvent::kDestroyed, Deadline::after_ms(20'000)));
    CHECK(mine.try_poll(PollEvent::kIn) == DRAGON_OBJECT_DESTROYED);
  });
  wait_for_waiter(channel->poll_place(PollEvent::kDestroyed));
  check_ok(try_send(*channel, "not the end"));
  check_ok(channel->destroy());
  poller.join();
  check_ok(channel->try_poll(PollEvent::kDestroyed));
}

TEST_CASE_FIXTURE(NodeFixture, "an attachment can masquerade as remote [CH-061]") {
  const auto channel = make_channel(pool);
  HandleBytes handle;
  channel->serialize(handle);
  channel->masquerade_as_remote(true);
  CHECK(channel->info().remote);
  check_ok(try_send(*channel, "x"));
  uint8_t buffer[192];
  ReceivedMessage message;
  CHECK(channel->try_peek(buffer, sizeof(buffer), message) == DRAGON_NOT_SUPPORTED);
  CHECK(channel->try_pop() == DRAGON_NOT_SUPPORTED);
  CHECK(channel->reset() == DRAGON_NOT_SUPPORTED);
  CHECK(channel->destroy() == DRAGON_NOT_SUPPORTED);
  const auto other = attach_channel(node, handle);
  CHECK_FALSE(other->remote());
  check_ok(other->try_peek(buffer, sizeof(buffer), message));
  CHECK(try_receive(*channel).text == "x");
}

TEST_CASE_FIXTURE(NodeFixture, "handles are opened and closed [CH-062]") {
  const auto channel = make_channel(pool);
  SendHandle sender(*channel);
  ReceiveHandle receiver(*channel);
  const std::string text = "x";
  const iovec part = part_of(text);
  uint8_t buffer[192];
  ReceivedMessage message;
  CHECK(sender.options().mode == ReturnMode::kWhenBuffered);
  for (int round = 0; round < 2; ++round) {
    CHECK(sender.send(&part, 1, 0) == DRAGON_CLOSED);
    CHECK(sender.send_allocation(1, 0, false, Deadline::once()) == DRAGON_CLOSED);
    CHECK(receiver.receive(buffer, message) == DRAGON_CLOSED);
    CHECK(sender.close() == DRAGON_CLOSED);
    check_ok(sender.open());
    check_ok(receiver.open());
    CHECK(sender.open() == DRAGON_STATE);
    CHECK(channel->senders() == 1);
    CHECK(channel->receivers() == 1);
    check_ok(sender.send(&part, 1, 0));
    check_ok(receiver.receive(buffer, message));
    check_ok(sender.close());
    check_ok(receiver.close());
    CHECK(channel->senders() == 0);
  }
}

TEST_CASE_FIXTURE(NodeFixture, "a handle has its own timeout, mode and way to wait [CH-063]") {
  const std::string text = "x";
  const iovec part = part_of(text);
  uint8_t buffer[192];
  ReceivedMessage message;
  for (const WaitMode wait : {WaitMode::kSpin, WaitMode::kIdle, WaitMode::kAdaptive}) {
    const auto channel = make_channel(pool, capacity_of(1));
    SendHandle receipts(*channel, {ReturnMode::kWhenReceived, 3'000'000, wait});
    SendHandle sender(*channel, {ReturnMode::kWhenBuffered, 3'000'000, wait});
    ReceiveHandle receiver(*channel, {3'000'000, wait});
    ReceiveHandle once(*channel, {0, wait});
    for (ChannelEnd* end : std::initializer_list<ChannelEnd*>{&receipts, &sender, &receiver, &once})
      check_ok(end->open());
    const uint64_t before = now_ns();
    CHECK(once.receive(buffer, message) == DRAGON_EMPTY);
    CHECK(receiver.receive(buffer, message) == DRAGON_TIMEOUT);
    CHECK(receipts.send(&part, 1, 0) == DRAGON_TIMEOUT);
    CHECK(now_ns() - before >= 6'000'000);
    check_ok(sender.send(&part, 1, 0));
    CHECK(sender.send(&part, 1, 0) == DRAGON_TIMEOUT);
    std::thread other = actor_thread(*this, *channel, [](Channel& mine) {
      ::usleep(3'000);
      check_ok(try_receive(mine).status);
    });
    check_ok(sender.send(&part, 1, 0, Deadline::after_ms(20'000)));
    other.join();
    check_ok(receiver.receive(buffer, message));
    other = actor_thread(*this, *channel, [](Channel& mine) {
      ::usleep(3'000);
      check_ok(try_send(mine, "y"));
    });
    check_ok(receiver.receive(buffer, Deadline::after_ms(20'000), message));
    other.join();
  }
}
