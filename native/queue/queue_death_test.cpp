// What the death of a consumer means to those that join its queue.
// variants: plain
#include <sys/wait.h>

#include "event/event_fixture.h"
#include "queue/queue.h"
#include "sync/kill_points.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint32_t kItems = 4;

std::unique_ptr<Queue> make_queue(const std::shared_ptr<Pool>& pool, uint32_t consumers) {
  QueueOptions options;
  options.channel.capacity = 8;
  options.consumers = consumers;
  std::unique_ptr<Queue> queue;
  check_ok(Queue::create(pool, options, queue));
  for (uint64_t item = 0; item < kItems; ++item) {
    const iovec part{&item, sizeof(item)};
    check_ok(queue->put(&part, 1, item, Deadline::once()));
  }
  return queue;
}

template <typename Body>
pid_t queue_process(const NodeFixture& fixture, const Queue& queue, Body body) {
  QueueHandle handle;
  queue.serialize(handle);
  return fork_child([&] {
    std::shared_ptr<Node> node;
    must_be(Node::attach(fixture.dir.path(), {}, node));
    {
      std::unique_ptr<Queue> its;
      must_be(Queue::attach(node, handle, sizeof(handle), its));
      body(*its);
    }
    leave(node);
  });
}

Status get_one(Queue& queue) {
  uint8_t buffer[256];
  ReceivedMessage message;
  return queue.get(buffer, Deadline::once(), message);
}

void finish_all(Queue& queue) {
  while (get_one(queue) == DRAGON_SUCCESS) check_ok(queue.task_done());
}

const Deadline kSoon = Deadline::after_ms(20'000);

}  // namespace

TEST_CASE_FIXTURE(NodeFixture, "a join tells of items that died with their consumer [CH-074]") {
  const auto queue = make_queue(pool, 1);
  const pid_t pid = queue_process(*this, *queue, [](Queue& its) {
    must_be(get_one(its));
    must_be(get_one(its));
    ::raise(SIGSTOP);
  });
  int status = 0;
  REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
  CHECK(queue->join(Deadline::after_ms(30)) == DRAGON_TIMEOUT);
  ::kill(pid, SIGKILL);
  wait_for(pid);
  SUBCASE("before its reclamation") {
    CHECK(queue->join(Deadline::after_ms(30)) == DRAGON_TIMEOUT);
    finish_all(*queue);
  }
  SUBCASE("after it") {
    reclaim_process(node, pid);
    finish_all(*queue);
  }
  CHECK(queue->join(kSoon) == DRAGON_OWNER_DIED);
  CHECK(queue->lost());
  reclaim_process(node, pid);
  queue->forget_lost();
  CHECK_FALSE(queue->lost());
  check_ok(queue->join(kSoon));
}

TEST_CASE_FIXTURE(NodeFixture, "who leaves with items in hand has lost them [CH-074]") {
  const auto queue = make_queue(pool, 2);
  wait_for(queue_process(*this, *queue, [](Queue& its) { must_be(get_one(its)); }));
  finish_all(*queue);
  CHECK(queue->join(kSoon) == DRAGON_OWNER_DIED);
}

TEST_CASE_FIXTURE(NodeFixture, "a consumer may die at any change that it makes [CH-075]") {
  for (uint64_t point = 1;; ++point) {
    CAPTURE(point);
    const auto queue = make_queue(pool, 3);
    const pid_t pid = queue_process(*this, *queue, [&](Queue& its) {
      kill_points_arm(point);
      for (int i = 0; i < 2; ++i) {
        must_be(get_one(its));
        must_be(its.task_done());
      }
      kill_points_arm(0);
    });
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    const bool was_killed = WIFSIGNALED(status);
    if (was_killed) reclaim_process(node, pid);
    finish_all(*queue);
    const Status joined = queue->join(kSoon);
    CHECK((joined == DRAGON_SUCCESS || (was_killed && joined == DRAGON_OWNER_DIED)));
    if (!was_killed) break;
  }
}
