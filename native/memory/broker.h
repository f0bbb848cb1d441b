// The broker: holds the descriptors of a node's segments, hands them to its processes, and
// watches those processes.
//
// Driven by an event loop: poll `fd()` for reading, call `on_readable()`, then take the events.
// Nothing in here blocks, and no client can make it wait: garbage closes the client's connection.
//
// Goals: only processes of the same uid are served; a process is watched (pidfd) from its first
// word on, so an actor that dies while it attaches is seen too.
// Non-goals: what to do about a death; the local services decide and call reclaim.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "memory/offers.h"
#include "sync/actor.h"
#include "sync/node_segment.h"
#include "sync/status.h"

namespace dragon {

struct BrokerEvent {
  enum class Kind { kAttached, kDead };
  Kind kind = Kind::kAttached;
  ActorId actor = 0;
  int32_t pid = 0;
};

struct BrokerSegment {
  uint32_t id = 0;
  int fd = -1;
};

class Broker {
 public:
  Broker() = default;
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  ~Broker() { close(); }

  // Listens on `<dir>/broker.sock`. EXISTS if something is bound there already.
  Status open(const char* dir, NodeSegment& segment);
  // Closes everything and removes the socket's name.
  void close();

  // Readable when there is work.
  int fd() const { return epoll_fd_; }
  void on_readable();
  // The oldest event not yet taken; false if there is none.
  bool next_event(BrokerEvent& out);

  // Asks the kernel about every live actor and reports the dead. For processes that could not be
  // watched (no descriptor left), and as a slow check: call it now and then.
  void sweep();
  // True if some process could not be watched, or has left descriptors on their way, so that
  // `sweep` should be called every second.
  bool needs_sweep() const { return unwatched_ || offers_.has_orphans(); }

  // The broker's own process uses these instead of the socket. `put` duplicates the descriptor;
  // `get` answers -1 for an unknown segment.
  Status put(int fd, int32_t maker, uint32_t& id_out);
  int get(uint32_t id) const;
  Status drop(uint32_t id);
  std::vector<BrokerSegment> segments() const;
  // Descriptors that processes send to each other.
  Offers& offers() { return offers_; }
  // Events for actors of the broker's own process.
  void attached(ActorId actor, int32_t pid);

 private:
  struct Client {
    int fd = -1;
    int32_t pid = 0;
  };
  void accept_clients();
  void serve(int fd);
  bool answer(Client& client, const struct BrokerMessage& request, int passed_fd);
  void watch(int32_t pid, int client_fd);
  void on_process_end(int32_t pid);
  void report_dead(int32_t pid);
  void drop_unopened(int32_t pid);
  void look_at(ActorTable& actors, const ActorInfo& info);
  void close_client(int fd);

  NodeSegment* segment_ = nullptr;
  int listen_fd_ = -1;
  int epoll_fd_ = -1;
  int reserve_fd_ = -1;  // given up for a moment when a client comes and no descriptor is left
  bool unwatched_ = false;
  uint32_t next_segment_id_ = 1;
  char path_[108] = {};
  struct Held {
    int fd = -1;
    int32_t maker = 0;  // pid
  };
  std::map<uint32_t, Held> segments_;
  Offers offers_;
  std::map<int, Client> clients_;
  std::map<int32_t, int> pidfds_;       // pid to pidfd
  std::vector<ActorId> reported_dead_;  // by slot: the last actor reported
  std::deque<BrokerEvent> events_;
};

}  // namespace dragon
