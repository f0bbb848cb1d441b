// The other end of the broker's socket: blocking calls with a deadline.
//
// RUNTIME_GONE when nobody listens or no answer comes in time; AUTH when the broker is another
// user's.
#pragma once

#include <cstdint>

#include "memory/broker_protocol.h"
#include "sync/actor.h"
#include "sync/deadline.h"
#include "sync/status.h"

namespace dragon {

constexpr uint64_t kBrokerPatienceMs = 5000;

class BrokerClient {
 public:
  explicit BrokerClient(const char* dir);

  // The node segment's descriptor; the caller owns it.
  Status hello(int& fd_out) const;
  // A segment's descriptor; NOT_FOUND if the broker has no such segment (any more).
  Status get(uint32_t segment_id, int& fd_out) const;
  Status put(int fd, uint32_t& segment_id_out) const;
  Status drop(uint32_t segment_id) const;
  Status attached(ActorId actor) const;
  // Leaves a duplicate of `fd` for another process; TOO_MANY_DESCRIPTORS when 64 of this process
  // wait to be taken, SYSTEM with errno when the broker has no number left.
  Status offer(int fd, uint64_t& ticket_out) const;
  // What was offered under the ticket; the caller owns it, and nobody gets it again. NOT_FOUND if
  // there is nothing (any more). SYSTEM when this process has no number left: then it stays there.
  Status take(uint64_t ticket, int& fd_out) const;
  Status withdraw(uint64_t ticket) const;

 private:
  // One request and its answer, in place of the request.
  Status call(BrokerMessage& message, int pass_fd, int* fd_out) const;
  Status call(BrokerOp op, uint32_t value, int pass_fd, uint32_t& value_out, int* fd_out) const;
  char path_[108] = {};
};

}  // namespace dragon
