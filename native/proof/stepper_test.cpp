// The exhaustive mode sees every change of shared memory, and finds calls that can't be cut short.
// variants: plain
#include "proof/stepper.h"

#include <doctest/doctest.h>

#include "proof/proof_fixture.h"
#include "proof/recovery.h"

using namespace dragon;
using namespace dragon::proof;

namespace {

const Case& case_named(const std::string& name) {
  for (const Case& each : cases()) {
    if (each.name == name) return each;
  }
  FAIL("no such case");
  return cases().front();
}

Steps step(const Case& each, StepBy by, uint64_t recoveries = 0) {
  Shared<RecoveryCounts> counts;
  StepOptions options;
  options.by = by;
  options.recoveries = recoveries;
  const Steps steps = step_case(each, options, *counts);
  CHECK(((*counts).states.load() > 0) == (recoveries != 0));
  return steps;
}

// A case with another body.
Steps step_body(void (*body)(const Scene& scene, Victim& victim), Effect effect) {
  Case broken = case_named("send");
  broken.body = body;
  broken.effect = effect;
  return step(broken, StepBy::kWrites);
}

bool has(const Steps& steps, const std::string& part) {
  INFO("fault: ", steps.fault);
  return steps.fault.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every call may be cut short after any write [PRF-012, PRF-029, PRF-031]") {
  for (const Case& each : cases()) {
    INFO(each.name);
    const Steps steps = step(each, StepBy::kWrites);
    CHECK(steps.fault == "");
    CHECK(steps.states >= 2);
  }
}

TEST_CASE("single steps stop at the same states as write traps [PRF-010]") {
  for (const char* name : {"lock", "unlock", "receive"}) {
    INFO(name);
    const Steps writes = step(case_named(name), StepBy::kWrites);
    const Steps instructions = step(case_named(name), StepBy::kInstructions);
    CHECK(instructions.fault == "");
    CHECK(instructions.states == writes.states);
    CHECK(instructions.instructions > 5 * writes.instructions);
  }
}

TEST_CASE("a recovery may be cut short after any write [PRF-011]") {
  CHECK(step(case_named("send-allocation"), StepBy::kWrites, 6).fault == "");
}

TEST_CASE("a call that could be seen half done is found [PRF-010]") {
  const Steps steps = step_body(
      [](const Scene&, Victim& victim) {
        Allocation lost;
        victim.pool->try_allocate(100, AllocationType::kData, lost);
        victim.pool->change_owner(lost.id, victim.node->me().id, kOwnerObject);
        victim.pool->free(lost.id);
      },
      Effect::kNone);
  CHECK(has(steps, "belongs to an object that nobody can reach"));
}

TEST_CASE("a call that is taken back, or does not take place, is found [PRF-012]") {
  const Steps back = step_body(
      [](const Scene&, Victim& victim) {
        victim.lock->try_acquire();
        victim.lock->release();
      },
      Effect::kLocks);
  CHECK(has(back, "has not taken place any more"));
  const Steps nothing = step_body([](const Scene&, Victim&) {}, Effect::kSends);
  CHECK(has(nothing, "the call ended and had not taken place"));
}
