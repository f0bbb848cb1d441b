// Any sequence of packets at the broker's socket: each gets an answer of 64 bytes, or the
// connection ends; the broker serves the next client as if nothing had been.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "memory/broker.h"
#include "memory/broker_protocol.h"
#include "memory/message_socket.h"

using namespace dragon;

namespace {

constexpr size_t kPacketsMax = 6;
constexpr uint32_t kSegmentsMax = 64;

void require(bool condition) {
  if (!condition) ::abort();
}

// A broker for the whole campaign, in a directory that goes with it.
class Service {
 public:
  Service() {
    const char* base = ::getenv("TMPDIR");
    dir_ = std::string(base != nullptr ? base : "/tmp") + "/dragon-fuzz.XXXXXX";
    require(::mkdtemp(dir_.data()) != nullptr);
    require(NodeSegment::create({1, 2}, segment_) == DRAGON_SUCCESS);
    require(broker_.open(dir_.c_str(), segment_) == DRAGON_SUCCESS);
  }
  ~Service() {
    broker_.close();
    ::rmdir(dir_.c_str());
  }

  int connect() const {
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = dir_ + "/" + kBrokerSocketName;
    ::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    require(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    return fd;
  }
  void serve() {
    broker_.on_readable();
    BrokerEvent event;
    while (broker_.next_event(event)) {
    }
    // Descriptors are no part of what is looked for here.
    if (++served_ % kSegmentsMax != 0) return;
    for (const BrokerSegment& segment : broker_.segments()) broker_.drop(segment.id);
  }

 private:
  std::string dir_;
  NodeSegment segment_;
  Broker broker_;
  uint32_t served_ = 0;
};

// Sends the bytes as one packet, with up to two descriptors.
void send_packet(int socket, uint8_t shape, const uint8_t* bytes, size_t length) {
  uint8_t packet[96] = {};
  const size_t kept = length < sizeof(packet) ? length : sizeof(packet);
  ::memcpy(packet, bytes, kept);
  // Mutations hardly ever hit the magic.
  if ((shape & 4) != 0) ::memcpy(packet, &kBrokerMagic, sizeof(kBrokerMagic));
  iovec part{packet, (shape & 8) != 0 ? sizeof(BrokerMessage) : kept};
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const size_t count = (shape & 3) % 3;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(count * sizeof(int));
    // Any descriptor does; one of a socket in flight would make the kernel look for circles.
    static const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int fds[2] = {null, null};
    ::memcpy(CMSG_DATA(item), fds, count * sizeof(int));
  }
  (void)::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void read_answers(int socket) {
  for (;;) {
    BrokerMessage answer;
    const ssize_t length = ::recv(socket, &answer, sizeof(answer), MSG_DONTWAIT | MSG_TRUNC);
    if (length <= 0) return;
    require(length == sizeof(answer) && answer.magic == kBrokerMagic);
  }
}

}  // namespace

// What the kernel says instead of a packet: nothing yet, credentials besides, no socket at all.
void receive_alone(const uint8_t* bytes, size_t length) {
  int ends[2];
  const int type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
  require(::socketpair(AF_UNIX, type, 0, ends) == 0);
  const int on = 1;
  require(::setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
  BrokerMessage message;
  int fd = -1;
  require(receive_message(ends[0], message, fd) == MessageResult::kNothing);
  send_packet(ends[1], 0, bytes, length);
  const MessageResult result = receive_message(ends[0], message, fd);
  require(result != MessageResult::kNothing && fd == -1);
  ::close(ends[0]);
  ::close(ends[1]);
  require(receive_message(-1, message, fd) == MessageResult::kEnd);
}

// A packet is a byte for its shape, a byte for its length, and its bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t length) {
  if (length > 0 && bytes[0] == 0x80) {
    receive_alone(bytes + 1, length - 1);
    return 0;
  }
  static Service service;
  const int socket = service.connect();
  service.serve();
  for (size_t packets = 0; length >= 2 && packets < kPacketsMax; ++packets) {
    const uint8_t shape = bytes[0];
    const size_t wanted = bytes[1];
    const size_t kept = wanted < length - 2 ? wanted : length - 2;
    send_packet(socket, shape, bytes + 2, kept);
    service.serve();
    read_answers(socket);
    bytes += 2 + kept;
    length -= 2 + kept;
  }
  ::close(socket);
  service.serve();
  return 0;
}
