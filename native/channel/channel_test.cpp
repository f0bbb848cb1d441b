// Channels: what one actor sees.
#include "channel/channel.h"

#include <algorithm>
#include <deque>
#include <random>

#include "channel/channel_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

ChannelOptions capacity_of(uint32_t capacity, uint32_t block_bytes = 192) {
  ChannelOptions options;
  options.capacity = capacity;
  options.block_bytes = block_bytes;
  return options;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "messages come out in the order in which they went in [CH-001]") {
  const auto channel = make_channel(pool);
  for (int i = 0; i < 100; ++i) check_ok(try_send(*channel, std::to_string(i), 1000 + i));
  for (int i = 0; i < 100; ++i) {
    const Received message = try_receive(*channel);
    CHECK(message.text == std::to_string(i));
    CHECK(message.hints == 1000 + i);
  }
  CHECK(channel->audit() == "");
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a channel holds its capacity, then is FULL; then EMPTY [CH-002] [CH-003]") {
  for (const uint32_t capacity : {1, 3, 8, 9, 100, 1000}) {
    const auto channel = make_channel(pool, capacity_of(capacity));
    CHECK(channel->capacity() == capacity);
    CHECK(try_receive(*channel).status == DRAGON_EMPTY);
    for (uint32_t i = 0; i < capacity; ++i) check_ok(try_send(*channel, "x"));
    CHECK(channel->message_count() == capacity);
    CHECK(try_send(*channel, "x") == DRAGON_FULL);
    CHECK(try_send(*channel, std::string(5'000, 'x')) == DRAGON_FULL);
    CHECK(channel->audit() == "");
    for (uint32_t i = 0; i < capacity; ++i) check_ok(try_receive(*channel).status);
    CHECK(try_receive(*channel).status == DRAGON_EMPTY);
    CHECK(channel->message_count() == 0);
  }
}

TEST_CASE_FIXTURE(NodeFixture, "options out of range are INVALID_ARGUMENT [CH-004]") {
  std::unique_ptr<Channel> out;
  CHECK(Channel::create(pool, capacity_of(0), out) == DRAGON_INVALID_ARGUMENT);
  CHECK(Channel::create(pool, capacity_of((1 << 20) + 1), out) == DRAGON_INVALID_ARGUMENT);
  CHECK(Channel::create(pool, capacity_of(1, 16'385), out) == DRAGON_INVALID_ARGUMENT);
  const auto largest = make_channel(pool, capacity_of(1 << 20, 16'384));
  const auto smallest = make_channel(pool, capacity_of(1, 0));
  CHECK(smallest->block_bytes() == 0);
  check_ok(try_send(*smallest, "by descriptor"));
  CHECK(try_receive(*smallest).text == "by descriptor");
  CHECK(make_channel(pool, capacity_of(1, 1))->block_bytes() == 64);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "an idle channel takes at most 4 KiB whatever its capacity [CH-005]") {
  const uint64_t before = pool->stats().used_bytes;
  const auto channel = make_channel(pool, capacity_of(1 << 20));
  CHECK(pool->stats().used_bytes - before <= 4'096);
  for (int i = 0; i < 5'000; ++i) check_ok(try_send(*channel, "x"));
  for (int i = 0; i < 5'000; ++i) check_ok(try_receive(*channel).status);
  CHECK(channel->audit() == "");
}

TEST_CASE_FIXTURE(NodeFixture,
                  "payloads of every size arrive as they were sent [CH-010] [CH-011]") {
  const auto channel = make_channel(pool);
  for (const size_t bytes : {0, 1, 63, 64, 191, 192, 193, 4'096, 65'537, 3'000'000}) {
    std::string text(bytes, 'a');
    for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 7 + bytes);
    check_ok(try_send(*channel, text));
    const Received message = try_receive(*channel);
    CHECK(message.text == text);
    CHECK(message.inline_bytes == (bytes <= 192));
  }
  CHECK(pool->stats().allocations == 1);
}

TEST_CASE_FIXTURE(NodeFixture, "the parts of a gathered send are one message [CH-012]") {
  const auto channel = make_channel(pool);
  for (const size_t bytes : {2, 300}) {
    const std::string first(bytes, 'a');
    const std::string last(bytes, 'b');
    const iovec parts[] = {part_of(first), {nullptr, 0}, part_of(last)};
    check_ok(channel->try_send(parts, 3, 0));
    CHECK(try_receive(*channel).text == first + last);
  }
  check_ok(channel->try_send(nullptr, 0, 9));
  CHECK(try_receive(*channel).hints == 9);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a payload passes from sender to message to receiver uncopied [CH-013]") {
  const auto channel = make_channel(pool);
  Allocation payload;
  check_ok(pool->try_allocate(10, AllocationType::kData, payload));
  ::memcpy(payload.data, "0123456789", 10);
  AllocationInfo info;
  check_ok(channel->try_send_allocation(payload.id, 5));
  check_ok(pool->find(payload.id, info));
  CHECK((info.owner & kOwnerMessage) != 0);
  CHECK(channel->try_send_allocation(payload.id, 5) == DRAGON_NOT_OWNER);
  uint8_t buffer[192];
  ReceivedMessage message;
  check_ok(channel->try_receive(buffer, message));
  CHECK(message.allocation == payload.id);
  CHECK(message.data == payload.data);
  CHECK(message.bytes == 10);
  CHECK(message.hints == 5);
  check_ok(pool->find(payload.id, info));
  CHECK(info.owner == node->me().id);
  check_ok(pool->free(payload.id));
  CHECK(channel->try_send_allocation(payload.id, 0) == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a send that fails has sent nothing and keeps the payload [CH-014]") {
  const auto channel = make_channel(pool, capacity_of(1));
  const uint64_t payload = allocate(100);
  check_ok(try_send(*channel, "x"));
  CHECK(channel->try_send_allocation(payload, 0) == DRAGON_FULL);
  CHECK(channel->send_allocation(payload, 0, Deadline::after_ms(5)) == DRAGON_TIMEOUT);
  AllocationInfo info;
  check_ok(pool->find(payload, info));
  CHECK(info.owner == node->me().id);
  check_ok(channel->destroy());
  CHECK(channel->try_send_allocation(payload, 0) == DRAGON_OBJECT_DESTROYED);
  check_ok(pool->free(payload));
}

TEST_CASE_FIXTURE(NodeFixture, "exhausted memory is OUT_OF_MEMORY, too much TOO_LARGE [CH-015]") {
  const auto channel = make_channel(pool);
  std::vector<uint64_t> blocks;
  Allocation block;
  while (pool->try_allocate(1 << 20, AllocationType::kData, block) == DRAGON_SUCCESS) {
    blocks.push_back(block.id);
  }
  const std::string large(2 << 20, 'x');
  CHECK(try_send(*channel, large) == DRAGON_OUT_OF_MEMORY);
  CHECK(send(*channel, large, Deadline::after_ms(10)) == DRAGON_TIMEOUT);
  CHECK(try_send(*channel, std::string(65 << 20, 'x')) == DRAGON_TOO_LARGE);
  check_ok(try_send(*channel, "small ones still fit"));
  CHECK(channel->message_count() == 1);
  for (const uint64_t id : blocks) check_ok(pool->free(id));
  check_ok(try_send(*channel, large));
}

TEST_CASE("a channel that gets no memory for more slots is FULL with those it has [CH-016]") {
  NodeFixture fixture(64 * 1024);
  const auto channel = make_channel(fixture.pool, capacity_of(1'000, 1024));
  std::vector<uint64_t> blocks;
  Allocation block;
  while (fixture.pool->try_allocate(64, AllocationType::kData, block) == DRAGON_SUCCESS) {
    blocks.push_back(block.id);
  }
  for (int i = 0; i < 7; ++i) check_ok(try_send(*channel, "x"));  // one cell is kept for growth
  CHECK(try_send(*channel, "x") == DRAGON_FULL);
  CHECK(channel->message_count() == 7);
  for (const uint64_t id : blocks) check_ok(fixture.pool->free(id));
  check_ok(try_send(*channel, "x"));
}

TEST_CASE_FIXTURE(NodeFixture, "a peek shows the next message and leaves it [CH-017]") {
  const auto channel = make_channel(pool);
  std::vector<uint8_t> buffer(1'000);
  ReceivedMessage message;
  const auto peek = [&](uint64_t capacity) {
    return channel->try_peek(buffer.data(), capacity, message);
  };
  CHECK(peek(1'000) == DRAGON_EMPTY);
  check_ok(try_send(*channel, "first", 3));
  check_ok(try_send(*channel, std::string(500, 'x')));
  for (int i = 0; i < 2; ++i) {
    check_ok(peek(5));
    CHECK(std::string(buffer.begin(), buffer.begin() + 5) == "first");
    CHECK(message.hints == 3);
  }
  CHECK(peek(4) == DRAGON_BUFFER_TOO_SHORT);
  CHECK(message.bytes == 5);
  CHECK(try_receive(*channel).text == "first");
  check_ok(peek(500));
  CHECK(std::count(buffer.begin(), buffer.begin() + 500, 'x') == 500);
  CHECK(try_receive(*channel).text == std::string(500, 'x'));
}

TEST_CASE_FIXTURE(NodeFixture, "a drain frees messages and payloads [CH-018]") {
  const auto channel = make_channel(pool);
  for (int i = 0; i < 10; ++i) check_ok(try_send(*channel, std::string(i * 100, 'x')));
  CHECK(channel->drain() == 10);
  CHECK(channel->drain() == 0);
  CHECK(pool->stats().allocations == 2);  // the channel and its second ring
  CHECK(channel->audit() == "");
}

TEST_CASE_FIXTURE(NodeFixture, "random use agrees with a queue [CH-001] [CH-002]") {
  const auto channel = make_channel(pool, capacity_of(37, 100));
  std::deque<std::string> model;
  std::mt19937 random(42);
  for (int step = 0; step < 5'000; ++step) {
    if (random() % 100 < (step / 500 % 2 == 0 ? 60u : 40u)) {
      const std::string text(random() % 300, static_cast<char>('a' + step % 26));
      const Status status = try_send(*channel, text);
      CHECK(status == (model.size() == 37 ? DRAGON_FULL : DRAGON_SUCCESS));
      if (status == DRAGON_SUCCESS) model.push_back(text);
    } else {
      const Received message = try_receive(*channel);
      CHECK(message.status == (model.empty() ? DRAGON_EMPTY : DRAGON_SUCCESS));
      if (message.status != DRAGON_SUCCESS) continue;
      CHECK(message.text == model.front());
      model.pop_front();
    }
    CHECK(channel->message_count() == model.size());
    if (step % 200 == 0) CHECK(channel->audit() == "");
  }
}

TEST_CASE_FIXTURE(NodeFixture, "polls tell in, out, empty and full [CH-020]") {
  const auto channel = make_channel(pool, capacity_of(2));
  const auto polls = [&] {
    std::string ready;
    const PollEvent events[] = {PollEvent::kIn, PollEvent::kOut, PollEvent::kEmpty,
                                PollEvent::kFull, PollEvent::kInOut};
    for (const PollEvent event : events) {
      const Status status = channel->try_poll(event);
      CHECK((status == DRAGON_SUCCESS || status == DRAGON_WOULD_BLOCK));
      ready += status == DRAGON_SUCCESS ? '1' : '0';
    }
    return ready;
  };
  CHECK(polls() == "01101");
  check_ok(try_send(*channel, "x"));
  CHECK(polls() == "11001");
  check_ok(try_send(*channel, "x"));
  CHECK(polls() == "10011");
  CHECK(channel->poll(PollEvent::kEmpty, Deadline::after_ms(5)) == DRAGON_TIMEOUT);
  channel->drain();
  check_ok(channel->poll(PollEvent::kEmpty, Deadline::never()));
  CHECK(channel->poll(PollEvent::kIn, Deadline::once()) == DRAGON_WOULD_BLOCK);
}

TEST_CASE_FIXTURE(NodeFixture, "a try tells the condition, a time-out is TIMEOUT [CH-021]") {
  const auto channel = make_channel(pool, capacity_of(1));
  CHECK(receive(*channel, Deadline::once()).status == DRAGON_EMPTY);
  uint64_t before = now_ns();
  CHECK(receive(*channel, Deadline::after_ms(40)).status == DRAGON_TIMEOUT);
  CHECK(now_ns() - before >= 40'000'000);
  check_ok(send(*channel, "x", Deadline::never()));
  CHECK(send(*channel, "x", Deadline::once()) == DRAGON_FULL);
  before = now_ns();
  CHECK(send(*channel, "x", Deadline::after_ms(40)) == DRAGON_TIMEOUT);
  CHECK(now_ns() - before >= 40'000'000);
  CHECK(channel->message_count() == 1);
}

TEST_CASE_FIXTURE(NodeFixture, "a closed channel is CLOSED [CH-023]") {
  const auto channel = make_channel(pool);
  channel->close();
  channel->close();
  CHECK(try_send(*channel, "x") == DRAGON_CLOSED);
  CHECK(try_receive(*channel).status == DRAGON_CLOSED);
  CHECK(receive(*channel, Deadline::never()).status == DRAGON_CLOSED);
  CHECK(send(*channel, "x", Deadline::never()) == DRAGON_CLOSED);
  CHECK(channel->poll(PollEvent::kIn, Deadline::never()) == DRAGON_CLOSED);
  CHECK(channel->destroy() == DRAGON_CLOSED);
  CHECK(channel->message_count() == 0);
}

TEST_CASE_FIXTURE(NodeFixture, "a payload that somebody freed costs its message only [CH-024]") {
  const auto channel = make_channel(pool);
  const uint64_t payload = allocate(500);
  check_ok(channel->try_send_allocation(payload, 0));
  check_ok(try_send(*channel, "next"));
  check_ok(pool->free(payload));
  CHECK(try_receive(*channel).status == DRAGON_OBJECT_DESTROYED);
  CHECK(try_receive(*channel).text == "next");
  CHECK(channel->audit() == "");
}
