#include "fabric/handshake.h"

#include <string.h>

namespace dragon::fabric {
namespace {

constexpr uint8_t kCall = 1;
constexpr uint8_t kAnswer = 2;
constexpr uint8_t kConfirm = 3;

// Where the fields of a message lie.
constexpr size_t kAtVersion = 4;
constexpr size_t kAtStep = 6;
constexpr size_t kAtRun = 8;
constexpr size_t kAtFrom = 16;
constexpr size_t kAtTo = 20;
constexpr size_t kAtIncarnation = 24;
constexpr size_t kAtNonce = 32;
constexpr size_t kAtProof = 96;
static_assert(kAtProof + kDigestBytes == kHandshakeBytes);

template <typename T>
void put(uint8_t* at, T value) {
  ::memcpy(at, &value, sizeof(value));
}

template <typename T>
T get(const uint8_t* at) {
  T value;
  ::memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace

Refusal Handshake::look(const uint8_t* bytes, size_t length) {
  uint8_t expected[kAtStep];
  put(expected, kHandshakeMagic);
  put(expected + kAtVersion, kProtocolVersion);
  const size_t magic = length < kAtVersion ? length : kAtVersion;
  if (::memcmp(bytes, expected, magic) != 0) return Refusal::kGarbage;
  if (length < kAtStep) return Refusal::kNone;
  const bool same = ::memcmp(bytes + kAtVersion, expected + kAtVersion, 2) == 0;
  return same ? Refusal::kNone : Refusal::kVersion;
}

void Handshake::write(uint8_t step, const Nonce& nonce) {
  uint8_t* message = said_ + (step - 1) * kHandshakeBytes;
  ::memset(message, 0, kHandshakeBytes);
  put(message, kHandshakeMagic);
  put(message + kAtVersion, kProtocolVersion);
  message[kAtStep] = step;
  put(message + kAtRun, self_.run_id);
  put(message + kAtFrom, self_.index);
  put(message + kAtTo, peer_);
  put(message + kAtIncarnation, self_.incarnation);
  ::memcpy(message + kAtNonce, nonce.bytes, kNonceBytes);
  const size_t signed_bytes = (step - 1) * kHandshakeBytes + kAtProof;
  keyed_digest(self_.key, said_, signed_bytes, message + kAtProof);
}

Refusal Handshake::read(const uint8_t* bytes, uint8_t step) {
  const Refusal look_first = look(bytes, kHandshakeBytes);
  if (look_first != Refusal::kNone) return look_first;
  if (bytes[kAtStep] != step) return Refusal::kGarbage;
  uint8_t* message = said_ + (step - 1) * kHandshakeBytes;
  ::memcpy(message, bytes, kHandshakeBytes);
  uint8_t proof[kDigestBytes];
  keyed_digest(self_.key, said_, (step - 1) * kHandshakeBytes + kAtProof, proof);
  const bool proven = same_bytes(proof, message + kAtProof, kDigestBytes);
  if (!proven || get<uint64_t>(message + kAtRun) != self_.run_id) return Refusal::kKey;
  if (get<NodeIndex>(message + kAtTo) != self_.index) return Refusal::kStranger;
  const auto from = get<NodeIndex>(message + kAtFrom);
  if (step == kCall) {
    if (from == self_.index || from >= kNodesMax) return Refusal::kStranger;
    peer_ = from;
  }
  if (from != peer_) return Refusal::kStranger;
  peer_incarnation_ = get<uint64_t>(message + kAtIncarnation);
  return Refusal::kNone;
}

void Handshake::call(NodeIndex peer, const Nonce& nonce, uint8_t* out) {
  peer_ = peer;
  write(kCall, nonce);
  ::memcpy(out, said_, kHandshakeBytes);
}

Refusal Handshake::answer(const uint8_t* call, const Nonce& nonce, uint8_t* out) {
  const Refusal refusal = read(call, kCall);
  if (refusal != Refusal::kNone) return refusal;
  write(kAnswer, nonce);
  ::memcpy(out, said_ + kHandshakeBytes, kHandshakeBytes);
  return Refusal::kNone;
}

Refusal Handshake::confirm(const uint8_t* answer, uint8_t* out) {
  const Refusal refusal = read(answer, kAnswer);
  if (refusal != Refusal::kNone) return refusal;
  write(kConfirm, Nonce{});
  ::memcpy(out, said_ + 2 * kHandshakeBytes, kHandshakeBytes);
  return Refusal::kNone;
}

Refusal Handshake::finish(const uint8_t* confirm) {
  return read(confirm, kConfirm);
}

}  // namespace dragon::fabric
