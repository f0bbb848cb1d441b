// What a broker and its clients say: messages of 64 bytes on a unix seqpacket socket.
//
// Goals: one request, one answer, so that connections are short; a message of any other length,
// magic or operation closes the connection.
#pragma once

#include <cstdint>

namespace dragon {

constexpr uint32_t kBrokerMagic = 0x314b5242;  // "BRK1"

enum class BrokerOp : uint32_t {
  kHello = 1,     // answer: descriptor of the node segment; the caller is watched from now on
  kGet = 2,       // segment id; answer: its descriptor
  kPut = 3,       // with a descriptor; answer: the segment's id
  kDrop = 4,      // segment id; the broker closes its descriptor
  kAttached = 5,  // actor id; reported to the services
  kOffer = 6,     // with a descriptor for another process; answer: the ticket for it
  kTake = 7,      // ticket; answer: its descriptor, which the caller then withdraws
  kWithdraw = 8,  // ticket; the broker closes its descriptor
};

struct BrokerMessage {
  uint32_t magic = kBrokerMagic;
  uint32_t op = 0;      // BrokerOp
  uint32_t status = 0;  // in answers
  uint32_t value = 0;   // segment or actor id; errno in answers with SYSTEM
  uint64_t ticket = 0;
  uint64_t spare[5] = {};
};
static_assert(sizeof(BrokerMessage) == 64);

// The socket's name in the runtime directory.
constexpr char kBrokerSocketName[] = "broker.sock";

}  // namespace dragon
