// Any bytes as a frame between launcher and warden: what is taken for one is exactly what would be
// written for it, and a stream of anything is read or refused, never waited for.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/frame.h"
#include "process/frame_socket.h"

using namespace dragon::process;

namespace {

void require(bool condition) {
  if (!condition) ::abort();
}

template <typename Payload>
void read_payload(std::string_view bytes) {
  Payload payload;
  if (!decode(bytes, payload)) return;
  require(encode(payload) == bytes);
}

void read_payloads(std::string_view bytes) {
  read_payload<SpawnRequest>(bytes);
  read_payload<SignalRequest>(bytes);
  read_payload<HaltRequest>(bytes);
  read_payload<SpawnedEvent>(bytes);
  read_payload<ExitedEvent>(bytes);
  read_payload<HaltedEvent>(bytes);
}

void send_all(int fd, const uint8_t* bytes, size_t length, size_t descriptors) {
  iovec part{const_cast<uint8_t*>(bytes), length};
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptors > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
    cmsghdr* item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
    static const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < descriptors; ++i) {
      ::memcpy(CMSG_DATA(item) + i * sizeof(int), &null, sizeof(null));
    }
  }
  (void)::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// The stream comes in two parts; with a right magic, since mutations hardly ever hit it.
void read_stream(uint8_t shape, const uint8_t* bytes, size_t length) {
  uint8_t stream[512] = {};
  const size_t kept = length < sizeof(stream) ? length : sizeof(stream);
  ::memcpy(stream, bytes, kept);
  if ((shape & 4) != 0 && kept >= sizeof(kFrameMagic)) {
    ::memcpy(stream, &kFrameMagic, sizeof(kFrameMagic));
  }
  int ends[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const int on = (shape & 64) != 0 ? 1 : 0;  // credentials besides the descriptors
  require(::setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
  FrameSocket reader{UniqueFd(ends[0])};
  std::vector<Frame> frames;
  const size_t cut = (shape & 8) != 0 && kept > sizeof(FrameHeader) ? sizeof(FrameHeader) : kept;
  send_all(ends[1], stream, cut, shape & 3);
  FrameSocket::ReadResult result = reader.read(frames);
  if (cut < kept) {
    send_all(ends[1], stream + cut, kept - cut, 0);
    if (result == FrameSocket::ReadResult::kOpen) result = reader.read(frames);
  }
  ::close(ends[1]);
  if (result == FrameSocket::ReadResult::kOpen) result = reader.read(frames);
  require(result != FrameSocket::ReadResult::kOpen);
  for (const Frame& frame : frames) read_payloads(frame.payload);
}

void read_no_socket() {
  FrameSocket reader{UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC))};
  std::vector<Frame> frames;
  require(reader.read(frames) == FrameSocket::ReadResult::kClosed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t length) {
  if (length == 0) return 0;
  if (bytes[0] == 32) {
    read_no_socket();
  } else if ((bytes[0] & 16) != 0) {
    read_stream(bytes[0], bytes + 1, length - 1);
  } else {
    read_payloads({reinterpret_cast<const char*>(bytes + 1), length - 1});
  }
  return 0;
}
