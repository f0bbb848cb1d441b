// For tests: waits in which nobody sleeps. Whether a change woke them is read from their records,
// so that a wake which is missing shows although real waiters look again by themselves.
#pragma once

#include "channel/channel_fixture.h"

namespace dragon::test {

class ArmedWait {
 public:
  ArmedWait(Node& node, const WaitPlace& place) : lot_(node.lot()) {
    check_ok(lot_.arm(place, WaitKind::kEventLoop, 0, record_));
  }
  ArmedWait(const ArmedWait&) = delete;
  ArmedWait& operator=(const ArmedWait&) = delete;
  ~ArmedWait() { lot_.cancel(record_); }
  bool woken() const { return lot_.woken(record_); }

 private:
  ParkingLot& lot_;
  RecordId record_ = 0;
};

// Whether the change wakes all who wait at the place: two of them.
template <typename Change>
bool wakes_all(Node& node, const WaitPlace& place, Change change) {
  const ArmedWait first(node, place);
  const ArmedWait second(node, place);
  change();
  return first.woken() && second.woken();
}

// Whether it wakes as many as that who wait at the place, the first of them.
template <typename Change>
bool wakes_first(Node& node, const WaitPlace& place, size_t count, Change change) {
  std::vector<std::unique_ptr<ArmedWait>> waits;
  for (size_t i = 0; i < count + 1; ++i) waits.push_back(std::make_unique<ArmedWait>(node, place));
  change();
  bool all = !waits[count]->woken();
  for (size_t i = 0; i < count; ++i) all = all && waits[i]->woken();
  return all;
}

}  // namespace dragon::test
