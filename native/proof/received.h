// A message as its receiver sees it: which it is, and whether it is as it was sent.
#pragma once

#include <string.h>

#include "channel/channel.h"
#include "proof/journal.h"

namespace dragon::proof {

// Of many at once the hints are everybody's, so each begins with its number instead.
constexpr uint64_t kHintsOfMany = 0;
constexpr uint64_t kNumberBytes = sizeof(uint64_t);

inline uint64_t id_of(const ReceivedMessage& message) {
  uint64_t id = message.hints;
  if (id == kHintsOfMany && message.bytes >= kNumberBytes) ::memcpy(&id, message.data, sizeof(id));
  return id;
}

// What was lent may have been freed by its owner meanwhile, and then have any bytes.
inline bool is_intact(const ReceivedMessage& message) {
  const uint64_t before = message.hints == kHintsOfMany ? kNumberBytes : 0;
  if (message.bytes < before) return false;
  if (has_pattern(message.data + before, message.bytes - before, id_of(message))) return true;
  return message.read_only && !message.pool->exists(message.allocation);
}

}  // namespace dragon::proof
