#include "proof/recovery.h"

#include <unistd.h>

namespace dragon::proof {

namespace {

// The stepped processes are killed when they have done what they should.
void reclaim_the_dead(const Scene& scene) {
  ActorInfo info;
  for (uint32_t slot = 0; scene.node->actors().info(slot, info); ++slot) {
    if (info.state != ActorState::kFree) scene.reclaim_process(info.pid);
  }
}

// Steps through the reclamation of `dead` in a process of its own. Whoever comes after it has two
// dead to reclaim.
std::string step_recovery(Scene& scene, uint64_t every, Effect effect, pid_t dead,
                          RecoveryCounts& counts) {
  std::shared_ptr<Node> node;
  std::shared_ptr<Pool> pool;
  SteppedCall call;
  call.prepare = [&] {
    NodeOptions quiet;
    quiet.bell = false;
    if (Node::attach_local(scene.node, quiet, node) != DRAGON_SUCCESS) ::_exit(1);
    if (Pool::attach(node, scene.handles.pool, kHandleBytes, pool) != DRAGON_SUCCESS) ::_exit(2);
  };
  call.body = [&] { reclaim_process(node, dead); };
  const Steps steps = Stepper(scene, StepBy::kWrites).run(call, every, [&](pid_t reclaimer) {
    for (const pid_t each : {dead, reclaimer}) {
      const Status status = scene.reclaim_process(each);
      if (status != DRAGON_SUCCESS) return Verdict{fault_of("the second reclamation", status)};
    }
    return Verdict{judge_left(scene, effect).fault, true};
  });
  reclaim_the_dead(scene);
  counts.recoveries.fetch_add(1);
  counts.writes.fetch_add(steps.instructions);
  counts.states.fetch_add(steps.states);
  return steps.fault.empty() ? "" : "in the recovery, " + steps.fault;
}

Verdict judge(Scene& scene, const StepOptions& options, Effect effect, pid_t dead,
              RecoveryCounts& counts) {
  const uint64_t number = counts.judged.fetch_add(1);
  if (options.recoveries != 0 && number % options.recoveries == 0) {
    const Verdict below{step_recovery(scene, options.every, effect, dead, counts)};
    if (!below.fault.empty()) return below;
  }
  const Status status = scene.reclaim_process(dead);
  if (status != DRAGON_SUCCESS) return {fault_of("the reclamation", status)};
  return judge_left(scene, effect);
}

}  // namespace

Steps step_case(const Case& each, const StepOptions& options, RecoveryCounts& counts) {
  counts.judged.store(0);
  Scene scene(plan_of_cases());
  if (scene.fault.empty()) scene.fault = fill(scene);
  if (!scene.fault.empty()) return {0, 0, scene.fault};
  Victim victim;
  const Steps steps =
      Stepper(scene, options.by).run(call_of(each, scene, victim), options.every, [&](pid_t dead) {
        return judge(scene, options, each.effect, dead, counts);
      });
  reclaim_the_dead(scene);
  return steps;
}

}  // namespace dragon::proof
