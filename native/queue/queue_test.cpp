#include "queue/queue.h"

#include <atomic>
#include <thread>

#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

struct QueueHandleCopy {
  explicit QueueHandleCopy(const Queue& queue) { queue.serialize(bytes); }
  QueueHandle bytes;
};

std::unique_ptr<Queue> make_queue(const std::shared_ptr<Pool>& pool, uint32_t consumers,
                                  uint32_t capacity = 100) {
  QueueOptions options;
  options.channel.capacity = capacity;
  options.consumers = consumers;
  std::unique_ptr<Queue> queue;
  check_ok(Queue::create(pool, options, queue));
  return queue;
}

std::unique_ptr<Queue> attach_queue(const std::shared_ptr<Node>& node,
                                    const QueueHandleCopy& handle) {
  std::unique_ptr<Queue> queue;
  check_ok(Queue::attach(node, handle.bytes, sizeof(handle.bytes), queue));
  return queue;
}

Status put(Queue& queue, uint64_t item, Deadline deadline = Deadline::once()) {
  const iovec part{&item, sizeof(item)};
  return queue.put(&part, 1, item, deadline);
}

struct Got {
  Status status = DRAGON_SUCCESS;
  uint64_t item = 0;
};

Got get(Queue& queue, Deadline deadline = Deadline::once()) {
  uint8_t buffer[256];
  ReceivedMessage message;
  Got got;
  got.status = queue.get(buffer, deadline, message);
  if (got.status == DRAGON_SUCCESS) got.item = message.hints;
  return got;
}

// A thread that is an actor of its own and has the queue attached.
template <typename Body>
std::thread queue_thread(const NodeFixture& fixture, const Queue& queue, Body body) {
  const QueueHandleCopy handle(queue);
  return std::thread([&fixture, handle, body] {
    const auto node = fixture.attach_thread();
    {
      const auto mine = attach_queue(node, handle);
      body(*mine);
    }
    leave(node);
  });
}

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a queue hands items over in their order [CH-070]") {
  const uint64_t before = pool->stats().used_bytes;
  {
    const auto queue = make_queue(pool, 0, 3);
    const auto other = attach();
    {
      const auto its = attach_queue(other, QueueHandleCopy(*queue));
      for (uint64_t item = 1; item <= 3; ++item) check_ok(put(*queue, item));
      CHECK(put(*queue, 4) == DRAGON_FULL);
      CHECK(put(*queue, 4, Deadline::after_ms(2)) == DRAGON_TIMEOUT);
      for (uint64_t item = 1; item <= 3; ++item) CHECK(get(*its).item == item);
      CHECK(get(*its).status == DRAGON_EMPTY);
      CHECK(get(*its, Deadline::after_ms(2)).status == DRAGON_TIMEOUT);
      CHECK(its->task_done() == DRAGON_NOT_SUPPORTED);
      CHECK(its->join(Deadline::once()) == DRAGON_NOT_SUPPORTED);
      check_ok(its->destroy());
      CHECK(put(*queue, 5) == DRAGON_OBJECT_DESTROYED);
    }
    leave(other);
  }
  CHECK(pool->stats().used_bytes == before);
}

TEST_CASE_FIXTURE(NodeFixture, "a queue's handle is two, or it is none [CH-070]") {
  const auto queue = make_queue(pool, 2);
  QueueHandleCopy handle(*queue);
  std::unique_ptr<Queue> none;
  CHECK(Queue::attach(node, handle.bytes, kHandleBytes, none) == DRAGON_BAD_HANDLE);
  handle.bytes[kHandleBytes + 5] ^= 1;
  CHECK(Queue::attach(node, handle.bytes, kQueueHandleBytes, none) == DRAGON_BAD_HANDLE);
  QueueOptions options;
  options.consumers = kConsumersMax + 1;
  CHECK(Queue::create(pool, options, none) == DRAGON_INVALID_ARGUMENT);
  CHECK(none == nullptr);
}

TEST_CASE_FIXTURE(NodeFixture, "all is done when each item was taken and declared done [CH-071]") {
  const auto queue = make_queue(pool, 4);
  check_ok(queue->join(Deadline::once()));
  check_ok(put(*queue, 1));
  check_ok(put(*queue, 2));
  CHECK(queue->join(Deadline::once()) == DRAGON_WOULD_BLOCK);
  CHECK(get(*queue).item == 1);
  CHECK(get(*queue).item == 2);
  CHECK(get(*queue).status == DRAGON_EMPTY);
  CHECK(queue->join(Deadline::after_ms(3)) == DRAGON_TIMEOUT);
  check_ok(queue->task_done());
  CHECK(queue->join(Deadline::once()) == DRAGON_WOULD_BLOCK);
  check_ok(queue->task_done());
  check_ok(queue->join(Deadline::once()));
  CHECK(queue->task_done() == DRAGON_STATE);
}

TEST_CASE_FIXTURE(NodeFixture, "anyone may declare an item done that somebody got [CH-072]") {
  const auto queue = make_queue(pool, 4);
  check_ok(put(*queue, 1));
  std::thread other = queue_thread(*this, *queue, [](Queue& its) {
    CHECK(get(its).item == 1);
    check_ok(its.join(Deadline::after_ms(20'000)));
  });
  while (queue->task_done() != DRAGON_SUCCESS) ::usleep(500);
  other.join();
}

TEST_CASE_FIXTURE(NodeFixture, "a join that waits is woken by the last item done [CH-071]") {
  const auto queue = make_queue(pool, 4);
  for (uint64_t item = 0; item < 3; ++item) check_ok(put(*queue, item));
  std::atomic<bool> joined{false};
  std::thread other = queue_thread(*this, *queue, [&](Queue& its) {
    check_ok(its.join(Deadline::after_ms(20'000)));
    joined = true;
  });
  for (int i = 0; i < 3; ++i) {
    ::usleep(2'000);
    check_ok(get(*queue).status);
    CHECK_FALSE(joined.load());
    check_ok(queue->task_done());
  }
  other.join();
}

// Who has taken an item puts further ones before it declares it done, so that in no moment before
// the end all are done.
TEST_CASE_FIXTURE(NodeFixture, "no join comes back while items beget items [CH-071]") {
  constexpr uint64_t kSeeds = 6;
  constexpr uint64_t kDepth = 7;
  constexpr uint64_t kAll = kSeeds * ((1u << (kDepth + 1)) - 1);
  const auto queue = make_queue(pool, 8, 4096);
  for (int round = 0; round < 3; ++round) {
    std::atomic<uint64_t> done{0};
    for (uint64_t seed = 0; seed < kSeeds; ++seed) check_ok(put(*queue, kDepth));
    std::vector<std::thread> threads;
    for (int worker = 0; worker < 3; ++worker) {
      threads.push_back(queue_thread(*this, *queue, [&](Queue& its) {
        for (;;) {
          const Got got = get(its, Deadline::after_ms(20));
          if (got.status != DRAGON_SUCCESS) {
            if (done.load() == kAll) return;
            continue;
          }
          for (int child = 0; got.item > 0 && child < 2; ++child) {
            check_ok(put(its, got.item - 1));
          }
          ++done;
          check_ok(its.task_done());
        }
      }));
    }
    threads.push_back(queue_thread(*this, *queue, [&](Queue& its) {
      check_ok(its.join(Deadline::after_ms(60'000)));
      CHECK(done.load() == kAll);
    }));
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_CASE_FIXTURE(NodeFixture, "more consumers than a queue has places for are refused [CH-073]") {
  const auto queue = make_queue(pool, 1);
  check_ok(put(*queue, 1));
  check_ok(put(*queue, 2));
  const auto other = attach();
  {
    const auto its = attach_queue(other, QueueHandleCopy(*queue));
    CHECK(get(*queue).item == 1);
    CHECK(get(*its).status == DRAGON_STATE);
    CHECK(get(*its, Deadline::after_ms(2)).status == DRAGON_STATE);
    CHECK(queue->channel().message_count() == 1);
  }
  leave(other);
}
