// Reliable, ordered frames between this node and each other one, over any fabric.
//
//     while (running) {
//       links.wait(now_ns(), until_ns);
//       while (links.next_event(now_ns(), event)) ...;   // may call send, accept, ...
//       links.flush(now_ns());
//     }
//
// Two classes of traffic:
// - Frames, up to kFrameBytesMax. They are copied once, into the packet that many small ones share,
//   and delivered once, in the order of the calls of `send` and `offer` for that peer.
// - Transfers of any size. `offer` arrives as an ordered frame; when the receiver has room it names
//   the memory (`accept`), and the bytes go there from the sender's memory, in pieces, past frames
//   that are sent meanwhile. No copy in between.
//
// What was sent is kept until the peer has it, and sent again after a connection broke, or when
// the fabric loses it. A peer that does not answer for `death_ns` while something is open, or comes
// back as another incarnation, is dead: all that was open with it fails with NODE_GONE, and what is
// sent later goes to the next incarnation.
//
// Back-pressure is per destination. Every frame costs its bytes and kFrameCost; the receiver gives
// the cost back with `consume`, and the sender stops when `credit_bytes` are out. What can't go out
// yet waits in a queue of `queue_bytes`; then `send` is WOULD_BLOCK until kWritable. No peer waits
// for another, and frames about transfers wait for nobody's credit.
//
// Goals: no clock, no socket, no thread: the same events give the same calls of the fabric.
// Non-goals: what frames mean; fragmenting frames; encryption.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "fabric/fabric.h"
#include "sync/status.h"

namespace dragon::fabric {

constexpr uint64_t kFrameCost = 64;

struct LinksOptions {
  // Larger than that of any earlier life of this node: the time of its start in ns.
  uint64_t incarnation = 1;
  uint64_t queue_bytes = 1u << 20;    // of frames that are not acknowledged, per destination
  uint64_t credit_bytes = 1u << 20;   // of frames received and not consumed, per source
  uint64_t window_bytes = 16u << 20;  // on the way and not acknowledged, bulk included
  uint64_t ack_delay_ns = 5'000'000;
  uint64_t retry_ns = 20'000'000;  // first retransmission on a fabric that is not reliable
  uint64_t ping_ns = 1'000'000'000;
  uint64_t death_ns = 10'000'000'000;
};

using TransferId = uint64_t;

struct LinkEvent {
  enum class Kind : uint8_t {
    kUp,        // packets are exchanged with the peer's `incarnation`
    kDown,      // that one is dead; everything open with it has been reported before
    kFrame,     // `bytes`, `length`: valid until the next call of next_event
    kOffer,     // the same for the offer's header; `transfer` has `transfer_bytes`
    kLanded,    // the end of an accepted transfer: the memory is the receiver's own again
    kSent,      // the end of an offered one: the memory is the sender's own again
    kWritable,  // `send` to the peer was WOULD_BLOCK and may be tried again
    kReadable,  // a descriptor watched at the fabric: `token`
    kRefused,   // somebody at the fabric's listener was turned away: `refusal`
  };
  Kind kind = Kind::kFrame;
  Status status = DRAGON_SUCCESS;  // of kLanded and kSent
  Refusal refusal = Refusal::kNone;
  NodeIndex peer = 0;
  const uint8_t* bytes = nullptr;
  uint32_t length = 0;
  uint64_t cost = 0;  // of kFrame and kOffer: hand it to `consume` when the frame is dealt with
  TransferId transfer = 0;
  uint64_t transfer_bytes = 0;
  uint64_t token = 0;  // of kLanded and kSent: what the caller gave; of kReadable: the descriptor's
  uint64_t incarnation = 0;
};

struct Piece {
  const void* bytes = nullptr;
  size_t length = 0;
};

class Link;

class Links {
 public:
  Links(Fabric& fabric, const LinksOptions& options);
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;
  ~Links();

  // One frame made of these pieces, which are copied. WOULD_BLOCK: the peer's queue is full, and
  // kWritable will follow. TOO_LARGE beyond kFrameBytesMax; INVALID_ARGUMENT for the node itself;
  // NODE_GONE if the peer has died and its kDown is yet to be taken.
  Status send(NodeIndex peer, const Piece* pieces, size_t count);

  // Offers `bytes` at `memory` to the peer, with a header of the caller's (up to kFrameBytesMax
  // less kOfferHeadBytes). The memory must stay as it is until kSent brings `token` back: SUCCESS
  // when all has landed, what the receiver said with `refuse`, CLOSED after `cancel` or `abandon`,
  // NODE_GONE. Errors as in `send`; then no kSent follows.
  Status offer(NodeIndex peer, const Piece& header, const void* memory, uint64_t bytes,
               uint64_t token, TransferId& out);
  // The sender no longer wants to: kSent with CLOSED follows, or with what happened before.
  void cancel(NodeIndex peer, TransferId transfer);

  // Names the memory for an offer's bytes: kLanded with `token` ends it, with SUCCESS, CLOSED
  // (cancelled by either side) or NODE_GONE. NOT_FOUND if the offer is gone already.
  Status accept(NodeIndex peer, TransferId transfer, void* memory, uint64_t token);
  // Answers an offer with an error, which is never SUCCESS.
  void refuse(NodeIndex peer, TransferId transfer, Status status);
  // The receiver no longer wants an accepted transfer: on return nothing is written into its memory
  // any more, and no kLanded follows.
  void abandon(NodeIndex peer, TransferId transfer);

  // A frame of this cost is dealt with: the peer may send more.
  void consume(NodeIndex peer, uint64_t cost);

  // While on, the peer is asked now and then whether it lives even if nothing is on the way: for
  // those who wait for an answer.
  void watch(NodeIndex peer, bool on);
  // Somebody knows that the peer is dead. Events as if its time had passed.
  void declare_dead(uint64_t now_ns, NodeIndex peer);
  // Frames and transfers that are not yet acknowledged by the peer.
  bool is_idle(NodeIndex peer) const;

  // Waits for the fabric, a timer of a link, or until then.
  void wait(uint64_t now_ns, uint64_t until_ns);
  bool next_event(uint64_t now_ns, LinkEvent& out);
  // Sends what the calls since have left to send. To be called before each wait.
  void flush(uint64_t now_ns);
  // When `next_event` has to be called even if the fabric is silent; UINT64_MAX: never.
  uint64_t next_timer_ns() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dragon::fabric
