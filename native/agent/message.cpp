#include "agent/message.h"

#include <string.h>

namespace dragon::agent {

namespace {

constexpr uint32_t kFlagsAll = kFlagTry | kFlagAdopt | kFlagReadOnly;
constexpr uint32_t kStatuses = DRAGON_STATUS_COUNT;

void put(uint8_t* to, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

uint64_t get(const uint8_t* from, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(from[i]) << (8 * i);
  return value;
}

}  // namespace

void encode_message(const Message& message, uint8_t (&out)[kMessageHeaderBytes]) {
  out[0] = static_cast<uint8_t>(message.kind);
  out[1] = static_cast<uint8_t>(message.op);
  out[2] = static_cast<uint8_t>(message.flags);
  out[3] = 0;
  put(out + 4, static_cast<uint32_t>(message.status), 4);
  put(out + 8, message.request, 8);
  put(out + 16, message.port, 8);
  put(out + 24, message.hints, 8);
  put(out + 32, message.bytes, 8);
  put(out + 40, message.limit, 8);
  put(out + 48, message.what, 4);
  put(out + 52, 0, 4);
}

bool decode_message(const uint8_t* bytes, size_t length, Message& out) {
  if (length < kMessageHeaderBytes) return false;
  const bool known = bytes[0] >= 1 && bytes[0] <= static_cast<uint8_t>(MessageKind::kFailed) &&
                     bytes[1] >= 1 && bytes[1] <= kOpLast && (bytes[2] & ~kFlagsAll) == 0;
  const bool zero = bytes[3] == 0 && get(bytes + 52, 4) == 0;
  const auto status = static_cast<uint32_t>(get(bytes + 4, 4));
  if (!known || !zero || status >= kStatuses) return false;
  out.kind = static_cast<MessageKind>(bytes[0]);
  out.op = static_cast<Op>(bytes[1]);
  out.flags = bytes[2];
  out.status = static_cast<Status>(status);
  out.request = get(bytes + 8, 8);
  out.port = get(bytes + 16, 8);
  out.hints = get(bytes + 24, 8);
  out.bytes = get(bytes + 32, 8);
  out.limit = get(bytes + 40, 8);
  out.what = static_cast<uint32_t>(get(bytes + 48, 4));
  return true;
}

void encode_info(const ChannelInfo& info, uint8_t (&out)[kInfoBytes]) {
  const uint64_t words[] = {info.capacity,
                            info.block_bytes,
                            info.end_of_stream ? 1u : 0u,
                            info.messages,
                            info.free,
                            info.senders,
                            info.receivers,
                            info.holders,
                            info.blocked_senders,
                            info.blocked_receivers,
                            0};
  static_assert(sizeof words == kInfoBytes);
  for (size_t i = 0; i < kInfoBytes / 8; ++i) put(out + 8 * i, words[i], 8);
}

bool decode_info(const uint8_t* bytes, size_t length, ChannelInfo& out) {
  if (length != kInfoBytes) return false;
  const auto small = [&](size_t i) { return static_cast<uint32_t>(get(bytes + 8 * i, 8)); };
  out.capacity = small(0);
  out.block_bytes = small(1);
  out.end_of_stream = small(2) != 0;
  out.messages = get(bytes + 24, 8);
  out.free = get(bytes + 32, 8);
  out.senders = small(5);
  out.receivers = small(6);
  out.holders = small(7);
  out.blocked_senders = small(8);
  out.blocked_receivers = small(9);
  return true;
}

}  // namespace dragon::agent
