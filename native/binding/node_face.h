// The face of a node attachment: waits, the doorbell, actors and the broker.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "binding/lease.h"
#include "binding/loop_poll.h"
#include "binding/loop_timer.h"
#include "binding/loop_turn.h"
#include "event/bell_sleep.h"
#include "memory/node.h"
#include "memory/pool.h"
#include "sync/bell_look.h"

namespace dragon::binding {

class NodeFace : public Napi::ObjectWrap<NodeFace> {
 public:
  static void init(Napi::Env env, Napi::Object exports);
  static NodeFace* of(const Napi::Value& value);
  explicit NodeFace(const Napi::CallbackInfo& info);
  ~NodeFace() override;

  const std::shared_ptr<Node>& node() const { return node_; }
  const std::shared_ptr<LeaseTable>& leases() const { return leases_; }
  // Keeps a pool that was attached for one of its allocations, until the node is closed.
  void keep(const std::shared_ptr<Pool>& pool) { kept_.insert(pool); }
  // Claims a record for an event-loop wait; its id, or minus a status. `ticket` is one that was
  // drawn before, or 0.
  Napi::Value arm(Napi::Env env, const WaitPlace& place, std::shared_ptr<void> keep_alive,
                  uint64_t ticket = 0);

 private:
  // A wait of this attachment. What it waits on is kept alive, since the place points into it.
  struct Wait {
    RecordId record;
    WaitPlace place;
    std::shared_ptr<void> keep_alive;
  };

  static Napi::Value create(const Napi::CallbackInfo& info);
  static Napi::Value attach(const Napi::CallbackInfo& info);
  static Napi::Value make(Napi::Env env, std::shared_ptr<Node> node);
  static void at_exit(void* face);

  Napi::Value actor_id(const Napi::CallbackInfo& info);
  Napi::Value host_id(const Napi::CallbackInfo& info);
  Napi::Value well_known(const Napi::CallbackInfo& info);
  Napi::Value set_well_known(const Napi::CallbackInfo& info);
  void rearm(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  void on_wake(const Napi::CallbackInfo& info);
  void hold(const Napi::CallbackInfo& info);
  void begin_block(const Napi::CallbackInfo& info);
  void block(const Napi::CallbackInfo& info);
  void end_block(const Napi::CallbackInfo& info);
  void on_actor(const Napi::CallbackInfo& info);
  Napi::Value reclaim(const Napi::CallbackInfo& info);
  Napi::Value actors(const Napi::CallbackInfo& info);
  Napi::Value waits(const Napi::CallbackInfo& info);
  Napi::Value segments(const Napi::CallbackInfo& info);
  Napi::Value release_bytes(const Napi::CallbackInfo& info);
  Napi::Value release_buffer(const Napi::CallbackInfo& info);
  Napi::Value part_of_bytes(const Napi::CallbackInfo& info);
  Napi::Value offer_descriptor(const Napi::CallbackInfo& info);
  Napi::Value take_descriptor(const Napi::CallbackInfo& info);
  Napi::Value withdraw_descriptor(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  void start(Napi::Env env, std::shared_ptr<Node> node);
  void stop();
  bool before_poll();
  void look();
  void tell(size_t first);
  void serve_broker();

  std::shared_ptr<Node> node_;
  std::unordered_map<uint32_t, Wait> waits_;
  std::set<std::shared_ptr<Pool>> kept_;
  const std::shared_ptr<LeaseTable> leases_ = std::make_shared<LeaseTable>();
  std::optional<BellSleep> sleep_;  // while the thread blocks on several of `waits_`
  Napi::FunctionReference wake_;
  // Shared with JavaScript, by `WakeWord`; the reference keeps their memory.
  uint32_t* words_ = nullptr;
  Napi::ObjectReference words_array_;
  std::vector<std::pair<uint64_t, uint32_t>> woken_;  // by ticket
  Napi::FunctionReference actor_;
  LoopPoll bell_poll_;
  LoopTurn turn_;
  BellLook bell_look_;
  LoopPoll broker_poll_;
  LoopTimer sweep_timer_;
};

}  // namespace dragon::binding
