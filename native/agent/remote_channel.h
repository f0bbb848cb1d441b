// A channel of another node, with the calls of `Channel` (channel/channel.h).
//
// A class of its own, so that a call on a local channel pays for nothing: who attaches a handle
// looks once which of the two it names (`is_remote`), as binding and C interface do.
//
// Goals: the same results as locally, as spec/remote.md has them side by side. A call waits up to
// its deadline; then it asks for an end, which takes one way there and back, and no longer than
// kGraceNs where the other node does not answer.
// Non-goals: sharing an attachment between threads.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <memory>

#include "agent/gateway.h"
#include "channel/channel.h"

namespace dragon::agent {

constexpr uint64_t kGraceNs = 1'000'000'000;
// Sends that nobody waits for, on their way to the agent, for each channel.
constexpr uint32_t kSendsAhead = 128;

class RemoteChannel {
 public:
  // Whether the handle names a channel of this run on another node.
  static bool is_remote(const Node& node, const uint8_t* handle, size_t length);
  // NOT_FOUND without an agent; WRONG_NODE if the agent knows no such node; else as Channel.
  static Status attach(const std::shared_ptr<Gateway>& gateway, const uint8_t* handle,
                       size_t length, bool adopt, uint32_t& adopted,
                       std::unique_ptr<RemoteChannel>& out);
  RemoteChannel(const RemoteChannel&) = delete;
  RemoteChannel& operator=(const RemoteChannel&) = delete;
  ~RemoteChannel() { close(); }

  Status try_send(const iovec* parts, size_t count, uint64_t hints) {
    return send(parts, count, hints, Deadline::once());
  }
  Status send(const iovec* parts, size_t count, uint64_t hints, Deadline deadline,
              ReturnMode mode = ReturnMode::kWhenDeposited, WaitMode wait = WaitMode::kAdaptive);
  // An allocation of any pool of this node that this actor owns. A read-only one is copied there.
  Status send_allocation(Pool& pool, uint64_t allocation, uint64_t hints, Deadline deadline,
                         ReturnMode mode = ReturnMode::kWhenDeposited, bool read_only = false,
                         WaitMode wait = WaitMode::kAdaptive);

  Status try_receive(uint8_t* buffer, ReceivedMessage& out) {
    return receive(buffer, Deadline::once(), out);
  }
  // `buffer` is block_bytes() long; what is longer is an allocation of the agent's pool.
  Status receive(uint8_t* buffer, Deadline deadline, ReceivedMessage& out,
                 WaitMode wait = WaitMode::kAdaptive);
  Status receive_bytes(uint8_t* buffer, uint64_t capacity, Deadline deadline, ReceivedMessage& out,
                       WaitMode wait = WaitMode::kAdaptive);
  Status receive_into(const std::shared_ptr<Pool>& to, uint64_t allocation, Deadline deadline,
                      ReceivedMessage& out);
  Status try_pop();
  Status try_peek(uint8_t* buffer, uint64_t capacity, ReceivedMessage& out);
  Status reset(uint64_t* dropped = nullptr);
  Status destroy();
  Status try_poll(PollEvent event) { return poll(event, Deadline::once()); }
  Status poll(PollEvent event, Deadline deadline);
  Status info(ChannelInfo& out);
  uint32_t capacity() const { return first_.capacity; }
  uint32_t block_bytes() const { return first_.block_bytes; }

  Status open_handle(Role role, uint32_t& out);
  Status close_handle(uint32_t handle);
  Status lend(Role role, HandleBytes& out);
  Status cancel_lent(const uint8_t* handle, size_t length);
  void serialize(HandleBytes& out) const;
  void close();
  bool closed() const { return gateway_ == nullptr; }
  // Waits until what was sent without waiting has been handed to the other node.
  Status settle(Deadline deadline);
  // How many sends that nobody waits for may be with the agent: 1 .. kSendsAhead.
  void set_sends_ahead(size_t sends) { sends_ahead_ = sends; }
  // How long the end of a call may take after its deadline, if the other node does not answer.
  void set_grace_ns(uint64_t grace_ns) { grace_ns_ = grace_ns; }

 private:
  // A payload that waits for its send, or came with an answer.
  struct Taken {
    std::shared_ptr<Pool> pool;
    Allocation memory;
    uint64_t hints = 0;
    uint64_t bytes = 0;
    bool is_inline = false;
  };
  RemoteChannel() = default;
  Status begin(Op op, Deadline deadline, SlotId& out);
  Status finish(SlotId id, Deadline deadline, WaitMode wait);
  Status simple(Op op, uint32_t what, Deadline deadline, uint32_t* answer = nullptr);
  Status with_handle(Op op, const uint8_t* handle, size_t length);
  Status hand_over(SlotId id, Deadline deadline, ReturnMode mode, WaitMode wait, bool gives,
                   Pool& pool);
  Status make_room(Deadline deadline);
  Status receive_message(uint64_t limit, uint32_t landing, uint8_t* buffer, uint64_t room,
                         Deadline deadline, WaitMode wait, Taken& out);
  Status usable() const { return gateway_ == nullptr ? DRAGON_CLOSED : DRAGON_SUCCESS; }

  std::shared_ptr<Gateway> gateway_;
  uint64_t port_ = 0;
  uint64_t grace_ns_ = kGraceNs;
  size_t sends_ahead_ = kSendsAhead;
  ChannelInfo first_;
  HandleBytes handle_ = {};
  std::deque<SlotId> ahead_;
  std::deque<Taken> kept_;           // messages that found no place where they were wanted
  std::shared_ptr<Pool> last_pool_;  // of the last received message
};

}  // namespace dragon::agent
