// What comes before each sleep of an environment's event loop.
#pragma once

#include <napi.h>
#include <uv.h>

#include <functional>

namespace dragon::binding {

// Calls back before the loop polls. It does not keep the loop alive.
class LoopTurn {
 public:
  LoopTurn() = default;
  LoopTurn(const LoopTurn&) = delete;
  LoopTurn& operator=(const LoopTurn&) = delete;
  ~LoopTurn() { close(); }

  // `before_poll` answers whether the loop may sleep in this poll.
  bool open(Napi::Env env, std::function<bool()> before_poll);
  // Whether the loop would sleep now.
  bool would_sleep() const;
  void close();

 private:
  struct State;
  State* state_ = nullptr;
};

}  // namespace dragon::binding
