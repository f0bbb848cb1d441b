// Channel sets: which of many channels is ready, and for what.
//
// A set belongs to one actor and is nothing but its list of channels and masks: any number of
// sets, in any processes, may watch one channel, and the channel knows of none. A poll looks at
// the channels themselves, so what it says is the level and not that something has happened.
//
// Goals: a look costs some ten nanoseconds a channel; each look begins behind the channel that
// was found last, so that none that stays ready hides the others. A thread that blocks waits in
// the queue of every channel at once and sleeps on its actor's doorbell.
// Non-goals: locks and other objects; remote channels (the agent's).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "channel/channel.h"

namespace dragon {

// A mask of events. kSetEnded is always watched: the channel was destroyed or closed here.
constexpr uint32_t kSetIn = 1;
constexpr uint32_t kSetOut = 2;
constexpr uint32_t kSetEmpty = 4;
constexpr uint32_t kSetFull = 8;
constexpr uint32_t kSetEnded = 16;
constexpr uint32_t kSetEvents = kSetIn | kSetOut | kSetEmpty | kSetFull;

class ChannelSet {
 public:
  // A channel that is ready, and for which events of its mask.
  struct Ready {
    uint32_t member = 0;
    uint32_t events = 0;
  };

  explicit ChannelSet(std::shared_ptr<Node> node) : node_(std::move(node)) {}

  // Watches a channel of this actor; `member` is its number in the set. INVALID_ARGUMENT unless the
  // mask has events of kSetEvents only, and at least one.
  Status add(std::shared_ptr<Channel> channel, uint32_t mask, uint32_t& member);
  // NOT_FOUND if there is no such member.
  Status change(uint32_t member, uint32_t mask);
  Status remove(uint32_t member);
  size_t size() const { return members_.size(); }

  // A channel that is ready; WOULD_BLOCK if none is.
  Status try_poll(Ready& out);
  // The same, and waits. NOT_SUPPORTED for an actor without a doorbell. TIMEOUT.
  Status poll(Deadline deadline, Ready& out);

  // A queue in which a watcher stands, and whose it is: that must live as long as the wait.
  struct Place {
    WaitPlace place;
    std::shared_ptr<Channel> channel;
  };
  // All of them: arm each, look, sleep. What comes are hints.
  std::vector<Place> places() const;

 private:
  struct Member {
    uint32_t number = 0;
    uint32_t mask = 0;
    std::shared_ptr<Channel> channel;
  };
  class Watch;

  std::vector<Member>::iterator find(uint32_t member);
  static uint32_t look(const Member& member);

  std::shared_ptr<Node> node_;
  std::vector<Member> members_;
  uint32_t last_number_ = 0;
  size_t next_ = 0;  // where the next look begins
};

}  // namespace dragon
