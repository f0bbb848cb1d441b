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
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    left = std::make_unique<FrameSocket>(UniqueFd(fds[0]));
    right = std::make_unique<FrameSocket>(UniqueFd(fds[1]));
  }
  std::unique_ptr<FrameSocket> left;
  std::unique_ptr<FrameSocket> right;
};

std::vector<UniqueFd> Pipes(int count) {
  std::vector<UniqueFd> fds;
  for (int i = 0; i < count; ++i) fds.emplace_back(open("/dev/null", O_RDWR | O_CLOEXEC));
  return fds;
}

}  // namespace

TEST_CASE("frames larger than the socket's buffer arrive whole and in order [PRC-011]") {
  Ends ends;
  const std::string big(3 << 20, 'x');
  ends.left->Queue(FrameType::kSpawn, big);
  ends.left->Queue(FrameType::kHalt, "");
  ends.left->Queue(FrameType::kSignal, "tail");
  REQUIRE(ends.left->Flush());
  CHECK(ends.left->HasOutput());
  std::vector<Frame> frames;
  int rounds = 0;
  while (frames.size() < 3 && ++rounds < 10'000) {
    CHECK(ends.right->Read(frames) == FrameSocket::ReadResult::kOpen);
    REQUIRE(ends.left->Flush());
  }
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].payload == big);
  CHECK(frames[1].type == FrameType::kHalt);
  CHECK(frames[2].payload == "tail");
  CHECK_FALSE(ends.left->HasOutput());
}

TEST_CASE("descriptors come with their own frame, close-on-exec [PRC-002]") {
  Ends ends;
  ends.left->Queue(FrameType::kSpawn, "none");
  ends.left->Queue(FrameType::kSpawn, "two", Pipes(2));
  ends.left->Queue(FrameType::kSpawn, "three", Pipes(3));
  REQUIRE(ends.left->Flush());
  std::vector<Frame> frames;
  CHECK(ends.right->Read(frames) == FrameSocket::ReadResult::kOpen);
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].descriptors.empty());
  CHECK(frames[1].descriptors.size() == 2);
  CHECK(frames[2].descriptors.size() == 3);
  CHECK((fcntl(frames[2].descriptors[2].get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a receiver out of descriptors marks the frame and reads on [PRC-012]") {
  Ends ends;
  ends.left->Queue(FrameType::kSpawn, "lost", Pipes(3));
  ends.left->Queue(FrameType::kSpawn, "after");
  REQUIRE(ends.left->Flush());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(ends.right->fd()) + 2;
  setrlimit(RLIMIT_NOFILE, &tight);
  std::vector<Frame> frames;
  const auto result = ends.right->Read(frames);
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(result == FrameSocket::ReadResult::kOpen);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].descriptors_lost);
  CHECK(frames[0].payload == "lost");
  CHECK_FALSE(frames[1].descriptors_lost);
}

TEST_CASE("frames before the end of the socket are read, then it is closed [PRC-011]") {
  Ends ends;
  ends.left->Queue(FrameType::kHalt, "last");
  REQUIRE(ends.left->Flush());
  ends.left.reset();
  std::vector<Frame> frames;
  CHECK(ends.right->Read(frames) == FrameSocket::ReadResult::kClosed);
  CHECK(frames.size() == 1);
  ends.right->Queue(FrameType::kHalt, "to nobody");
  CHECK_FALSE(ends.right->Flush());
}

TEST_CASE("bytes that are no frame are refused, and so are uninvited descriptors [PRC-010]") {
  Ends noise;
  const char text[] = "GET / HTTP/1.1\r\n\r\n";
  REQUIRE(send(noise.left->fd(), text, sizeof text, 0) == sizeof text);
  std::vector<Frame> frames;
  CHECK(noise.right->Read(frames) == FrameSocket::ReadResult::kMalformed);
  Ends gift;
  gift.left->Queue(FrameType::kHalt, "", Pipes(1));
  REQUIRE(gift.left->Flush());
  CHECK(gift.right->Read(frames) == FrameSocket::ReadResult::kMalformed);
  CHECK(frames.empty());
}
