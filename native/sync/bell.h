// Doorbells: how an actor's event loop is woken by any process of the node with one descriptor.
//
// A bell is a unix datagram socket bound at `<dir>/bell.<slot>`, which the event loop polls. A
// bell is an edge hint and carries nothing: the pending word coalesces rings, a full socket counts
// as rung, and a missing one belongs to a dead actor. The owner drains (which clears the pending
// word) before it looks at its records.
//
// A ringer that dies between the pending word and the socket silences the bell until a forced
// ring (after every reclamation) or the owner's next own look; so an event loop with pending
// waits looks by itself too, at least once a second.
#pragma once

#include "sync/actor.h"
#include "sync/status.h"

namespace dragon {

class Bell {
 public:
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() { close(); }

  // INVALID_ARGUMENT if the directory's name is too long for a socket's address. An actor that
  // never waits in an event loop needs no bound socket; it rings others all the same.
  Status open(const char* dir, ActorTable& actors, ActorId me, bool bound);
  // Closes the socket and removes its name.
  void close();

  // Rings an actor's bell. `force` sends even if it is rung already.
  void ring(ActorId actor, bool force = false);
  // Empties the socket, then clears the pending word.
  void drain();
  // Readable when rung; -1 before open.
  int fd() const { return fd_; }
  // Whether others can ring it.
  bool bound() const { return bound_; }
  // Removes the name that a dead actor left behind.
  void remove_name(ActorId actor);

 private:
  ActorTable* actors_ = nullptr;
  ActorId me_ = 0;
  int fd_ = -1;
  bool bound_ = false;
  char dir_[96] = {};
};

}  // namespace dragon
