// The handshake at the beginning of each connection, as a pure state machine.
//
// Both sides prove that they hold the run's key, over fresh random numbers of both, so that nothing
// recorded earlier is of use. The initiator speaks first; who answers says nothing before it has
// seen a proof made with the key.
//
//     initiator -> responder  call:     who calls whom, its random number, proof
//     responder -> initiator  answer:   the same of its own, proof over both
//     initiator -> responder  confirm:  proof over all of it
//
// Goals: no clock, no socket, no source of randomness inside; comparisons in constant time.
// Non-goals: what follows on the connection is neither signed nor encrypted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fabric/crypto.h"
#include "fabric/fabric.h"

namespace dragon::fabric {

constexpr uint32_t kHandshakeMagic = 0x48474e44;  // "DNGH", the same in all versions
constexpr uint16_t kProtocolVersion = 1;
constexpr size_t kHandshakeBytes = 128;
constexpr size_t kHandshakePrefixBytes = 8;
constexpr size_t kNonceBytes = 32;

struct Nonce {
  uint8_t bytes[kNonceBytes] = {};
};

// Who this side is.
struct HandshakeSelf {
  NodeIndex index = 0;
  uint64_t run_id = 0;
  uint64_t incarnation = 0;
  RunKey key;
};

class Handshake {
 public:
  explicit Handshake(const HandshakeSelf& self) : self_(self) {}

  // What the first bytes of a connection say already: kNone if they may become a handshake.
  static Refusal look(const uint8_t* bytes, size_t length);

  // The initiator's first message, to `peer`.
  void call(NodeIndex peer, const Nonce& nonce, uint8_t* out);
  // The responder's, to a call.
  Refusal answer(const uint8_t* call, const Nonce& nonce, uint8_t* out);
  // The initiator's last one, to an answer: from here on it may trust the other side.
  Refusal confirm(const uint8_t* answer, uint8_t* out);
  // The responder reads the last one: from here on it may trust the other side.
  Refusal finish(const uint8_t* confirm);

  NodeIndex peer() const { return peer_; }
  uint64_t peer_incarnation() const { return peer_incarnation_; }

 private:
  void write(uint8_t step, const Nonce& nonce);
  Refusal read(const uint8_t* message, uint8_t step);

  const HandshakeSelf& self_;
  NodeIndex peer_ = 0;
  uint64_t peer_incarnation_ = 0;
  // All messages so far, one after the other: each proof is made over all that precedes it.
  uint8_t said_[3 * kHandshakeBytes] = {};
};

}  // namespace dragon::fabric
