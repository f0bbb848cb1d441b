// Channels and allocations: memory that goes with a message or stays its sender's, messages that a
// promise waits to see received, and where a receiver wants a message to lie.
#include <algorithm>

#include "binding/channel_calls.h"
#include "binding/channel_face.h"
#include "binding/face.h"
#include "binding/pool_face.h"

namespace dragon::binding {

// Once it is sent the memory is the message's, unless it is only lent: no ArrayBuffer of this
// process shows it any more.
template <typename Send>
Status ChannelFace::give_away(const Napi::Value& allocation, bool read_only, Send&& send) {
  AllocationFace* face = AllocationFace::of(allocation);
  if (face == nullptr) return DRAGON_INVALID_ARGUMENT;
  const std::shared_ptr<Lease>& lease = face->lease();
  if (lease == nullptr) return DRAGON_NOT_OWNER;
  if (!lease->is_held()) return DRAGON_OBJECT_DESTROYED;
  if (&lease->pool() != &channel()->pool()) return DRAGON_INVALID_ARGUMENT;
  if (!read_only && !lease->can_hide(Env())) return DRAGON_STATE;
  const Status status = send(face->allocation());
  if (status == DRAGON_SUCCESS && !read_only) lease->forget(Env());
  return status;
}

// trySendAllocation(allocation, hints, readOnly, how)
Napi::Value ChannelFace::try_send_allocation(const Napi::CallbackInfo& info) {
  return send_allocation(info, Deadline::once());
}

// sendAllocationSync(allocation, hints, readOnly, how, timeoutMs)
Napi::Value ChannelFace::send_allocation_sync(const Napi::CallbackInfo& info) {
  return send_allocation(info, deadline_of(info[4]));
}

Napi::Value ChannelFace::send_allocation(const Napi::CallbackInfo& info, Deadline deadline) {
  uint64_t hints = 0;
  const bool read_only = info[2].ToBoolean();
  const SendWay way = send_way_of(number_of(info[3], kHowUsual));
  if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
  if (!hints_of(number_of(info[1], 0), hints)) {
    return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
  }
  return status_value(info.Env(), give_away(info[0], read_only, [&](uint64_t id) {
                        return channel()->send_allocation(id, hints, deadline, way.mode, read_only,
                                                          way.wait);
                      }));
}

// trySendNoted(payload, hints, readOnly): the number of the message, for `tryReceipt` and
// `takeBack`, or minus a status. The payload is bytes, parts or an allocation.
Napi::Value ChannelFace::try_send_noted(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto answer = [&](Status status, double number) {
    return Napi::Number::New(env, status == DRAGON_SUCCESS ? number : -double(status));
  };
  if (closed()) return answer(DRAGON_CLOSED, 0);
  uint64_t hints = 0;
  if (!hints_of(number_of(info[1], 0), hints)) return answer(DRAGON_INVALID_ARGUMENT, 0);
  const bool read_only = info[2].ToBoolean();
  SentMessage sent;
  Parts parts;
  Status status = DRAGON_INVALID_ARGUMENT;
  if (AllocationFace::of(info[0]) != nullptr) {
    status = give_away(info[0], read_only, [&](uint64_t id) {
      return channel()->try_send_allocation_noted(id, hints, read_only, sent.receipt);
    });
    if (!read_only) sent.allocation = Napi::Persistent(info[0].As<Napi::Object>());
  } else if (parts.take(info[0])) {
    status = channel()->try_send_noted(parts.data(), parts.count(), hints, sent.receipt);
  }
  if (status == DRAGON_SUCCESS) sent_[++last_sent_] = std::move(sent);
  return answer(status, last_sent_);
}

// SUCCESS once the message was received, WOULD_BLOCK, or why nobody knows.
Napi::Value ChannelFace::try_receipt(const Napi::CallbackInfo& info) {
  const auto found = sent_.find(static_cast<uint32_t>(number_of(info[0], 0)));
  if (found == sent_.end()) return status_value(info.Env(), DRAGON_CLOSED);
  Status status = found->second.end;
  if (status == DRAGON_WOULD_BLOCK) status = channel()->try_receipt(found->second.receipt);
  if (status != DRAGON_WOULD_BLOCK) sent_.erase(found);
  return status_value(info.Env(), status);
}

// SUCCESS if the message is the sender's again, STATE if it was received.
Napi::Value ChannelFace::take_back(const Napi::CallbackInfo& info) {
  const auto found = sent_.find(static_cast<uint32_t>(number_of(info[0], 0)));
  if (found == sent_.end() || closed()) return status_value(info.Env(), DRAGON_CLOSED);
  const Status status = take_back(found->second);
  sent_.erase(found);
  return status_value(info.Env(), status);
}

Status ChannelFace::take_back(SentMessage& sent) {
  const Status status = channel()->take_back(sent.receipt);
  if (status == DRAGON_SUCCESS && !sent.allocation.IsEmpty()) {
    AllocationFace::of(sent.allocation.Value())->own_again(node_);
  }
  return status;
}

// Before this attachment ends: what was not received is the sender's again.
void ChannelFace::take_back_all() {
  for (auto& [number, sent] : sent_) {
    const Status status = take_back(sent);
    sent.end = status == DRAGON_SUCCESS ? DRAGON_CLOSED : status;
    if (status == DRAGON_STATE) sent.end = DRAGON_SUCCESS;
    sent.allocation.Reset();
  }
}

void ChannelFace::note_received(const ReceivedMessage& message) {
  if (port_.words == nullptr) return;
  port_.words[kPortHints] = static_cast<double>(message.hints);
  port_.words[kPortBytes] = static_cast<double>(message.bytes);
}

// receiveToPool(pool, timeoutMs): a new allocation with the message, or a status.
Napi::Value ChannelFace::receive_to_pool(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const PoolFace* pool = PoolFace::of(info[0]);
  if (closed() || pool == nullptr || pool->pool() == nullptr) {
    return status_value(env, DRAGON_CLOSED);
  }
  if (pool->node() != node_) return status_value(env, DRAGON_INVALID_ARGUMENT);
  ReceivedMessage message;
  const Status status = channel()->receive_into(*pool->pool(), 0, deadline_of(info[1]), message);
  note_received(message);
  if (status != DRAGON_SUCCESS) return status_value(env, status);
  const Allocation memory{message.allocation, const_cast<uint8_t*>(message.data),
                          std::max<uint64_t>(message.bytes, 1)};
  return AllocationFace::make(env, node_, pool->pool(), memory);
}

// receiveToAllocation(allocation, timeoutMs): the length of the message, or minus a status.
Napi::Value ChannelFace::receive_to_allocation(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AllocationFace* face = AllocationFace::of(info[0]);
  Status status = closed() || face == nullptr ? DRAGON_CLOSED : DRAGON_SUCCESS;
  ReceivedMessage message;
  if (status == DRAGON_SUCCESS && face->lease() == nullptr) status = DRAGON_NOT_OWNER;
  if (status == DRAGON_SUCCESS && !face->lease()->is_held()) status = DRAGON_OBJECT_DESTROYED;
  if (status == DRAGON_SUCCESS) {
    const std::shared_ptr<Pool> pool = face->pool();
    status = channel()->receive_into(*pool, face->allocation(), deadline_of(info[1]), message);
    note_received(message);
  }
  const double bytes = static_cast<double>(message.bytes);
  return Napi::Number::New(env, status == DRAGON_SUCCESS ? bytes : -double(status));
}

}  // namespace dragon::binding
