// Who has a channel open: counts, the end of a stream, lending, destruction.
#include "channel/channel_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

ChannelOptions stream_options() {
  ChannelOptions options;
  options.capacity = 4;
  options.end_of_stream = true;
  return options;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "handles are counted over all attachments [CH-030]") {
  const auto channel = make_channel(pool);
  HandleBytes handle;
  channel->serialize(handle);
  const auto other = attach();
  RecordId sender = 0;
  RecordId receiver = 0;
  check_ok(channel->open_handle(Role::kSender, sender));
  {
    const auto same = attach_channel(other, handle);
    check_ok(same->open_handle(Role::kReceiver, receiver));
    check_ok(same->open_handle(Role::kReceiver, receiver));
    CHECK(channel->senders() == 1);
    CHECK(channel->receivers() == 2);
    CHECK(channel->count(Role::kHolder) == 2);
    same->close_handle(receiver);
    CHECK(channel->receivers() == 1);
  }
  CHECK(channel->receivers() == 0);
  CHECK(channel->count(Role::kHolder) == 1);
  channel->close_handle(sender);
  channel->close_handle(sender);
  CHECK(channel->senders() == 0);
  leave(other);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a stream ends when it is empty and its last sender has closed [CH-031]") {
  const auto channel = make_channel(pool, stream_options());
  CHECK(try_receive(*channel).status == DRAGON_EMPTY);  // no sender yet is no end
  RecordId sender = 0;
  check_ok(channel->open_handle(Role::kSender, sender));
  check_ok(try_send(*channel, "last"));
  CHECK(channel->try_poll(PollEvent::kIn) == DRAGON_SUCCESS);
  channel->close_handle(sender);
  CHECK(try_receive(*channel).text == "last");
  CHECK(try_receive(*channel).status == DRAGON_EOF);
  CHECK(channel->try_poll(PollEvent::kIn) == DRAGON_SUCCESS);
  CHECK(receive(*channel, Deadline::never()).status == DRAGON_EOF);
  check_ok(channel->open_handle(Role::kSender, sender));
  CHECK(try_receive(*channel).status == DRAGON_EMPTY);
}

TEST_CASE_FIXTURE(NodeFixture, "a send to a stream without receivers is BROKEN_PIPE [CH-032]") {
  const auto channel = make_channel(pool, stream_options());
  check_ok(try_send(*channel, "kept for the first receiver"));
  RecordId receiver = 0;
  check_ok(channel->open_handle(Role::kReceiver, receiver));
  check_ok(try_send(*channel, "x"));
  channel->close_handle(receiver);
  CHECK(try_send(*channel, "x") == DRAGON_BROKEN_PIPE);
  CHECK(try_send(*channel, std::string(1'000, 'x')) == DRAGON_BROKEN_PIPE);
  CHECK(channel->try_poll(PollEvent::kOut) == DRAGON_SUCCESS);
  CHECK(channel->message_count() == 2);
}

TEST_CASE_FIXTURE(NodeFixture, "without the attribute a channel has no end [CH-031] [CH-032]") {
  const auto channel = make_channel(pool);
  RecordId record = 0;
  for (const Role role : {Role::kSender, Role::kReceiver}) {
    check_ok(channel->open_handle(role, record));
    channel->close_handle(record);
  }
  CHECK(try_receive(*channel).status == DRAGON_EMPTY);
  check_ok(try_send(*channel, "x"));
}

TEST_CASE_FIXTURE(NodeFixture, "the last close wakes who waits for the end [CH-033]") {
  const auto full = make_channel(pool, stream_options());
  const auto empty = make_channel(pool, stream_options());
  RecordId receiver = 0;
  RecordId sender = 0;
  check_ok(full->open_handle(Role::kReceiver, receiver));
  check_ok(empty->open_handle(Role::kSender, sender));
  for (int i = 0; i < 4; ++i) check_ok(try_send(*full, "x"));
  std::thread blocked_sender = actor_thread(*this, *full, [](Channel& mine) {
    CHECK(send(mine, "x", Deadline::after_ms(20'000)) == DRAGON_BROKEN_PIPE);
  });
  std::thread blocked_receiver = actor_thread(*this, *empty, [](Channel& mine) {
    CHECK(receive(mine, Deadline::after_ms(20'000)).status == DRAGON_EOF);
  });
  wait_for_waiter(full->place(PollEvent::kOut));
  wait_for_waiter(empty->place(PollEvent::kIn));
  full->close_handle(receiver);
  empty->close_handle(sender);
  blocked_sender.join();
  blocked_receiver.join();
}

TEST_CASE_FIXTURE(NodeFixture, "the last close frees the channel and its payloads [CH-034]") {
  const uint64_t before = pool->stats().used_bytes;
  auto channel = make_channel(pool);
  HandleBytes handle;
  channel->serialize(handle);
  for (int i = 0; i < 20; ++i) check_ok(try_send(*channel, std::string(i * 50, 'x')));
  auto same = attach_channel(node, handle);
  channel.reset();
  CHECK(same->message_count() == 20);
  CHECK(try_receive(*same).text.empty());
  same.reset();
  CHECK(pool->stats().used_bytes == before);
  RecordId adopted = 0;
  CHECK(Channel::attach(node, handle, sizeof(handle), false, adopted, same) ==
        DRAGON_OBJECT_DESTROYED);
}

TEST_CASE_FIXTURE(NodeFixture, "destroy ends a channel for everybody at once [CH-035]") {
  const auto channel = make_channel(pool, stream_options());
  HandleBytes handle;
  channel->serialize(handle);
  for (int i = 0; i < 4; ++i) check_ok(try_send(*channel, std::string(1'000, 'x')));
  const uint64_t payloads = pool->stats().used_bytes;
  std::thread blocked = actor_thread(*this, *channel, [](Channel& mine) {
    CHECK(send(mine, "x", Deadline::after_ms(20'000)) == DRAGON_OBJECT_DESTROYED);
    CHECK(mine.destroy() == DRAGON_OBJECT_DESTROYED);
  });
  wait_for_waiter(channel->place(PollEvent::kOut));
  check_ok(channel->destroy());
  blocked.join();
  CHECK(pool->stats().used_bytes == payloads - 4 * 1'008);
  CHECK(try_receive(*channel).status == DRAGON_OBJECT_DESTROYED);
  CHECK(try_send(*channel, "x") == DRAGON_OBJECT_DESTROYED);
  CHECK(channel->try_poll(PollEvent::kIn) == DRAGON_OBJECT_DESTROYED);
  RecordId record = 0;
  CHECK(channel->open_handle(Role::kSender, record) == DRAGON_OBJECT_DESTROYED);
  std::unique_ptr<Channel> other;
  CHECK(Channel::attach(node, handle, sizeof(handle), false, record, other) ==
        DRAGON_OBJECT_DESTROYED);
}

TEST_CASE_FIXTURE(NodeFixture, "a handle of another kind, or none at all, is refused [CH-036]") {
  const auto channel = make_channel(pool);
  HandleBytes handle;
  std::unique_ptr<Channel> out;
  RecordId adopted = 0;
  pool->serialize(handle);
  const auto attach_to = [&](bool adopt) {
    return Channel::attach(node, handle, sizeof(handle), adopt, adopted, out);
  };
  CHECK(attach_to(false) == DRAGON_BAD_HANDLE);
  channel->serialize(handle);
  CHECK(attach_to(true) == DRAGON_BAD_HANDLE);  // nothing is lent in it
  Handle forged;
  check_ok(decode_handle(handle, sizeof(handle), forged));
  const uint64_t data = allocate(1'000);
  forged.allocation = data;
  encode_handle(forged, handle);
  CHECK(attach_to(false) == DRAGON_BAD_HANDLE);
  forged.allocation = data + (1ull << 32);
  encode_handle(forged, handle);
  CHECK(attach_to(false) == DRAGON_OBJECT_DESTROYED);
  check_ok(pool->free(data));
}

TEST_CASE_FIXTURE(NodeFixture, "a lent reference counts and is adopted by one [CH-037]") {
  auto channel = make_channel(pool, stream_options());
  const auto other = attach();
  RecordId sender = 0;
  check_ok(channel->open_handle(Role::kSender, sender));
  HandleBytes lent;
  check_ok(channel->lend(Role::kSender, lent));
  channel->close_handle(sender);
  CHECK(channel->senders() == 1);
  CHECK(try_receive(*channel).status == DRAGON_EMPTY);  // the sender in flight keeps it open
  RecordId adopted = 0;
  {
    const auto its = attach_channel(other, lent, true, &adopted);
    CHECK(adopted != 0);
    CHECK(channel->senders() == 1);
    std::unique_ptr<Channel> again;
    RecordId second = 0;
    CHECK(Channel::attach(other, lent, sizeof(lent), true, second, again) ==
          DRAGON_OBJECT_DESTROYED);
    CHECK_FALSE(channel->cancel_lent(lent, sizeof(lent)));
    its->close_handle(adopted);
    CHECK(try_receive(*channel).status == DRAGON_EOF);
  }
  leave(other);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a lent reference keeps the object alive until it is cancelled [CH-038]") {
  const uint64_t before = pool->stats().used_bytes;
  auto channel = make_channel(pool);
  HandleBytes lent;
  HandleBytes handle;
  check_ok(channel->lend(Role::kHolder, lent));
  channel->serialize(handle);
  channel->close();
  CHECK(attach_channel(node, handle)->message_count() == 0);
  CHECK(channel->cancel_lent(lent, sizeof(lent)));
  CHECK_FALSE(channel->cancel_lent(lent, sizeof(lent)));
  CHECK(pool->stats().used_bytes == before);
}

TEST_CASE_FIXTURE(NodeFixture, "who leaves gives everything back [SYN-083]") {
  const uint64_t before = pool->stats().used_bytes;
  const auto other = attach();
  const auto its = pool_for(other);
  Allocation data;
  check_ok(its->try_allocate(1'000, AllocationType::kData, data));
  const auto channel = make_channel(its, stream_options());
  check_ok(try_send(*channel, std::string(1'000, 'x')));
  HandleBytes lent;
  check_ok(channel->lend(Role::kReceiver, lent));
  const ActorId id = other->me().id;
  leave(other);
  CHECK(pool->stats().used_bytes == before);
  CHECK_FALSE(node->actors().alive(id));
  CHECK(try_receive(*channel).status == DRAGON_CLOSED);
  ReclaimReport report;
  CHECK(reclaim(node, id, report) == DRAGON_NOT_FOUND);
}
