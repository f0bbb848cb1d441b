// The constructors of the faces, one set for each environment (main thread, worker threads).
#pragma once

#include <napi.h>

namespace dragon::binding {

struct Classes {
  Napi::FunctionReference node;
  Napi::FunctionReference pool;
  Napi::FunctionReference allocation;
  Napi::FunctionReference channel;
  Napi::FunctionReference lock;
  Napi::FunctionReference semaphore;
  Napi::FunctionReference event;
  Napi::FunctionReference barrier;
  Napi::FunctionReference condition;
  Napi::FunctionReference broadcast;
  Napi::FunctionReference rw_lock;
  Napi::FunctionReference region;
  Napi::FunctionReference channel_set;
  Napi::FunctionReference task_board;
};

inline Classes& classes(Napi::Env env) {
  return *env.GetInstanceData<Classes>();
}

}  // namespace dragon::binding
