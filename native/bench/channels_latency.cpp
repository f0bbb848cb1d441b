// One way through a channel between two processes, half of a round trip.

#include <sys/uio.h>

#include <cstring>
#include <memory>
#include <vector>

#include "channels.h"
#include "measure.h"
#include "node_room.h"

namespace dragon::bench {

namespace {

// One process's ends: it sends on one channel and receives from the other.
class Ends {
 public:
  Ends(std::unique_ptr<Channel> out, std::unique_ptr<Channel> in, bool spins)
      : out_(std::move(out)), in_(std::move(in)), spins_(spins) {}

  void send(const std::vector<uint8_t>& bytes) {
    const iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    expect(out_->send(&part, 1, 0, Deadline::never()), "send");
  }

  void send(uint64_t allocation) {
    expect(out_->send_allocation(allocation, 0, Deadline::never()), "send");
  }

  uint64_t allocate(uint64_t bytes) {
    Allocation allocation;
    expect(out_->pool().try_allocate(bytes, AllocationType::kData, allocation), "allocate");
    return allocation.id;
  }

  void free(uint64_t allocation) { expect(out_->pool().free(allocation), "free"); }

  // The payload, which is this process's now; 0 if it was inline.
  uint64_t receive() {
    ReceivedMessage message;
    Status status = DRAGON_EMPTY;
    if (spins_) {
      while ((status = in_->try_receive(buffer_, message)) == DRAGON_EMPTY) relax();
    } else {
      status = in_->receive(buffer_, Deadline::never(), message);
    }
    expect(status, "receive");
    return message.allocation;
  }

 private:
  std::unique_ptr<Channel> out_;
  std::unique_ptr<Channel> in_;
  bool spins_;
  alignas(64) uint8_t buffer_[kChannelBlockBytesMax] = {};
};

// Both processes' ends of two channels; the partner attaches when it first needs them.
template <typename Ask, typename Echo>
void ping_pong(const Options& options, bool spins, Ask ask, Echo echo) {
  NodeRoom room;
  std::unique_ptr<Channel> asks = room.make();
  std::unique_ptr<Channel> answers = room.make();
  HandleBytes ask_handle;
  HandleBytes answer_handle;
  asks->serialize(ask_handle);
  answers->serialize(answer_handle);
  Ends mine(std::move(asks), std::move(answers), spins);
  std::unique_ptr<Ends> partner;
  run_ping_pong(
      PingPong::from(options, 1000, spins ? 32 : 1), [&] { ask(mine); },
      [&] {
        if (partner == nullptr) {
          partner = std::make_unique<Ends>(room.open(answer_handle), room.open(ask_handle), spins);
        }
        echo(*partner);
      });
}

}  // namespace

void measure_latency(const Options& options) {
  const bool spins = options.text("wait", "block") == "spin";
  const std::vector<uint8_t> bytes(static_cast<size_t>(options.number("bytes", 64)), 7);
  const auto receive = [](Ends& ends) {
    const uint64_t allocation = ends.receive();
    if (allocation != 0) ends.free(allocation);
  };
  ping_pong(
      options, spins,
      [&](Ends& mine) {
        mine.send(bytes);
        receive(mine);
      },
      [&](Ends& partner) {
        receive(partner);
        partner.send(bytes);
      });
}

void measure_large(const Options& options) {
  const auto bytes = static_cast<uint64_t>(options.number("bytes", 4 << 20));
  const bool allocates = options.text("allocate", "once") == "each";
  uint64_t travels = 0;
  ping_pong(
      options, true,
      [&](Ends& mine) {
        if (travels == 0) travels = mine.allocate(bytes);
        mine.send(travels);
        travels = mine.receive();
        if (!allocates) return;
        mine.free(travels);
        travels = 0;
      },
      [&](Ends& partner) {
        uint64_t received = partner.receive();
        if (allocates) {
          partner.free(received);
          received = partner.allocate(bytes);
        }
        partner.send(received);
      });
}

}  // namespace dragon::bench
