#include "process/frame_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace dragon::process {
namespace {

constexpr size_t kFirstRoom = 512;
constexpr size_t kControlBytes = CMSG_SPACE(sizeof(int) * kFrameDescriptorsMax);

void take_descriptors(const msghdr& message, std::vector<UniqueFd>& out) {
  auto* head = const_cast<msghdr*>(&message);
  for (cmsghdr* part = CMSG_FIRSTHDR(head); part != nullptr; part = CMSG_NXTHDR(head, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      out.emplace_back(fd);
    }
  }
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

// A header is one send of 16 bytes, which the kernel never splits, and a receive never reads
// past bytes that carry descriptors; so a header's descriptors are exactly those of this read.
FrameSocket::ReadResult FrameSocket::read_header() {
  alignas(cmsghdr) char control[kControlBytes];
  iovec part{&header_, sizeof header_};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t count;
  do {
    count = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return would_block() ? ReadResult::kOpen : ReadResult::kClosed;
  if (count == 0) return ReadResult::kClosed;
  frame_ = Frame{};
  take_descriptors(message, frame_.descriptors);
  if (count != sizeof header_ || !valid_header(header_)) return ReadResult::kMalformed;
  if (frame_.descriptors.size() > header_.descriptors) return ReadResult::kMalformed;
  frame_.descriptors_lost = frame_.descriptors.size() < header_.descriptors;
  frame_.type = static_cast<FrameType>(header_.type);
  frame_.payload.clear();
  payload_read_ = 0;
  header_read_ = true;
  return ReadResult::kOpen;
}

// Memory is taken for what has come and as much again, not for what was announced.
void FrameSocket::make_room() {
  if (payload_read_ < frame_.payload.size()) return;
  const size_t wanted = std::max(kFirstRoom, 2 * frame_.payload.size());
  frame_.payload.resize(std::min<size_t>(wanted, header_.payload_bytes));
}

FrameSocket::ReadResult FrameSocket::read(std::vector<Frame>& frames) {
  for (;;) {
    if (!header_read_) {
      const ReadResult result = read_header();
      if (result != ReadResult::kOpen || !header_read_) return result;
    }
    while (payload_read_ < header_.payload_bytes) {
      make_room();
      const ssize_t count = ::recv(fd_.get(), frame_.payload.data() + payload_read_,
                                   frame_.payload.size() - payload_read_, MSG_DONTWAIT);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && would_block()) return ReadResult::kOpen;
      if (count <= 0) return ReadResult::kClosed;
      payload_read_ += static_cast<size_t>(count);
    }
    frames.push_back(std::move(frame_));
    header_read_ = false;
  }
}

void FrameSocket::queue(FrameType type, std::string payload, std::vector<UniqueFd> descriptors) {
  const FrameHeader header{kFrameMagic, static_cast<uint32_t>(type),
                           static_cast<uint32_t>(payload.size()),
                           static_cast<uint32_t>(descriptors.size())};
  Output head;
  head.bytes.assign(reinterpret_cast<const char*>(&header), sizeof header);
  head.descriptors = std::move(descriptors);
  output_.push_back(std::move(head));
  if (payload.empty()) return;
  Output body;
  body.bytes = std::move(payload);
  output_.push_back(std::move(body));
}

ssize_t FrameSocket::send_some(const Output& output) const {
  alignas(cmsghdr) char control[kControlBytes] = {};
  iovec part{const_cast<char*>(output.bytes.data()) + output.written,
             output.bytes.size() - output.written};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!output.descriptors.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * output.descriptors.size());
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * output.descriptors.size());
    for (size_t i = 0; i < output.descriptors.size(); ++i) {
      const int fd = output.descriptors[i].get();
      std::memcpy(CMSG_DATA(rights) + i * sizeof(int), &fd, sizeof fd);
    }
  }
  return ::sendmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool FrameSocket::flush() {
  while (!output_.empty()) {
    Output& output = output_.front();
    const ssize_t count = send_some(output);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (would_block() || errno == ENOBUFS || errno == ETOOMANYREFS)) return true;
    if (count < 0) return false;
    output.descriptors.clear();
    output.written += static_cast<size_t>(count);
    if (output.written == output.bytes.size()) output_.pop_front();
  }
  return true;
}

}  // namespace dragon::process
