// What the processes of a run do, and what is done to them: all of it from one seed.
//
// Goals: a seed gives the same scripts, sizes, kill points and delays for ever; a plan can be
// printed, so that a failure can be read.
// Non-goals: a seed does not repeat how the machine interleaves the processes; a failure that
// depends on it is found again by repeating its seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proof/random.h"

namespace dragon::proof {

enum class OpKind : uint8_t {
  kAllocate,        // keep an allocation, filled with a pattern
  kFree,            // check the pattern of one that is kept, and free it
  kSend,            // by copy; by descriptor when it is longer than the block
  kSendAllocation,  // an allocation of its own, without a copy
  kReceive,
  kPeek,
  kPoll,
  kLock,       // acquire, do the next operation as a try, release
  kCount,      // add to the counter
  kHandle,     // open and close a handle of a channel
  kLend,       // put a lent handle where another process finds it
  kAdopt,      // adopt one
  kOwn,        // create, use and close a channel and a lock of its own
  kArm,        // stand in a queue as an event loop does
  kPermit,     // take a permit of the semaphore and give it back
  kMeet,       // meet at the barrier
  kEvent,      // set, clear or wait for the event
  kBroadcast,  // publish a round, or read the last one
  kCondition,  // wait at the condition, or notify
  kSendMany,
  kReceiveMany,
  kSendLent,      // an allocation to be read only, which stays the sender's
  kAwaitReceipt,  // a send that is back when its message was received
  kReceiveInto,   // memory of the receiver's choice
  kPop,           // take the next message away unseen
  kWatch,         // poll a set of all channels
  kStream,        // open a handle of a channel and keep it, or close the one that is kept
  kRead,          // the same as kLock, as a reader
  kWrite,         // as a writer
  kResize,        // an allocation that is kept
  kView,          // views of one that is kept, and their copies
  kQueue,         // put an item, get one and finish it, or wait until all are finished
  kShare,         // one payload for several channels, a share of it in each
};
constexpr uint32_t kOpKinds = 33;

// How long an operation waits: it tries once; for milliseconds; until somebody lets it go on.
enum class Patience : uint8_t { kTry, kShort, kLong };

struct Op {
  OpKind kind = OpKind::kAllocate;
  Patience patience = Patience::kTry;
  uint8_t object = 0;   // which channel or lock
  uint32_t number = 0;  // bytes, microseconds, a choice: as the kind says
};

enum class Fate : uint8_t {
  kLives,
  kKilled,         // before a kill point
  kStopped,        // before a kill point, and continued later
  kStoppedKilled,  // stopped, and killed where it stands
  kShot,           // killed from outside, anywhere
};

struct WorkerPlan {
  std::vector<Op> ops;
  Fate fate = Fate::kLives;
  uint64_t point = 0;     // kill point, from the start of the process
  uint32_t delay_us = 0;  // of the shot; how long it stays stopped
  bool has_bell = false;
  bool leaves_open = false;  // leaves with its objects open
};

struct ChannelPlan {
  uint32_t capacity = 0;
  uint32_t block_bytes = 0;
  uint32_t prefill = 0;  // messages before the workers start
  bool end_of_stream = false;
  bool payload_pool = false;  // payloads by copy lie in a pool of their own
};

// Who else dies, during the recovery.
enum class SecondVictim : uint8_t { kNobody, kReclaimer, kSurvivor };
// When the recovery begins.
enum class Recovery : uint8_t { kAtOnce, kLater, kAtEnd };

constexpr uint32_t kWorkersMax = 4;
constexpr uint32_t kChannelsMax = 3;
constexpr uint32_t kLocks = 2;
// The queue's channel in the journals.
constexpr uint32_t kQueueChannel = kChannelsMax;

struct RunPlan {
  uint64_t seed = 0;
  uint64_t limit_bytes = 0;
  std::vector<ChannelPlan> channels;
  std::vector<WorkerPlan> workers;
  Recovery recovery = Recovery::kAtOnce;
  uint32_t recovery_delay_us = 0;
  SecondVictim second = SecondVictim::kNobody;
  uint64_t second_point = 0;
  uint64_t hang_ns = 20'000'000'000;  // a run that takes longer is a hang
};

RunPlan plan_of(uint64_t seed);
const char* name_of(OpKind kind);
std::string text_of(const RunPlan& plan);

}  // namespace dragon::proof
