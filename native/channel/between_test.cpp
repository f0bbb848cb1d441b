// Calls in whose middle others act.
// variants: plain
#include "channel/between_fixture.h"
#include "channel/lock_object.h"

using namespace dragon;
using namespace dragon::test;

namespace {

struct Bytes {
  HandleBytes handle;
};

template <typename Object>
Bytes bytes_of(const Object& object) {
  Bytes out;
  object.serialize(out.handle);
  return out;
}

// The object as an actor of the calling process has it open, until that ends.
template <typename Object>
Object* opened_by_child(const NodeFixture& fixture, const Bytes& bytes) {
  auto* node = new std::shared_ptr<Node>(fixture.attach());
  std::unique_ptr<Object> object;
  RecordId adopted = 0;
  check_ok(Object::attach(*node, bytes.handle, kHandleBytes, false, adopted, object));
  return object.release();
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "no stream ends before its last message [CH-031]") {
  ChannelOptions options;
  options.end_of_stream = true;
  const auto channel = make_channel(pool, options);
  const Bytes bytes = bytes_of(*channel);
  auto& result = shared_variable<Status>();
  RecordId sender = 0;
  at_every_instruction(7, [&](uint64_t at) {
    check_ok(channel->open_handle(Role::kSender, sender));
    SteppedCall receive([&] {
      auto* its = opened_by_child<Channel>(*this, bytes);
      return [&result, its] {
        uint8_t buffer[192];
        ReceivedMessage message;
        result = its->try_receive(buffer, message);
      };
    });
    const bool more = receive.step(at);
    check_ok(try_send(*channel, "last"));
    channel->close_handle(sender);
    reclaim_process(node, receive.finish());
    CHECK(result != DRAGON_EOF);
    CHECK(try_receive(*channel).status == (result == DRAGON_SUCCESS ? DRAGON_EOF : DRAGON_SUCCESS));
    return more;
  });
}

TEST_CASE_FIXTURE(NodeFixture, "a release ends no acquisition but its own [SYN-077]") {
  std::unique_ptr<LockObject> lock;
  check_ok(LockObject::create(pool, true, lock));
  const Bytes bytes = bytes_of(*lock);
  auto& result = shared_variable<Status>();
  at_every_change([&](uint64_t at) {
    check_ok(lock->try_acquire());
    const uint32_t number = lock->sequence();
    StoppedCall release(at, [&] {
      auto* its = opened_by_child<LockObject>(*this, bytes);
      return [&result, its, number] { result = its->release_if(number); };
    });
    const bool more = release.stopped();
    const Status mine = lock->release_if(number);
    check_ok(lock->try_acquire());
    reclaim_process(node, release.finish());
    CHECK((result == DRAGON_SUCCESS) == (mine == DRAGON_NOT_OWNER));
    CHECK(lock->locked());
    check_ok(lock->release_if(number + 1));
    return more;
  });
}

TEST_CASE_FIXTURE(NodeFixture, "a message is received or taken back, not both [CH-051]") {
  const auto channel = make_channel(pool);
  const Bytes bytes = bytes_of(*channel);
  auto& result = shared_variable<Status>();
  for (const size_t length : {5, 500}) {
    at_every_change([&](uint64_t at) {
      StoppedCall send(at, [&] {
        auto* its = opened_by_child<Channel>(*this, bytes);
        return [&result, its, length] {
          const std::string text(length, 'x');
          const iovec part = part_of(text);
          result = its->send(&part, 1, 0, Deadline::once(), ReturnMode::kWhenReceived);
        };
      });
      const bool more = send.stopped();
      const Status received = try_receive(*channel).status;
      reclaim_process(node, send.finish());
      CHECK((received == DRAGON_SUCCESS) == (result == DRAGON_SUCCESS));
      CHECK(try_receive(*channel).status == DRAGON_EMPTY);
      return more;
    });
  }
  CHECK(channel->audit() == "");
}

TEST_CASE_FIXTURE(NodeFixture, "a receive gets one whole message [CH-006] [CH-017]") {
  const auto channel = make_channel(pool);
  const Bytes bytes = bytes_of(*channel);
  struct Result {
    Status status;
    size_t length;
    char first;
    char last;
  };
  auto& result = shared_variable<Result>();
  for (const bool peeks : {false, true}) {
    for (const size_t length : {5, 500}) {
      at_every_instruction(peeks && length > 5 ? 161 : 41, [&](uint64_t at) {
        check_ok(try_send(*channel, std::string(length, 'a')));
        SteppedCall receive([&] {
          auto* its = opened_by_child<Channel>(*this, bytes);
          return [&result, its, peeks] {
            uint8_t buffer[1'000];
            ReceivedMessage message;
            result.status = peeks ? its->try_peek(buffer, sizeof(buffer), message)
                                  : its->try_receive(buffer, message);
            if (result.status != DRAGON_SUCCESS) return;
            result.length = message.bytes;
            result.first = static_cast<char>(message.data[0]);
            result.last = static_cast<char>(message.data[message.bytes - 1]);
          };
        });
        const bool more = receive.step(at);
        // Received, and not freed before the other one has ended; then others lie where it lay.
        uint8_t buffer[192];
        ReceivedMessage held;
        int seen = channel->try_receive(buffer, held) == DRAGON_SUCCESS ? 1 : 0;
        for (int i = 0; i < 20; ++i) {
          if (i > 0) check_ok(channel->try_pop());
          check_ok(try_send(*channel, std::string(length + 1, 'b')));
        }
        reclaim_process(node, receive.finish());
        check_ok(result.status);
        CHECK(result.first == result.last);
        CHECK(result.length == (result.first == 'a' ? length : length + 1));
        if (seen == 1) Channel::release(held);
        seen += static_cast<int>(channel->drain());
        CHECK(seen == (peeks ? 2 : 1));
        return more;
      });
    }
  }
  CHECK(channel->audit() == "");
}
