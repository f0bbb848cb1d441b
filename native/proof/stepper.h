// Runs one call in a process of its own, instruction by instruction, and looks after each that
// changed shared memory at what a death there would leave.
//
// Single steps (ptrace) stop after every instruction. Write traps stop only before those that write
// to shared memory, which is read-only otherwise: as exact, and a thousand times quicker where most
// instructions only look, as in a recovery.
//
// The dead leave nothing but their memory, so the look is taken at a copy of it: a forked process
// maps copies of the node's segments over the real ones, declares the stepped process dead,
// recovers and judges. Instructions that changed nothing leave what was judged before. The same is
// done to the recovery itself, inside the copy.
//
// Goals: every instruction of a call, in one pass over it.
// Non-goals: interleaving with others (the kill-point driver), and what the kernel holds for a
// process beside its memory.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "proof/scene.h"

namespace dragon::proof {

// What a judge finds: a fault, or whether the call had taken place.
struct Verdict {
  std::string fault;
  bool happened = false;
};

// The calls are made in a process of their own. `prepare` is not stepped.
struct SteppedCall {
  std::function<void()> prepare;
  std::function<void()> body;
};

struct Steps {
  uint64_t instructions = 0;  // or writes
  uint64_t states = 0;        // different contents of shared memory, each judged
  std::string fault;
};

enum class StepBy { kInstructions, kWrites };

class Stepper {
 public:
  Stepper(Scene& scene, StepBy by);

  // Judges the first state, every `every`th change and the last. `judge` runs in a copy, where the
  // process with the given pid is dead.
  using Judge = std::function<Verdict(pid_t dead)>;
  Steps run(const SteppedCall& call, uint64_t every, const Judge& judge);

 private:
  struct Range {
    const uint8_t* from;
    uint64_t bytes;
  };
  [[noreturn]] void run_child(const SteppedCall& call) const;
  bool step(pid_t pid, Steps& steps);
  bool step_to_write(pid_t pid, Steps& steps);
  bool memory_changed();
  void judge_copy(pid_t pid, const Judge& judge, Steps& steps);
  bool copy_memory();
  std::vector<Range> committed_ranges() const;

  Scene& scene_;
  const StepBy by_;
  Segment pool_segment_;
  const Mapping* mappings_[2];
  std::vector<uint8_t> seen_;  // the memory as it was judged last
  bool happened_ = false;
  bool ended_ = false;
};

// Marks every actor of the process as dead, as a look at the kernel would.
void declare_dead(Node& node, pid_t pid);

}  // namespace dragon::proof
