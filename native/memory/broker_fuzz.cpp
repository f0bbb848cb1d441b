// Any sequence of packets at the broker's socket: each gets an answer of 64 bytes, or the
// connection ends; the broker serves the next client as if nothing had been.
#include <errno.h>
#include <string.h>

#include "fuzz/kernel.h"
#include "memory/broker.h"
#include "memory/broker_protocol.h"

using namespace dragon;
using fuzz::require;

namespace {

constexpr size_t kPacketsMax = 6;
constexpr size_t kPacketBytesMax = 96;

// A broker for the whole campaign; each execution leaves it as it was.
class Service {
 public:
  Service() {
    require(NodeSegment::create({1, 2}, segment_) == DRAGON_SUCCESS);
    require(broker_.open("fuzz", segment_) == DRAGON_SUCCESS);
    own_descriptors_ = fuzz::open_descriptors();
  }
  // The client's socket; -1 if it was turned away.
  int connect(uint32_t uid) {
    fuzz::connect_client(uid);
    serve();
    return fuzz::accepted_client();
  }
  void serve() {
    broker_.on_readable();
    BrokerEvent event;
    while (broker_.next_event(event)) {
    }
  }
  void end(int client) {
    fuzz::hang_up(client);
    while (fuzz::is_readable(client)) serve();
    fuzz::end_processes(true);
    serve();
    fuzz::end_processes(false);
    for (const BrokerSegment& segment : broker_.segments()) broker_.drop(segment.id);
    broker_.offers().clear();
    require(fuzz::open_descriptors() == own_descriptors_);
  }

 private:
  NodeSegment segment_;
  Broker broker_;
  uint32_t own_descriptors_ = 0;
};

// What the first look at a packet ends in.
int error_of(uint8_t shape) {
  const bool is_hindered = (shape & 32) != 0;
  if ((shape & 64) == 0) return is_hindered ? EINTR : 0;
  return is_hindered ? EAGAIN : ECONNRESET;
}

// A packet's bytes, until the broker has read them.
struct Packet {
  uint8_t bytes[kPacketBytesMax];

  fuzz::Arrival make(uint8_t shape, const uint8_t* from, size_t length) {
    const size_t kept = length < sizeof(bytes) ? length : sizeof(bytes);
    ::memset(bytes, 0, sizeof(BrokerMessage));
    ::memcpy(bytes, from, kept);
    // Mutations hardly ever hit the magic.
    if ((shape & 4) != 0) ::memcpy(bytes, &kBrokerMagic, sizeof(kBrokerMagic));
    fuzz::Arrival arrival;
    arrival.bytes = bytes;
    arrival.length = (shape & 8) != 0 ? sizeof(BrokerMessage) : kept;
    arrival.descriptors = shape & 3;
    arrival.credentials = (shape & 16) != 0;
    arrival.error = error_of(shape);
    arrival.no_descriptors = (shape & 64) != 0;
    return arrival;
  }
};

void read_answers(int client) {
  fuzz::Sent answer;
  if (!fuzz::take_sent(client, answer)) return;
  BrokerMessage message;
  require(answer.length == sizeof(message));
  ::memcpy(&message, answer.bytes, sizeof(message));
  require(message.magic == kBrokerMagic);
}

}  // namespace

// A packet is a byte for its shape, a byte for its length, and its bytes. With the highest bit of
// its shape it comes together with the next one. Without any packet it is a stranger who connects.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t length) {
  static Service service;
  const int client = service.connect(length < 2 ? fuzz::kOwnUid + 1 : fuzz::kOwnUid);
  Packet packets[kPacketsMax];
  for (Packet& packet : packets) {
    if (length < 2) break;
    const uint8_t shape = bytes[0];
    const size_t wanted = bytes[1];
    const size_t kept = wanted < length - 2 ? wanted : length - 2;
    fuzz::arrive(client, packet.make(shape, bytes + 2, kept));
    bytes += 2 + kept;
    length -= 2 + kept;
    if ((shape & 128) != 0) continue;
    service.serve();
    read_answers(client);
  }
  service.end(client);
  return 0;
}
