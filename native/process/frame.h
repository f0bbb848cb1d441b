// The frames between launcher and warden: layout, encoding and validation.
//
// A frame is a header of 16 bytes and a payload. Both ends are of one release and one machine,
// so integers are in host order; the magic carries the version, and a mismatch is refused.
// Descriptors travel with the header (SCM_RIGHTS).
//
// Goals: a frame that does not follow this layout is refused as a whole, whatever it contains.
// Non-goals: no input or output (`frame_socket.h`), no compatibility between releases.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dragon::process {

constexpr uint32_t kFrameMagic = 0x31575244;  // "DRW1"
// The kernel refuses larger argument lists and environments (ARG_MAX with 8 MiB of stack).
constexpr uint32_t kFramePayloadBytesMax = 4u << 20;
constexpr uint32_t kFrameDescriptorsMax = 3;

enum class FrameType : uint32_t {
  kSpawn = 1,   // launcher to warden
  kSignal = 2,  // launcher to warden
  kHalt = 3,    // launcher to warden
  kSpawned = 16,
  kExited = 17,
  kHalted = 18,
};

struct FrameHeader {
  uint32_t magic;
  uint32_t type;
  uint32_t payload_bytes;
  uint32_t descriptors;
};
static_assert(sizeof(FrameHeader) == 16);

bool valid_header(const FrameHeader& header);

enum class StdioMode : uint8_t {
  kInherit = 0,  // the warden's own, which is the launcher's
  kNull = 1,     // /dev/null
  kPassed = 2,   // the next descriptor that came with the frame
};

struct SpawnRequest {
  uint64_t tag = 0;  // the child's name in every later frame; never reused
  bool new_group = false;
  StdioMode stdio[3] = {StdioMode::kInherit, StdioMode::kInherit, StdioMode::kInherit};
  std::string program;    // with a slash: a path; without: searched in the request's PATH
  std::string directory;  // absolute
  std::vector<std::string> argv;
  std::vector<std::string> env;

  uint32_t descriptor_count() const;
};

struct SignalRequest {
  uint64_t tag = 0;
  int32_t signal = 0;
};

struct HaltRequest {
  uint32_t grace_ms = 0;  // between SIGTERM and SIGKILL; 0: SIGKILL at once
};

// What a spawn was doing when it failed.
enum class SpawnStage : uint32_t { kNone = 0, kSearch = 1, kCreate = 2, kDirectory = 3, kExec = 4 };

struct SpawnedEvent {
  uint64_t tag = 0;
  int32_t pid = 0;    // 0 on failure
  int32_t error = 0;  // an errno, 0 on success
  SpawnStage stage = SpawnStage::kNone;
};

struct ExitedEvent {
  uint64_t tag = 0;
  int32_t pid = 0;
  int32_t code = 0;    // when signal is 0
  int32_t signal = 0;  // the signal that ended it, 0 if it exited
};

struct HaltedEvent {
  uint32_t left = 0;  // processes that SIGKILL did not end within the warden's patience
};

std::string encode(const SpawnRequest& request);
std::string encode(const SignalRequest& request);
std::string encode(const HaltRequest& request);
std::string encode(const SpawnedEvent& event);
std::string encode(const ExitedEvent& event);
std::string encode(const HaltedEvent& event);

// Each returns false, with `out` unspecified, for anything but exactly one well-formed payload.
bool decode(std::string_view payload, SpawnRequest& out);
bool decode(std::string_view payload, SignalRequest& out);
bool decode(std::string_view payload, HaltRequest& out);
bool decode(std::string_view payload, SpawnedEvent& out);
bool decode(std::string_view payload, ExitedEvent& out);
bool decode(std::string_view payload, HaltedEvent& out);

}  // namespace dragon::process
