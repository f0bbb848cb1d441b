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
constexpr uint32_t kWaitMemory = 6;

}  // namespace

void ChannelFace::init(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor =
      DefineClass(env, "NativeChannel",
                  {
                      InstanceMethod<&ChannelFace::arm>("arm"),
                      InstanceMethod<&ChannelFace::open_handle>("openHandle"),
                      InstanceMethod<&ChannelFace::close_handle>("closeHandle"),
                      InstanceMethod<&ChannelFace::try_send>("trySend"),
                      InstanceMethod<&ChannelFace::send_sync>("sendSync"),
                      InstanceMethod<&ChannelFace::try_send_allocation>("trySendAllocation"),
                      InstanceMethod<&ChannelFace::send_allocation_sync>("sendAllocationSync"),
                      InstanceMethod<&ChannelFace::try_receive>("tryReceive"),
                      InstanceMethod<&ChannelFace::receive_sync>("receiveSync"),
                      InstanceMethod<&ChannelFace::try_peek>("tryPeek"),
                      InstanceMethod<&ChannelFace::try_poll>("tryPoll"),
                      InstanceMethod<&ChannelFace::poll_sync>("pollSync"),
                      InstanceAccessor<&ChannelFace::capacity>("capacity"),
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
  face->channel_ = std::move(channel);
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
    place = channel_->place(PollEvent::kIn);
  } else if (lane == kWaitSend) {
    place = channel_->place(PollEvent::kOut);
  } else if (lane == kWaitMemory) {
    place = channel_->pool().place();
  } else {
    place = channel_->poll_place(static_cast<PollEvent>(lane - kWaitPoll));
  }
  return node_->arm(env, place, channel_);
}

Napi::Value ChannelFace::open_handle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (closed()) return Napi::Number::New(env, -double{DRAGON_CLOSED});
  RecordId record = 0;
  const Role role = number_of(info[0], 0) == 0 ? Role::kSender : Role::kReceiver;
  const Status status = channel_->open_handle(role, record);
  if (status != DRAGON_SUCCESS) return Napi::Number::New(env, -static_cast<double>(status));
  return Napi::Number::New(env, remember(record));
}

void ChannelFace::close_handle(const Napi::CallbackInfo& info) {
  const auto found = handles_.find(static_cast<uint32_t>(number_of(info[0], 0)));
  if (found == handles_.end() || closed()) return;
  channel_->close_handle(found->second);
  handles_.erase(found);
}

Napi::Value ChannelFace::try_send(const Napi::CallbackInfo& info) {
  Parts parts;
  if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
  if (!parts.take(info[0])) return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
  const uint64_t hints = static_cast<uint64_t>(number_of(info[1], 0));
  return status_value(info.Env(), channel_->try_send(parts.data(), parts.count(), hints));
}

Napi::Value ChannelFace::send_sync(const Napi::CallbackInfo& info) {
  Parts parts;
  if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
  if (!parts.take(info[0])) return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
  const uint64_t hints = static_cast<uint64_t>(number_of(info[1], 0));
  return status_value(info.Env(),
                      channel_->send(parts.data(), parts.count(), hints, deadline_of(info[2])));
}

Napi::Value ChannelFace::try_send_allocation(const Napi::CallbackInfo& info) {
  return send_allocation(info, Deadline::once());
}

Napi::Value ChannelFace::send_allocation_sync(const Napi::CallbackInfo& info) {
  return send_allocation(info, deadline_of(info[2]));
}

// Once it is sent the memory is the message's: no ArrayBuffer of this process shows it any more.
Napi::Value ChannelFace::send_allocation(const Napi::CallbackInfo& info, Deadline deadline) {
  const Napi::Env env = info.Env();
  if (closed()) return status_value(env, DRAGON_CLOSED);
  AllocationFace* face = AllocationFace::of(info[0]);
  if (face == nullptr) return status_value(env, DRAGON_INVALID_ARGUMENT);
  const std::shared_ptr<Lease>& lease = face->lease();
  if (lease == nullptr) return status_value(env, DRAGON_NOT_OWNER);
  if (!lease->is_held()) return status_value(env, DRAGON_OBJECT_DESTROYED);
  if (&lease->pool() != &channel_->pool()) return status_value(env, DRAGON_INVALID_ARGUMENT);
  if (!lease->can_hide(env)) return status_value(env, DRAGON_STATE);
  const uint64_t hints = static_cast<uint64_t>(number_of(info[1], 0));
  const uint64_t id = face->allocation();
  const Status status = deadline.is_once() ? channel_->try_send_allocation(id, hints)
                                           : channel_->send_allocation(id, hints, deadline);
  if (status == DRAGON_SUCCESS) lease->forget(env);
  return status_value(env, status);
}

Napi::Value ChannelFace::try_receive(const Napi::CallbackInfo& info) {
  return receive(info.Env(), Deadline::once());
}

Napi::Value ChannelFace::receive_sync(const Napi::CallbackInfo& info) {
  return receive(info.Env(), deadline_of(info[0]));
}

Napi::Value ChannelFace::receive(Napi::Env env, Deadline deadline) {
  if (closed()) return status_value(env, DRAGON_CLOSED);
  uint8_t inline_bytes[kInlineBytesMax];
  ReceivedMessage message;
  const Status status = deadline.is_once() ? channel_->try_receive(inline_bytes, message)
                                           : channel_->receive(inline_bytes, deadline, message);
  if (status != DRAGON_SUCCESS) return status_value(env, status);
  last_hints_ = static_cast<double>(message.hints);
  if (message.allocation == 0) return copy_of(env, message.data, message.bytes);
  const std::shared_ptr<Pool> pool = channel_->pool().shared_from_this();
  if (message.bytes >= kZeroCopyBytesMin && node_->leases()->has_room(*pool, message.bytes)) {
    const Allocation payload{message.allocation, const_cast<uint8_t*>(message.data), message.bytes};
    return lend_payload(env, node_->leases(), pool, payload);
  }
  const Napi::Value bytes = copy_of(env, message.data, message.bytes);
  pool->free(message.allocation);
  return bytes;
}

Napi::Value ChannelFace::try_peek(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (closed()) return status_value(env, DRAGON_CLOSED);
  std::vector<uint8_t> buffer(kInlineBytesMax);
  ReceivedMessage message;
  Status status = channel_->try_peek(buffer.data(), buffer.size(), message);
  while (status == DRAGON_BUFFER_TOO_SHORT) {
    buffer.resize(message.bytes);
    status = channel_->try_peek(buffer.data(), buffer.size(), message);
  }
  if (status != DRAGON_SUCCESS) return status_value(env, status);
  last_hints_ = static_cast<double>(message.hints);
  return copy_of(env, buffer.data(), message.bytes);
}

Napi::Value ChannelFace::try_poll(const Napi::CallbackInfo& info) {
  if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
  const PollEvent event = static_cast<PollEvent>(static_cast<uint32_t>(number_of(info[0], 0)));
  return status_value(info.Env(), channel_->try_poll(event));
}

Napi::Value ChannelFace::poll_sync(const Napi::CallbackInfo& info) {
  if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
  const PollEvent event = static_cast<PollEvent>(static_cast<uint32_t>(number_of(info[0], 0)));
  return status_value(info.Env(), channel_->poll(event, deadline_of(info[1])));
}

Napi::Value ChannelFace::capacity(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), closed() ? 0 : channel_->capacity());
}

Napi::Value ChannelFace::message_count(const Napi::CallbackInfo& info) {
  const uint64_t count = closed() ? 0 : channel_->message_count();
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

Napi::Value ChannelFace::senders(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), closed() ? 0 : channel_->senders());
}

Napi::Value ChannelFace::receivers(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), closed() ? 0 : channel_->receivers());
}

Napi::Value ChannelFace::last_hints(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), last_hints_);
}

Napi::Value ChannelFace::adopted(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), adopted_);
}

Napi::Value ChannelFace::serialize(const Napi::CallbackInfo& info) {
  return serialize_object(info.Env(), channel_.get());
}

Napi::Value ChannelFace::destroy(const Napi::CallbackInfo& info) {
  return destroy_object(info.Env(), channel_.get());
}

Napi::Value ChannelFace::lend(const Napi::CallbackInfo& info) {
  return lend_object_face(info, closed() ? nullptr : channel_.get());
}

void ChannelFace::cancel_lent(const Napi::CallbackInfo& info) {
  cancel_lent_face(info, closed() ? nullptr : channel_.get());
}

void ChannelFace::close(const Napi::CallbackInfo&) {
  if (closed()) return;
  for (const auto& [index, record] : handles_) channel_->close_handle(record);
  handles_.clear();
  channel_->close();
  channel_ = nullptr;
}

}  // namespace dragon::binding
