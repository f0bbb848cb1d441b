// A timer's memory outlives its owner until uv has closed it.
#include "binding/loop_timer.h"

namespace dragon::binding {

struct LoopTimer::State {
  uv_timer_t handle;
  std::function<void()> callback;
};

bool LoopTimer::open(Napi::Env env, uint64_t period_ms, std::function<void()> on_tick) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  State* state = new State{{}, std::move(on_tick)};
  uv_timer_init(loop, &state->handle);
  state->handle.data = state;
  state_ = state;
  uv_timer_start(
      &state->handle,
      [](uv_timer_t* handle) {
        const std::function<void()> callback = static_cast<State*>(handle->data)->callback;
        callback();
      },
      period_ms, period_ms);
  uv_unref(reinterpret_cast<uv_handle_t*>(&state->handle));
  return true;
}

void LoopTimer::close() {
  if (state_ == nullptr) return;
  uv_timer_stop(&state_->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
  state_ = nullptr;
}

}  // namespace dragon::binding
