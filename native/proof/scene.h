// The node of one run, and the objects that its processes share.
//
// Goals: made and taken down in about a millisecond; the process that makes it serves the broker
// by itself, so that nothing here needs a thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "channel/channel.h"
#include "channel/counter.h"
#include "channel/lock_object.h"
#include "channel/reclaim.h"
#include "event/barrier.h"
#include "event/broadcast.h"
#include "event/condition.h"
#include "event/event.h"
#include "event/rw_lock.h"
#include "event/semaphore.h"
#include "memory/pool.h"
#include "proof/script.h"
#include "queue/queue.h"

namespace dragon::proof {

struct Handles {
  HandleBytes pool;
  HandleBytes payloads;
  HandleBytes channels[kChannelsMax];
  HandleBytes locks[kLocks + 1];  // the last one is the condition's
  HandleBytes counter;
  HandleBytes semaphore;
  HandleBytes barrier;
  HandleBytes event;
  HandleBytes broadcast;
  HandleBytes condition;
  HandleBytes rw_lock;
  QueueHandle queue;
};

// The objects of native/event, as one process has them open.
struct Meetings {
  std::unique_ptr<Semaphore> semaphore;
  std::unique_ptr<Barrier> barrier;
  std::unique_ptr<Event> event;
  std::unique_ptr<Broadcast> broadcast;
  std::unique_ptr<Condition> condition;
  std::unique_ptr<RwLock> rw_lock;
  std::unique_ptr<Queue> queue;

  Status attach(const std::shared_ptr<Node>& node, const Handles& handles);
  void close();
};

constexpr uint64_t kPermits = 2;
constexpr uint32_t kParties = 2;
constexpr uint32_t kRoundBytes = 100;
constexpr uint32_t kReaders = 2;
constexpr uint32_t kConsumers = 16;

class Scene {
 public:
  // Makes everything in a directory of its own; `fault` is empty if all went well.
  explicit Scene(const RunPlan& plan);
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene();

  // Takes the objects down; what then is left over is a fault.
  std::string end();
  // Answers the broker's clients.
  void serve() const;
  // Reclaims every dead actor of a process, through this scene's own attachment.
  Status reclaim_process(int32_t pid) const;

  std::string fault;
  std::string dir;
  std::shared_ptr<Node> node;
  std::shared_ptr<Pool> pool;
  std::shared_ptr<Pool> payloads;  // of the channels that have one; or none
  std::vector<std::shared_ptr<Channel>> channels;
  std::vector<std::unique_ptr<LockObject>> locks;
  std::unique_ptr<Counter> counter;
  Meetings meetings;
  Handles handles;

 private:
  Status make(const RunPlan& plan);
  Status make_meetings();
};

// Reclaims every dead actor of a process.
Status reclaim_process(const std::shared_ptr<Node>& node, int32_t pid);

// "what: STATUS_NAME"
std::string fault_of(const char* what, Status status);

}  // namespace dragon::proof
