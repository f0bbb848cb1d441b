// One attachment to a node: an actor with a doorbell, a parking lot and mapped segments.
//
// Goals: nothing here is a singleton; a process may hold any number of these, each used by one
// thread at a time. Whatever is attached through a Node keeps it alive.
// Non-goals: giving back what an actor owned (channel/reclaim.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "memory/broker.h"
#include "memory/broker_client.h"
#include "memory/handle.h"
#include "memory/segment.h"
#include "sync/actor.h"
#include "sync/bell.h"
#include "sync/node_segment.h"
#include "sync/parking.h"

namespace dragon {

class Pool;

struct NodeOptions {
  const char* name = "";    // shown by `dragon ps`
  uint64_t host_id = 0;     // create: 0 derives it from the machine's boot id
  uint64_t runtime_id = 0;  // create: 0 draws one
  bool bell = true;         // false: an actor that never waits in an event loop
};

class Node : public std::enable_shared_from_this<Node> {
 public:
  // Makes a node in `dir` and its broker, which the caller's event loop drives.
  static Status create(const std::string& dir, const NodeOptions& options,
                       std::shared_ptr<Node>& out);
  // Attaches to the node whose broker listens in `dir`.
  static Status attach(const std::string& dir, const NodeOptions& options,
                       std::shared_ptr<Node>& out);
  // A further actor of this process, which shares the mappings of `first`. For worker threads; and
  // beside the node that was created here, where `attach` would wait for itself: then in the
  // thread that drives the broker only.
  static Status attach_local(const std::shared_ptr<Node>& first, const NodeOptions& options,
                             std::shared_ptr<Node>& out);
  ~Node();

  // Ends the attachment; what is still attached through it answers CLOSED afterwards. Users call
  // `leave` (channel/reclaim.h), which gives back what the actor owns and then ends here; without
  // that, the actor counts as dead and waits for its reclamation.
  void close(bool given_back = false);
  bool closed() const { return closed_; }

  const std::string& dir() const { return dir_; }
  const Actor& me() const { return me_; }
  NodeIdentity identity() const { return segment_.identity(); }
  NodeSegment& segment() { return segment_; }
  ActorTable& actors() { return actors_; }
  ParkingLot& lot() { return *lot_; }
  RecordArea& records() { return lot_->records(); }
  Bell& bell() { return bell_; }
  // The broker, on the node that was created here and its local attachments; else nullptr.
  Broker* broker() { return broker_.get(); }

  // The pool in a segment, attached on first use and shared by all its users in this attachment.
  // OBJECT_DESTROYED if the broker no longer has the segment.
  Status pool(uint32_t segment_id, std::shared_ptr<Pool>& out);

  // For Pool: segments by way of the broker.
  Status put_segment(Segment& segment);
  Status get_segment(uint32_t segment_id, Segment& out);
  void drop_segment(uint32_t segment_id);
  // Descriptors of files on their way to another process of the node, see memory/offers.h.
  Status offer_descriptor(int fd, HandleBytes& out);
  Status take_descriptor(const uint8_t* handle, size_t length, int& fd_out);
  Status withdraw_descriptor(const uint8_t* handle, size_t length);
  void remember(uint32_t segment_id, const std::shared_ptr<Pool>& pool);

 private:
  Node() : actors_(segment_) {}
  Status start(const NodeOptions& options);

  std::string dir_;
  NodeSegment segment_;
  ActorTable actors_;
  Actor me_;
  Bell bell_;
  std::unique_ptr<ParkingLot> lot_;
  std::shared_ptr<Broker> broker_;
  std::shared_ptr<SegmentCache> segments_ = std::make_shared<SegmentCache>();
  std::map<uint32_t, std::weak_ptr<Pool>> pools_;
  bool closed_ = false;
};

}  // namespace dragon
