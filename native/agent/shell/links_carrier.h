// The carrier over links: the same calls by other names.
#pragma once

#include "agent/carrier.h"
#include "fabric/links.h"

namespace dragon::agent {

class LinksCarrier : public Carrier {
 public:
  explicit LinksCarrier(fabric::Links& links) : links_(links) {}

  Status send(NodeIndex peer, const void* header, size_t header_bytes, const void* payload,
              size_t payload_bytes) override {
    const fabric::Piece pieces[] = {{header, header_bytes}, {payload, payload_bytes}};
    return links_.send(peer, pieces, payload_bytes > 0 ? 2 : 1);
  }
  Status offer(NodeIndex peer, const void* header, size_t header_bytes, const void* memory,
               uint64_t bytes, uint64_t token) override {
    fabric::TransferId transfer = 0;
    return links_.offer(peer, {header, header_bytes}, memory, bytes, token, transfer);
  }
  Status accept(NodeIndex peer, uint64_t transfer, void* memory, uint64_t token) override {
    return links_.accept(peer, transfer, memory, token);
  }
  void refuse(NodeIndex peer, uint64_t transfer, Status status) override {
    links_.refuse(peer, transfer, status);
  }
  void abandon(NodeIndex peer, uint64_t transfer) override { links_.abandon(peer, transfer); }
  void watch(NodeIndex peer, bool on) override { links_.watch(peer, on); }

 private:
  fabric::Links& links_;
};

}  // namespace dragon::agent
