// A channel of this node as a process of another one has it open, and that process's requests.
//
// Nothing here waits: what can't be done now is parked, in order, with a record in the lane that
// would make it possible. Sends, receives and the rest wait apart from each other.
#pragma once

#include <array>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "agent/carrier.h"
#include "channel/channel.h"

namespace dragon::agent {

class HomePort;

// Names what the links will report the end of, and has what the ports of a node share.
class HomeRoom {
 public:
  virtual ~HomeRoom() = default;
  virtual uint64_t landing_of(HomePort& port) = 0;
  // An allocation of this actor's that is offered, and freed when it was sent.
  virtual uint64_t offering(const std::shared_ptr<Pool>& pool, uint64_t allocation) = 0;
  uint8_t* scratch() { return scratch_; }

 private:
  alignas(64) uint8_t scratch_[kEagerBytes];
};

// One lane of the parking lot that this port waits in.
class ParkedLane {
 public:
  // Stands in the lane from now on. True if the caller has to look again.
  bool stand(ParkingLot& lot, const WaitPlace& place);
  // Leaves; a wake that was not used is passed on.
  void leave(ParkingLot& lot, bool passes_on);
  bool stands() const { return record_ != 0; }
  bool woken(const ParkingLot& lot) const { return record_ != 0 && lot.woken(record_); }

 private:
  RecordId record_ = 0;
  WaitPlace place_;
};

class HomePort {
 public:
  HomePort(HomeRoom& room, Outbox& outbox, Carrier& carrier, NodeIndex from, uint64_t id,
           std::unique_ptr<Channel> channel);
  HomePort(const HomePort&) = delete;
  HomePort& operator=(const HomePort&) = delete;
  ~HomePort();

  NodeIndex from() const { return from_; }
  uint64_t id() const { return id_; }
  void request(const Message& message, const uint8_t* payload, size_t bytes);
  // A send whose payload is to be fetched.
  void offered(const Message& message, uint64_t transfer);
  void landed(uint64_t token, Status status);
  void cancel(uint64_t request);
  // Does what can be done now, and waits in the lanes for the rest.
  void run();
  bool woken();
  // Tells the asking side how many of its silent sends have ended.
  void flush_credit();
  // No more requests will come; it is finished when everything that was sent is in the channel.
  // `died`: the process is dead, and so is what it had lent.
  void close(bool died);
  bool finished() const { return closing_ && sends_.empty(); }
  // Something waits for the channel.
  bool parked() const;
  // The handle of a reference that came with the attachment; the number that it has from now on.
  uint32_t remember(RecordId record);

 private:
  struct Send {
    Message message;
    std::vector<uint8_t> bytes;  // of a parked eager one
    uint64_t transfer = 0;       // of a large one
    Allocation memory;           // where that lands
    uint64_t token = 0;
    bool landing = false;
    bool landed = false;
  };
  struct Receipt {
    Message message;
    Channel::Receipt receipt;
  };

  void answer(const Message& to, Status status, uint32_t what = 0);
  void answer_bytes(const Message& to, const void* payload, size_t bytes);
  void end_send(const Message& message, Status status);
  Status try_send(const Send& send, const uint8_t* bytes);
  void accept_landings();
  void run_sends();
  void run_receives();
  void run_polls();
  void run_receipts();
  bool stand_in_lanes();
  bool try_receive(const Message& message);
  void deliver(const Message& to, const ReceivedMessage& message);
  void peek(const Message& message);
  void lend(const Message& message);
  void act(const Message& message, const uint8_t* payload, size_t bytes);
  void send_info(const Message& message);

  HomeRoom& room_;
  Outbox& outbox_;
  Carrier& carrier_;
  const NodeIndex from_;
  const uint64_t id_;
  std::unique_ptr<Channel> channel_;
  std::map<uint32_t, RecordId> handles_;
  std::vector<std::array<uint8_t, kHandleBytes>> lent_;
  std::list<Send> sends_;
  std::list<Message> receives_;
  std::list<Message> polls_;
  std::list<Receipt> receipts_;
  ParkedLane in_;
  ParkedLane out_;
  ParkedLane memory_;
  ParkedLane receipt_;
  std::array<ParkedLane, 6> poll_lanes_;
  uint32_t last_handle_ = 0;
  uint32_t credit_ = 0;
  uint32_t landings_ = 0;
  bool closing_ = false;
  bool short_of_memory_ = false;
};

}  // namespace dragon::agent
