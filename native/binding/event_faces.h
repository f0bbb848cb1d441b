// The faces of event objects, each in its own file.
#pragma once

#include <napi.h>

namespace dragon::binding {

void init_semaphore(Napi::Env env, Napi::Object exports);
void init_event(Napi::Env env, Napi::Object exports);
void init_barrier(Napi::Env env, Napi::Object exports);
void init_condition(Napi::Env env, Napi::Object exports);
void init_broadcast(Napi::Env env, Napi::Object exports);
void init_rw_lock(Napi::Env env, Napi::Object exports);
void init_region(Napi::Env env, Napi::Object exports);
void init_channel_set(Napi::Env env, Napi::Object exports);
void init_blocked(Napi::Env env, Napi::Object exports);
void init_task_board(Napi::Env env, Napi::Object exports);

inline void init_event_objects(Napi::Env env, Napi::Object exports) {
  init_semaphore(env, exports);
  init_event(env, exports);
  init_barrier(env, exports);
  init_condition(env, exports);
  init_broadcast(env, exports);
  init_rw_lock(env, exports);
  init_region(env, exports);
  init_channel_set(env, exports);
  init_blocked(env, exports);
  init_task_board(env, exports);
}

}  // namespace dragon::binding
