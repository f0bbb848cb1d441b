// What stands behind the opaque types of the C interface.
//
// Goals: the calls that all kinds of objects have are written once.
// Non-goals: anything that the core does not do.
#pragma once

#include <string.h>
#include <sys/uio.h>

#include <array>
#include <map>
#include <memory>
#include <new>
#include <utility>

#include "channel/channel.h"
#include "channel/lock_object.h"
#include "dragon/dragon.h"
#include "event/barrier.h"
#include "event/broadcast.h"
#include "event/condition.h"
#include "event/event.h"
#include "event/rw_lock.h"
#include "event/semaphore.h"
#include "memory/node.h"
#include "memory/pool.h"

struct dragon_node {
  std::shared_ptr<dragon::Node> node;
};
struct dragon_pool {
  std::shared_ptr<dragon::Pool> pool;
};
// A received payload that is not in the channel's pool, or not the receiver's.
struct dragon_foreign_payload {
  std::shared_ptr<dragon::Pool> pool;
  bool read_only = false;
};
struct dragon_channel {
  std::shared_ptr<dragon::Channel> object;                     // sets hold it, too
  std::map<const void*, dragon_foreign_payload> foreign = {};  // by where it lies
};
struct dragon_lock {
  std::unique_ptr<dragon::LockObject> object;
};
struct dragon_semaphore {
  std::unique_ptr<dragon::Semaphore> object;
};
struct dragon_barrier {
  std::unique_ptr<dragon::Barrier> object;
};
struct dragon_broadcast {
  std::unique_ptr<dragon::Broadcast> object;
};
struct dragon_condition {
  std::unique_ptr<dragon::Condition> object;
};
struct dragon_rw_lock {
  std::unique_ptr<dragon::RwLock> object;
};
struct dragon_event {
  std::unique_ptr<dragon::Event> object;
};

namespace dragon::c {

inline Deadline deadline_of(int64_t timeout_ms) {
  if (timeout_ms < 0) return Deadline::never();
  return Deadline::from_timeout_ms(static_cast<double>(timeout_ms));
}

// Hands what the core made over to the caller as an opaque object.
template <typename Opaque, typename Object>
Status hand_over(Status status, Object&& object, Opaque** out) {
  if (status != DRAGON_SUCCESS) return status;
  auto* made = new (std::nothrow) Opaque{std::forward<Object>(object)};
  if (made == nullptr) return DRAGON_OUT_OF_MEMORY;
  *out = made;
  return DRAGON_SUCCESS;
}

template <typename Object, typename Opaque, typename... Options>
Status create_object(dragon_pool_t* pool, Opaque** out, Options... options) {
  if (pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  std::unique_ptr<Object> object;
  const Status status = Object::create(pool->pool, options..., object);
  return hand_over(status, std::move(object), out);
}

template <typename Object, typename Opaque>
Status attach_object(dragon_node_t* node, const dragon_handle_t* handle, Opaque** out) {
  if (node == nullptr || handle == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  std::unique_ptr<Object> object;
  RecordId adopted = 0;
  const Status status =
      Object::attach(node->node, handle->bytes, sizeof(handle->bytes), false, adopted, object);
  return hand_over(status, std::move(object), out);
}

template <typename Opaque>
Status handle_of(const Opaque* opaque, dragon_handle_t* out) {
  if (opaque == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (opaque->object->closed()) return DRAGON_CLOSED;
  opaque->object->serialize(out->bytes);
  return DRAGON_SUCCESS;
}

inline bool is_role(dragon_role_t role) {
  return role == DRAGON_SENDER || role == DRAGON_RECEIVER;
}
inline Role role_of(dragon_role_t role) {
  return role == DRAGON_SENDER ? Role::kSender : Role::kReceiver;
}

inline bool is_return(dragon_return_t mode) {
  return mode >= DRAGON_RETURN_IMMEDIATELY && mode <= DRAGON_RETURN_RECEIVED;
}
inline ReturnMode mode_of(dragon_return_t mode) {
  return static_cast<ReturnMode>(mode);
}
static_assert(DRAGON_RETURN_RECEIVED == static_cast<int>(ReturnMode::kWhenReceived));
static_assert(DRAGON_RETURN_BUFFERED == static_cast<int>(ReturnMode::kWhenBuffered));

inline iovec io_part(const dragon_part_t& part) {
  return {const_cast<void*>(part.data), part.bytes};
}

// The parts of one message, as the core takes them.
class Parts {
 public:
  // False if there are too many, or one is missing.
  bool gather(const dragon_part_t* parts, size_t count) {
    if ((parts == nullptr && count > 0) || count > gathered_.size()) return false;
    for (size_t i = 0; i < count; ++i) {
      if (parts[i].data == nullptr && parts[i].bytes > 0) return false;
      gathered_[i] = io_part(parts[i]);
    }
    return true;
  }
  const iovec* data() const { return gathered_.data(); }

 private:
  std::array<iovec, 1024> gathered_;
};

// A message as the caller gets it; the channel remembers what its struct does not say.
dragon_message_t described(dragon_channel_t& channel, const ReceivedMessage& message);

template <typename Opaque>
Status destroy_object(Opaque* opaque) {
  return opaque == nullptr ? DRAGON_INVALID_ARGUMENT : opaque->object->destroy();
}

// Whether the object can be asked for what needs no status.
template <typename Opaque>
bool answers(const Opaque* opaque) {
  return opaque != nullptr && !opaque->object->closed() && !opaque->object->node().closed();
}

// The caller's struct may be of an older or a newer version: fields that it does not have keep
// their defaults, fields that this library does not know are left alone.
template <typename Options>
Options options_of(const Options* given, Options defaults) {
  if (given == nullptr) return defaults;
  const size_t size = given->size < sizeof(Options) ? given->size : sizeof(Options);
  ::memcpy(&defaults, given, size);
  return defaults;
}

}  // namespace dragon::c
