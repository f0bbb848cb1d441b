// The framed socket: pieces, back-pressure, descriptors, and a peer that is gone.
#include "process/frame_socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>

using namespace dragon::process;

namespace {

struct Ends {
  Ends() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    left = std::make_unique<FrameSocket>(UniqueFd(fds[0]));
    right = std::make_unique<FrameSocket>(UniqueFd(fds[1]));
  }
  std::unique_ptr<FrameSocket> left;
  std::unique_ptr<FrameSocket> right;
};

std::vector<UniqueFd> pipes(int count) {
  std::vector<UniqueFd> fds;
  for (int i = 0; i < count; ++i) fds.emplace_back(::open("/dev/null", O_RDWR | O_CLOEXEC));
  return fds;
}

}  // namespace

TEST_CASE("frames larger than the socket's buffer arrive whole and in order [PRC-011]") {
  Ends ends;
  const std::string big(3 << 20, 'x');
  ends.left->queue(FrameType::kSpawn, big);
  ends.left->queue(FrameType::kHalt, "");
  ends.left->queue(FrameType::kSignal, "tail");
  REQUIRE(ends.left->flush());
  CHECK(ends.left->has_output());
  std::vector<Frame> frames;
  int rounds = 0;
  while (frames.size() < 3 && ++rounds < 10'000) {
    CHECK(ends.right->read(frames) == FrameSocket::ReadResult::kOpen);
    REQUIRE(ends.left->flush());
  }
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].payload == big);
  CHECK(frames[1].type == FrameType::kHalt);
  CHECK(frames[2].payload == "tail");
  CHECK_FALSE(ends.left->has_output());
}

TEST_CASE("descriptors come with their own frame, close-on-exec [PRC-002]") {
  Ends ends;
  ends.left->queue(FrameType::kSpawn, "none");
  ends.left->queue(FrameType::kSpawn, "two", pipes(2));
  ends.left->queue(FrameType::kSpawn, "three", pipes(3));
  REQUIRE(ends.left->flush());
  std::vector<Frame> frames;
  CHECK(ends.right->read(frames) == FrameSocket::ReadResult::kOpen);
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].descriptors.empty());
  CHECK(frames[1].descriptors.size() == 2);
  CHECK(frames[2].descriptors.size() == 3);
  CHECK((::fcntl(frames[2].descriptors[2].get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a receiver out of descriptors marks the frame and reads on [PRC-012]") {
  Ends ends;
  ends.left->queue(FrameType::kSpawn, "lost", pipes(3));
  ends.left->queue(FrameType::kSpawn, "after");
  REQUIRE(ends.left->flush());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(ends.right->fd()) + 2;
  setrlimit(RLIMIT_NOFILE, &tight);
  std::vector<Frame> frames;
  const auto result = ends.right->read(frames);
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(result == FrameSocket::ReadResult::kOpen);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].descriptors_lost);
  CHECK(frames[0].payload == "lost");
  CHECK_FALSE(frames[1].descriptors_lost);
}

TEST_CASE("frames before the end of the socket are read, then it is closed [PRC-011]") {
  Ends ends;
  ends.left->queue(FrameType::kHalt, "last");
  REQUIRE(ends.left->flush());
  ends.left.reset();
  std::vector<Frame> frames;
  CHECK(ends.right->read(frames) == FrameSocket::ReadResult::kClosed);
  CHECK(frames.size() == 1);
  ends.right->queue(FrameType::kHalt, "to nobody");
  CHECK_FALSE(ends.right->flush());
}

TEST_CASE("bytes that are no frame are refused, and so are uninvited descriptors [PRC-010]") {
  Ends noise;
  const char text[] = "GET / HTTP/1.1\r\n\r\n";
  REQUIRE(::send(noise.left->fd(), text, sizeof text, 0) == sizeof text);
  std::vector<Frame> frames;
  CHECK(noise.right->read(frames) == FrameSocket::ReadResult::kMalformed);
  Ends gift;
  gift.left->queue(FrameType::kHalt, "", pipes(1));
  REQUIRE(gift.left->flush());
  CHECK(gift.right->read(frames) == FrameSocket::ReadResult::kMalformed);
  CHECK(frames.empty());
}
