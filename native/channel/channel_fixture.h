// For tests: channels, messages, and other actors that use them.
#pragma once

#include <string.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "channel/channel.h"
#include "memory/node_fixture.h"

namespace dragon::test {

inline std::unique_ptr<Channel> make_channel(const std::shared_ptr<Pool>& pool,
                                             const ChannelOptions& options = {}) {
  std::unique_ptr<Channel> channel;
  check_ok(Channel::create(pool, options, channel));
  return channel;
}

inline std::unique_ptr<Channel> attach_channel(const std::shared_ptr<Node>& node,
                                               const HandleBytes& handle, bool adopt = false,
                                               RecordId* adopted_out = nullptr) {
  std::unique_ptr<Channel> channel;
  RecordId adopted = 0;
  check_ok(Channel::attach(node, handle, sizeof(handle), adopt, adopted, channel));
  if (adopted_out != nullptr) *adopted_out = adopted;
  return channel;
}

inline iovec part_of(const std::string& text) {
  return {const_cast<char*>(text.data()), text.size()};
}

inline Status try_send(Channel& channel, const std::string& text, uint64_t hints = 0) {
  const iovec part = part_of(text);
  return channel.try_send(&part, 1, hints);
}

inline Status send(Channel& channel, const std::string& text, Deadline deadline) {
  const iovec part = part_of(text);
  return channel.send(&part, 1, 0, deadline);
}

struct Received {
  Status status = DRAGON_SUCCESS;
  std::string text;
  uint64_t hints = 0;
  bool inline_bytes = true;
};

// Receives and frees the payload, if it came as one.
inline Received receive(Channel& channel, Deadline deadline) {
  std::vector<uint8_t> buffer(kChannelBlockBytesMax);
  ReceivedMessage message;
  Received out;
  out.status = deadline.is_once() ? channel.try_receive(buffer.data(), message)
                                  : channel.receive(buffer.data(), deadline, message);
  if (out.status != DRAGON_SUCCESS) return out;
  out.text.assign(reinterpret_cast<const char*>(message.data), message.bytes);
  out.hints = message.hints;
  out.inline_bytes = message.allocation == 0;
  Channel::release(message);
  return out;
}

inline Received try_receive(Channel& channel) {
  return receive(channel, Deadline::once());
}

// A thread that is an actor of its own and has the channel attached.
template <typename Body>
std::thread actor_thread(const NodeFixture& fixture, const Channel& channel, Body body) {
  HandleBytes handle;
  channel.serialize(handle);
  std::string copy(reinterpret_cast<const char*>(handle), sizeof(handle));
  return std::thread([&fixture, copy, body] {
    HandleBytes bytes;
    ::memcpy(bytes, copy.data(), sizeof(bytes));
    const auto node = fixture.attach_thread();
    {
      const auto mine = attach_channel(node, bytes);
      body(*mine);
    }
    leave(node);
  });
}

// Waits until somebody stands in one of the object's queues.
inline void wait_for_waiter(const WaitPlace& place) {
  while ((place.hint->load() & place.bit) == 0) ::usleep(500);
  ::usleep(3'000);
}

}  // namespace dragon::test
