#include "agent/home_port.h"

#include <algorithm>

namespace dragon::agent {

namespace {

// Transfers of one port whose memory is taken at the same time.
constexpr uint32_t kLandings = 8;

// Sends of a port whose credit goes back together.
constexpr uint32_t kCreditBatch = kWindow / 4;

bool parks(Status status) {
  return status == DRAGON_FULL || status == DRAGON_WOULD_BLOCK || status == DRAGON_EMPTY ||
         status == DRAGON_OUT_OF_MEMORY;
}

bool tries_once(const Message& message) {
  return (message.flags & kFlagTry) != 0;
}

bool for_receipt(const Message& message) {
  return message.what == static_cast<uint32_t>(ReturnMode::kWhenReceived);
}

}  // namespace

bool ParkedLane::stand(ParkingLot& lot, const WaitPlace& place) {
  if (record_ != 0 && place_.key != place.key) leave(lot, true);
  if (record_ != 0) {
    if (!lot.woken(record_)) return false;
    lot.rearm(place_, record_);
    return true;
  }
  place_ = place;
  // Without a record the next tick looks.
  return lot.arm(place, WaitKind::kEventLoop, 0, record_) == DRAGON_SUCCESS;
}

void ParkedLane::leave(ParkingLot& lot, bool passes_on) {
  if (record_ == 0) return;
  if (lot.cancel(record_) && passes_on) lot.wake_one(place_);
  record_ = 0;
}

HomePort::HomePort(HomeRoom& room, Outbox& outbox, Carrier& carrier, NodeIndex from, uint64_t id,
                   std::unique_ptr<Channel> channel)
    : room_(room),
      outbox_(outbox),
      carrier_(carrier),
      from_(from),
      id_(id),
      channel_(std::move(channel)) {}

HomePort::~HomePort() {
  ParkingLot& lot = channel_->node().lot();
  in_.leave(lot, true);
  out_.leave(lot, true);
  memory_.leave(lot, true);
  receipt_.leave(lot, false);
  for (ParkedLane& lane : poll_lanes_) lane.leave(lot, false);
  for (const Send& send : sends_) {
    if (send.memory.id != 0) channel_->pool().free(send.memory.id);
  }
}

void HomePort::offered(const Message& message, uint64_t transfer) {
  const bool full = channel_->try_poll(PollEvent::kOut) == DRAGON_WOULD_BLOCK;
  if (closing_ || (tries_once(message) && (full || !sends_.empty()))) {
    return carrier_.refuse(from_, transfer, closing_ ? DRAGON_OBJECT_DESTROYED : DRAGON_FULL);
  }
  Send& send = sends_.emplace_back();
  send.message = message;
  send.transfer = transfer;
  run();
}

// Names memory for the first transfers that have none, as far as there is any.
void HomePort::accept_landings() {
  for (auto at = sends_.begin(); at != sends_.end() && landings_ < kLandings;) {
    Send& send = *at;
    if (send.transfer == 0 || send.landing || send.landed) {
      ++at;
      continue;
    }
    const Status status =
        channel_->destroyed()
            ? DRAGON_OBJECT_DESTROYED
            : channel_->pool().try_allocate(send.message.bytes, AllocationType::kData, send.memory);
    if (status == DRAGON_OUT_OF_MEMORY && !tries_once(send.message)) {
      short_of_memory_ = true;
      return;
    }
    if (status == DRAGON_SUCCESS) {
      send.token = room_.landing_of(*this);
      send.landing = true;
      if (carrier_.accept(from_, send.transfer, send.memory.data, send.token) == DRAGON_SUCCESS) {
        ++landings_;
        ++at;
        continue;
      }
      channel_->pool().free(send.memory.id);  // the sender has gone
    } else {
      carrier_.refuse(from_, send.transfer, status);
    }
    at = sends_.erase(at);
  }
}

void HomePort::landed(uint64_t token, Status status) {
  const auto is_it = [&](const Send& send) { return send.landing && send.token == token; };
  const auto found = std::find_if(sends_.begin(), sends_.end(), is_it);
  if (found == sends_.end()) return;
  --landings_;
  found->landing = false;
  found->landed = true;
  if (status != DRAGON_SUCCESS) {
    channel_->pool().free(found->memory.id);
    sends_.erase(found);
  }
  run();
}

Status HomePort::try_send(const Send& send, const uint8_t* bytes) {
  const bool noted = for_receipt(send.message);
  Receipt receipt{send.message, {}};
  Status status = DRAGON_SUCCESS;
  if (send.landed) {
    status = noted ? channel_->try_send_allocation_noted(send.memory.id, send.message.hints, false,
                                                         receipt.receipt)
                   : channel_->try_send_allocation(send.memory.id, send.message.hints);
  } else {
    const iovec part{const_cast<uint8_t*>(bytes), send.message.bytes};
    status = noted ? channel_->try_send_noted(&part, 1, send.message.hints, receipt.receipt)
                   : channel_->try_send(&part, 1, send.message.hints);
  }
  if (parks(status) && !tries_once(send.message)) return status;
  if (send.landed && status != DRAGON_SUCCESS) channel_->pool().free(send.memory.id);
  if (status != DRAGON_SUCCESS || !noted) {
    end_send(send.message, status);
  } else if (!tries_once(send.message)) {
    receipts_.push_back(receipt);
  } else {
    const Status back = channel_->try_receipt(receipt.receipt) == DRAGON_SUCCESS
                            ? DRAGON_STATE
                            : channel_->take_back(receipt.receipt);
    end_send(send.message, back == DRAGON_STATE ? DRAGON_SUCCESS : DRAGON_WOULD_BLOCK);
  }
  return DRAGON_SUCCESS;
}

void HomePort::end_send(const Message& message, Status status) {
  if (message.request != 0) return answer(message, status);
  ++credit_;
  if (status == DRAGON_SUCCESS) return;
  Message failed;
  failed.kind = MessageKind::kFailed;
  failed.op = Op::kSend;
  failed.status = status;
  failed.port = id_;
  outbox_.send(from_, failed);
}

// Not for each send: the asking side has enough for as long.
void HomePort::flush_credit() {
  if (credit_ < kCreditBatch) return;
  Message credit;
  credit.kind = MessageKind::kCredit;
  credit.op = Op::kSend;
  credit.port = id_;
  credit.what = credit_;
  credit_ = 0;
  outbox_.send(from_, credit);
}

void HomePort::run_sends() {
  accept_landings();
  while (!sends_.empty()) {
    Send& send = sends_.front();
    if (send.transfer != 0 && !send.landed) return;
    const Status status = try_send(send, send.bytes.data());
    if (status == DRAGON_OUT_OF_MEMORY) short_of_memory_ = true;
    if (status != DRAGON_SUCCESS) return;
    sends_.pop_front();
    accept_landings();
  }
}

void HomePort::run_receives() {
  while (!receives_.empty() && try_receive(receives_.front())) receives_.pop_front();
}

void HomePort::run_polls() {
  polls_.remove_if([&](const Message& poll) {
    const Status status = channel_->try_poll(static_cast<PollEvent>(poll.what));
    if (status == DRAGON_WOULD_BLOCK) return false;
    answer(poll, status);
    return true;
  });
}

void HomePort::run_receipts() {
  receipts_.remove_if([&](const Receipt& waiting) {
    const Status status = channel_->try_receipt(waiting.receipt);
    if (status == DRAGON_WOULD_BLOCK) return false;
    end_send(waiting.message, status);
    return true;
  });
}

void HomePort::run() {
  do {
    short_of_memory_ = false;
    run_sends();
    run_receives();
    run_polls();
    run_receipts();
  } while (stand_in_lanes());
}

// True if a lane was entered: what was missing before may have come since.
bool HomePort::stand_in_lanes() {
  ParkingLot& lot = channel_->node().lot();
  bool again = false;
  const auto lane = [&](ParkedLane& one, bool needed, const WaitPlace& place, bool passes_on) {
    if (needed) {
      if (one.stand(lot, place)) again = true;
    } else {
      one.leave(lot, passes_on);
    }
  };
  const bool sends = !sends_.empty() && (sends_.front().transfer == 0 || sends_.front().landed);
  if (channel_->closed()) return false;
  const bool large = !sends_.empty() && sends_.front().transfer != 0;
  lane(in_, !receives_.empty(), channel_->place(PollEvent::kIn), true);
  lane(out_, sends, channel_->place(PollEvent::kOut), true);
  lane(memory_, short_of_memory_, large ? channel_->pool().place() : channel_->memory_place(),
       true);
  lane(receipt_, !receipts_.empty(), channel_->receipt_place(), false);
  for (uint32_t event = 0; event < poll_lanes_.size(); ++event) {
    const bool wanted = std::any_of(polls_.begin(), polls_.end(),
                                    [&](const Message& poll) { return poll.what == event; });
    lane(poll_lanes_[event], wanted, channel_->poll_place(static_cast<PollEvent>(event)), false);
  }
  return again;
}

bool HomePort::woken() {
  const ParkingLot& lot = channel_->node().lot();
  for (const ParkedLane* lane : {&in_, &out_, &memory_, &receipt_}) {
    if (lane->woken(lot)) return true;
  }
  return std::any_of(poll_lanes_.begin(), poll_lanes_.end(),
                     [&](const ParkedLane& lane) { return lane.woken(lot); });
}

bool HomePort::parked() const {
  return !sends_.empty() || !receives_.empty() || !polls_.empty() || !receipts_.empty();
}

void HomePort::cancel(uint64_t request) {
  for (auto at = sends_.begin(); at != sends_.end(); ++at) {
    if (at->message.request != request) continue;
    if (at->landing) {
      carrier_.abandon(from_, at->transfer);
      --landings_;
    }
    if (at->memory.id != 0) channel_->pool().free(at->memory.id);
    const bool offered = at->transfer != 0 && !at->landing && !at->landed;
    if (offered) {
      carrier_.refuse(from_, at->transfer, DRAGON_TIMEOUT);
    } else {
      answer(at->message, DRAGON_TIMEOUT);
    }
    sends_.erase(at);
    return run();
  }
  for (auto at = receipts_.begin(); at != receipts_.end(); ++at) {
    if (at->message.request != request) continue;
    const Status back = channel_->take_back(at->receipt);
    const Status status = back == DRAGON_STATE ? DRAGON_SUCCESS : back;
    answer(at->message, back == DRAGON_SUCCESS ? DRAGON_TIMEOUT : status);
    receipts_.erase(at);
    return run();
  }
  for (std::list<Message>* list : {&receives_, &polls_}) {
    const auto is_it = [&](const Message& one) { return one.request == request; };
    const auto found = std::find_if(list->begin(), list->end(), is_it);
    if (found == list->end()) continue;
    answer(*found, DRAGON_TIMEOUT);
    list->erase(found);
    return run();
  }
}

void HomePort::close(bool died) {
  closing_ = true;
  if (died) {
    for (const auto& handle : lent_) channel_->cancel_lent(handle.data(), handle.size());
  }
  for (const std::list<Message>* list : {&receives_, &polls_}) {
    for (const Message& one : *list) answer(one, DRAGON_CLOSED);
  }
  receives_.clear();
  polls_.clear();
  for (const Receipt& one : receipts_) end_send(one.message, DRAGON_CLOSED);
  receipts_.clear();
  run();
}

}  // namespace dragon::agent
