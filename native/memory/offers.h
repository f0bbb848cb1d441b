// Descriptors on their way from one process to another: the broker's part of it.
//
// A process offers a descriptor and sends the ticket for it, and the process that the ticket
// reaches takes it. Goals: a descriptor on its way outlives its sender for a while, since senders
// end; what nobody takes is closed, so that nothing stays open that no process knows of.
// Non-goals: no system calls but those on descriptors; who may ask is the broker's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "sync/status.h"

namespace dragon {

// How many descriptors of one process may be on their way.
constexpr size_t kOffersMax = 64;
// How long what a process has offered stays after the end of that process.
constexpr uint64_t kOrphanedMs = 30'000;

class Offers {
 public:
  Offers() = default;
  Offers(const Offers&) = delete;
  Offers& operator=(const Offers&) = delete;
  ~Offers() { clear(); }
  void clear();

  // Keeps a duplicate of `fd`. TOO_MANY_DESCRIPTORS if kOffersMax of `maker`'s wait to be taken,
  // SYSTEM with errno if there is no number left for it.
  Status offer(int fd, int32_t maker, uint64_t& ticket_out);
  // The offered descriptor, which stays here and is nobody else's until `taker` withdraws the
  // ticket or hangs up; -1 if there is none (any more), or another client is about to have it.
  int take(uint64_t ticket, int taker);
  // False if there is no such ticket.
  bool withdraw(uint64_t ticket);
  // What this client was about to have is there for others again.
  void on_hang_up(int taker);

  // What `maker` has offered is there for kOrphanedMs more.
  void on_process_end(int32_t maker, uint64_t now_ns);
  bool has_orphans() const;
  // Lets go of what has been an orphan for too long, and looks for makers that nobody watched.
  void expire(uint64_t now_ns);

 private:
  struct Offer {
    int fd = -1;
    int32_t maker = 0;         // pid
    int taker = -1;            // the client that was sent the descriptor
    uint64_t orphaned_ns = 0;  // 0 while the maker lives
  };
  size_t count_of(int32_t maker) const;

  uint64_t next_ticket_ = 1;
  std::map<uint64_t, Offer> offers_;
};

}  // namespace dragon
