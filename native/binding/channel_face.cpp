// The face of channels.
#include "binding/channel_face.h"

#include <vector>

#include "binding/classes.h"
#include "binding/face.h"
#include "binding/managed_face.h"
#include "binding/pool_face.h"

namespace dragon::binding {

namespace {

constexpr uint32_t kInlineBytesMax = 16384;
// Lanes as `Lane` in src/core/wait.ts numbers them.
constexpr uint32_t kWaitReceive = 0;
constexpr uint32_t kWaitSend = 1;
constexpr uint32_t kWaitPoll = 2;  // + a PollEvent
constexpr uint32_t kWaitMemory = 8;
constexpr uint32_t kWaitReceipt = 9;

}  // namespace

void ChannelFace::init(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor =
      DefineClass(env, "NativeChannel",
                  {
                      InstanceMethod<&ChannelFace::arm>("arm"),
                      InstanceMethod<&ChannelFace::port>("port"),
                      InstanceMethod<&ChannelFace::open_handle>("openHandle"),
                      InstanceMethod<&ChannelFace::close_handle>("closeHandle"),
                      InstanceMethod<&ChannelFace::try_send_allocation>("trySendAllocation"),
                      InstanceMethod<&ChannelFace::send_allocation_sync>("sendAllocationSync"),
                      InstanceMethod<&ChannelFace::try_send_noted>("trySendNoted"),
                      InstanceMethod<&ChannelFace::try_receipt>("tryReceipt"),
                      InstanceMethod<&ChannelFace::take_back>("takeBack"),
                      InstanceMethod<&ChannelFace::receive_to_pool>("receiveToPool"),
                      InstanceMethod<&ChannelFace::receive_to_allocation>("receiveToAllocation"),
                      InstanceMethod<&ChannelFace::try_pop>("tryPop"),
                      InstanceMethod<&ChannelFace::drain>("drain"),
                      InstanceMethod<&ChannelFace::reset>("reset"),
                      InstanceMethod<&ChannelFace::info>("info"),
                      InstanceMethod<&ChannelFace::masquerade>("masquerade"),
                      InstanceMethod<&ChannelFace::try_peek>("tryPeek"),
                      InstanceMethod<&ChannelFace::try_poll>("tryPoll"),
                      InstanceMethod<&ChannelFace::poll_sync>("pollSync"),
                      InstanceAccessor<&ChannelFace::capacity>("capacity"),
                      InstanceAccessor<&ChannelFace::block_bytes>("blockBytes"),
                      InstanceAccessor<&ChannelFace::message_count>("messageCount"),
                      InstanceAccessor<&ChannelFace::senders>("senders"),
                      InstanceAccessor<&ChannelFace::receivers>("receivers"),
                      InstanceAccessor<&ChannelFace::last_hints>("lastHints"),
                      InstanceAccessor<&ChannelFace::adopted>("adopted"),
                      InstanceMethod<&ChannelFace::serialize>("serialize"),
                      InstanceMethod<&ChannelFace::destroy>("destroy"),
                      InstanceMethod<&ChannelFace::lend>("lend"),
                      InstanceMethod<&ChannelFace::cancel_lent>("cancelLent"),
                      InstanceMethod<&ChannelFace::close>("close"),
                  });
  classes(env).channel = Napi::Persistent(constructor);
  exports.Set("createChannel", Napi::Function::New<ChannelFace::create>(env));
  exports.Set("attachChannel", Napi::Function::New<ChannelFace::attach>(env));
}

ChannelFace* ChannelFace::of(const Napi::Value& value) {
  return face_of<ChannelFace>(value, classes(value.Env()).channel);
}

ChannelFace::ChannelFace(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ChannelFace>(info) {}

Napi::Value ChannelFace::create(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  PoolFace* pool = PoolFace::of(info[0]);
  if (pool == nullptr) return status_value(env, DRAGON_CLOSED);
  const double capacity = number_of(info[1], 0);
  const double block_bytes = number_of(info[2], 0);
  if (!(capacity >= 1 && capacity <= UINT32_MAX && block_bytes >= 0 &&
        block_bytes <= kInlineBytesMax)) {
    return status_value(env, DRAGON_INVALID_ARGUMENT);
  }
  ChannelOptions options;
  options.capacity = static_cast<uint32_t>(capacity);
  options.block_bytes = static_cast<uint32_t>(block_bytes);
  options.end_of_stream = info[3].ToBoolean();
  if (!info[4].IsUndefined()) {
    const PoolFace* payloads = PoolFace::of(info[4]);
    if (payloads == nullptr || payloads->pool() == nullptr) return status_value(env, DRAGON_CLOSED);
    if (payloads->node() != pool->node()) return status_value(env, DRAGON_INVALID_ARGUMENT);
    options.payload_pool = payloads->pool();
  }
  std::unique_ptr<Channel> channel;
  const Status status = Channel::create(pool->pool(), options, channel);
  if (status != DRAGON_SUCCESS) return failure(env, status);
  return make(env, pool->node(), std::move(channel), 0);
}

Napi::Value ChannelFace::attach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  NodeFace* node = NodeFace::of(info[0]);
  if (node == nullptr || node->node() == nullptr) return status_value(env, DRAGON_CLOSED);
  Bytes handle;
  if (!bytes_of(info[1], handle)) return status_value(env, DRAGON_BAD_HANDLE);
  std::unique_ptr<Channel> channel;
  RecordId adopted = 0;
  const Status status = Channel::attach(node->node(), handle.data, handle.length,
                                        info[2].ToBoolean(), adopted, channel);
  if (status != DRAGON_SUCCESS) return failure(env, status);
  return make(env, node, std::move(channel), adopted);
}

Napi::Value ChannelFace::make(Napi::Env env, NodeFace* node, std::unique_ptr<Channel> channel,
                              RecordId adopted) {
  Napi::Object object = classes(env).channel.New({});
  ChannelFace* face = Unwrap(object);
  face->node_ = node;
  face->port_.channel = std::move(channel);
  face->port_.leases = node->leases();
  if (adopted != 0) face->adopted_ = face->remember(adopted);
  return object;
}

uint32_t ChannelFace::remember(RecordId record) {
  const uint32_t index = RecordArea::index_of(record);
  handles_[index] = record;
  return index;
}

Napi::Value ChannelFace::arm(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (closed()) return Napi::Number::New(env, -double{DRAGON_CLOSED});
  const uint32_t lane = static_cast<uint32_t>(number_of(info[0], kWaitReceive));
  WaitPlace place;
  if (lane == kWaitReceive) {
    place = channel()->place(PollEvent::kIn);
  } else if (lane == kWaitSend) {
    place = channel()->place(PollEvent::kOut);
  } else if (lane == kWaitMemory) {
    place = channel()->memory_place();
  } else if (lane == kWaitReceipt) {
    place = channel()->receipt_place();
  } else {
    place = channel()->poll_place(static_cast<PollEvent>(lane - kWaitPoll));
  }
  return node_->arm(env, place, channel());
}

// What the calls of channel_calls.h take for the channel; valid as long as this object lives.
Napi::Value ChannelFace::port(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Float64Array words = info[0].As<Napi::Float64Array>();
  words_ = Napi::Persistent(info[0].As<Napi::Object>());
  port_.words = words.Data();
  return Napi::External<ChannelPort>::New(env, &port_);
}

Napi::Value ChannelFace::open_handle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (closed()) return Napi::Number::New(env, -double{DRAGON_CLOSED});
  RecordId record = 0;
  const Role role = number_of(info[0], 0) == 0 ? Role::kSender : Role::kReceiver;
  const Status status = channel()->open_handle(role, record);
  if (status != DRAGON_SUCCESS) return Napi::Number::New(env, -static_cast<double>(status));
  return Napi::Number::New(env, remember(record));
}

void ChannelFace::close_handle(const Napi::CallbackInfo& info) {
  const auto found = handles_.find(static_cast<uint32_t>(number_of(info[0], 0)));
  if (found == handles_.end() || closed()) return;
  channel()->close_handle(found->second);
  handles_.erase(found);
}

Napi::Value ChannelFace::try_peek(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (closed()) return status_value(env, DRAGON_CLOSED);
  std::vector<uint8_t> buffer(kInlineBytesMax);
  ReceivedMessage message;
  Status status = channel()->try_peek(buffer.data(), buffer.size(), message);
  while (status == DRAGON_BUFFER_TOO_SHORT) {
    buffer.resize(message.bytes);
    status = channel()->try_peek(buffer.data(), buffer.size(), message);
  }
  if (status != DRAGON_SUCCESS) return status_value(env, status);
  last_hints_ = static_cast<double>(message.hints);
  return copy_of(env, buffer.data(), message.bytes);
}

Napi::Value ChannelFace::try_poll(const Napi::CallbackInfo& info) {
  if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
  const PollEvent event = static_cast<PollEvent>(static_cast<uint32_t>(number_of(info[0], 0)));
  return status_value(info.Env(), channel()->try_poll(event));
}

Napi::Value ChannelFace::poll_sync(const Napi::CallbackInfo& info) {
  if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
  const PollEvent event = static_cast<PollEvent>(static_cast<uint32_t>(number_of(info[0], 0)));
  return status_value(info.Env(), channel()->poll(event, deadline_of(info[1])));
}

Napi::Value ChannelFace::try_pop(const Napi::CallbackInfo& info) {
  return status_value(info.Env(), closed() ? DRAGON_CLOSED : channel()->try_pop());
}

// How many messages there were, or minus a status.
Napi::Value ChannelFace::drain(const Napi::CallbackInfo& info) {
  const bool refused = closed() || channel()->remote() || channel()->destroyed();
  if (!refused) return Napi::Number::New(info.Env(), static_cast<double>(channel()->drain()));
  const Status status = closed() ? DRAGON_CLOSED : channel()->reset();
  return Napi::Number::New(info.Env(), -static_cast<double>(status));
}

Napi::Value ChannelFace::reset(const Napi::CallbackInfo& info) {
  return status_value(info.Env(), closed() ? DRAGON_CLOSED : channel()->reset());
}

Napi::Value ChannelFace::info(const Napi::CallbackInfo& call) {
  const ChannelInfo found = closed() ? ChannelInfo{} : channel()->info();
  Napi::Object object = Napi::Object::New(call.Env());
  object.Set("capacity", found.capacity);
  object.Set("blockBytes", found.block_bytes);
  object.Set("endOfStream", found.end_of_stream);
  object.Set("remote", found.remote);
  object.Set("messages", static_cast<double>(found.messages));
  object.Set("free", static_cast<double>(found.free));
  object.Set("senders", found.senders);
  object.Set("receivers", found.receivers);
  object.Set("holders", found.holders);
  object.Set("blockedSenders", found.blocked_senders);
  object.Set("blockedReceivers", found.blocked_receivers);
  return object;
}

void ChannelFace::masquerade(const Napi::CallbackInfo& info) {
  if (!closed()) channel()->masquerade_as_remote(info[0].ToBoolean());
}

Napi::Value ChannelFace::capacity(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), closed() ? 0 : channel()->capacity());
}

Napi::Value ChannelFace::block_bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), closed() ? 0 : channel()->block_bytes());
}

Napi::Value ChannelFace::message_count(const Napi::CallbackInfo& info) {
  const uint64_t count = closed() ? 0 : channel()->message_count();
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

Napi::Value ChannelFace::senders(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), closed() ? 0 : channel()->senders());
}

Napi::Value ChannelFace::receivers(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), closed() ? 0 : channel()->receivers());
}

Napi::Value ChannelFace::last_hints(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), last_hints_);
}

Napi::Value ChannelFace::adopted(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), adopted_);
}

Napi::Value ChannelFace::serialize(const Napi::CallbackInfo& info) {
  return serialize_object(info.Env(), channel().get());
}

Napi::Value ChannelFace::destroy(const Napi::CallbackInfo& info) {
  return status_value(info.Env(), closed() ? DRAGON_CLOSED : channel()->destroy());
}

Napi::Value ChannelFace::lend(const Napi::CallbackInfo& info) {
  return lend_object_face(info, closed() ? nullptr : channel().get());
}

void ChannelFace::cancel_lent(const Napi::CallbackInfo& info) {
  cancel_lent_face(info, closed() ? nullptr : channel().get());
}

void ChannelFace::close(const Napi::CallbackInfo&) {
  if (closed()) return;
  take_back_all();
  for (const auto& [index, record] : handles_) channel()->close_handle(record);
  handles_.clear();
  channel()->close();
  port_.channel = nullptr;
}

}  // namespace dragon::binding
