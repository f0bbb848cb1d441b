// One end of the stream socket between launcher and warden, framed, never blocking.
//
// Goals: neither side ever waits for the other. What can't be written yet is kept; what has
// been read in part is kept; descriptors arrive with the header of their frame, or the frame
// says that they were lost (the receiver was out of descriptors).
// Non-goals: no event loop; the owner polls `fd()` and calls `read` and `flush`.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "process/frame.h"
#include "process/unique_fd.h"

namespace dragon::process {

struct Frame {
  FrameType type{};
  std::string payload;
  std::vector<UniqueFd> descriptors;
  bool descriptors_lost = false;
};

class FrameSocket {
 public:
  enum class ReadResult { kOpen, kClosed, kMalformed };

  explicit FrameSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  bool has_output() const { return !output_.empty(); }

  // Appends the frames that are complete. After kClosed or kMalformed nothing more comes.
  ReadResult read(std::vector<Frame>& frames);

  // Queues one frame; the descriptors are the socket's from here on.
  void queue(FrameType type, std::string payload, std::vector<UniqueFd> descriptors = {});

  // Writes what can be written now; false when the peer is gone.
  bool flush();

 private:
  struct Output {
    std::string bytes;
    std::vector<UniqueFd> descriptors;  // go with the first byte
    size_t written = 0;
  };

  ReadResult read_header();
  void make_room();
  ssize_t send_some(const Output& output) const;

  UniqueFd fd_;
  std::deque<Output> output_;
  FrameHeader header_{};
  bool header_read_ = false;
  Frame frame_;
  size_t payload_read_ = 0;
};

}  // namespace dragon::process
