// What the engine asks of the links to other nodes, and what it sends through them.
//
// Goals: the engine never waits for a link: what it has no room for stays in the outbox, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "agent/message.h"

namespace dragon::agent {

using NodeIndex = uint32_t;

// The links, as `fabric/links.h` describes them.
class Carrier {
 public:
  virtual ~Carrier() = default;
  // One frame of a header and a payload, which are copied. WOULD_BLOCK until the peer is writable.
  virtual Status send(NodeIndex peer, const void* header, size_t header_bytes, const void* payload,
                      size_t payload_bytes) = 0;
  // Offers memory, which stays as it is until `token` was sent.
  virtual Status offer(NodeIndex peer, const void* header, size_t header_bytes, const void* memory,
                       uint64_t bytes, uint64_t token) = 0;
  virtual Status accept(NodeIndex peer, uint64_t transfer, void* memory, uint64_t token) = 0;
  virtual void refuse(NodeIndex peer, uint64_t transfer, Status status) = 0;
  virtual void abandon(NodeIndex peer, uint64_t transfer) = 0;
  // Somebody waits for an answer of the peer's.
  virtual void watch(NodeIndex peer, bool on) = 0;
};

// Who hears of the end of an offer.
class OfferEnd {
 public:
  virtual ~OfferEnd() = default;
  virtual void on_sent(uint64_t token, Status status) = 0;
};

class Outbox {
 public:
  Outbox(Carrier& carrier, OfferEnd& end) : carrier_(carrier), end_(end) {}

  void send(NodeIndex peer, const Message& message, const void* payload = nullptr,
            size_t bytes = 0);
  void offer(NodeIndex peer, const Message& message, const void* memory, uint64_t token);
  // Whether something waits for room; who can wait too does so.
  bool clogged(NodeIndex peer) const { return waiting_.count(peer) != 0; }
  void on_writable(NodeIndex peer);
  // Nothing that waits for the peer is sent any more; offers end with NODE_GONE.
  void drop(NodeIndex peer);

 private:
  struct Entry {
    uint8_t header[kMessageHeaderBytes];
    std::vector<uint8_t> payload;
    const void* memory = nullptr;  // of an offer
    uint64_t bytes = 0;
    uint64_t token = 0;
  };
  Status pass_on(NodeIndex peer, const Entry& entry);

  Carrier& carrier_;
  OfferEnd& end_;
  std::map<NodeIndex, std::deque<Entry>> waiting_;
};

}  // namespace dragon::agent
