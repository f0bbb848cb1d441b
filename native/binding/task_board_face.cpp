// The face of task boards. The calls of a channel's data path take a board by its port.
#include "binding/channel_face.h"
#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/object_face.h"
#include "queue/queue.h"

namespace dragon::binding {

namespace {

uint32_t consumers_of(const Napi::Value& value) {
  const double number = number_of(value, 0);
  return number >= 0 && number <= kConsumersMax ? static_cast<uint32_t>(number) : 0;
}

class TaskBoardFace : public ObjectFace<TaskBoardFace, TaskBoard> {
 public:
  using ObjectFace::ObjectFace;

  static void init(Napi::Env env, Napi::Object exports) {
    classes(env).task_board =
        Napi::Persistent(DefineClass(env, "NativeTaskBoard",
                                     with_common({
                                         InstanceMethod<&TaskBoardFace::port>("port"),
                                         InstanceMethod<&TaskBoardFace::end>("end"),
                                         InstanceMethod<&TaskBoardFace::look>("look"),
                                         InstanceMethod<&TaskBoardFace::join_sync>("joinSync"),
                                         InstanceMethod<&TaskBoardFace::forget_lost>("forgetLost"),
                                     })));
    exports.Set("createTaskBoard", Napi::Function::New<create>(env));
    exports.Set("attachTaskBoard", Napi::Function::New<attach_to>(env));
  }

  Napi::Value arm_at(Napi::Env env, double) { return node()->arm(env, object().place(), shared()); }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info) {
    PoolFace* pool = PoolFace::of(info[0]);
    if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    std::unique_ptr<TaskBoard> board;
    const Status status = TaskBoard::create(pool->pool(), consumers_of(info[1]), board);
    if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
    return make(pool->node(), std::move(board), 0, classes(info.Env()).task_board);
  }
  static Napi::Value attach_to(const Napi::CallbackInfo& info) {
    return attach(info, classes(info.Env()).task_board);
  }

  // Nothing that is closed has a port.
  Napi::Value port(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (closed()) return env.Undefined();
    using Shared = std::shared_ptr<TaskBoard>;
    return Napi::External<Shared>::New(env, new Shared(shared()),
                                       [](Napi::Env, Shared* board) { delete board; });
  }
  Napi::Value end(const Napi::CallbackInfo& info) {
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : object().end());
  }
  // (channel, probe)
  Napi::Value look(const Napi::CallbackInfo& info) {
    const ChannelFace* channel = ChannelFace::of(info[0]);
    if (closed() || channel == nullptr || channel->channel() == nullptr) {
      return status_value(info.Env(), DRAGON_CLOSED);
    }
    return status_value(info.Env(),
                        look_at_tasks(*channel->channel(), object(), info[1].ToBoolean()));
  }
  // (channel, timeoutMs)
  Napi::Value join_sync(const Napi::CallbackInfo& info) {
    const ChannelFace* channel = ChannelFace::of(info[0]);
    if (closed() || channel == nullptr || channel->channel() == nullptr) {
      return status_value(info.Env(), DRAGON_CLOSED);
    }
    return status_value(info.Env(),
                        join_tasks(*channel->channel(), object(), deadline_of(info[1])));
  }
  Napi::Value forget_lost(const Napi::CallbackInfo& info) {
    if (!closed()) object().forget_lost();
    return info.Env().Undefined();
  }
};

}  // namespace

void init_task_board(Napi::Env env, Napi::Object exports) {
  TaskBoardFace::init(env, exports);
}

}  // namespace dragon::binding
