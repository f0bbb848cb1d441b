// Channels of another node, over engines and links in one process: the same calls, the same
// results. variants: plain asan
#include "agent/agent_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

// Two nodes; a channel on the second, a client on the first.
struct Pair {
  explicit Pair(const ChannelOptions& options = {}, uint64_t seed = 1) : cluster(2, seed) {
    home = std::make_unique<Client>(cluster.nodes[1]->dir.path());
    channel = make_channel(home->pool, options);
    cluster.start();
    client = std::make_unique<Client>(cluster.nodes[0]->dir.path());
    remote = client->attach(*channel);
  }
  ~Pair() {
    remote.reset();
    client.reset();
    channel.reset();
    home.reset();
    cluster.stop();
    cluster.settle();
  }
  Status send(const std::string& text, Deadline deadline = Deadline::never(),
              ReturnMode mode = ReturnMode::kWhenDeposited, uint64_t hints = 0) {
    const iovec part = part_of(text);
    return remote->send(&part, 1, hints, deadline, mode);
  }
  Received receive(Deadline deadline = Deadline::never()) {
    std::vector<uint8_t> buffer(remote->block_bytes());
    ReceivedMessage message;
    Received out;
    out.status = remote->receive(buffer.data(), deadline, message);
    if (out.status != DRAGON_SUCCESS) return out;
    out.text.assign(reinterpret_cast<const char*>(message.data), message.bytes);
    out.hints = message.hints;
    out.inline_bytes = message.allocation == 0;
    Channel::release(message);
    return out;
  }

  Cluster cluster;
  std::unique_ptr<Client> home;
  std::unique_ptr<Channel> channel;
  std::unique_ptr<Client> client;
  std::unique_ptr<RemoteChannel> remote;
};

constexpr size_t kSizes[] = {0, 1, 64, 192, 193, 384, 385, 4096, 16384, 16385, 100'000, 3'000'000};

std::string filled(size_t bytes) {
  std::string text(bytes, 'x');
  for (size_t i = 0; i < bytes; i += 97) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

}  // namespace

TEST_CASE("messages of every size arrive as they were sent, both ways [REM-001] [REM-010]") {
  Pair pair;
  for (const size_t bytes : kSizes) {
    INFO("bytes ", bytes);
    const std::string text = filled(bytes);
    check_ok(pair.send(text, Deadline::never(), ReturnMode::kWhenDeposited, bytes + 5));
    const Received there = try_receive(*pair.channel);
    check_ok(there.status);
    CHECK(there.text == text);
    CHECK(there.hints == bytes + 5);
    check_ok(try_send(*pair.channel, text, 9));
    const Received here = pair.receive();
    check_ok(here.status);
    CHECK(here.text == text);
    CHECK(here.hints == 9);
  }
}

TEST_CASE("what a channel is can be read from another node [REM-002]") {
  ChannelOptions options;
  options.capacity = 7;
  options.block_bytes = 256;
  Pair pair(options);
  CHECK(pair.remote->capacity() == 7);
  CHECK(pair.remote->block_bytes() == 256);
  check_ok(pair.send("one"));
  ChannelInfo info;
  check_ok(pair.remote->info(info));
  CHECK(info.messages == 1);
  CHECK(info.free == 6);
  CHECK(info.remote);
  ReceivedMessage peeked;
  uint8_t buffer[16];
  check_ok(pair.remote->try_peek(buffer, sizeof buffer, peeked));
  CHECK(std::string(reinterpret_cast<char*>(buffer), peeked.bytes) == "one");
  CHECK(pair.remote->try_peek(buffer, 2, peeked) == DRAGON_BUFFER_TOO_SHORT);
  CHECK(peeked.bytes == 3);
  check_ok(pair.remote->try_pop());
  CHECK(pair.remote->try_pop() == DRAGON_EMPTY);
  check_ok(pair.send("two"));
  check_ok(pair.send("three"));
  uint64_t dropped = 0;
  check_ok(pair.remote->reset(&dropped));
  CHECK(dropped == 2);
}

TEST_CASE("tries say why not, waits end at their deadline and change nothing [REM-003]") {
  ChannelOptions options;
  options.capacity = 2;
  Pair pair(options);
  CHECK(pair.receive(Deadline::once()).status == DRAGON_EMPTY);
  CHECK(pair.receive(Deadline::after_ms(20)).status == DRAGON_TIMEOUT);
  CHECK(pair.remote->poll(PollEvent::kIn, Deadline::once()) == DRAGON_WOULD_BLOCK);
  CHECK(pair.remote->poll(PollEvent::kIn, Deadline::after_ms(20)) == DRAGON_TIMEOUT);
  check_ok(pair.remote->poll(PollEvent::kOut, Deadline::never()));
  check_ok(pair.send("1"));
  check_ok(pair.send("2"));
  for (const size_t bytes : {size_t{3}, size_t{500}, size_t{50'000}}) {
    CHECK(pair.send(filled(bytes), Deadline::once()) == DRAGON_FULL);
    CHECK(pair.send(filled(bytes), Deadline::after_ms(20)) == DRAGON_TIMEOUT);
  }
  check_ok(pair.remote->poll(PollEvent::kFull, Deadline::never()));
  CHECK(try_receive(*pair.channel).text == "1");
  CHECK(try_receive(*pair.channel).text == "2");
  CHECK(try_receive(*pair.channel).status == DRAGON_EMPTY);
}

TEST_CASE("a wait is ended by what happens at the channel's node [REM-004] [REM-005]") {
  ChannelOptions options;
  options.capacity = 1;
  Pair pair(options);
  std::thread later([&] {
    ::usleep(20'000);
    check_ok(try_send(*pair.channel, "late"));
  });
  CHECK(pair.receive().text == "late");
  later.join();
  check_ok(pair.send("fills it"));
  later = std::thread([&] {
    ::usleep(20'000);
    CHECK(try_receive(*pair.channel).text == "fills it");
  });
  check_ok(pair.send("waits"));
  later.join();
  later = std::thread([&] {
    ::usleep(20'000);
    check_ok(pair.channel->destroy());
  });
  CHECK(pair.send("never") == DRAGON_OBJECT_DESTROYED);
  later.join();
  CHECK(pair.receive().status == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE("return modes mean what they mean on a node [REM-006] [REM-007]") {
  Pair pair;
  for (const size_t bytes : {size_t{5}, size_t{700}, size_t{70'000}}) {
    const std::string text = filled(bytes);
    CHECK(pair.send(text, Deadline::after_ms(20), ReturnMode::kWhenReceived) == DRAGON_TIMEOUT);
    CHECK(pair.send(text, Deadline::once(), ReturnMode::kWhenReceived) == DRAGON_WOULD_BLOCK);
    CHECK(try_receive(*pair.channel).status == DRAGON_EMPTY);
    std::thread receiver([&] { CHECK(receive(*pair.channel, Deadline::never()).text == text); });
    check_ok(pair.send(text, Deadline::never(), ReturnMode::kWhenReceived));
    receiver.join();
    for (const ReturnMode mode : {ReturnMode::kImmediately, ReturnMode::kWhenBuffered}) {
      check_ok(pair.send(text, Deadline::never(), mode));
      CHECK(receive(*pair.channel, Deadline::never()).text == text);
    }
  }
}

TEST_CASE("sends that nobody waits for keep their order and are bounded [REM-008] [AGT-010]") {
  ChannelOptions options;
  options.capacity = 8;
  Pair pair(options);
  constexpr int kMessages = 1500;
  std::thread sender([&] {
    for (int i = 0; i < kMessages; ++i) {
      const std::string text = std::to_string(i) + filled(i % 7 == 3 ? 20'000 : i % 400);
      check_ok(pair.send(text, Deadline::never(), ReturnMode::kWhenBuffered));
    }
  });
  for (int i = 0; i < kMessages; ++i) {
    const Received one = receive(*pair.channel, Deadline::after_ms(20'000));
    check_ok(one.status);
    CHECK(one.text == std::to_string(i) + filled(i % 7 == 3 ? 20'000 : i % 400));
  }
  sender.join();
  check_ok(pair.remote->settle(Deadline::after_ms(5'000)));
}

TEST_CASE("a send that nobody waited for and that failed is told to the next one [REM-009]") {
  Pair pair;
  check_ok(pair.channel->destroy());
  Status status = DRAGON_SUCCESS;
  for (int tries = 0; tries < 5'000 && status == DRAGON_SUCCESS; ++tries) {
    status = pair.send("lost", Deadline::never(), ReturnMode::kWhenBuffered);
    ::usleep(100);
  }
  CHECK(status == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE("an allocation goes with its message, or stays the sender's [REM-011] [REM-012]") {
  ChannelOptions options;
  options.capacity = 1;
  Pair pair(options);
  const auto allocate = [&](uint64_t bytes) {
    Allocation out;
    check_ok(pair.client->pool->try_allocate(bytes, AllocationType::kData, out));
    ::memset(out.data, 'q', bytes);
    return out.id;
  };
  for (const uint64_t bytes : {uint64_t{100}, uint64_t{9'000}, uint64_t{90'000}}) {
    const uint64_t sent = allocate(bytes);
    check_ok(pair.remote->send_allocation(*pair.client->pool, sent, 3, Deadline::never()));
    CHECK_FALSE(pair.client->pool->exists(sent));
    const uint64_t refused = allocate(bytes);
    CHECK(pair.remote->send_allocation(*pair.client->pool, refused, 0, Deadline::after_ms(10)) ==
          DRAGON_TIMEOUT);
    check_ok(pair.client->pool->free(refused));
    CHECK(try_receive(*pair.channel).text == std::string(bytes, 'q'));
    const uint64_t lent = allocate(bytes);
    check_ok(pair.remote->send_allocation(*pair.client->pool, lent, 0, Deadline::never(),
                                          ReturnMode::kWhenDeposited, true));
    check_ok(pair.client->pool->free(lent));
    CHECK(try_receive(*pair.channel).text == std::string(bytes, 'q'));
  }
  CHECK(pair.remote->send_allocation(*pair.client->pool, 12345, 0, Deadline::never()) !=
        DRAGON_SUCCESS);
}

TEST_CASE("a message lands where its receiver wants it [REM-013] [REM-014]") {
  Pair pair;
  for (const size_t bytes : kSizes) {
    INFO("bytes ", bytes);
    const std::string text = filled(bytes);
    ReceivedMessage message;
    check_ok(try_send(*pair.channel, text));
    check_ok(pair.remote->receive_into(pair.client->pool, 0, Deadline::never(), message));
    CHECK(message.pool == pair.client->pool.get());
    CHECK(std::string(reinterpret_cast<const char*>(message.data), message.bytes) == text);
    check_ok(pair.client->pool->free(message.allocation));
    check_ok(try_send(*pair.channel, text));
    std::vector<uint8_t> buffer(bytes + 1);
    if (bytes > 0) {
      CHECK(pair.remote->receive_bytes(buffer.data(), bytes - 1, Deadline::never(), message) ==
            DRAGON_BUFFER_TOO_SHORT);
      CHECK(message.bytes == bytes);
    }
    check_ok(pair.remote->receive_bytes(buffer.data(), bytes, Deadline::never(), message));
    CHECK(std::string(reinterpret_cast<const char*>(message.data), message.bytes) == text);
  }
}

TEST_CASE("the ends of a stream are counted over nodes [REM-015] [REM-016]") {
  ChannelOptions options;
  options.end_of_stream = true;
  Pair pair(options);
  uint32_t sender = 0;
  check_ok(pair.remote->open_handle(Role::kSender, sender));
  CHECK(pair.channel->senders() == 1);
  check_ok(pair.send("last"));
  check_ok(pair.remote->close_handle(sender));
  CHECK(pair.channel->senders() == 0);
  CHECK(pair.remote->close_handle(sender) == DRAGON_CLOSED);
  CHECK(try_receive(*pair.channel).text == "last");
  CHECK(try_receive(*pair.channel).status == DRAGON_EOF);
  CHECK(pair.receive().status == DRAGON_EOF);
  uint32_t receiver = 0;
  check_ok(pair.remote->open_handle(Role::kReceiver, receiver));
  check_ok(pair.remote->close_handle(receiver));
  CHECK(pair.send("nobody") == DRAGON_BROKEN_PIPE);
  HandleBytes lent;
  check_ok(pair.remote->lend(Role::kSender, lent));
  CHECK(pair.channel->senders() == 1);
  {
    const auto adopter = pair.client->attach(lent, true);
    CHECK(pair.channel->senders() == 1);
  }
  // Who closes does not wait for the other node.
  while (pair.channel->senders() != 0) ::usleep(200);
  check_ok(pair.remote->lend(Role::kSender, lent));
  check_ok(pair.remote->cancel_lent(lent, sizeof lent));
  CHECK(pair.remote->cancel_lent(lent, sizeof lent) == DRAGON_NOT_FOUND);
}

TEST_CASE("handles of no channel, no node and no agent are told apart [REM-017]") {
  Pair pair;
  HandleBytes handle;
  pair.channel->serialize(handle);
  CHECK(RemoteChannel::is_remote(*pair.client->node, handle, sizeof handle));
  CHECK_FALSE(RemoteChannel::is_remote(*pair.home->node, handle, sizeof handle));
  std::unique_ptr<RemoteChannel> out;
  uint32_t adopted = 0;
  const auto attach = [&](const Handle& wanted) {
    HandleBytes bytes;
    encode_handle(wanted, bytes);
    return RemoteChannel::attach(pair.client->gateway, bytes, sizeof bytes, false, adopted, out);
  };
  Handle wanted;
  check_ok(decode_handle(handle, sizeof handle, wanted));
  Handle other = wanted;
  other.host_id = 5;
  CHECK(attach(other) == DRAGON_WRONG_NODE);
  other = wanted;
  other.allocation += 1ull << 32;
  CHECK(attach(other) == DRAGON_OBJECT_DESTROYED);
  other = wanted;
  other.kind = HandleKind::kLock;
  CHECK(attach(other) == DRAGON_BAD_HANDLE);
  NodeFixture alone;
  std::shared_ptr<agent::Gateway> gateway;
  CHECK(agent::Gateway::attach(alone.node, gateway) == DRAGON_NOT_FOUND);
}
