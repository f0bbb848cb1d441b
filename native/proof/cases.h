// The calls of the exhaustive mode, and what may be left when a process dies in one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "memory/memory_view.h"
#include "proof/stepper.h"

namespace dragon::proof {

// What the stepped process has attached. It never closes anything: its memory ends with it.
struct Victim {
  std::shared_ptr<Node> node;
  std::shared_ptr<Pool> pool;
  std::shared_ptr<Channel> channel;
  std::unique_ptr<LockObject> lock;
  std::unique_ptr<Channel> other;
  Meetings meetings;
  Allocation allocation;
  uint64_t further = 0;  // a share of it, beside the one that is its id then
  MemoryView view;
  RecordId record = 0;
  HandleBytes lent;
};

// What a call does to the channel, or to the lock, when it takes place.
enum class Effect {
  kNone,
  kSends,
  kReceives,
  kLocks,
  kUnlocks,
  kSendsLent,  // the payload goes with its sender
  kWrites,     // the reader-writer lock, as kLocks
  kEndsWrite,
};

struct Case {
  const char* name;
  void (*prepare)(const Scene& scene, Victim& victim);
  void (*body)(const Scene& scene, Victim& victim);
  Effect effect;
};

// How many messages the scene's channel holds before each call, and their shapes: every other one
// is too long for the block.
constexpr uint32_t kWaiting = 3;
constexpr uint32_t kBlockBytesOfCases = 64;

RunPlan plan_of_cases();
// Sends the messages that wait.
std::string fill(Scene& scene);
const std::vector<Case>& cases();

// Judges what is left when everybody but the scene's own actor has been reclaimed.
Verdict judge_left(Scene& scene, Effect effect);

// The call of a case, for the stepper.
SteppedCall call_of(const Case& of, const Scene& scene, Victim& victim);

}  // namespace dragon::proof
