// The handles' memory outlives their owner until uv has closed both.
#include "binding/loop_turn.h"

namespace dragon::binding {

struct LoopTurn::State {
  uv_loop_t* loop = nullptr;
  uv_prepare_t prepare{};
  uv_idle_t idle{};  // while it is active the loop polls without sleeping
  int open = 2;
  std::function<bool()> before_poll;

  static void on_prepare(uv_prepare_t* handle) {
    State* state = static_cast<State*>(handle->data);
    uv_idle_stop(&state->idle);
    const std::function<bool()>& before_poll = state->before_poll;
    const bool may_sleep = before_poll();
    if (!may_sleep && !uv_is_closing(reinterpret_cast<uv_handle_t*>(&state->idle))) {
      uv_idle_start(&state->idle, [](uv_idle_t*) {});
    }
  }

  static void on_closed(uv_handle_t* handle) {
    State* state = static_cast<State*>(handle->data);
    if (--state->open == 0) delete state;
  }
};

bool LoopTurn::open(Napi::Env env, std::function<bool()> before_poll) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  state_ = new State();
  state_->loop = loop;
  state_->before_poll = std::move(before_poll);
  uv_prepare_init(loop, &state_->prepare);
  uv_idle_init(loop, &state_->idle);
  for (uv_handle_t* handle : {reinterpret_cast<uv_handle_t*>(&state_->prepare),
                              reinterpret_cast<uv_handle_t*>(&state_->idle)}) {
    handle->data = state_;
    uv_unref(handle);
  }
  uv_prepare_start(&state_->prepare, State::on_prepare);
  return true;
}

bool LoopTurn::would_sleep() const {
  return uv_backend_timeout(state_->loop) != 0;
}

void LoopTurn::close() {
  if (state_ == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->prepare), State::on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->idle), State::on_closed);
  state_ = nullptr;
}

}  // namespace dragon::binding
