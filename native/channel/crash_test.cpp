// A process may be killed at any change of shared memory, a reclaimer too, and the others go on.
// variants: plain
//
// With DRAGON_TEST_SIZE=full every point is tried; else every fourth, from another one each time.
#include "channel/crash_fixture.h"

using namespace dragon;
using namespace dragon::test;

namespace {

uint64_t point_step() {
  const char* size = ::getenv("DRAGON_TEST_SIZE");
  return size != nullptr && std::string(size) == "full" ? 1 : 4;
}

uint64_t first_point() {
  return 1 + now_ns() % point_step();
}

// Kill points that a body passes when nothing kills it.
template <typename Body>
uint64_t points_of(Body&& body) {
  uint64_t& points = shared_variable<uint64_t>();
  const int status = wait_for(fork_child([&] {
    kill_points_arm(0);
    body();
    points = kill_points_passed();
  }));
  REQUIRE(status == 0);
  return points;
}

}  // namespace

TEST_CASE("killed at any point, a process leaves nothing behind [SYN-084] [CH-040] [MEM-060]") {
  NodeFixture fixture;
  uint64_t points = 0;
  {
    CrashScene scene(fixture);
    points = points_of([&] { victim_script(scene); });
    check_survivors(scene);
  }
  MESSAGE("kill points: ", points);
  REQUIRE(points > 500);
  for (uint64_t point = first_point(); point <= points; point += point_step()) {
    INFO("killed at point ", point);
    CrashScene scene(fixture);
    const pid_t pid = run_killed(point, [&] { victim_script(scene); });
    const int in = waiting(*scene.in);
    const int out = waiting(*scene.out);
    reclaim_process(fixture.node, pid);
    CHECK(scene.in->message_count() == in);
    CHECK(scene.out->message_count() == out);
    check_survivors(scene);
  }
}

TEST_CASE("who uses an object after a death repairs it, without any reclamation [SYN-085]") {
  NodeFixture fixture;
  bool ended = false;
  for (uint64_t point = first_point(); !ended; point += point_step()) {
    INFO("killed at point ", point);
    CrashScene scene(fixture);
    bool& complete = shared_variable<bool>();
    const pid_t pid = run_killed(point, [&] {
      victim_script(scene);
      complete = true;
    });
    use_at_once(scene);
    reclaim_process(fixture.node, pid);
    check_survivors(scene, kInMessages + 1);
    ended = complete;
    ::munmap(&complete, sizeof(complete));
  }
}

TEST_CASE("a reclaimer may be killed at any point and another begins again [SYN-081]") {
  NodeFixture fixture;
  uint64_t victim_points = 0;
  {
    CrashScene scene(fixture);
    victim_points = points_of([&] { victim_script(scene); });
    check_survivors(scene);
  }
  const auto reclaimer_script = [&](pid_t victim) {
    std::shared_ptr<Node> node;
    must(Node::attach(fixture.dir.path(), {}, node));
    reclaim_process(node, victim);
  };
  for (const uint64_t share : {40, 55, 70, 85, 99}) {
    const uint64_t victim_point = victim_points * share / 100;
    for (uint64_t point = first_point();; point += 3 * point_step()) {
      INFO("victim killed at ", victim_point, ", its reclaimer at ", point);
      CrashScene scene(fixture);
      const pid_t victim = run_killed(victim_point, [&] { victim_script(scene); });
      uint64_t& passed = shared_variable<uint64_t>();
      const pid_t reclaimer = run_killed(point, [&] {
        reclaimer_script(victim);
        passed = 1;
      });
      reclaim_process(fixture.node, victim);
      reclaim_process(fixture.node, reclaimer);
      check_survivors(scene);
      const bool complete = passed != 0;
      ::munmap(&passed, sizeof(passed));
      if (complete) break;
    }
  }
}
