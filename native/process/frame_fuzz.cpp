// Any bytes as a frame between launcher and warden: what is taken for one is exactly what would be
// written for it, and a stream of anything is read or refused, never waited for.
#include <errno.h>
#include <string.h>

#include "fuzz/kernel.h"
#include "process/frame.h"
#include "process/frame_socket.h"

using namespace dragon;
using namespace dragon::process;
using fuzz::require;

namespace {

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

// The stream comes in two parts; with a right magic, since mutations hardly ever hit it.
void read_stream(uint8_t shape, const uint8_t* bytes, size_t length) {
  uint8_t stream[512];
  const size_t kept = length < sizeof(stream) ? length : sizeof(stream);
  ::memcpy(stream, bytes, kept);
  if ((shape & 4) != 0 && kept >= sizeof(kFrameMagic)) {
    ::memcpy(stream, &kFrameMagic, sizeof(kFrameMagic));
  }
  const int socket = fuzz::make_stream();
  FrameSocket reader{UniqueFd(socket)};
  std::vector<Frame> frames;
  const size_t cut = (shape & 8) != 0 && kept > sizeof(FrameHeader) ? sizeof(FrameHeader) : kept;
  fuzz::Arrival first;
  first.bytes = stream;
  first.length = cut;
  first.descriptors = shape & 3;
  first.credentials = (shape & 64) != 0;
  first.no_descriptors = (shape & 128) != 0;
  first.error = (shape & 128) != 0 ? EINTR : 0;
  if (cut > 0) fuzz::arrive(socket, first);
  FrameSocket::ReadResult result = reader.read(frames);
  if (cut < kept) {
    fuzz::Arrival second;
    second.bytes = stream + cut;
    second.length = kept - cut;
    if (first.error != 0) second.error = first.credentials ? ECONNRESET : EINTR;
    fuzz::arrive(socket, second);
    if (result == FrameSocket::ReadResult::kOpen) result = reader.read(frames);
  }
  fuzz::hang_up(socket);
  if (result == FrameSocket::ReadResult::kOpen) result = reader.read(frames);
  require(result != FrameSocket::ReadResult::kOpen);
  for (const Frame& frame : frames) read_payloads(frame.payload);
}

void read_no_socket() {
  FrameSocket reader{UniqueFd(fuzz::make_device())};
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
  require(fuzz::open_descriptors() == 0);
  return 0;
}
