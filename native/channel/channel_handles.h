// Ends of a channel with their own habits: when a send is back, how long a call waits, and how.
//
// Goals: opened and closed as often as one likes; an open end counts as sender or receiver.
// Non-goals: what a channel does; each call is one of Channel's.
#pragma once

#include <cstdint>

#include "channel/channel.h"

namespace dragon {

constexpr uint64_t kNoTimeout = UINT64_MAX;

struct SendHandleOptions {
  ReturnMode mode = ReturnMode::kWhenBuffered;
  uint64_t timeout_ns = kNoTimeout;  // of calls that name no deadline; 0 tries once
  WaitMode wait = WaitMode::kAdaptive;
};

struct ReceiveHandleOptions {
  uint64_t timeout_ns = kNoTimeout;
  WaitMode wait = WaitMode::kAdaptive;
};

// What both ends share: an open record in a role. Not to outlive the channel's attachment.
class ChannelEnd {
 public:
  ChannelEnd(const ChannelEnd&) = delete;
  ChannelEnd& operator=(const ChannelEnd&) = delete;
  ~ChannelEnd() { close(); }

  // STATE if it is open.
  Status open();
  // CLOSED if it is not open.
  Status close();
  bool is_open() const { return record_ != 0; }
  Channel& channel() const { return channel_; }

 protected:
  ChannelEnd(Channel& channel, Role role) : channel_(channel), role_(role) {}
  static Deadline deadline_of(uint64_t timeout_ns);

 private:
  Channel& channel_;
  const Role role_;
  RecordId record_ = 0;
};

class SendHandle : public ChannelEnd {
 public:
  explicit SendHandle(Channel& channel, const SendHandleOptions& options = {})
      : ChannelEnd(channel, Role::kSender), options_(options) {}
  // CLOSED if the handle is not open, else as Channel says.
  Status send(const iovec* parts, size_t count, uint64_t hints);
  Status send(const iovec* parts, size_t count, uint64_t hints, Deadline deadline);
  Status send_allocation(uint64_t allocation, uint64_t hints, bool read_only, Deadline deadline);
  const SendHandleOptions& options() const { return options_; }

 private:
  SendHandleOptions options_;
};

class ReceiveHandle : public ChannelEnd {
 public:
  explicit ReceiveHandle(Channel& channel, const ReceiveHandleOptions& options = {})
      : ChannelEnd(channel, Role::kReceiver), options_(options) {}
  Status receive(uint8_t* buffer, ReceivedMessage& out);
  Status receive(uint8_t* buffer, Deadline deadline, ReceivedMessage& out);
  const ReceiveHandleOptions& options() const { return options_; }

 private:
  ReceiveHandleOptions options_;
};

}  // namespace dragon
