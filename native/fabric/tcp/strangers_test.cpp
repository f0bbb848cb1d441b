// Who has no business at a node's listener learns nothing there, and holds nobody up.
#include "fabric/tcp/tcp_fixture.h"

#include <random>

using namespace dragon;
using namespace dragon::fabric;
using namespace dragon::fabric::test;

namespace {

size_t open_descriptors() {
  size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

// Lets the node look until it has hung up on everybody.
void until_closed(TcpNode& node, std::vector<std::unique_ptr<Knocker>>& knockers) {
  run_until({&node}, [&] {
    for (const auto& knocker : knockers) {
      if (!knocker->is_closed()) return false;
    }
    return true;
  });
}

struct Call {
  uint8_t bytes[kHandshakeBytes];
};

Call call_of(const HandshakeSelf& self, NodeIndex to) {
  Handshake handshake(self);
  Nonce nonce;
  random_bytes(nonce.bytes, kNonceBytes);
  Call call;
  handshake.call(to, nonce, call.bytes);
  return call;
}

}  // namespace

TEST_CASE("garbage is hung up on without a word, and is said once [FAB-040]") {
  TcpNode node(tcp_options(0));
  std::mt19937 random(1);
  for (int round = 0; round < 30; ++round) {
    std::vector<std::unique_ptr<Knocker>> knockers;
    for (int i = 0; i < 20; ++i) {
      knockers.push_back(std::make_unique<Knocker>(node.fabric.address()));
      std::vector<uint8_t> bytes(1 + random() % 300);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
      bytes[0] = 1;
      knockers.back()->say(bytes.data(), bytes.size());
    }
    until_closed(node, knockers);
    for (const auto& knocker : knockers) CHECK(knocker->heard.empty());
  }
  CHECK(node.fabric.counters().refused == 600);
  CHECK(node.refusals == std::vector{Refusal::kGarbage});
}

TEST_CASE("wrong key, other version, other run: no answer, each said once [FAB-041]") {
  TcpNode node(tcp_options(0));
  REQUIRE(node.fabric.set_peer(1, "127.0.0.1:9") == DRAGON_SUCCESS);
  HandshakeSelf good = tcp_options(1).self;
  HandshakeSelf wrong_key = good;
  wrong_key.key.bytes[31] ^= 1;
  HandshakeSelf other_run = good;
  ++other_run.run_id;
  HandshakeSelf unknown = good;
  unknown.index = 7;
  HandshakeSelf itself = good;
  itself.index = 0;
  Call other_version = call_of(good, 0);
  ++other_version.bytes[4];
  const std::pair<Call, Refusal> cases[] = {
      {call_of(wrong_key, 0), Refusal::kKey},   {call_of(other_run, 0), Refusal::kKey},
      {other_version, Refusal::kVersion},       {call_of(unknown, 0), Refusal::kStranger},
      {call_of(itself, 0), Refusal::kStranger}, {call_of(good, 2), Refusal::kStranger}};
  for (int round = 0; round < 3; ++round) {
    for (const auto& [call, refusal] : cases) {
      std::vector<std::unique_ptr<Knocker>> knockers;
      knockers.push_back(std::make_unique<Knocker>(node.fabric.address()));
      knockers[0]->say(call.bytes, kHandshakeBytes);
      until_closed(node, knockers);
      CHECK(knockers[0]->heard.empty());
    }
  }
  CHECK(node.fabric.counters().refused == 18);
  CHECK(node.refusals.size() == 3);
}

TEST_CASE("a handshake that was recorded opens nothing [FAB-042]") {
  TcpNode a(tcp_options(0));
  TcpNode b(tcp_options(1));
  introduce(a, b);
  // What node 1 said to node 0 on an earlier connection: its call, and its confirmation.
  HandshakeSelf self = tcp_options(1).self;
  Handshake caller(self);
  Handshake answerer(tcp_options(0).self);
  const HandshakeSelf other = tcp_options(0).self;
  Handshake responder(other);
  Nonce nonce;
  uint8_t call[kHandshakeBytes];
  uint8_t answer[kHandshakeBytes];
  uint8_t confirm[kHandshakeBytes];
  caller.call(0, nonce, call);
  nonce.bytes[0] = 1;
  REQUIRE(responder.answer(call, nonce, answer) == Refusal::kNone);
  REQUIRE(caller.confirm(answer, confirm) == Refusal::kNone);
  std::vector<std::unique_ptr<Knocker>> knockers;
  knockers.push_back(std::make_unique<Knocker>(a.fabric.address()));
  knockers[0]->say(call, kHandshakeBytes);
  knockers[0]->say(confirm, kHandshakeBytes);
  until_closed(a, knockers);
  CHECK(a.refusals == std::vector{Refusal::kKey});
  CHECK(a.fabric.counters().connections == 0);
}

TEST_CASE("who speaks slowly or not at all is hung up on in time [FAB-043]") {
  TcpOptions options = tcp_options(0);
  options.handshake_ns = 50 * kTcpMs;
  TcpNode node(options);
  std::vector<std::unique_ptr<Knocker>> knockers;
  const Call call = call_of(tcp_options(1).self, 0);
  for (int i = 0; i < 10; ++i) {
    knockers.push_back(std::make_unique<Knocker>(node.fabric.address()));
    knockers.back()->say(call.bytes, static_cast<size_t>(i));
  }
  until_closed(node, knockers);
  CHECK(node.refusals == std::vector{Refusal::kTimeout});
}

TEST_CASE(
    "a crowd of strangers takes a bounded number of descriptors, and keeps nobody out [FAB-044]") {
  TcpOptions options = tcp_options(0);
  options.strangers_max = 16;
  TcpNode a(options);
  TcpNode b(tcp_options(1));
  introduce(a, b);
  std::vector<std::unique_ptr<Knocker>> knockers;
  for (int i = 0; i < 100; ++i) {
    knockers.push_back(std::make_unique<Knocker>(a.fabric.address()));
  }
  const size_t before = open_descriptors();
  CHECK(b.send(0, "through") == DRAGON_SUCCESS);
  run_until({&a, &b}, [&] { return a.frames.size() == 1; });
  CHECK(open_descriptors() <= before + 16 + 2);
}

TEST_CASE("after the handshake, what is no packet ends the connection [FAB-045]") {
  TcpNode a(tcp_options(0));
  REQUIRE(a.fabric.set_peer(1, "127.0.0.1:9") == DRAGON_SUCCESS);
  HandshakeSelf self = tcp_options(1).self;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Knocker>> knockers;
    knockers.push_back(std::make_unique<Knocker>(a.fabric.address()));
    Knocker& knocker = *knockers[0];
    Handshake handshake(self);
    Nonce nonce;
    random_bytes(nonce.bytes, kNonceBytes);
    uint8_t call[kHandshakeBytes];
    uint8_t confirm[kHandshakeBytes];
    handshake.call(0, nonce, call);
    knocker.say(call, kHandshakeBytes);
    run_until({&a}, [&] { return knocker.is_closed() || knocker.heard.size() >= kHandshakeBytes; });
    REQUIRE(handshake.confirm(knocker.heard.data(), confirm) == Refusal::kNone);
    knocker.say(confirm, kHandshakeBytes);
    const std::vector<uint8_t> garbage(200, static_cast<uint8_t>(round));
    knocker.say(garbage.data(), garbage.size());
    until_closed(a, knockers);
  }
  CHECK(a.fabric.counters().connections == 3);
}
