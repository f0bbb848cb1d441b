// Which change of a channel, a lock or a counter wakes whom.
#include "channel/counter.h"
#include "channel/lock_object.h"
#include "channel/wake_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

ChannelOptions stream_of(uint32_t capacity) {
  ChannelOptions options;
  options.capacity = capacity;
  options.end_of_stream = true;
  return options;
}

constexpr PollEvent kWhileOpen[] = {PollEvent::kIn, PollEvent::kOut, PollEvent::kEmpty,
                                    PollEvent::kFull};

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a message wakes one receiver and every poll [CH-104] [CH-025]") {
  const auto channel = make_channel(pool, stream_of(2));
  const ArmedWait poll(*node, channel->poll_place(PollEvent::kIn));
  const ArmedWait other_poll(*node, channel->poll_place(PollEvent::kInOut));
  const ArmedWait receiver(*node, channel->place(PollEvent::kIn));
  const ArmedWait other_receiver(*node, channel->place(PollEvent::kIn));
  const ArmedWait full(*node, channel->poll_place(PollEvent::kFull));
  check_ok(try_send(*channel, std::string(500, 'x')));
  CHECK(poll.woken());
  CHECK(other_poll.woken());
  CHECK(receiver.woken());
  CHECK_FALSE(other_receiver.woken());
  CHECK_FALSE(full.woken());
  check_ok(try_send(*channel, "x"));
  CHECK(other_receiver.woken());
  CHECK(full.woken());
}

TEST_CASE_FIXTURE(NodeFixture, "each way to take a message makes room known [CH-104]") {
  const auto channel = make_channel(pool, stream_of(2));
  const auto all = [&] {
    for (const bool empties : {false, true}) {
      CAPTURE(empties);
      const ArmedWait sender(*node, channel->place(PollEvent::kOut));
      const ArmedWait other_sender(*node, channel->place(PollEvent::kOut));
      const ArmedWait poll(*node, channel->poll_place(PollEvent::kOut));
      const ArmedWait receipt(*node, channel->place(kLaneReceived));
      const ArmedWait empty(*node, channel->poll_place(PollEvent::kEmpty));
      if (empties) {
        check_ok(channel->try_pop());
      } else {
        ReceivedMessage message;
        check_ok(channel->try_receive_into(*pool, 0, message));
        Channel::release(message);
      }
      CHECK(sender.woken());
      CHECK_FALSE(other_sender.woken());
      CHECK(poll.woken());
      CHECK(receipt.woken());
      CHECK(empty.woken() == empties);
    }
  };
  for (const size_t bytes : {5, 500}) {
    for (int i = 0; i < 2; ++i) check_ok(try_send(*channel, std::string(bytes, 'x')));
    all();
  }
  for (int i = 0; i < 2; ++i) check_ok(try_send(*channel, "x"));
  CHECK(wakes_first(*node, channel->place(PollEvent::kOut), 2, [&] { channel->drain(); }));
  check_ok(try_send(*channel, "x"));
  CHECK(wakes_first(*node, channel->place(PollEvent::kOut), 1, [&] { try_receive(*channel); }));
  const std::string text = "x";
  const iovec part = part_of(text);
  CHECK(wakes_first(*node, channel->place(PollEvent::kOut), 1, [&] {
    CHECK(channel->send(&part, 1, 0, Deadline::once(), ReturnMode::kWhenReceived) ==
          DRAGON_WOULD_BLOCK);
  }));
}

TEST_CASE_FIXTURE(NodeFixture, "many messages wake as many at once [CH-104] [CH-059]") {
  const auto channel = make_channel(pool, stream_of(4));
  const std::string text = "x";
  const std::vector<iovec> messages(3, part_of(text));
  std::vector<uint8_t> buffer(3 * channel->block_bytes());
  ReceivedMessage got[3];
  size_t moved = 0;
  CHECK(wakes_first(*node, channel->place(PollEvent::kIn), 3,
                    [&] { check_ok(channel->try_send_many(messages.data(), 3, 0, moved)); }));
  CHECK(wakes_first(*node, channel->place(PollEvent::kOut), 3,
                    [&] { check_ok(channel->try_receive_many(buffer.data(), 3, got, moved)); }));
}

TEST_CASE_FIXTURE(NodeFixture, "the last close of an end wakes everybody [CH-104] [CH-033]") {
  const auto channel = make_channel(pool, stream_of(2));
  for (const Role role : {Role::kSender, Role::kReceiver}) {
    for (const PollEvent event : {PollEvent::kIn, PollEvent::kOut}) {
      RecordId end = 0;
      check_ok(channel->open_handle(role, end));
      CHECK(wakes_all(*node, channel->place(event), [&] { channel->close_handle(end); }));
      check_ok(channel->open_handle(role, end));
      CHECK(wakes_all(*node, channel->poll_place(event), [&] { channel->close_handle(end); }));
    }
  }
}

TEST_CASE_FIXTURE(NodeFixture, "destroy wakes everybody [CH-104] [CH-035]") {
  for (const PollEvent event : kWhileOpen) {
    const auto channel = make_channel(pool);
    CHECK(wakes_all(*node, channel->place(event), [&] { check_ok(channel->destroy()); }));
  }
  for (const PollEvent event : {PollEvent::kIn, PollEvent::kDestroyed}) {
    const auto channel = make_channel(pool);
    CHECK(wakes_all(*node, channel->poll_place(event), [&] { check_ok(channel->destroy()); }));
  }
}

TEST_CASE_FIXTURE(NodeFixture, "who waits for a receipt counts as a blocked sender [CH-058]") {
  const auto channel = make_channel(pool);
  const ArmedWait receipt(*node, channel->place(kLaneReceived));
  const ArmedWait sender(*node, channel->place(PollEvent::kOut));
  const ArmedWait receiver(*node, channel->place(PollEvent::kIn));
  const ArmedWait poll(*node, channel->poll_place(PollEvent::kIn));
  CHECK(channel->info().blocked_senders == 2);
  CHECK(channel->info().blocked_receivers == 1);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a release wakes the first, a counter everybody [SYN-126] [SYN-076]") {
  std::unique_ptr<LockObject> lock;
  check_ok(LockObject::create(pool, true, lock));
  check_ok(lock->try_acquire());
  CHECK(wakes_first(*node, lock->place(), 1, [&] { check_ok(lock->release()); }));
  CHECK(wakes_all(*node, lock->place(), [&] { check_ok(lock->destroy()); }));
  std::unique_ptr<Counter> counter;
  check_ok(Counter::create(pool, 0, counter));
  uint64_t value = 0;
  CHECK(wakes_all(*node, counter->place(), [&] { check_ok(counter->add(1, value)); }));
  CHECK(wakes_all(*node, counter->place(), [&] { check_ok(counter->destroy()); }));
}
