// Runs of the kill-point driver: a few that are green, and what it makes of a run that hangs or
// leaves something.
// variants: plain
#include "proof/run.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proof/audit.h"
#include "proof/cases.h"
#include "proof/proof_fixture.h"

using namespace dragon;
using namespace dragon::proof;

namespace {

// Two workers that send and receive, none of whom dies.
RunPlan quiet_plan() {
  RunPlan plan;
  plan.limit_bytes = 256ull << 10;
  plan.channels.push_back({4, 64, 1});
  WorkerPlan worker;
  for (uint32_t i = 0; i < 10; ++i) {
    worker.ops.push_back({OpKind::kSend, Patience::kLong, 0, 30 * i});
    worker.ops.push_back({OpKind::kReceive, Patience::kLong, 0, 0});
    worker.ops.push_back({OpKind::kLock, Patience::kLong, 0, i});
  }
  plan.workers = {worker, worker};
  return plan;
}

// Each kind of operation, some times.
RunPlan full_plan(bool streams) {
  RunPlan plan;
  plan.limit_bytes = 512ull << 10;
  plan.channels.push_back({6, 64, 2, streams, streams});
  plan.channels.push_back({3, 128, 0, false, streams});
  for (uint32_t number = 0; number < 3; ++number) {
    WorkerPlan worker;
    worker.has_bell = number != 0;
    for (uint32_t i = 0; i < 3 * kOpKinds; ++i) {
      const uint32_t kind = (i * 7 + number * 5) % kOpKinds;
      worker.ops.push_back({static_cast<OpKind>(kind), static_cast<Patience>(i % 3),
                            static_cast<uint8_t>(i % 2), 37 * i});
    }
    plan.workers.push_back(worker);
  }
  return plan;
}

std::string execute(const RunPlan& plan) {
  SharedRecords records;
  Tally tally;
  return Run(plan, *records, tally).execute();
}

// What a process has attached when it dies: nothing closes it.
Victim& attached(const Scene& scene, const std::shared_ptr<Node>& node) {
  auto* victim = new Victim();
  RecordId record = 0;
  Pool::attach(node, scene.handles.pool, kHandleBytes, victim->pool);
  LockObject::attach(node, scene.handles.locks[0], kHandleBytes, false, record, victim->lock);
  return *victim;
}

// A process that attaches, does something and dies at once.
template <typename Body>
pid_t die_after(const Scene& scene, Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::shared_ptr<Node> node;
    NodeOptions quiet;
    quiet.bell = false;
    if (Node::attach_local(scene.node, quiet, node) != DRAGON_SUCCESS) ::_exit(1);
    body(node);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFSIGNALED(status));
  declare_dead(*scene.node, pid);
  return pid;
}

}  // namespace

TEST_CASE("random runs with deaths, stops and second deaths leave nothing [PRF-002, PRF-004]") {
  SharedRecords records;
  Tally tally;
  const uint64_t first = now_ns() % 1'000'000;
  for (uint64_t seed = first; seed < first + 60; ++seed) {
    const RunPlan plan = plan_of(seed);
    const std::string fault = Run(plan, *records, tally).execute();
    INFO(text_of(plan));
    REQUIRE(fault == "");
  }
  CHECK(tally.runs == 60);
  CHECK(tally.kills > 20);
}

TEST_CASE("a run without deaths is green, with all messages received [PRF-003, PRF-006]") {
  CHECK(execute(quiet_plan()) == "");
}

TEST_CASE("all kinds of operations without deaths are green [PRF-023, PRF-024, PRF-030]") {
  CHECK(execute(full_plan(false)) == "");
}

TEST_CASE("streams that end, sets and payloads in a pool of their own [PRF-025, PRF-026]") {
  CHECK(execute(full_plan(true)) == "");
}

TEST_CASE("readers and writers, and memory that changes its size [PRF-027, PRF-028]") {
  RunPlan plan = quiet_plan();
  WorkerPlan worker;
  for (uint32_t i = 0; i < 12; ++i) {
    for (const OpKind kind :
         {OpKind::kRead, OpKind::kCount, OpKind::kWrite, OpKind::kResize, OpKind::kView}) {
      worker.ops.push_back({kind, Patience::kLong, 0, 100 * i + 1});
    }
  }
  plan.workers = {worker, worker, worker};
  CHECK(execute(plan) == "");
}

TEST_CASE("one payload for many, whoever has a share of it [PRF-032]") {
  for (const Fate fate : {Fate::kLives, Fate::kKilled}) {
    RunPlan plan = quiet_plan();
    plan.channels.push_back({6, 0, 0});
    WorkerPlan worker;
    for (uint32_t i = 0; i < 12; ++i) {
      for (const OpKind kind : {OpKind::kShare, OpKind::kReceive, OpKind::kReceiveInto}) {
        worker.ops.push_back({kind, Patience::kShort, static_cast<uint8_t>(i % 2), 100 * i + 1});
      }
    }
    plan.workers = {worker, worker, worker};
    plan.workers[1].fate = fate;
    plan.workers[1].point = 400;
    CHECK(execute(plan) == "");
  }
}

TEST_CASE("a process that does not end is a hang, and nothing is left of it [PRF-005]") {
  RunPlan plan = quiet_plan();
  plan.workers[1].fate = Fate::kStopped;
  plan.workers[1].point = 60;
  plan.workers[1].delay_us = 60'000'000;
  plan.hang_ns = 500'000'000;
  const std::string fault = execute(plan);
  INFO(fault);
  CHECK(fault.find("a hang") == 0);
  CHECK(fault.find("process 2") != std::string::npos);
  CHECK(fault.find(", stopped") != std::string::npos);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("the audit finds what is left of the dead [PRF-004]") {
  Scene scene(quiet_plan());
  REQUIRE(scene.fault == "");
  CHECK(audit(scene) == "");
  SUBCASE("an allocation") {
    const pid_t dead = die_after(scene, [&](const std::shared_ptr<Node>& node) {
      Victim& victim = attached(scene, node);
      victim.pool->try_allocate(100, AllocationType::kData, victim.allocation);
    });
    CHECK(audit(scene).find("belongs to a dead actor") != std::string::npos);
    CHECK(scene.reclaim_process(dead) == DRAGON_SUCCESS);
  }
  SUBCASE("a record and an actor") {
    const pid_t dead = die_after(scene, [&](const std::shared_ptr<Node>& node) {
      RecordId record = 0;
      node->records().claim(node->me().id, record);
    });
    CHECK(audit(scene).find("record ") == 0);
    CHECK(scene.reclaim_process(dead) == DRAGON_SUCCESS);
  }
  SUBCASE("a lock") {
    // As it would be if a reclamation had forgotten it: held by an actor that is no more.
    const pid_t dead = die_after(scene, [&](const std::shared_ptr<Node>& node) {
      attached(scene, node).lock->try_acquire();
    });
    CHECK(scene.locks[0]->holder() != 0);
    CHECK(audit(scene) != "");
    CHECK(scene.reclaim_process(dead) == DRAGON_SUCCESS);
    CHECK(scene.locks[0]->holder() == 0);
  }
  SUBCASE("an object that nobody can reach") {
    Allocation allocation;
    REQUIRE(scene.pool->try_allocate(100, AllocationType::kData, allocation) == DRAGON_SUCCESS);
    scene.pool->change_owner(allocation.id, scene.node->me().id, kOwnerObject);
    CHECK(audit(scene).find("nobody can reach") != std::string::npos);
    scene.pool->free(allocation.id);
  }
  CHECK(audit(scene) == "");
  CHECK(audit_use(scene) == "");
  CHECK(scene.end() == "");
}
