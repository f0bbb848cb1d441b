// A process that allocates, frees, resizes or takes cached blocks back may be killed at any change
// of shared memory: nothing is lost, nothing is handed out twice.
// variants: plain
#include <signal.h>
#include <string.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "memory/node_fixture.h"
#include "sync/kill_points.h"

using namespace dragon;
using namespace dragon::test;

namespace {

constexpr uint64_t kLimit = 256 << 10;

void must(Status status) {
  if (status != DRAGON_SUCCESS) ::_exit(100 + status);
}

// The survivor's blocks, each full of its own byte.
struct Scene {
  explicit Scene(NodeFixture& owner) : fixture(owner) {
    for (int number = 0; number < 24; ++number) {
      Allocation out;
      const uint64_t bytes = 16u << number % 8;
      check_ok(fixture.pool->try_allocate(bytes, AllocationType::kData, out));
      ::memset(out.data, number, bytes);
      blocks.push_back(out);
    }
    // Every third one passes to whoever comes.
    for (size_t i = 0; i < blocks.size(); i += 3) {
      given.push_back(blocks[i].id);
      blocks[i].id = 0;
    }
    fixture.pool->serialize(handle);
  }
  void check_blocks() const {
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i].id == 0) continue;
      AllocationInfo info;
      check_ok(fixture.pool->find(blocks[i].id, info));
      const uint8_t* bytes = info.allocation.data;
      CHECK(std::all_of(bytes, bytes + info.allocation.bytes,
                        [i](uint8_t byte) { return byte == i; }));
    }
  }
  void end() const {
    for (const Allocation& each : blocks) {
      if (each.id != 0) check_ok(fixture.pool->free(each.id));
    }
    for (const uint64_t id : given) fixture.pool->free(id);  // the victim may have done it
    const PoolStats stats = fixture.pool->stats();
    CHECK(stats.used_bytes == 0);
    Allocation all;
    check_ok(fixture.pool->try_allocate(kLimit, AllocationType::kData, all));
    check_ok(fixture.pool->free(all.id));
    CHECK(fixture.pool->audit() == "");
  }

  NodeFixture& fixture;
  std::vector<Allocation> blocks;
  std::vector<uint64_t> given;
  HandleBytes handle;
};

void victim_script(const Scene& scene) {
  std::shared_ptr<Node> node;
  must(Node::attach(scene.fixture.dir.path(), {}, node));
  {
    std::shared_ptr<Pool> pool;
    must(Pool::attach(node, scene.handle, kHandleBytes, pool));
    Allocation mine[8];
    for (int round = 0; round < 2; ++round) {
      for (Allocation& each : mine) {
        must(pool->try_allocate(200, AllocationType::kData, each));
        ::memset(each.data, 0xff, each.bytes);
      }
      for (const Allocation& each : mine) must(pool->free(each.id));
    }
    for (const uint64_t id : scene.given) must(pool->free(id));  // overflows the magazines
    // Fills the pool to the last byte, so that everything cached is taken back.
    std::vector<uint64_t> filled;
    for (uint64_t bytes = 64 << 10; bytes >= 1'024; bytes /= 2) {
      Allocation out;
      while (pool->try_allocate(bytes, AllocationType::kData, out) == DRAGON_SUCCESS) {
        filled.push_back(out.id);
      }
    }
    for (const uint64_t id : filled) must(pool->free(id));
    must(pool->try_allocate(3'000, AllocationType::kData, mine[0]));
    must(pool->resize(mine[0].id, 500));
    must(pool->resize(mine[0].id, 2'000));
  }
  leave(node);
}

template <typename Body>
pid_t run_killed(uint64_t point, bool& complete, Body&& body) {
  const pid_t pid = fork_child([&] {
    kill_points_arm(point);
    body();
    complete = true;
  });
  const int status = wait_for(pid);
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  REQUIRE_MESSAGE((killed || status == 0), "the process ended with ", status);
  return pid;
}

}  // namespace

TEST_CASE("killed at any point, a user of magazines leaves nothing cached [MEM-066] [MEM-060]") {
  NodeFixture fixture(kLimit);
  bool ended = false;
  bool& complete = shared_variable<bool>();
  const char* size = ::getenv("DRAGON_TEST_SIZE");
  const uint64_t step = size != nullptr && std::string(size) == "full" ? 1 : 7;
  for (uint64_t point = 1 + now_ns() % step; !ended; point += step) {
    INFO("killed at point ", point);
    const Scene scene(fixture);
    const pid_t pid = run_killed(point, complete, [&] { victim_script(scene); });
    ended = complete;
    // The survivor goes on at once, beside what the dead has cached.
    const uint64_t id = fixture.allocate(200);
    check_ok(fixture.pool->free(id));
    CHECK(fixture.pool->audit() == "");
    reclaim_process(fixture.node, pid);
    CHECK(fixture.pool->audit() == "");
    scene.check_blocks();
    scene.end();
  }
}
