// What carries packets between the nodes of a run: one object is one node's end of it.
//
// A fabric moves packets and puts the bytes of bulk packets straight into memory that was named
// for them. It may lose, double, delay and reorder packets (`is_reliable`), and its connections
// break; `Links` (links.h) makes of that frames that arrive once and in order.
//
//     while (running) {
//       fabric.wait(deadline_ns);
//       while (fabric.next_event(event)) ...;
//     }
//
// Goals: the same calls fit sockets, a simulation, and libfabric: landings are posted receives,
// `add_memory` is its registration, `kFlushed` its send completion. Nothing blocks but `wait`.
// Non-goals: threads; a fabric belongs to the one thread that drives it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fabric/wire.h"
#include "sync/status.h"

namespace dragon::fabric {

// A node's number in its run; 0 is the primary.
using NodeIndex = uint32_t;
constexpr NodeIndex kNodesMax = 1u << 20;

// One packet to be sent. `head` is an encoded packet header, and what may follow it in the same
// memory; `body` is the rest of the packet, in whatever memory it lies (a pool's).
struct OutPacket {
  const void* head = nullptr;
  size_t head_bytes = 0;
  const void* body = nullptr;
  size_t body_bytes = 0;
};

// Why somebody at the listener was turned away.
enum class Refusal : uint8_t {
  kNone,
  kGarbage,   // not the beginning of a handshake
  kVersion,   // a handshake of another version of the protocol
  kKey,       // a wrong key, a replayed handshake, or another run
  kStranger,  // the right key, but no node that this one expects
  kTimeout,   // did not finish its handshake in time, or made room for others
};

struct FabricEvent {
  enum class Kind : uint8_t {
    kConnected,  // packets may be sent to the peer
    kLost,       // no more; whatever was not flushed may or may not have arrived
    kPacket,     // `header` and `body`, valid until the next call of next_event
    kBulk,       // the same, but the body is where its landing is; `landed` says whether it had one
    kFlushed,    // the packets of the peer's last `send` are no longer referred to
    kReadable,   // a watched descriptor is readable: `token`
    kRefused,    // somebody was turned away, said once for each cause: `refusal`
  };
  Kind kind = Kind::kPacket;
  NodeIndex peer = 0;
  PacketHeader header;
  const uint8_t* body = nullptr;
  bool landed = false;
  Refusal refusal = Refusal::kNone;
  uint64_t token = 0;
};

// What has happened since the fabric was made.
struct FabricCounters {
  uint64_t packets_sent = 0;
  uint64_t packets_received = 0;
  uint64_t sends = 0;         // calls of the kernel that sent something
  uint64_t bytes_staged = 0;  // of bulk bodies that did not go straight to their landing
  uint64_t refused = 0;       // handshakes that failed
  uint64_t connections = 0;   // that were authenticated
};

class Fabric {
 public:
  virtual ~Fabric() = default;

  virtual NodeIndex self() const = 0;
  // False if packets may get lost, doubled or reordered while a connection lasts.
  virtual bool is_reliable() const = 0;

  // Makes a connection to the peer unless there is one, or one is being made; tries again and
  // again until it is there (kConnected) or `disconnect` is called.
  virtual void connect(NodeIndex peer) = 0;
  // Ends the peer's connection, or the attempts to make one. On return nothing that was handed to
  // `send` for the peer is referred to any more; no kLost or kFlushed follows.
  virtual void disconnect(NodeIndex peer) = 0;

  // Hands packets to the fabric. SUCCESS: all of them are on their way, and their memory may be
  // reused. WOULD_BLOCK: all of them are taken, and their memory must stay as it is until kFlushed
  // or kLost (or `disconnect`); until then a further call is STATE, and so is one without a
  // connection.
  virtual Status send(NodeIndex peer, const OutPacket* packets, size_t count) = 0;

  // Names the memory for bulk packets from `peer` that carry `key`; a body lands at its packet's
  // offset. Bulk packets without a landing, or that reach beyond it, are thrown away. EXISTS for a
  // key that is in use.
  virtual Status post_landing(NodeIndex peer, uint64_t key, void* memory, uint64_t bytes) = 0;
  // On return nothing is written into the landing's memory any more.
  virtual void drop_landing(uint64_t key) = 0;

  // Registers memory that packets are sent from or land in, extent by extent as a pool grows.
  // Fabrics that can reach any memory of the process (sockets) need not be told.
  virtual Status add_memory(void* base, uint64_t bytes) = 0;
  virtual void remove_memory(void* base) = 0;

  // Also wait for this descriptor, level-triggered: kReadable with the token.
  virtual Status watch(int fd, uint64_t token) = 0;
  virtual void unwatch(int fd) = 0;

  // Waits until there is an event or the monotonic clock has passed `until_ns` (0: only looks,
  // UINT64_MAX: for ever). Not while events of the last wait are left.
  virtual void wait(uint64_t until_ns) = 0;
  // The next event; false when there is none left since the last `wait`.
  virtual bool next_event(FabricEvent& out) = 0;

  virtual const FabricCounters& counters() const = 0;
};

}  // namespace dragon::fabric
