// What the death of a process means to those that share objects with it.
// variants: plain asan
#include <signal.h>

#include <thread>

#include "channel/channel_fixture.h"
#include "channel/lock_object.h"
#include "channel/region.h"

using namespace dragon;
using namespace dragon::test;

namespace {

// A process that has done something with the node and then waits to be killed.
class Victim {
 public:
  template <typename Body>
  Victim(const NodeFixture& fixture, Body body) : ready_(shared_variable<Word32>()) {
    pid_ = fork_child([&] {
      std::shared_ptr<Node> node;
      if (Node::attach(fixture.dir.path(), {}, node) != DRAGON_SUCCESS) ::_exit(1);
      body(node);
      ready_.store(1);
      for (;;) ::pause();
    });
    while (ready_.load() == 0) {
      ::usleep(500);
      REQUIRE(::waitpid(pid_, nullptr, WNOHANG) == 0);
    }
  }
  ~Victim() { end(); }
  // Kills it; the pid, for the reclamation.
  pid_t end() {
    if (!ended_) {
      ::kill(pid_, SIGKILL);
      wait_for(pid_);
    }
    ended_ = true;
    return pid_;
  }
  pid_t pid() const { return pid_; }

 private:
  Word32& ready_;
  pid_t pid_ = 0;
  bool ended_ = false;
};

template <typename Object>
std::unique_ptr<Object> attach_in(const std::shared_ptr<Node>& node, const HandleBytes& handle) {
  std::unique_ptr<Object> out;
  RecordId adopted = 0;
  if (Object::attach(node, handle, sizeof(handle), false, adopted, out) != DRAGON_SUCCESS) {
    ::_exit(2);
  }
  return out;
}

std::unique_ptr<LockObject> make_lock(const std::shared_ptr<Pool>& pool, bool robust) {
  std::unique_ptr<LockObject> lock;
  check_ok(LockObject::create(pool, robust, lock));
  return lock;
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a dead holder's lock goes to the next with OWNER_DIED [SYN-072]") {
  const auto lock = make_lock(pool, true);
  HandleBytes handle;
  lock->serialize(handle);
  Victim victim(*this, [&](const std::shared_ptr<Node>& its) {
    attach_in<LockObject>(its, handle).release()->try_acquire();
  });
  CHECK(lock->locked());
  CHECK(lock->try_acquire() == DRAGON_WOULD_BLOCK);
  victim.end();
  SUBCASE("before any reclamation: by a look at the kernel") {
    CHECK(lock->acquire(Deadline::after_ms(5'000)) == DRAGON_OWNER_DIED);
  }
  SUBCASE("after the reclamation") {
    CHECK(reclaim_process(node, victim.pid()).locks == 1);
    CHECK(lock->holder() == 0);
    CHECK(lock->try_acquire() == DRAGON_OWNER_DIED);
  }
  CHECK(lock->owner_died());
  CHECK(lock->sequence() == 2);
  check_ok(lock->release());
  CHECK_FALSE(lock->owner_died());
  check_ok(lock->try_acquire());
  check_ok(lock->release());
  reclaim_process(node, victim.pid());
}

TEST_CASE_FIXTURE(NodeFixture,
                  "a lock that is not robust stays held until somebody releases it [SYN-073]") {
  const auto lock = make_lock(pool, false);
  HandleBytes handle;
  lock->serialize(handle);
  Victim victim(*this, [&](const std::shared_ptr<Node>& its) {
    attach_in<LockObject>(its, handle).release()->try_acquire();
  });
  reclaim_process(node, victim.end());
  CHECK(lock->locked());
  CHECK(lock->acquire(Deadline::after_ms(30)) == DRAGON_TIMEOUT);
  check_ok(lock->release());
  check_ok(lock->try_acquire());
  check_ok(lock->release());
}

TEST_CASE_FIXTURE(NodeFixture, "the death of the last sender is the end of the stream [CH-041]") {
  ChannelOptions options;
  options.end_of_stream = true;
  const auto channel = make_channel(pool, options);
  HandleBytes handle;
  channel->serialize(handle);
  Victim victim(*this, [&](const std::shared_ptr<Node>& its) {
    auto* mine = attach_in<Channel>(its, handle).release();
    RecordId sender = 0;
    mine->open_handle(Role::kSender, sender);
    try_send(*mine, "last words");
  });
  CHECK(try_receive(*channel).text == "last words");
  std::thread receiver = actor_thread(*this, *channel, [](Channel& mine) {
    CHECK(receive(mine, Deadline::after_ms(20'000)).status == DRAGON_EOF);
  });
  wait_for_waiter(channel->place(PollEvent::kIn));
  CHECK(channel->senders() == 1);
  reclaim_process(node, victim.end());
  CHECK(channel->senders() == 0);
  receiver.join();
}

TEST_CASE_FIXTURE(NodeFixture, "a region is left to those that have it open [MEM-103]") {
  const uint64_t before = pool->stats().used_bytes;
  std::unique_ptr<Region> region;
  check_ok(Region::create(pool, 1'000, region));
  HandleBytes handle;
  region->serialize(handle);
  HandleBytes pool_handle;
  pool->serialize(pool_handle);
  Victim victim(*this, [&](const std::shared_ptr<Node>& its) {
    attach_in<Region>(its, handle).release()->data()[999] = 7;
    std::shared_ptr<Pool> its_pool;
    Pool::attach(its, pool_handle, sizeof(pool_handle), its_pool);
    std::unique_ptr<Region> own;
    Region::create(its_pool, 100'000, own);
    own.release();
    new std::shared_ptr<Pool>(its_pool);
  });
  CHECK(pool->stats().used_bytes > before + 100'000);
  reclaim_process(node, victim.end());
  CHECK(pool->stats().used_bytes < before + 100'000);
  CHECK(region->data()[999] == 7);
  region->close();
  CHECK(pool->stats().used_bytes == before);
}

TEST_CASE_FIXTURE(NodeFixture,
                  "what only the dead had open is destroyed and freed [CH-042] [SYN-080]") {
  const uint64_t before = pool->stats().used_bytes;
  HandleBytes pool_handle;
  pool->serialize(pool_handle);
  Victim victim(*this, [&](const std::shared_ptr<Node>& its) {
    auto* its_pool = new std::shared_ptr<Pool>();
    Pool::attach(its, pool_handle, sizeof(pool_handle), *its_pool);
    auto* channel = make_channel(*its_pool).release();
    for (int i = 0; i < 20; ++i) try_send(*channel, std::string(i * 50, 'x'));
    HandleBytes lent;
    channel->lend(Role::kSender, lent);
    Allocation data;
    (*its_pool)->try_allocate(5'000, AllocationType::kData, data);
    std::shared_ptr<Pool> own;
    PoolOptions options;
    options.limit_bytes = 1 << 20;
    Pool::create(its, options, own);
    new std::shared_ptr<Pool>(own);
  });
  CHECK(pool->stats().used_bytes > before);
  const ReclaimReport report = reclaim_process(node, victim.end());
  CHECK(pool->stats().used_bytes == before);
  CHECK(report.allocations >= 2 + 16);
  CHECK(report.records == 4);  // the channel, its lent reference, two pools
  std::shared_ptr<Pool> gone;
  CHECK(node->pool(pool->segment_id() + 1, gone) == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE_FIXTURE(NodeFixture, "a reference dies with its lender [CH-043]") {
  const auto channel = make_channel(pool);
  HandleBytes handle;
  channel->serialize(handle);
  auto& lent = shared_variable<HandleBytes>();
  Victim victim(*this, [&](const std::shared_ptr<Node>& its) {
    attach_in<Channel>(its, handle).release()->lend(Role::kSender, lent);
  });
  CHECK(channel->senders() == 1);
  reclaim_process(node, victim.end());
  CHECK(channel->senders() == 0);
  std::unique_ptr<Channel> out;
  RecordId adopted = 0;
  CHECK(Channel::attach(node, lent, sizeof(lent), true, adopted, out) == DRAGON_OBJECT_DESTROYED);
}

TEST_CASE_FIXTURE(NodeFixture, "a reference that was adopted outlives its lender [CH-043]") {
  const auto channel = make_channel(pool);
  HandleBytes handle;
  channel->serialize(handle);
  auto& lent = shared_variable<HandleBytes>();
  Victim victim(*this, [&](const std::shared_ptr<Node>& its) {
    attach_in<Channel>(its, handle).release()->lend(Role::kSender, lent);
  });
  const auto adopter = attach_channel(node, lent, true);
  reclaim_process(node, victim.end());
  CHECK(channel->senders() == 1);
}

TEST_CASE_FIXTURE(NodeFixture, "the living can't be reclaimed, and the dead once [SYN-082]") {
  ReclaimReport report;
  CHECK(reclaim(node, node->me().id, report) == DRAGON_STATE);
  const auto other = attach();
  const ActorId id = other->me().id;
  CHECK(reclaim(node, id, report) == DRAGON_STATE);
  other->close();  // without giving back: dead, and still to be reclaimed
  check_ok(reclaim(node, id, report));
  CHECK(reclaim(node, id, report) == DRAGON_NOT_FOUND);
  CHECK(reclaim(other, id, report) == DRAGON_CLOSED);
}

TEST_CASE_FIXTURE(NodeFixture, "a death wakes waiters whose waker it was [SYN-035]") {
  const auto channel = make_channel(pool);
  HandleBytes handle;
  channel->serialize(handle);
  std::thread receiver = actor_thread(*this, *channel, [](Channel& mine) {
    CHECK(receive(mine, Deadline::after_ms(20'000)).text == "published, not rung");
  });
  wait_for_waiter(channel->place(PollEvent::kIn));
  // A sender that dies between publishing and ringing: the hint bit is hidden from it.
  Word32& hint = *channel->place(PollEvent::kIn).hint;
  hint.fetch_and(~1u);
  Victim victim(*this, [&](const std::shared_ptr<Node>& its) {
    try_send(*attach_in<Channel>(its, handle).release(), "published, not rung");
  });
  reclaim_process(node, victim.end());
  receiver.join();
}
