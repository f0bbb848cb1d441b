// The fabric over TCP.
//
// Goals: whoever has not shown the run's key gets nothing to read and nothing to write; it costs a
// descriptor and 128 bytes for a bounded time. A bulk body goes from the sender's memory to the
// kernel and from there to its landing.
// Non-goals: encryption; addresses of nodes, which come from those who bring the run up.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "fabric/fabric.h"
#include "fabric/handshake.h"
#include "fabric/tcp/address.h"

struct epoll_event;

namespace dragon::fabric {

struct TcpOptions {
  HandshakeSelf self;
  std::string listen = "127.0.0.1:0";  // the interface's own address; port 0: any
  uint64_t handshake_ns = 5'000'000'000;
  uint32_t strangers_max = 64;  // connections that have not finished their handshake
};

class TcpFabric final : public Fabric {
 public:
  explicit TcpFabric(const TcpOptions& options);
  ~TcpFabric() override;

  // Listens. SYSTEM with errno if the address is in use or not this machine's.
  Status open();
  // Where it listens.
  const std::string& address() const { return address_; }
  // Where a peer listens; also makes it one that this node accepts.
  Status set_peer(NodeIndex peer, const std::string& address);

  NodeIndex self() const override { return options_.self.index; }
  bool is_reliable() const override { return true; }
  void connect(NodeIndex peer) override;
  void disconnect(NodeIndex peer) override;
  Status send(NodeIndex peer, const OutPacket* packets, size_t count) override;
  Status post_landing(NodeIndex peer, uint64_t key, void* memory, uint64_t bytes) override;
  void drop_landing(uint64_t key) override;
  Status add_memory(void*, uint64_t) override { return DRAGON_SUCCESS; }
  void remove_memory(void*) override {}
  Status watch(int fd, uint64_t token) override;
  void unwatch(int fd) override;
  void wait(uint64_t until_ns) override;
  bool next_event(FabricEvent& out) override;
  const FabricCounters& counters() const override { return counters_; }

 private:
  enum class Stage : uint8_t {
    kConnecting,  // the initiator's; the call goes out when the socket is connected
    kCalled,      // the initiator waits for the answer
    kStranger,    // the responder waits for the call
    kAnswered,    // and for the confirmation
    kOpen,
  };
  struct Connection {
    explicit Connection(const HandshakeSelf& self) : handshake(self) {}
    int fd = -1;
    uint64_t id = 0;
    Stage stage = Stage::kStranger;
    NodeIndex peer = kNodesMax;  // unknown until the handshake says it
    uint64_t give_up_at_ns = UINT64_MAX;
    Handshake handshake;
    uint8_t greeting[kHandshakeBytes];  // the other side's message, as far as it is here
    size_t greeting_bytes = 0;
    // What came in: the beginning of a packet, or the bulk packet whose body is coming.
    std::vector<uint8_t> partial;
    bool is_in_bulk = false;
    PacketHeader bulk;
    uint32_t bulk_bytes = 0;  // of the body, that are here
    bool bulk_landed = false;
    // What the kernel has not taken yet.
    std::vector<iovec> unsent;
    size_t next_unsent = 0;
    bool wants_write = false;
  };
  struct Peer {
    SocketAddress address;
    bool is_known = false;
    bool is_wanted = false;
    uint64_t incarnation = 0;  // the newest that has shown the key
    uint64_t open_id = 0;      // the connection in use; 0: none
    uint64_t trying_id = 0;    // the one that this side is making
    uint64_t retry_at_ns = UINT64_MAX;
    uint64_t retry_ns = 0;
    uint32_t landings = 0;
  };
  struct Landing {
    NodeIndex peer = 0;
    uint8_t* memory = nullptr;
    uint64_t bytes = 0;
  };

  // tcp_fabric.cpp
  Peer* known(NodeIndex peer);
  Connection* find(uint64_t id);
  void say(FabricEvent::Kind kind, NodeIndex peer);
  void run_timers(uint64_t now_ns);
  uint64_t next_timer_ns() const;
  bool next_ready(FabricEvent& out);
  // tcp_connections.cpp
  void accept_all();
  void try_connect(NodeIndex peer);
  void retry_later(Peer& peer);
  Connection& add(int fd, Stage stage, uint32_t events);
  void poll_for(Connection& connection, uint32_t events);
  void close(uint64_t id);
  void refuse(Connection& connection, Refusal refusal);
  void shake(Connection& connection, uint32_t events);
  void on_greeting(Connection& connection);
  void on_call(Connection& connection);
  bool say_greeting(Connection& connection, const uint8_t* bytes);
  void become_open(Connection& connection);
  // tcp_receive.cpp
  bool receive(Connection& connection);
  bool receive_straight(Connection& connection);
  bool receive_many(Connection& connection);
  bool parse(FabricEvent& out);
  bool parse_bulk(Connection& connection, FabricEvent& out);
  uint8_t* landing_of(const Connection& connection);
  void stop_reading(Connection& connection, bool is_over);
  // tcp_send.cpp
  bool write_some(Connection& connection);
  void on_writable(Connection& connection);

  TcpOptions options_;
  std::string address_;
  int listener_ = -1;
  int epoll_fd_ = -1;
  uint64_t listen_at_ns_ = UINT64_MAX;  // when the listener is looked at again
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::deque<uint64_t> strangers_;  // accepted, oldest first; some may be gone
  std::vector<Peer> peers_;
  std::vector<NodeIndex> retrying_;
  std::unordered_map<uint64_t, Landing> landings_;
  std::unordered_map<int, uint64_t> watched_;
  uint32_t refusals_said_ = 0;  // a bit for each cause
  std::deque<FabricEvent> events_;

  // What the last wait found, and how far it has been looked at.
  std::vector<epoll_event> ready_;
  size_t next_ready_ = 0;
  uint64_t reading_id_ = 0;  // the connection whose bytes are being parsed
  uint64_t reading_budget_ = 0;
  bool is_in_scratch_ = false;  // they lie in scratch_, else in the connection's `partial`
  std::unique_ptr<uint8_t[]> scratch_;
  size_t scratch_begin_ = 0;
  size_t scratch_end_ = 0;
  size_t partial_used_ = 0;  // of `partial`, by the packet given out last

  FabricCounters counters_;
};

}  // namespace dragon::fabric
