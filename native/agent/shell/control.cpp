#include "agent/shell/control.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>
#include <utility>

namespace dragon::agent {

namespace {

constexpr size_t kLineBytesMax = 4096;

bool number_of(const std::string& text, int base, uint64_t& out) {
  if (text.empty() || text[0] == '-' || text[0] == '+') return false;
  char* end = nullptr;
  errno = 0;
  out = std::strtoull(text.c_str(), &end, base);
  return errno == 0 && *end == '\0';
}

std::string status_text(const char* what, Status status) {
  std::string text = std::string(what) + ": " + dragon_status_name(status);
  if (status == DRAGON_SYSTEM) text += std::string(" (") + ::strerror(errno) + ")";
  return text;
}

std::vector<std::string> words_of(const std::string& line, size_t most) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  std::string word;
  while (words.size() + 1 < most && stream >> word) words.push_back(word);
  // The last one may have spaces in it: a directory.
  std::getline(stream >> std::ws, word);
  if (!word.empty()) words.push_back(word);
  return words;
}

}  // namespace

Control::~Control() {
  for (const auto& local : locals_) {
    if (local->agent != nullptr) local->agent->stop();
  }
  for (std::thread& thread : threads_) thread.join();
}

void Control::say(const std::string& line) const {
  const std::string whole = line + "\n";
  // Who has gone need not be told.
  if (::send(socket_, whole.data(), whole.size(), MSG_NOSIGNAL) < 0) return;
}

bool Control::run() {
  std::string pending;
  for (;;) {
    char bytes[1024];
    const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    pending.append(bytes, static_cast<size_t>(got));
    if (std::min(pending.find('\n'), pending.size()) > kLineBytesMax) {
      say("error a line is longer than 4096 bytes");
      return false;
    }
    for (size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      const std::string fault = on_line(pending.substr(0, end));
      pending.erase(0, end + 1);
      if (fault.empty()) continue;
      say("error " + fault);
      return false;
    }
  }
}

std::string Control::on_line(const std::string& line) {
  const size_t space = line.find(' ');
  const std::string verb = line.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
  if (started_) return "nothing is expected after start: " + verb;
  if (verb == "key") return take_key(rest);
  if (!has_key_) return "the key comes first";
  if (verb == "local") return take_local(words_of(rest, 3));
  if (verb == "peer") return take_peer(words_of(rest, 3));
  if (verb == "start") return start();
  return "unknown line: " + verb;
}

std::string Control::take_key(const std::string& text) {
  const size_t space = text.find(' ');
  const std::string hex = text.substr(0, space);
  const std::string run = space == std::string::npos ? "" : text.substr(space + 1);
  if (hex.size() != 2 * fabric::kKeyBytes || !number_of(run, 16, run_id_)) {
    return "the key is not 64 digits and the number of the run";
  }
  for (size_t i = 0; i < fabric::kKeyBytes; ++i) {
    uint64_t byte = 0;
    if (!number_of(hex.substr(2 * i, 2), 16, byte)) return "the key is not 64 digits";
    key_.bytes[i] = static_cast<uint8_t>(byte);
  }
  has_key_ = true;
  return "";
}

std::string Control::take_local(std::vector<std::string> words) {
  uint64_t index = 0;
  if (words.size() != 3 || !number_of(words[0], 10, index) || index >= fabric::kNodesMax) {
    return "local takes an index, an address and a directory";
  }
  auto local = std::make_unique<Local>();
  local->index = static_cast<NodeIndex>(index);
  local->dir = words[2];
  fabric::TcpOptions options;
  options.self.index = local->index;
  options.self.run_id = run_id_;
  options.self.incarnation = now_ns();
  options.self.key = key_;
  options.listen = words[1];
  local->fabric = std::make_unique<fabric::TcpFabric>(options);
  const Status status = local->fabric->open();
  if (status != DRAGON_SUCCESS) return status_text(("listen at " + words[1]).c_str(), status);
  say("listening " + words[0] + " " + local->fabric->address());
  locals_.push_back(std::move(local));
  return "";
}

std::string Control::take_peer(const std::vector<std::string>& words) {
  uint64_t index = 0;
  Peer peer;
  if (words.size() != 3 || !number_of(words[0], 10, index) || index >= fabric::kNodesMax ||
      !number_of(words[1], 16, peer.host_id)) {
    return "peer takes an index, a host id and an address";
  }
  peer.index = static_cast<NodeIndex>(index);
  peer.address = words[2];
  peers_.push_back(peer);
  return "";
}

std::string Control::start() {
  for (const auto& local : locals_) {
    const std::string fault = start(*local);
    if (!fault.empty()) return fault;
  }
  for (const auto& local : locals_) {
    Agent* agent = local->agent.get();
    threads_.emplace_back([agent] { agent->run(); });
  }
  started_ = true;
  say("ready");
  return "";
}

std::string Control::start(Local& local) {
  AgentOptions options;
  options.dir = local.dir;
  options.index = local.index;
  for (const Peer& peer : peers_) {
    if (peer.index == local.index) continue;
    const Status status = local.fabric->set_peer(peer.index, peer.address);
    if (status != DRAGON_SUCCESS) return status_text(("peer " + peer.address).c_str(), status);
    options.nodes[peer.host_id] = peer.index;
  }
  const Status status = Agent::open(options, std::move(local.fabric), local.agent);
  return status == DRAGON_SUCCESS ? "" : status_text(("node in " + local.dir).c_str(), status);
}

}  // namespace dragon::agent
