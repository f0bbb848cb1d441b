// For tests that kill: objects that survivors and victims share, what a victim does, and what must
// be true after its reclamation.
#pragma once

#include <signal.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "channel/channel_fixture.h"
#include "channel/lock_object.h"
#include "sync/kill_points.h"

namespace dragon::test {

constexpr int kInMessages = 10;
constexpr int kOutMessages = 12;

// Every third message is too long for a slot.
inline std::string message_text(int number) {
  return std::to_string(number) + std::string(number % 3 == 2 ? 400 : 0, '.');
}

// The shared objects, as the survivor has them open.
struct CrashScene {
  explicit CrashScene(NodeFixture& owner) : fixture(owner) {
    ChannelOptions options;
    options.capacity = 16;  // the second chunk of slots is made on the way
    in = make_channel(fixture.pool, options);
    out = make_channel(fixture.pool, options);
    check_ok(LockObject::create(fixture.pool, true, lock));
    for (int i = 0; i < kInMessages; ++i) check_ok(try_send(*in, message_text(i)));
    in->serialize(in_handle);
    out->serialize(out_handle);
    lock->serialize(lock_handle);
    check_ok(out->lend(Role::kSender, lent_handle));
    fixture.pool->serialize(pool_handle);
  }

  NodeFixture& fixture;
  std::unique_ptr<Channel> in;
  std::unique_ptr<Channel> out;
  std::unique_ptr<LockObject> lock;
  HandleBytes in_handle;
  HandleBytes out_handle;
  HandleBytes lock_handle;
  HandleBytes lent_handle;
  HandleBytes pool_handle;
};

// Runs the body in a process that is killed at the point; the pid of the dead.
template <typename Body>
pid_t run_killed(uint64_t point, Body&& body) {
  const pid_t pid = fork_child([&] {
    kill_points_arm(point);
    body();
  });
  const int status = wait_for(pid);
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  REQUIRE_MESSAGE((killed || status == 0), "the process ended with ", status);
  return pid;
}

inline void must(Status status) {
  if (status != DRAGON_SUCCESS && status != DRAGON_OWNER_DIED) ::_exit(100 + status);
}

// What a victim does, from its attachment to its leave.
inline void victim_script(const CrashScene& scene) {
  std::shared_ptr<Node> node;
  must(Node::attach(scene.fixture.dir.path(), {}, node));
  {
    std::shared_ptr<Pool> pool;
    must(Pool::attach(node, scene.pool_handle, kHandleBytes, pool));
    RecordId record = 0;
    std::unique_ptr<Channel> in;
    std::unique_ptr<Channel> out;
    std::unique_ptr<LockObject> lock;
    must(Channel::attach(node, scene.out_handle, kHandleBytes, false, record, out));
    must(Channel::attach(node, scene.in_handle, kHandleBytes, false, record, in));
    must(LockObject::attach(node, scene.lock_handle, kHandleBytes, false, record, lock));
    std::unique_ptr<Channel> adopted;
    must(Channel::attach(node, scene.lent_handle, kHandleBytes, true, record, adopted));
    must(out->open_handle(Role::kSender, record));
    must(in->open_handle(Role::kReceiver, record));
    for (int i = 0; i < kOutMessages; ++i) {
      const std::string text = message_text(i);
      const iovec part = part_of(text);
      must(out->try_send(&part, 1, 0));
    }
    must(lock->acquire(Deadline::never()));
    Allocation blocks[3];
    for (Allocation& block : blocks) {
      must(pool->try_allocate(3'000, AllocationType::kData, block));
    }
    must(pool->free(blocks[1].id));
    for (int i = 0; i < kInMessages / 2; ++i) {
      uint8_t buffer[192];
      ReceivedMessage message;
      must(in->receive(buffer, Deadline::never(), message));
      if (message.allocation != 0) must(pool->free(message.allocation));
    }
    must(lock->release());
    must(lock->try_acquire());
    std::unique_ptr<Channel> own;
    must(Channel::create(pool, {}, own));
    const std::string text = message_text(2);
    const iovec part = part_of(text);
    must(own->try_send(&part, 1, 0));
    HandleBytes lent;
    must(own->lend(Role::kReceiver, lent));
    RecordId wait = 0;
    must(node->lot().arm(in->poll_place(PollEvent::kFull), WaitKind::kEventLoop, 0, wait));
    must(out->try_poll(PollEvent::kIn));
    own->close();
    own->cancel_lent(lent, kHandleBytes);
  }
  leave(node);
}

// Messages that were sent and not received: read from the cells themselves.
inline int waiting(const Channel& channel) {
  const Pool& pool = channel.pool();
  AllocationInfo object;
  check_ok(pool.find(channel.id(), object));
  auto& header = *reinterpret_cast<ChannelHeader*>(object.allocation.data);
  const uint64_t stride = slot_stride(channel.block_bytes());
  const auto slot_of = [&](uint64_t word) {
    const uint32_t index = cell_slot(word) - 1;
    const uint32_t chunk = chunk_of(index);
    AllocationInfo part;
    check_ok(chunk == 0 ? DRAGON_SUCCESS : pool.find(header.chunks[chunk].load(), part));
    uint8_t* first = chunk == 0 ? object.allocation.data + kFirstSlotOffset : part.allocation.data;
    return reinterpret_cast<ChannelSlot*>(first + (index - chunk_first_slot(chunk)) * stride);
  };
  int count = 0;
  for (uint32_t ring = 0; ring < kRings; ++ring) {
    AllocationInfo part;
    auto* cells = reinterpret_cast<Word64*>(object.allocation.data + kFirstRingOffset);
    if (ring > 0) {
      if (pool.find(header.rings[ring].load(), part) != DRAGON_SUCCESS) continue;
      cells = reinterpret_cast<Word64*>(part.allocation.data + sizeof(RingHeader));
    }
    for (uint64_t index = 0; index < ring_cells(ring); ++index) {
      const uint64_t word = cells[index].load();
      if (cell_state(word) != CellState::kQueued) continue;
      const uint64_t payload = slot_of(word)->payload.load();
      const uint64_t position = cell_lap(word) * ring_cells(ring) + index;
      AllocationInfo info;
      const bool received = payload != 0 && pool.find(payload, info) == DRAGON_SUCCESS &&
                            info.owner != owner_message(channel.id(), position);
      count += received ? 0 : 1;
    }
  }
  return count;
}

// Uses the objects after the victim's death, before anybody has reclaimed it.
inline void use_at_once(CrashScene& scene) {
  const Deadline soon = Deadline::after_ms(5'000);
  Allocation block;
  check_ok(scene.fixture.pool->allocate(3'000, AllocationType::kData, soon, block));
  check_ok(scene.fixture.pool->free(block.id));
  CHECK(scene.fixture.pool->audit() == "");
  const Status acquired = scene.lock->acquire(soon);
  CHECK((acquired == DRAGON_SUCCESS || acquired == DRAGON_OWNER_DIED));
  check_ok(scene.lock->release());
  check_ok(send(*scene.in, message_text(kInMessages), soon));
  CHECK(scene.in->audit() == "");
  CHECK(scene.out->audit() == "");
  RecordId wait = 0;
  check_ok(scene.fixture.node->lot().arm(scene.in->poll_place(PollEvent::kFull),
                                         WaitKind::kEventLoop, 0, wait));
  scene.fixture.node->lot().cancel(wait);
  CHECK(scene.fixture.node->lot().audit() == std::string());
}

// Checks the scene after the victim's death and reclamation, uses it, and takes it down.
inline void check_survivors(CrashScene& scene, int in_messages = kInMessages) {
  NodeFixture& fixture = scene.fixture;
  CHECK(fixture.pool->audit() == "");
  CHECK(scene.in->audit() == "");
  CHECK(scene.out->audit() == "");
  CHECK(fixture.node->lot().audit() == std::string());
  const std::set<uint64_t> objects = {scene.in->id(), scene.out->id(), scene.lock->id()};
  AllocationInfo info;
  for (uint32_t index = 1; (index = fixture.pool->next_allocation(index, info)) != 0;) {
    if (info.owner == kOwnerObject) {
      const bool chunk = info.type == AllocationType::kChunk;
      CHECK(objects.count(chunk ? info.tag : info.allocation.id) == 1);
    } else {
      CHECK((info.owner & kOwnerMessage) != 0);  // those of the victim are gone
    }
  }
  for (uint32_t index = 1; index < fixture.node->records().committed(); ++index) {
    const auto owner = static_cast<ActorId>(fixture.node->records().at(index).owner.load());
    CHECK((owner == 0 || fixture.node->actors().alive(owner)));
  }
  // What arrived is a beginning of what was sent, and what is left an end of what there was.
  int next = 0;
  for (Received message = try_receive(*scene.out); message.status != DRAGON_EMPTY;
       message = try_receive(*scene.out)) {
    check_ok(message.status);
    CHECK(message.text == message_text(next));
    ++next;
  }
  const auto left = static_cast<int>(scene.in->message_count());
  CHECK(left >= in_messages - kInMessages / 2);
  for (int i = in_messages - left; i < in_messages; ++i) {
    CHECK(try_receive(*scene.in).text == message_text(i));
  }
  CHECK_FALSE(scene.lock->locked());
  const Status acquired = scene.lock->try_acquire();
  CHECK((acquired == DRAGON_SUCCESS || acquired == DRAGON_OWNER_DIED));
  check_ok(scene.lock->release());
  for (int i = 0; i < 16; ++i) check_ok(try_send(*scene.in, message_text(i)));
  CHECK(try_send(*scene.in, "x") == DRAGON_FULL);
  CHECK(try_receive(*scene.in).text == message_text(0));
  CHECK(scene.in->receivers() == 0);
  scene.out->cancel_lent(scene.lent_handle, kHandleBytes);
  CHECK(scene.out->senders() == 0);
  scene.in.reset();
  scene.out.reset();
  scene.lock.reset();
  CHECK(fixture.pool->stats().used_bytes == 0);
}

}  // namespace dragon::test
