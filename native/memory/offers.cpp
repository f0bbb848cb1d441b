#include "memory/offers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace dragon {

void Offers::clear() {
  for (const auto& [ticket, offer] : offers_) ::close(offer.fd);
  offers_.clear();
  next_ticket_ = 1;
}

Status Offers::offer(int fd, int32_t maker, uint64_t& ticket_out) {
  if (count_of(maker) >= kOffersMax) return DRAGON_TOO_MANY_DESCRIPTORS;
  const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return DRAGON_SYSTEM;
  ticket_out = next_ticket_++;
  offers_[ticket_out] = {own, maker, -1, 0};
  return DRAGON_SUCCESS;
}

int Offers::take(uint64_t ticket, int taker) {
  const auto found = offers_.find(ticket);
  if (found == offers_.end() || found->second.taker >= 0) return -1;
  found->second.taker = taker;
  return found->second.fd;
}

bool Offers::withdraw(uint64_t ticket) {
  const auto found = offers_.find(ticket);
  if (found == offers_.end()) return false;
  ::close(found->second.fd);
  offers_.erase(found);
  return true;
}

void Offers::on_hang_up(int taker) {
  for (auto& [ticket, offer] : offers_) {
    if (offer.taker == taker) offer.taker = -1;
  }
}

void Offers::on_process_end(int32_t maker, uint64_t now_ns) {
  for (auto& [ticket, offer] : offers_) {
    if (offer.maker != maker) continue;
    offer.maker = 0;  // a process that comes under this pid is another one
    offer.orphaned_ns = now_ns;
  }
}

bool Offers::has_orphans() const {
  for (const auto& [ticket, offer] : offers_) {
    if (offer.orphaned_ns != 0) return true;
  }
  return false;
}

void Offers::expire(uint64_t now_ns) {
  for (const auto& [ticket, offer] : offers_) {
    const bool is_gone = offer.maker > 0 && ::kill(offer.maker, 0) != 0 && errno == ESRCH;
    if (is_gone) on_process_end(offer.maker, now_ns);
  }
  for (auto next = offers_.begin(); next != offers_.end();) {
    const auto offer = next++;
    const uint64_t since_ns = offer->second.orphaned_ns;
    if (since_ns != 0 && now_ns - since_ns >= kOrphanedMs * 1'000'000) withdraw(offer->first);
  }
}

size_t Offers::count_of(int32_t maker) const {
  size_t count = 0;
  for (const auto& [ticket, offer] : offers_) count += offer.maker == maker ? 1 : 0;
  return count;
}

}  // namespace dragon
