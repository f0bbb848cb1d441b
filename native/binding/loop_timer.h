// Timers of an environment's event loop.
#pragma once

#include <napi.h>
#include <uv.h>

#include <functional>

namespace dragon::binding {

// A repeating timer that does not keep the loop alive.
class LoopTimer {
 public:
  LoopTimer() = default;
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;
  ~LoopTimer() { close(); }

  bool open(Napi::Env env, uint64_t period_ms, std::function<void()> on_tick);
  void close();

 private:
  struct State;
  State* state_ = nullptr;
};

}  // namespace dragon::binding
