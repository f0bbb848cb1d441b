// A sender that dies while it takes its message back leaves all of the message, or none.
// variants: plain
#include "channel/crash_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

// Payload in the channel's pool, or in another one that is reclaimed before it.
std::shared_ptr<Pool> payloads_of(const NodeFixture& fixture, bool apart) {
  std::shared_ptr<Pool> payloads;
  PoolOptions options;
  options.limit_bytes = 1ull << 20;
  if (apart) check_ok(Pool::create(fixture.node, options, payloads));
  return payloads;
}

// Dies at the kill point, from the beginning of the send.
void await_receipt(const CrashScene& scene, uint64_t point) {
  std::shared_ptr<Node> node;
  must(Node::attach(scene.fixture.dir.path(), {}, node));
  std::unique_ptr<Channel> out;
  RecordId record = 0;
  must(Channel::attach(node, scene.out_handle, kHandleBytes, false, record, out));
  const std::string text(500, 'x');
  const iovec part = part_of(text);
  // The payload's pool is open before the points are counted.
  must(out->try_send(&part, 1, 0));
  must(out->try_pop());
  must(try_send(*out, "before"));
  kill_points_arm(point);
  const Status status = out->send(&part, 1, 0, Deadline::once(), ReturnMode::kWhenReceived);
  kill_points_arm(0);
  if (status != DRAGON_WOULD_BLOCK) ::_exit(1);
}

}  // namespace

TEST_CASE("killed while it takes a message back, a sender leaves all of it or none [CH-051]") {
  NodeFixture fixture;
  for (const bool apart : {false, true}) {
    bool ended = false;
    for (uint64_t point = 1; !ended; ++point) {
      INFO("killed at point ", point, std::string(apart ? ", with a payload pool" : ""));
      CrashScene scene(fixture);
      ChannelOptions options;
      options.payload_pool = payloads_of(fixture, apart);
      scene.out = make_channel(fixture.pool, options);
      scene.out->serialize(scene.out_handle);
      bool& complete = shared_variable<bool>();
      const pid_t pid = run_killed(0, [&] {
        await_receipt(scene, point);
        complete = true;
      });
      check_ok(try_send(*scene.out, "after"));
      reclaim_process(fixture.node, pid);
      CHECK(try_receive(*scene.out).text == "before");
      const auto next = try_receive(*scene.out);
      check_ok(next.status);
      if (next.text != "after") {
        CHECK(next.text == std::string(500, 'x'));
        CHECK(try_receive(*scene.out).text == "after");
      }
      CHECK(scene.out->audit() == "");
      if (apart) CHECK(options.payload_pool->stats().allocations == 0);
      ended = complete;
      ::munmap(&complete, sizeof(complete));
    }
  }
}
