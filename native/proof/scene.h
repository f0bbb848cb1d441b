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
#include "memory/pool.h"
#include "proof/script.h"

namespace dragon::proof {

struct Handles {
  HandleBytes pool;
  HandleBytes channels[kChannelsMax];
  HandleBytes locks[kLocks];
  HandleBytes counter;
};

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
  std::vector<std::unique_ptr<Channel>> channels;
  std::vector<std::unique_ptr<LockObject>> locks;
  std::unique_ptr<Counter> counter;
  Handles handles;

 private:
  Status make(const RunPlan& plan);
};

// Reclaims every dead actor of a process.
Status reclaim_process(const std::shared_ptr<Node>& node, int32_t pid);

// "what: STATUS_NAME"
std::string fault_of(const char* what, Status status);

}  // namespace dragon::proof
