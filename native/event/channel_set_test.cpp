#include "event/channel_set.h"

#include <poll.h>

#include <map>

#include "event/event_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

// Channels in a set, by their places in `channels`.
struct Scene : NodeFixture {
  explicit Scene(uint32_t count = 3, uint32_t mask = kSetIn) : set(node) {
    ChannelOptions options;
    options.capacity = 2;
    for (uint32_t i = 0; i < count; ++i) {
      channels.push_back(make_channel(pool, options));
      uint32_t member = 0;
      check_ok(set.add(channels.back(), mask, member));
      CHECK(member == i + 1);
    }
  }
  // Member and events as text, "-" if none is ready.
  std::string poll() {
    ChannelSet::Ready ready;
    const Status status = set.try_poll(ready);
    if (status == DRAGON_WOULD_BLOCK) return "-";
    check_ok(status);
    return std::to_string(ready.member) + ":" + std::to_string(ready.events);
  }

  ChannelSet set;
  std::vector<std::shared_ptr<Channel>> channels;
};

}  // namespace

TEST_CASE("a set tells which channel is ready for which of its events [EVT-060]") {
  Scene scene;
  CHECK(scene.poll() == "-");
  check_ok(try_send(*scene.channels[1], "x"));
  CHECK(scene.poll() == "2:1");
  CHECK(scene.poll() == "2:1");  // the level: it still is
  check_ok(scene.set.change(2, kSetIn | kSetOut | kSetEmpty));
  CHECK(scene.poll() == "2:3");
  check_ok(try_send(*scene.channels[1], "y"));
  CHECK(scene.poll() == "2:1");
  check_ok(scene.set.change(2, kSetFull | kSetEmpty));
  CHECK(scene.poll() == "2:8");
  check_ok(try_receive(*scene.channels[1]).status);
  CHECK(scene.poll() == "-");
  check_ok(try_receive(*scene.channels[1]).status);
  CHECK(scene.poll() == "2:4");
  check_ok(scene.set.remove(2));
  CHECK(scene.poll() == "-");
  CHECK(scene.set.size() == 2);
  CHECK(scene.set.remove(2) == DRAGON_NOT_FOUND);
  CHECK(scene.set.change(2, kSetIn) == DRAGON_NOT_FOUND);
  CHECK(scene.set.change(1, 0) == DRAGON_INVALID_ARGUMENT);
  uint32_t member = 0;
  CHECK(scene.set.add(scene.channels[1], kSetEnded, member) == DRAGON_INVALID_ARGUMENT);
}

TEST_CASE("channels that stay ready are told in turn [EVT-061]") {
  Scene scene(4);
  for (const int ready : {0, 1, 3}) check_ok(try_send(*scene.channels[ready], "x"));
  std::map<std::string, int> seen;
  for (int i = 0; i < 30; ++i) ++seen[scene.poll()];
  CHECK(seen == std::map<std::string, int>{{"1:1", 10}, {"2:1", 10}, {"4:1", 10}});
  check_ok(scene.set.remove(2));
  seen.clear();
  for (int i = 0; i < 10; ++i) ++seen[scene.poll()];
  CHECK(seen == std::map<std::string, int>{{"1:1", 5}, {"4:1", 5}});
}

TEST_CASE("a member that goes away takes nobody's turn [EVT-061]") {
  for (const uint32_t gone : {1u, 2u, 3u}) {
    Scene scene(4);
    for (int ready = 0; ready < 4; ++ready) check_ok(try_send(*scene.channels[ready], "x"));
    CHECK(scene.poll() == "1:1");
    CHECK(scene.poll() == "2:1");
    check_ok(scene.set.remove(gone));
    CHECK(scene.poll() == (gone == 3 ? "4:1" : "3:1"));
  }
}

TEST_CASE("a blocked poll ends when a channel becomes ready, or at its deadline [EVT-062]") {
  Scene scene(20, kSetIn | kSetFull);
  ChannelSet::Ready ready;
  CHECK(scene.set.poll(Deadline::once(), ready) == DRAGON_WOULD_BLOCK);
  const uint64_t start = now_ns();
  CHECK(scene.set.poll(Deadline::after_ms(25), ready) == DRAGON_TIMEOUT);
  CHECK(now_ns() - start >= 25'000'000);
  for (const uint32_t index : {17u, 3u}) {
    std::thread sender = object_thread(scene, *scene.channels[index], [&](Channel& mine) {
      wait_for_waiters(mine.node(), mine.poll_place(PollEvent::kIn), 1);
      check_ok(try_send(mine, "x"));
    });
    check_ok(scene.set.poll(Deadline::after_ms(20'000), ready));
    CHECK(ready.member == index + 1);
    CHECK(ready.events == kSetIn);
    sender.join();
    check_ok(try_receive(*scene.channels[index]).status);
  }
  CHECK(scene.node->lot().audit() == std::string());
}

TEST_CASE("a poll that blocked leaves the doorbell rung for the event loop [EVT-062]") {
  Scene scene(1);
  const auto other = make_channel(scene.pool);
  RecordId promise = 0;
  check_ok(
      scene.node->lot().arm(other->poll_place(PollEvent::kIn), WaitKind::kEventLoop, 0, promise));
  scene.node->bell().drain();
  std::thread sender = object_thread(scene, *scene.channels[0], [&](Channel& mine) {
    wait_for_waiters(mine.node(), mine.poll_place(PollEvent::kIn), 1);
    const auto its = attach_object<Channel>(mine.pool().node_pointer(), HandleCopy(*other));
    check_ok(try_send(*its, "for the promise"));
    check_ok(try_send(mine, "for the poll"));
  });
  ChannelSet::Ready ready;
  check_ok(scene.set.poll(Deadline::after_ms(20'000), ready));
  sender.join();
  CHECK(scene.node->lot().woken(promise));
  pollfd rung{scene.node->bell().fd(), POLLIN, 0};
  CHECK(::poll(&rung, 1, 0) == 1);
  scene.node->lot().cancel(promise);
}

TEST_CASE("any number of watchers are all told [EVT-063]") {
  Scene scene(2);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.push_back(object_thread(scene, *scene.channels[0], [](Channel& mine) {
      // The set holds what it watches; this one does not outlive the thread.
      const std::shared_ptr<Channel> watched(&mine, [](Channel*) {});
      ChannelSet its(mine.pool().node_pointer());
      uint32_t member = 0;
      check_ok(its.add(watched, kSetIn, member));
      ChannelSet::Ready ready;
      check_ok(its.poll(Deadline::after_ms(20'000), ready));
      CHECK(ready.events == kSetIn);
    }));
  }
  wait_for_waiters(*scene.node, scene.channels[0]->poll_place(PollEvent::kIn), 3);
  check_ok(try_send(*scene.channels[0], "x"));
  for (std::thread& thread : threads) thread.join();
  CHECK(scene.poll() == "1:1");  // nobody took anything
}

TEST_CASE("a channel that is destroyed or closed is told as ended [EVT-064]") {
  Scene scene(3);
  std::thread destroyer = object_thread(scene, *scene.channels[2], [](Channel& mine) {
    wait_for_waiters(mine.node(), mine.poll_place(PollEvent::kIn), 1);
    check_ok(mine.destroy());
  });
  ChannelSet::Ready ready;
  check_ok(scene.set.poll(Deadline::after_ms(20'000), ready));
  CHECK(ready.member == 3);
  CHECK(ready.events == kSetEnded);
  destroyer.join();
  check_ok(scene.set.remove(3));
  CHECK(scene.poll() == "-");
  scene.channels[0]->close();
  CHECK(scene.poll() == "1:16");
  check_ok(try_send(*scene.channels[1], "x"));
  CHECK(scene.poll() == "2:1");
  CHECK(scene.poll() == "1:16");
}

TEST_CASE_FIXTURE(NodeFixture, "an actor without a doorbell may look and not block [EVT-062]") {
  NodeOptions options;
  options.bell = false;
  std::shared_ptr<Node> silent;
  check_ok(Node::attach(dir.path(), options, silent));
  {
    const auto channel = make_channel(pool);
    const std::shared_ptr<Channel> its = attach_object<Channel>(silent, HandleCopy(*channel));
    ChannelSet set(silent);
    uint32_t member = 0;
    check_ok(set.add(its, kSetIn, member));
    ChannelSet::Ready ready;
    CHECK(set.poll(Deadline::once(), ready) == DRAGON_WOULD_BLOCK);
    CHECK(set.poll(Deadline::after_ms(5), ready) == DRAGON_NOT_SUPPORTED);
  }
  leave(silent);
}
