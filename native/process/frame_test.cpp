// Frames: what is encoded is decoded, and nothing else is accepted.
#include "process/frame.h"

#include <doctest/doctest.h>

#include <cstring>
#include <random>

using namespace dragon::process;

namespace {

SpawnRequest example() {
  SpawnRequest request;
  request.tag = 77;
  request.new_group = true;
  request.stdio[0] = StdioMode::kNull;
  request.stdio[1] = StdioMode::kPassed;
  request.program = "/bin/echo";
  request.directory = "/tmp";
  request.argv = {"echo", "", "two words"};
  request.env = {"PATH=/bin", "EMPTY="};
  return request;
}

FrameHeader header(FrameType type, uint32_t bytes, uint32_t descriptors) {
  return {kFrameMagic, static_cast<uint32_t>(type), bytes, descriptors};
}

}  // namespace

TEST_CASE("a spawn request survives encoding, empty strings included [PRC-002]") {
  SpawnRequest decoded;
  REQUIRE(decode(encode(example()), decoded));
  CHECK(decoded.tag == 77);
  CHECK(decoded.new_group);
  CHECK(decoded.stdio[0] == StdioMode::kNull);
  CHECK(decoded.stdio[1] == StdioMode::kPassed);
  CHECK(decoded.stdio[2] == StdioMode::kInherit);
  CHECK(decoded.program == "/bin/echo");
  CHECK(decoded.directory == "/tmp");
  CHECK(decoded.argv == example().argv);
  CHECK(decoded.env == example().env);
  CHECK(decoded.descriptor_count() == 1);
}

TEST_CASE("every other message survives encoding [PRC-007]") {
  SignalRequest signal;
  REQUIRE(decode(encode(SignalRequest{5, 15}), signal));
  CHECK(signal.tag == 5);
  CHECK(signal.signal == 15);
  HaltRequest halt;
  REQUIRE(decode(encode(HaltRequest{250}), halt));
  CHECK(halt.grace_ms == 250);
  SpawnedEvent spawned;
  REQUIRE(decode(encode(SpawnedEvent{6, 0, 2, SpawnStage::kExec}), spawned));
  CHECK(spawned.error == 2);
  CHECK(spawned.stage == SpawnStage::kExec);
  ExitedEvent exited;
  REQUIRE(decode(encode(ExitedEvent{7, 100, 0, 11}), exited));
  CHECK(exited.pid == 100);
  CHECK(exited.signal == 11);
  HaltedEvent halted;
  REQUIRE(decode(encode(HaltedEvent{3}), halted));
  CHECK(halted.left == 3);
}

TEST_CASE("a payload that is cut short or has a byte too many is refused [PRC-010]") {
  const std::string whole = encode(example());
  SpawnRequest decoded;
  for (size_t length = 0; length < whole.size(); ++length) {
    CHECK_FALSE(decode(whole.substr(0, length), decoded));
  }
  CHECK_FALSE(decode(whole + '\0', decoded));
}

TEST_CASE("a request that no program could be started from is refused [PRC-010]") {
  SpawnRequest decoded;
  SpawnRequest request = example();
  request.argv.clear();
  CHECK_FALSE(decode(encode(request), decoded));
  request = example();
  request.program.clear();
  CHECK_FALSE(decode(encode(request), decoded));
  request = example();
  request.directory = "relative";
  CHECK_FALSE(decode(encode(request), decoded));
  request = example();
  request.argv.emplace_back("a\0b", 3);
  CHECK_FALSE(decode(encode(request), decoded));
  SignalRequest signal;
  CHECK_FALSE(decode(encode(SignalRequest{1, 0}), signal));
  CHECK_FALSE(decode(encode(SignalRequest{1, 99}), signal));
}

TEST_CASE("a count or length that the payload can't hold is refused at once [PRC-010]") {
  std::string bytes = encode(example());
  SpawnRequest decoded;
  const uint32_t huge = 0xffffffff;
  // The first length word follows tag, flags and stdio modes.
  std::memcpy(bytes.data() + 15, &huge, sizeof huge);
  CHECK_FALSE(decode(bytes, decoded));
}

TEST_CASE("random payloads are refused or decoded, never read past their end [PRC-010]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string whole = encode(example());
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = whole;
    for (int flips = 0; flips < 3; ++flips) bytes[random() % bytes.size()] ^= random() & 0xff;
    bytes.resize(random() % (bytes.size() + 1));
    SpawnRequest decoded;
    if (decode(bytes, decoded)) CHECK(decoded.directory[0] == '/');
  }
}

TEST_CASE("a header is accepted for a known type, a bounded length and its descriptors [PRC-010]") {
  CHECK(valid_header(header(FrameType::kSpawn, 100, 3)));
  CHECK(valid_header(header(FrameType::kHalt, 4, 0)));
  CHECK_FALSE(valid_header(header(FrameType::kSpawn, 100, 4)));
  CHECK_FALSE(valid_header(header(FrameType::kHalt, 4, 1)));
  CHECK_FALSE(valid_header(header(FrameType::kSpawn, kFramePayloadBytesMax + 1, 0)));
  CHECK_FALSE(valid_header(header(static_cast<FrameType>(9), 4, 0)));
  FrameHeader other = header(FrameType::kHalt, 4, 0);
  other.magic ^= 1;
  CHECK_FALSE(valid_header(other));
}
