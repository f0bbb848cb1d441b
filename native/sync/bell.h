// Doorbells: how an actor's event loop is woken by any process of the node.
//
// A bell is a FIFO `<dir>/bell.<slot>`, which the event loop polls and whoever rings opens once. Of
// what could be polled, only an eventfd is faster, by a tenth, and that has no name: it can be had
// from its owner only where one process may look into the other (bench/bells.cpp, spec/sync.md).
//
// A bell is an edge hint and carries nothing: the pending word names the actor that was rung, so
// that rings coalesce; a full FIFO counts as rung, and a missing one belongs to a dead actor. The
// owner drains (which clears the pending word) before it looks at its records.
//
// An owner that looks at the pending word before it sleeps need not be rung until then: it says
// there that it is awake.
//
// A ringer that dies between the pending word and the FIFO silences the bell until a forced
// ring (after every reclamation) or the owner's next own look.
#pragma once

#include <cstddef>
#include <string>

#include "sync/actor.h"
#include "sync/status.h"

namespace dragon {

// Bells of others that an actor keeps open; a further one takes the place of the one that was not
// rung for longest.
constexpr size_t kBellsOpenMax = 16;

class Bell {
 public:
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() { close(); }

  // INVALID_ARGUMENT if the directory's name is too long for the sockets in it. An actor that never
  // waits in an event loop needs no bell of its own; it rings others all the same.
  Status open(const char* dir, ActorTable& actors, ActorId me, bool own);
  // Closes all and removes the own bell's name.
  void close();

  // Rings an actor's bell. `force` writes even if it is rung already. Where no further descriptor
  // can be had, those that are kept open make room, and at last the reserve.
  void ring(ActorId actor, bool force = false);
  // Empties the FIFO, then clears the pending word. Closes the bells of actors that have ended.
  void drain();

  // For an owner that looks at the pending word before it sleeps: from now on a ring is noted
  // there and not sent. Whether somebody has rung since it went to sleep or looked last.
  bool stay_awake();
  bool rung() const;
  // Rings are sent from now on. False if one was noted, which stays so: `stay_awake` and look.
  bool may_sleep();
  // Empties the FIFO. Closes the bells of actors that have ended.
  void empty();
  // Readable when rung; -1 without a bell of its own.
  int fd() const { return fd_; }
  // Whether others can ring it.
  bool bound() const { return fd_ >= 0; }
  // Removes the name that a dead actor left behind.
  void remove_name(ActorId actor);

 private:
  struct Opened {
    ActorId actor = 0;
    int fd = -1;
    uint64_t used = 0;
  };
  std::string name_of(ActorId actor) const;
  int reach(ActorId actor);
  int open_bell(ActorId actor);
  bool close_oldest();
  void close_ended();

  ActorTable* actors_ = nullptr;
  ActorId me_ = 0;
  int fd_ = -1;
  int reserve_ = -1;
  std::string dir_;
  uint64_t rings_ = 0;
  Opened opened_[kBellsOpenMax];
};

}  // namespace dragon
