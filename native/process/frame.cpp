#include "process/frame.h"

#include <csignal>
#include <cstring>

namespace dragon::process {
namespace {

class Writer {
 public:
  template <typename T>
  Writer& put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Writer& put(std::string_view text) {
    put(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  Writer& put(const std::string& text) { return put(std::string_view(text)); }
  Writer& put(const std::vector<std::string>& list) {
    put(static_cast<uint32_t>(list.size()));
    for (const std::string& text : list) put(text);
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads in order; after the first failure everything fails.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  Reader& Get(T& value) {
    if (need(sizeof value)) {
      std::memcpy(&value, rest_.data(), sizeof value);
      rest_.remove_prefix(sizeof value);
    }
    return *this;
  }
  Reader& Get(std::string& text) {
    uint32_t length = 0;
    Get(length);
    if (!need(length)) return *this;
    text.assign(rest_.substr(0, length));
    rest_.remove_prefix(length);
    // The system's calls end a string at its first NUL; one inside would be a lie.
    if (text.find('\0') != std::string::npos) good_ = false;
    return *this;
  }
  Reader& Get(std::vector<std::string>& list) {
    uint32_t count = 0;
    Get(count);
    // Each entry takes its length word, which bounds what a forged count can reserve.
    if (!need(uint64_t{count} * sizeof(uint32_t))) return *this;
    list.resize(count);
    for (std::string& text : list) Get(text);
    return *this;
  }
  bool done() const { return good_ && rest_.empty(); }

 private:
  bool need(uint64_t bytes) { return good_ = good_ && rest_.size() >= bytes; }

  std::string_view rest_;
  bool good_ = true;
};

constexpr uint32_t kFlagNewGroup = 1;

bool valid_signal(int32_t signal) {
  return signal >= 1 && signal <= SIGRTMAX;
}

}  // namespace

bool valid_header(const FrameHeader& header) {
  if (header.magic != kFrameMagic || header.payload_bytes > kFramePayloadBytesMax) return false;
  const bool spawn = header.type == static_cast<uint32_t>(FrameType::kSpawn);
  if (header.descriptors > (spawn ? kFrameDescriptorsMax : 0)) return false;
  switch (static_cast<FrameType>(header.type)) {
    case FrameType::kSpawn:
    case FrameType::kSignal:
    case FrameType::kHalt:
    case FrameType::kSpawned:
    case FrameType::kExited:
    case FrameType::kHalted:
      return true;
  }
  return false;
}

uint32_t SpawnRequest::descriptor_count() const {
  uint32_t count = 0;
  for (StdioMode mode : stdio) count += mode == StdioMode::kPassed ? 1 : 0;
  return count;
}

std::string encode(const SpawnRequest& request) {
  Writer writer;
  writer.put(request.tag).put(request.new_group ? kFlagNewGroup : 0u);
  for (StdioMode mode : request.stdio) writer.put(static_cast<uint8_t>(mode));
  writer.put(request.program).put(request.directory).put(request.argv).put(request.env);
  return writer.take();
}

bool decode(std::string_view payload, SpawnRequest& out) {
  Reader reader(payload);
  uint32_t flags = 0;
  reader.Get(out.tag).Get(flags);
  for (StdioMode& mode : out.stdio) {
    uint8_t value = 0;
    reader.Get(value);
    if (value > static_cast<uint8_t>(StdioMode::kPassed)) return false;
    mode = static_cast<StdioMode>(value);
  }
  reader.Get(out.program).Get(out.directory).Get(out.argv).Get(out.env);
  out.new_group = (flags & kFlagNewGroup) != 0;
  return reader.done() && (flags & ~kFlagNewGroup) == 0 && !out.program.empty() &&
         !out.argv.empty() && !out.directory.empty() && out.directory[0] == '/';
}

std::string encode(const SignalRequest& request) {
  return Writer().put(request.tag).put(request.signal).take();
}

bool decode(std::string_view payload, SignalRequest& out) {
  return Reader(payload).Get(out.tag).Get(out.signal).done() && valid_signal(out.signal);
}

std::string encode(const HaltRequest& request) {
  return Writer().put(request.grace_ms).take();
}

bool decode(std::string_view payload, HaltRequest& out) {
  return Reader(payload).Get(out.grace_ms).done();
}

std::string encode(const SpawnedEvent& event) {
  const auto stage = static_cast<uint32_t>(event.stage);
  return Writer().put(event.tag).put(event.pid).put(event.error).put(stage).take();
}

bool decode(std::string_view payload, SpawnedEvent& out) {
  uint32_t stage = 0;
  const bool whole = Reader(payload).Get(out.tag).Get(out.pid).Get(out.error).Get(stage).done();
  out.stage = static_cast<SpawnStage>(stage);
  return whole && stage <= static_cast<uint32_t>(SpawnStage::kExec) &&
         (out.pid > 0) == (out.error == 0);
}

std::string encode(const ExitedEvent& event) {
  return Writer().put(event.tag).put(event.pid).put(event.code).put(event.signal).take();
}

bool decode(std::string_view payload, ExitedEvent& out) {
  Reader reader(payload);
  return reader.Get(out.tag).Get(out.pid).Get(out.code).Get(out.signal).done() && out.pid > 0 &&
         (out.signal == 0 || valid_signal(out.signal));
}

std::string encode(const HaltedEvent& event) {
  return Writer().put(event.left).take();
}

bool decode(std::string_view payload, HaltedEvent& out) {
  return Reader(payload).Get(out.left).done();
}

}  // namespace dragon::process
