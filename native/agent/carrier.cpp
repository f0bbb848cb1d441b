#include "agent/carrier.h"

namespace dragon::agent {

void Outbox::send(NodeIndex peer, const Message& message, const void* payload, size_t bytes) {
  Entry entry;
  encode_message(message, entry.header);
  if (!clogged(peer)) {
    const Status sent = carrier_.send(peer, entry.header, sizeof entry.header, payload, bytes);
    // A peer that is gone is heard of by its own event.
    if (sent != DRAGON_WOULD_BLOCK) return;
  }
  const auto* first = static_cast<const uint8_t*>(payload);
  entry.payload.assign(first, first + bytes);
  waiting_[peer].push_back(std::move(entry));
}

void Outbox::offer(NodeIndex peer, const Message& message, const void* memory, uint64_t token) {
  Entry entry;
  encode_message(message, entry.header);
  entry.memory = memory;
  entry.bytes = message.bytes;
  entry.token = token;
  const Status passed = clogged(peer) ? DRAGON_WOULD_BLOCK : pass_on(peer, entry);
  if (passed == DRAGON_WOULD_BLOCK) {
    waiting_[peer].push_back(std::move(entry));
  } else if (passed != DRAGON_SUCCESS) {
    end_.on_sent(token, passed);
  }
}

Status Outbox::pass_on(NodeIndex peer, const Entry& entry) {
  if (entry.memory == nullptr) {
    return carrier_.send(peer, entry.header, sizeof entry.header, entry.payload.data(),
                         entry.payload.size());
  }
  return carrier_.offer(peer, entry.header, sizeof entry.header, entry.memory, entry.bytes,
                        entry.token);
}

void Outbox::on_writable(NodeIndex peer) {
  const auto found = waiting_.find(peer);
  if (found == waiting_.end()) return;
  while (!found->second.empty()) {
    const Entry& entry = found->second.front();
    const Status passed = pass_on(peer, entry);
    if (passed == DRAGON_WOULD_BLOCK) return;
    const uint64_t token = entry.memory == nullptr ? 0 : entry.token;
    found->second.pop_front();
    if (token != 0 && passed != DRAGON_SUCCESS) end_.on_sent(token, passed);
  }
  waiting_.erase(found);
}

void Outbox::drop(NodeIndex peer) {
  const auto found = waiting_.find(peer);
  if (found == waiting_.end()) return;
  const std::deque<Entry> dropped = std::move(found->second);
  waiting_.erase(found);
  for (const Entry& entry : dropped) {
    if (entry.memory != nullptr) end_.on_sent(entry.token, DRAGON_NODE_GONE);
  }
}

}  // namespace dragon::agent
