// Payloads that are lent, that lie in another pool, and where a receiver wants them.
#include "channel/channel_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

std::shared_ptr<Pool> make_pool(const std::shared_ptr<Node>& node, uint64_t limit_bytes) {
  PoolOptions options;
  options.limit_bytes = limit_bytes;
  std::shared_ptr<Pool> out;
  check_ok(Pool::create(node, options, out));
  return out;
}

std::string text_of(const ReceivedMessage& message) {
  return {reinterpret_cast<const char*>(message.data), message.bytes};
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "what is lent to read stays the sender's [CH-052]") {
  auto channel = make_channel(pool);
  Allocation payload;
  check_ok(pool->try_allocate(10, AllocationType::kData, payload));
  ::memcpy(payload.data, "0123456789", 10);
  uint8_t buffer[192];
  ReceivedMessage message;
  const auto lend = [&] { return channel->try_send_allocation(payload.id, 3, true); };
  check_ok(lend());
  check_ok(lend());  // as often as one likes
  check_ok(channel->try_peek(buffer, sizeof(buffer), message));
  CHECK(std::string(buffer, buffer + 10) == "0123456789");
  check_ok(channel->try_receive(buffer, message));
  CHECK(message.read_only);
  CHECK(message.allocation == payload.id);
  CHECK(text_of(message) == "0123456789");
  Channel::release(message);
  check_ok(channel->try_receive_into(*pool, 0, message));
  CHECK_FALSE(message.read_only);
  CHECK(message.allocation != payload.id);
  CHECK(text_of(message) == "0123456789");
  Channel::release(message);
  for (int i = 0; i < 3; ++i) check_ok(lend());
  check_ok(channel->try_pop());
  CHECK(channel->audit() == "");
  CHECK(channel->drain() == 2);
  check_ok(lend());
  channel.reset();
  AllocationInfo info;
  check_ok(pool->find(payload.id, info));
  CHECK(info.owner == node->me().id);
  channel = make_channel(pool);
  check_ok(lend());
  check_ok(try_send(*channel, "next"));
  check_ok(pool->free(payload.id));
  CHECK(channel->try_receive(buffer, message) == DRAGON_OBJECT_DESTROYED);
  CHECK(try_receive(*channel).text == "next");
}

TEST_CASE_FIXTURE(NodeFixture, "a message is received into an allocation [CH-053]") {
  const auto channel = make_channel(pool);
  const uint64_t into = allocate(300);
  const uint64_t before = pool->stats().allocations;
  ReceivedMessage message;
  CHECK(channel->try_receive_into(*pool, into, message) == DRAGON_EMPTY);
  for (const size_t bytes : {0, 5, 192, 193, 300}) {
    const std::string text(bytes, 'x');
    check_ok(try_send(*channel, text, 9));
    check_ok(channel->try_receive_into(*pool, into, message));
    CHECK(message.allocation == into);
    CHECK(text_of(message) == text);
    CHECK(message.hints == 9);
  }
  check_ok(try_send(*channel, std::string(301, 'x')));
  CHECK(channel->try_receive_into(*pool, into, message) == DRAGON_BUFFER_TOO_SHORT);
  CHECK(message.bytes == 301);
  const auto other = attach();
  {
    const auto its = pool_for(other);
    Allocation foreign;
    check_ok(its->try_allocate(400, AllocationType::kData, foreign));
    CHECK(channel->try_receive_into(*pool, foreign.id, message) == DRAGON_NOT_OWNER);
  }
  leave(other);
  CHECK(try_receive(*channel).text.size() == 301);
  CHECK(pool->stats().allocations == before);
  check_ok(pool->free(into));
}

TEST_CASE_FIXTURE(NodeFixture, "a message is received into memory of the caller's [CH-053]") {
  ChannelOptions options;
  options.end_of_stream = true;
  const auto channel = make_channel(pool, options);
  RecordId record = 0;
  check_ok(channel->open_handle(Role::kSender, record));
  const uint64_t before = pool->stats().allocations;
  uint8_t into[301];
  ReceivedMessage message;
  CHECK(channel->try_receive_bytes(into, 300, message) == DRAGON_EMPTY);
  CHECK(channel->receive_bytes(into, 300, Deadline::after_ms(2), message) == DRAGON_TIMEOUT);
  for (const size_t bytes : {0, 5, 192, 193, 300}) {
    const std::string text(bytes, 'x');
    check_ok(try_send(*channel, text, 9));
    check_ok(channel->receive_bytes(into, 300, Deadline::once(), message));
    CHECK(text_of(message) == text);
    CHECK(message.hints == 9);
    CHECK(message.allocation == 0);
  }
  for (const size_t bytes : {100, 301}) {
    check_ok(try_send(*channel, std::string(bytes, 'x')));
    CHECK(channel->try_receive_bytes(into, 99, message) == DRAGON_BUFFER_TOO_SHORT);
    CHECK(message.bytes == bytes);
    CHECK(channel->message_count() == 1);
    check_ok(channel->try_receive_bytes(into, sizeof(into), message));
    CHECK(text_of(message) == std::string(bytes, 'x'));
  }
  const uint64_t payload = allocate(50);
  for (int i = 0; i < 2; ++i) check_ok(channel->try_send_allocation(payload, 0, true));
  check_ok(channel->try_receive_bytes(into, sizeof(into), message));
  CHECK(message.read_only);
  check_ok(pool->free(payload));
  CHECK(channel->try_receive_bytes(into, sizeof(into), message) == DRAGON_OBJECT_DESTROYED);
  CHECK(pool->stats().allocations == before);
  std::thread sender = actor_thread(*this, *channel, [](Channel& mine) {
    wait_for_waiter(mine.place(PollEvent::kIn));
    check_ok(try_send(mine, std::string(250, 'y')));
  });
  check_ok(channel->receive_bytes(into, sizeof(into), Deadline::after_ms(20'000), message));
  CHECK(message.bytes == 250);
  sender.join();
  channel->close_handle(record);
  CHECK(channel->try_receive_bytes(into, sizeof(into), message) == DRAGON_EOF);
}

TEST_CASE_FIXTURE(NodeFixture, "a lent payload that is freed is told so [CH-052]") {
  const auto channel = make_channel(pool);
  uint8_t buffer[192];
  ReceivedMessage message;
  const uint64_t payload = allocate(50);
  check_ok(channel->try_send_allocation(payload, 0, true));
  check_ok(channel->try_receive(buffer, message));
  CHECK(Channel::is_there(message));
  check_ok(pool->free(payload));
  CHECK_FALSE(Channel::is_there(message));
  check_ok(try_send(*channel, "x"));
  check_ok(channel->try_receive(buffer, message));
  CHECK(Channel::is_there(message));
}

TEST_CASE_FIXTURE(NodeFixture, "a message is received into a pool [CH-054]") {
  const auto channel = make_channel(pool);
  const auto small = make_pool(node, 64 << 10);
  ReceivedMessage message;
  for (const size_t bytes : {0, 5, 500}) {
    const std::string text(bytes, 'x');
    check_ok(try_send(*channel, text));
    check_ok(channel->try_receive_into(*small, 0, message));
    CHECK(message.pool == small.get());
    CHECK(text_of(message) == text);
    Channel::release(message);
  }
  CHECK(small->stats().allocations == 0);
  CHECK(pool->stats().allocations == 1);
  check_ok(try_send(*channel, std::string(500, 'x')));
  check_ok(channel->try_receive_into(*pool, 0, message));
  Channel::release(message);
  Allocation all;
  check_ok(small->try_allocate(60 << 10, AllocationType::kData, all));
  check_ok(try_send(*channel, std::string(30 << 10, 'x')));
  CHECK(channel->try_receive_into(*small, 0, message) == DRAGON_OUT_OF_MEMORY);
  const uint64_t before = now_ns();
  CHECK(channel->receive_into(*small, 0, Deadline::after_ms(5), message) == DRAGON_TIMEOUT);
  CHECK(now_ns() - before < 1'000'000'000);
  CHECK(channel->message_count() == 1);
  std::thread helper([&] {
    const auto other = attach_thread();
    {
      HandleBytes handle;
      small->serialize(handle);
      std::shared_ptr<Pool> its;
      check_ok(Pool::attach(other, handle, sizeof(handle), its));
      wait_for_waiter(its->place());
      check_ok(its->free(all.id));
    }
    leave(other);
  });
  check_ok(channel->receive_into(*small, 0, Deadline::after_ms(20'000), message));
  helper.join();
  CHECK(message.bytes == 30 << 10);
  Channel::release(message);
}

TEST_CASE_FIXTURE(NodeFixture, "payloads by copy lie in a pool of their own [CH-055]") {
  ChannelOptions options;
  options.payload_pool = make_pool(node, 1 << 20);
  auto channel = make_channel(pool, options);
  HandleBytes handle;
  channel->serialize(handle);
  const uint64_t before = pool->stats().allocations;
  for (int i = 0; i < 5; ++i) check_ok(try_send(*channel, std::string(500, 'a')));
  CHECK(pool->stats().allocations == before);
  CHECK(options.payload_pool->stats().allocations == 5);
  CHECK(channel->audit() == "");
  std::thread receiver = actor_thread(*this, *channel, [](Channel& mine) {
    uint8_t buffer[192];
    ReceivedMessage message;
    check_ok(mine.try_peek(buffer, 0, message) == DRAGON_BUFFER_TOO_SHORT ? DRAGON_SUCCESS
                                                                          : DRAGON_STATE);
    check_ok(mine.try_receive(buffer, message));
    CHECK(text_of(message) == std::string(500, 'a'));
    CHECK(message.pool != &mine.pool());
    Channel::release(message);
    check_ok(mine.try_receive_into(mine.pool(), 0, message));
    CHECK(text_of(message) == std::string(500, 'a'));
    CHECK(message.pool == &mine.pool());
    Channel::release(message);
  });
  receiver.join();
  CHECK(options.payload_pool->stats().allocations == 3);
  check_ok(channel->try_pop());
  CHECK(options.payload_pool->stats().allocations == 2);
  CHECK(try_send(*channel, std::string(2 << 20, 'x')) == DRAGON_TOO_LARGE);
  channel.reset();
  CHECK(options.payload_pool->stats().allocations == 0);
  channel = make_channel(pool, options);
  check_ok(options.payload_pool->destroy());
  check_ok(try_send(*channel, std::string(500, 'b')));
  uint8_t buffer[192];
  ReceivedMessage message;
  check_ok(channel->try_receive(buffer, message));
  CHECK(message.pool == pool.get());
  Channel::release(message);
}
