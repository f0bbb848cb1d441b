#include "event/channel_set.h"

#include <algorithm>

#include "event/bell_sleep.h"

namespace dragon {

namespace {

constexpr struct {
  uint32_t bit;
  PollEvent event;
} kEvents[] = {
    {kSetIn, PollEvent::kIn},
    {kSetOut, PollEvent::kOut},
    {kSetEmpty, PollEvent::kEmpty},
    {kSetFull, PollEvent::kFull},
};

bool is_mask(uint32_t mask) {
  return mask != 0 && (mask & ~kSetEvents) == 0;
}

}  // namespace

// Stands in all queues for the time of a blocking poll.
class ChannelSet::Watch {
 public:
  explicit Watch(Node& node) : node_(node), sleep_(node) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    for (const auto& [place, record] : waits_) node_.lot().cancel(record);
  }

  Status arm(const std::vector<Place>& places) {
    sleep_.begin();
    for (const auto& [place, channel] : places) {
      RecordId record = 0;
      const Status status = node_.lot().arm(place, WaitKind::kBlockedOnBell, 0, record);
      if (status != DRAGON_SUCCESS) return status;
      waits_.emplace_back(place, record);
    }
    return DRAGON_SUCCESS;
  }

  void rearm() {
    for (const auto& [place, record] : waits_) {
      if (node_.lot().woken(record)) node_.lot().rearm(place, record);
    }
  }

  void sleep(Deadline deadline) { sleep_.sleep(deadline); }

 private:
  Node& node_;
  std::vector<std::pair<WaitPlace, RecordId>> waits_;
  BellSleep sleep_;
};

Status ChannelSet::add(std::shared_ptr<Channel> channel, uint32_t mask, uint32_t& member) {
  if (!is_mask(mask)) return DRAGON_INVALID_ARGUMENT;
  if (channel == nullptr || channel->closed()) return DRAGON_CLOSED;
  member = ++last_number_;
  members_.push_back({member, mask, std::move(channel)});
  return DRAGON_SUCCESS;
}

std::vector<ChannelSet::Member>::iterator ChannelSet::find(uint32_t member) {
  return std::find_if(members_.begin(), members_.end(),
                      [&](const Member& one) { return one.number == member; });
}

Status ChannelSet::change(uint32_t member, uint32_t mask) {
  if (!is_mask(mask)) return DRAGON_INVALID_ARGUMENT;
  const auto found = find(member);
  if (found == members_.end()) return DRAGON_NOT_FOUND;
  found->mask = mask;
  return DRAGON_SUCCESS;
}

Status ChannelSet::remove(uint32_t member) {
  const auto found = find(member);
  if (found == members_.end()) return DRAGON_NOT_FOUND;
  const auto index = static_cast<size_t>(found - members_.begin());
  members_.erase(found);
  if (next_ > index) --next_;
  return DRAGON_SUCCESS;
}

// The events of the member's mask for which its channel is ready.
uint32_t ChannelSet::look(const Member& member) {
  if (member.channel->closed()) return kSetEnded;
  uint32_t events = 0;
  for (const auto& [bit, event] : kEvents) {
    if ((member.mask & bit) == 0) continue;
    const Status status = member.channel->try_poll(event);
    if (status == DRAGON_SUCCESS) events |= bit;
    if (status != DRAGON_SUCCESS && status != DRAGON_WOULD_BLOCK) return kSetEnded;
  }
  return events;
}

Status ChannelSet::try_poll(Ready& out) {
  if (node_->closed()) return DRAGON_CLOSED;
  for (size_t step = 0; step < members_.size(); ++step) {
    const size_t index = (next_ + step) % members_.size();
    const uint32_t events = look(members_[index]);
    if (events == 0) continue;
    out = {members_[index].number, events};
    next_ = (index + 1) % members_.size();
    return DRAGON_SUCCESS;
  }
  return DRAGON_WOULD_BLOCK;
}

Status ChannelSet::poll(Deadline deadline, Ready& out) {
  Status status = try_poll(out);
  if (status != DRAGON_WOULD_BLOCK || deadline.is_once()) return status;
  if (!node_->bell().bound()) return DRAGON_NOT_SUPPORTED;
  Watch watch(*node_);
  const Status armed = watch.arm(places());
  if (armed != DRAGON_SUCCESS) return armed;
  for (;;) {
    watch.rearm();
    status = try_poll(out);
    if (status != DRAGON_WOULD_BLOCK) return status;
    if (deadline.passed()) return DRAGON_TIMEOUT;
    watch.sleep(deadline);
  }
}

std::vector<ChannelSet::Place> ChannelSet::places() const {
  std::vector<Place> places;
  for (const Member& member : members_) {
    if (member.channel->closed()) continue;
    uint64_t last_key = 0;
    for (const auto& [bit, event] : kEvents) {
      if ((member.mask & bit) == 0) continue;
      // In and out are one queue.
      const WaitPlace place = member.channel->poll_place(event);
      if (place.key != last_key) places.push_back({place, member.channel});
      last_key = place.key;
    }
  }
  return places;
}

}  // namespace dragon
