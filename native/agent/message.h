// What agents say to each other: a header of 56 bytes, little-endian, and a payload.
//
// Goals: whatever does not follow this layout is refused as a whole. Layout: spec/agent.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/gateway_layout.h"
#include "channel/channel.h"
#include "sync/status.h"

namespace dragon::agent {

constexpr size_t kMessageHeaderBytes = 56;
// Longer payloads are offered, and go from pool to pool.
constexpr uint64_t kEagerBytes = 16384;
// Sends of one port that are on the way or parked at the channel's node.
constexpr uint32_t kWindow = 256;

enum class MessageKind : uint8_t {
  kRequest = 1,
  kAnswer = 2,
  kCancel = 3,  // of `request`; its answer follows, or is under way
  kCredit = 4,  // `what` further sends of the port have ended
  kFailed = 5,  // a send of the port that nobody waits for ended with `status`
};

struct Message {
  MessageKind kind = MessageKind::kRequest;
  Op op = Op::kNone;
  uint32_t flags = 0;
  Status status = DRAGON_SUCCESS;
  uint64_t request = 0;  // 0: no answer is wanted
  uint64_t port = 0;
  uint64_t hints = 0;
  uint64_t bytes = 0;  // of the payload, here or offered
  uint64_t limit = 0;
  uint32_t what = 0;
};

// What kAttach and kInfo answer.
constexpr size_t kInfoBytes = 88;
void encode_info(const ChannelInfo& info, uint8_t (&out)[kInfoBytes]);
bool decode_info(const uint8_t* bytes, size_t length, ChannelInfo& out);

void encode_message(const Message& message, uint8_t (&out)[kMessageHeaderBytes]);
// False, with `out` unspecified, for what encode_message could not have written.
bool decode_message(const uint8_t* bytes, size_t length, Message& out);

}  // namespace dragon::agent
