// Messages whose payload has several holders.
// variants: plain
#include <string.h>
#include <sys/wait.h>

#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint64_t kBytes = 5000;

uint64_t shared_bytes(Pool& pool, char fill, uint32_t holders = 8) {
  Allocation bytes;
  check_ok(pool.try_allocate(kBytes, AllocationType::kData, bytes));
  ::memset(bytes.data, fill, kBytes);
  uint64_t share = 0;
  check_ok(pool.share(bytes.id, holders, share));
  return share;
}

// A further share of what `share` holds goes with the message.
Status send_further(Channel& channel, uint64_t share) {
  uint64_t further = 0;
  Status status = channel.pool().share_again(share, further);
  if (status != DRAGON_SUCCESS) return status;
  status = channel.try_send_allocation(further, 7);
  if (status != DRAGON_SUCCESS) channel.pool().free(further);
  return status;
}

bool is_all(const ReceivedMessage& message, char fill) {
  return message.bytes == kBytes && message.data[0] == static_cast<uint8_t>(fill) &&
         message.data[kBytes - 1] == static_cast<uint8_t>(fill);
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "one payload goes to several channels without a copy [CH-080]") {
  const auto before = pool->stats().used_bytes;
  {
    const auto left = make_channel(pool);
    const auto right = make_channel(pool);
    const uint64_t share = shared_bytes(*pool, 'a');
    check_ok(send_further(*left, share));
    check_ok(send_further(*right, share));
    check_ok(pool->free(share));
    uint8_t buffer[256];
    ReceivedMessage one;
    ReceivedMessage two;
    check_ok(left->try_receive(buffer, one));
    check_ok(right->try_receive(buffer, two));
    CHECK(one.data == two.data);
    CHECK(is_all(one, 'a'));
    CHECK((one.shared && !one.read_only && one.hints == 7));
    Channel::release(one);
    CHECK(is_all(two, 'a'));
    // Who received it may pass it on, or share it again.
    check_ok(send_further(*left, two.allocation));
    check_ok(left->try_send_allocation(two.allocation, 8));
    check_ok(left->try_receive(buffer, one));
    Channel::release(one);
    check_ok(left->try_receive(buffer, one));
    CHECK(one.hints == 8);
    CHECK(is_all(one, 'a'));
    Channel::release(one);
  }
  CHECK(pool->stats().used_bytes == before);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "peek, pop, drain, copies and destroy end a message's share [CH-081]") {
  const uint64_t before = pool->stats().used_bytes;
  const uint64_t share = shared_bytes(*pool, 'b');
  {
    const auto channel = make_channel(pool);
    for (int i = 0; i < 6; ++i) check_ok(send_further(*channel, share));
    std::vector<uint8_t> bytes(kBytes);
    ReceivedMessage message;
    check_ok(channel->try_peek(bytes.data(), kBytes, message));
    CHECK(is_all(message, 'b'));
    check_ok(channel->try_receive_bytes(bytes.data(), kBytes, message));
    CHECK((is_all(message, 'b') && !message.shared));
    check_ok(channel->try_receive_into(*pool, 0, message));
    CHECK((is_all(message, 'b') && !message.shared));
    message.pool->free(message.allocation);
    Allocation into;
    check_ok(pool->try_allocate(kBytes, AllocationType::kData, into));
    check_ok(channel->try_receive_into(*pool, into.id, message));
    CHECK(into.data[kBytes - 1] == 'b');
    check_ok(pool->free(into.id));
    check_ok(channel->try_pop());
    CHECK(channel->drain() == 2);
    check_ok(send_further(*channel, share));
    check_ok(channel->destroy());
  }
  check_ok(pool->free(share));
  CHECK(pool->stats().used_bytes == before);
  CHECK(pool->audit() == "");
}

TEST_CASE_FIXTURE(NodeFixture, "a holder may die at any change that it makes [MEM-092, CH-082]") {
  const uint64_t step = is_full_size() ? 1 : 3;
  for (uint64_t point = 1 + now_ns() % step;; point += step) {
    CAPTURE(point);
    const uint64_t before = pool->stats().used_bytes;
    bool was_killed = false;
    {
      const auto in = make_channel(pool);
      const auto out = make_channel(pool);
      const uint64_t share = shared_bytes(*pool, 'c');
      check_ok(send_further(*in, share));
      check_ok(send_further(*in, share));
      const HandleCopy handle(*out);
      const pid_t pid = object_process(*this, *in, [&](Channel& its) {
        const std::shared_ptr<Node> node = its.pool().node_pointer();
        std::unique_ptr<Channel> its_out;
        RecordId adopted = 0;
        must_be(Channel::attach(node, handle.bytes, kHandleBytes, false, adopted, its_out));
        kill_points_arm(point);
        uint8_t buffer[256];
        ReceivedMessage message;
        must_be(its.try_receive(buffer, message));
        must_be(send_further(*its_out, message.allocation));
        must_be(its_out->try_send_allocation(message.allocation, 9));
        must_be(its.try_receive(buffer, message));
        Channel::release(message);
        const uint64_t own = shared_bytes(its.pool(), 'd');
        must_be(send_further(*its_out, own));
        must_be(its.pool().free(own));
        kill_points_arm(0);
      });
      int status = 0;
      REQUIRE(::waitpid(pid, &status, 0) == pid);
      was_killed = WIFSIGNALED(status);
      if (was_killed) {
        reclaim_process(node, pid);
      } else {
        CHECK(status == 0);
      }
      AllocationInfo info;
      check_ok(pool->find_bytes(share, info));
      CHECK(info.allocation.data[kBytes - 1] == 'c');
      for (Channel* channel : {in.get(), out.get()}) {
        uint8_t buffer[256];
        ReceivedMessage message;
        while (channel->try_receive(buffer, message) == DRAGON_SUCCESS) {
          CHECK((is_all(message, 'c') || is_all(message, 'd')));
          Channel::release(message);
        }
      }
      check_ok(pool->free(share));
    }
    CHECK(pool->stats().used_bytes == before);
    CHECK(pool->audit() == "");
    if (!was_killed) break;
  }
}
