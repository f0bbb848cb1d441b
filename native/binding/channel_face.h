// The face of channels.
#pragma once

#include <napi.h>

#include <map>
#include <memory>

#include "binding/node_face.h"
#include "channel/channel.h"

namespace dragon::binding {

// A channel as `channel_calls.h` sees it.
struct ChannelPort {
  std::shared_ptr<Channel> channel;  // nullptr once it was closed
  std::shared_ptr<LeaseTable> leases;
  double* words = nullptr;  // what a call has to say beyond its result: see `PortWord`
};

// A message that a promise waits to see received.
struct SentMessage {
  Channel::Receipt receipt;
  Napi::ObjectReference allocation;  // what was given away with it, to be given back
  Status end = DRAGON_WOULD_BLOCK;   // how it ended before it was asked for
};

class ChannelFace : public Napi::ObjectWrap<ChannelFace> {
 public:
  static void init(Napi::Env env, Napi::Object exports);
  static ChannelFace* of(const Napi::Value& value);
  explicit ChannelFace(const Napi::CallbackInfo& info);

  // Null once this face is closed.
  const std::shared_ptr<Channel>& channel() const { return port_.channel; }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info);
  static Napi::Value attach(const Napi::CallbackInfo& info);
  static Napi::Value make(Napi::Env env, NodeFace* node, std::unique_ptr<Channel> channel,
                          RecordId adopted);

  Napi::Value arm(const Napi::CallbackInfo& info);
  Napi::Value port(const Napi::CallbackInfo& info);
  Napi::Value open_handle(const Napi::CallbackInfo& info);
  void close_handle(const Napi::CallbackInfo& info);
  Napi::Value try_send_allocation(const Napi::CallbackInfo& info);
  Napi::Value send_allocation_sync(const Napi::CallbackInfo& info);
  Napi::Value send_allocation(const Napi::CallbackInfo& info, Deadline deadline);
  template <typename Send>
  Status give_away(const Napi::Value& allocation, bool read_only, Send&& send);
  Napi::Value try_send_noted(const Napi::CallbackInfo& info);
  Napi::Value try_receipt(const Napi::CallbackInfo& info);
  Napi::Value take_back(const Napi::CallbackInfo& info);
  Status take_back(SentMessage& sent);
  void take_back_all();
  Napi::Value receive_to_pool(const Napi::CallbackInfo& info);
  Napi::Value receive_to_allocation(const Napi::CallbackInfo& info);
  void note_received(const ReceivedMessage& message);
  Napi::Value try_pop(const Napi::CallbackInfo& info);
  Napi::Value drain(const Napi::CallbackInfo& info);
  Napi::Value reset(const Napi::CallbackInfo& info);
  Napi::Value info(const Napi::CallbackInfo& info);
  void masquerade(const Napi::CallbackInfo& info);
  Napi::Value try_peek(const Napi::CallbackInfo& info);
  Napi::Value try_poll(const Napi::CallbackInfo& info);
  Napi::Value poll_sync(const Napi::CallbackInfo& info);
  Napi::Value capacity(const Napi::CallbackInfo& info);
  Napi::Value block_bytes(const Napi::CallbackInfo& info);
  Napi::Value message_count(const Napi::CallbackInfo& info);
  Napi::Value senders(const Napi::CallbackInfo& info);
  Napi::Value receivers(const Napi::CallbackInfo& info);
  Napi::Value last_hints(const Napi::CallbackInfo& info);
  Napi::Value adopted(const Napi::CallbackInfo& info);
  Napi::Value serialize(const Napi::CallbackInfo& info);
  Napi::Value destroy(const Napi::CallbackInfo& info);
  Napi::Value lend(const Napi::CallbackInfo& info);
  void cancel_lent(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  bool closed() const { return channel() == nullptr || channel()->closed(); }
  uint32_t remember(RecordId record);

  // Outlives this face: the TypeScript object that holds the face holds the node too.
  NodeFace* node_ = nullptr;
  ChannelPort port_;
  Napi::ObjectReference words_;           // keeps the memory that `port_.words` points to
  std::map<uint32_t, RecordId> handles_;  // by record index, which is what JavaScript sees
  std::map<uint32_t, SentMessage> sent_;
  uint32_t last_sent_ = 0;
  uint32_t adopted_ = 0;
  double last_hints_ = 0;
};

}  // namespace dragon::binding
