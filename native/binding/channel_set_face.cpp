// The face of channel sets.
#include "event/channel_set.h"

#include "binding/channel_face.h"
#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/object_face.h"

namespace dragon::binding {

namespace {

uint32_t word_of(const Napi::Value& value) {
  const double number = number_of(value, 0);
  return number >= 0 && number <= UINT32_MAX ? static_cast<uint32_t>(number) : 0;
}

class ChannelSetFace : public Napi::ObjectWrap<ChannelSetFace> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    classes(env).channel_set =
        Napi::Persistent(DefineClass(env, "NativeChannelSet",
                                     {
                                         InstanceMethod<&ChannelSetFace::add>("add"),
                                         InstanceMethod<&ChannelSetFace::change>("change"),
                                         InstanceMethod<&ChannelSetFace::remove>("remove"),
                                         InstanceMethod<&ChannelSetFace::try_poll>("tryPoll"),
                                         InstanceMethod<&ChannelSetFace::poll_sync>("pollSync"),
                                         InstanceMethod<&ChannelSetFace::arm_all>("armAll"),
                                         InstanceMethod<&ChannelSetFace::close>("close"),
                                     }));
    exports.Set("createChannelSet", Napi::Function::New<create>(env));
  }
  explicit ChannelSetFace(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<ChannelSetFace>(info) {}

 private:
  static Napi::Value create(const Napi::CallbackInfo& info) {
    NodeFace* node = NodeFace::of(info[0]);
    if (node == nullptr || node->node() == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    Napi::Object value = classes(info.Env()).channel_set.New({});
    ChannelSetFace* face = Unwrap(value);
    face->node_ = node;
    face->set_ = std::make_unique<ChannelSet>(node->node());
    return value;
  }

  bool closed() const { return set_ == nullptr || node_->node() == nullptr; }

  // (channel, mask): the member's number, or minus a status.
  Napi::Value add(const Napi::CallbackInfo& info) {
    ChannelFace* channel = ChannelFace::of(info[0]);
    uint32_t member = 0;
    Status status = DRAGON_CLOSED;
    if (!closed() && channel != nullptr) {
      status = set_->add(channel->channel(), word_of(info[1]), member);
    }
    return number_or_status(info.Env(), status, member);
  }
  Napi::Value change(const Napi::CallbackInfo& info) {
    return status_value(
        info.Env(), closed() ? DRAGON_CLOSED : set_->change(word_of(info[0]), word_of(info[1])));
  }
  Napi::Value remove(const Napi::CallbackInfo& info) {
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : set_->remove(word_of(info[0])));
  }
  // The member's number times 32 and its events, or minus a status.
  Napi::Value try_poll(const Napi::CallbackInfo& info) {
    ChannelSet::Ready ready;
    const Status status = closed() ? DRAGON_CLOSED : set_->try_poll(ready);
    return number_or_status(info.Env(), status, ready.member * 32.0 + ready.events);
  }
  Napi::Value poll_sync(const Napi::CallbackInfo& info) {
    ChannelSet::Ready ready;
    const Status status = closed() ? DRAGON_CLOSED : set_->poll(deadline_of(info[0]), ready);
    return number_or_status(info.Env(), status, ready.member * 32.0 + ready.events);
  }
  // The ids of waits in all queues; the last is minus a status if not all could be entered.
  Napi::Value arm_all(const Napi::CallbackInfo& info) {
    Napi::Array waits = Napi::Array::New(info.Env());
    if (closed()) {
      waits.Set(0u, number_or_status(info.Env(), DRAGON_CLOSED, 0));
      return waits;
    }
    for (const auto& [place, channel] : set_->places()) {
      const Napi::Value wait = node_->arm(info.Env(), place, channel);
      waits.Set(waits.Length(), wait);
      if (wait.As<Napi::Number>().DoubleValue() < 0) break;
    }
    return waits;
  }
  Napi::Value close(const Napi::CallbackInfo& info) {
    set_ = nullptr;
    return info.Env().Undefined();
  }

  NodeFace* node_ = nullptr;
  std::unique_ptr<ChannelSet> set_;
};

}  // namespace

void init_channel_set(Napi::Env env, Napi::Object exports) {
  ChannelSetFace::init(env, exports);
}

}  // namespace dragon::binding
