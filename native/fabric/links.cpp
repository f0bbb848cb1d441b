#include "fabric/links.h"

#include <algorithm>
#include <vector>

#include "fabric/link.h"

namespace dragon::fabric {

struct Links::State {
  State(Fabric& fabric, const LinksOptions& options) : context{fabric, options, {}, 1} {
    // Landings of an earlier life of this node had other keys, as far as anybody can tell.
    context.next_key = (options.incarnation * 0x9e3779b97f4a7c15) | 1;
  }

  Link* find(NodeIndex peer) const { return peer < links.size() ? links[peer].get() : nullptr; }

  // Null for what is no other node.
  Link* open(NodeIndex peer) {
    if (peer >= kNodesMax || peer == context.fabric.self()) return nullptr;
    if (peer >= links.size()) links.resize(peer + 1);
    if (links[peer] == nullptr) links[peer] = std::make_unique<Link>(context, peer);
    return links[peer].get();
  }

  void mark(NodeIndex peer) {
    Link& link = *links[peer];
    if (link.is_dirty) return;
    link.is_dirty = true;
    dirty.push_back(peer);
  }

  void run_timers(uint64_t now_ns) {
    timer_ns = UINT64_MAX;
    for (NodeIndex peer = 0; peer < links.size(); ++peer) {
      if (links[peer] == nullptr) continue;
      if (links[peer]->timer_ns() <= now_ns) {
        links[peer]->on_timer(now_ns);
        mark(peer);
      }
      timer_ns = std::min(timer_ns, links[peer]->timer_ns());
    }
  }

  void handle(uint64_t now_ns, const FabricEvent& event) {
    LinkEvent out;
    out.peer = event.peer;
    out.token = event.token;
    out.refusal = event.refusal;
    if (event.kind == FabricEvent::Kind::kReadable || event.kind == FabricEvent::Kind::kRefused) {
      const bool is_readable = event.kind == FabricEvent::Kind::kReadable;
      out.kind = is_readable ? LinkEvent::Kind::kReadable : LinkEvent::Kind::kRefused;
      context.events.push_back(out);
      return;
    }
    Link* link = open(event.peer);
    if (link == nullptr) return;
    mark(event.peer);
    switch (event.kind) {
      case FabricEvent::Kind::kConnected:
        link->on_connected(now_ns);
        break;
      case FabricEvent::Kind::kLost:
        link->on_lost();
        break;
      case FabricEvent::Kind::kFlushed:
        link->on_flushed();
        break;
      default:
        if (!link->on_packet(now_ns, event)) break;
        reader = FrameReader(event.body, event.header.body_bytes);
        reading = link;
        reading_peer = event.peer;
        reading_life = link->life();
    }
    // A life may have ended, and its timers with it; those that are new are never too late.
    timer_ns = std::min(timer_ns, link->timer_ns());
  }

  // The next frame of the packet at hand for the layer above.
  bool read_frame(uint64_t now_ns, LinkEvent& out) {
    while (reading != nullptr && reading->life() == reading_life) {
      FrameHeader header;
      const uint8_t* content = nullptr;
      if (!reader.next(header, content)) {
        if (!reader.is_whole()) reading->die(now_ns);
        break;
      }
      if (reading->on_frame(now_ns, header, content, out)) return true;
    }
    reading = nullptr;
    return false;
  }

  LinkContext context;
  std::vector<std::unique_ptr<Link>> links;
  std::vector<NodeIndex> dirty;
  uint64_t timer_ns = UINT64_MAX;  // no later than any link's timer
  FrameReader reader;
  Link* reading = nullptr;
  NodeIndex reading_peer = 0;
  uint64_t reading_life = 0;
};

Links::Links(Fabric& fabric, const LinksOptions& options)
    : state_(std::make_unique<State>(fabric, options)) {}

Links::~Links() = default;

Status Links::send(NodeIndex peer, const Piece* pieces, size_t count) {
  Link* link = state_->open(peer);
  if (link == nullptr) return DRAGON_INVALID_ARGUMENT;
  state_->mark(peer);
  return link->send(pieces, count);
}

Status Links::offer(NodeIndex peer, const Piece& header, const void* memory, uint64_t bytes,
                    uint64_t token, TransferId& out) {
  Link* link = state_->open(peer);
  if (link == nullptr) return DRAGON_INVALID_ARGUMENT;
  state_->mark(peer);
  return link->offer(header, memory, bytes, token, out);
}

void Links::cancel(NodeIndex peer, TransferId transfer) {
  Link* link = state_->find(peer);
  if (link == nullptr) return;
  state_->mark(peer);
  link->cancel(transfer);
}

Status Links::accept(NodeIndex peer, TransferId transfer, void* memory, uint64_t token) {
  Link* link = state_->find(peer);
  if (link == nullptr) return DRAGON_NOT_FOUND;
  state_->mark(peer);
  return link->accept(transfer, memory, token);
}

void Links::refuse(NodeIndex peer, TransferId transfer, Status status) {
  Link* link = state_->find(peer);
  if (link == nullptr) return;
  state_->mark(peer);
  link->refuse(transfer, status);
}

void Links::abandon(NodeIndex peer, TransferId transfer) {
  Link* link = state_->find(peer);
  if (link == nullptr) return;
  state_->mark(peer);
  link->abandon(transfer);
}

void Links::consume(NodeIndex peer, uint64_t cost) {
  Link* link = state_->find(peer);
  if (link == nullptr) return;
  state_->mark(peer);
  link->consume(cost);
}

void Links::watch(NodeIndex peer, bool on) {
  Link* link = state_->open(peer);
  if (link == nullptr) return;
  state_->mark(peer);
  link->watch(on);
}

void Links::declare_dead(uint64_t now_ns, NodeIndex peer) {
  Link* link = state_->find(peer);
  if (link != nullptr) link->die(now_ns);
}

bool Links::is_idle(NodeIndex peer) const {
  const Link* link = state_->find(peer);
  return link == nullptr || link->is_idle();
}

void Links::wait(uint64_t now_ns, uint64_t until_ns) {
  State& state = *state_;
  const bool has_work =
      !state.context.events.empty() || !state.dirty.empty() || state.timer_ns <= now_ns;
  state.context.fabric.wait(has_work ? 0 : std::min(until_ns, state.timer_ns));
}

bool Links::next_event(uint64_t now_ns, LinkEvent& out) {
  State& state = *state_;
  while (true) {
    if (!state.context.events.empty()) {
      out = state.context.events.front();
      state.context.events.pop_front();
      if (out.kind == LinkEvent::Kind::kDown) state.links[out.peer]->on_told();
      return true;
    }
    if (state.reading != nullptr) {
      if (state.read_frame(now_ns, out)) return true;
      continue;
    }
    if (state.timer_ns <= now_ns) {
      state.run_timers(now_ns);
      continue;
    }
    FabricEvent event;
    if (!state.context.fabric.next_event(event)) return false;
    state.handle(now_ns, event);
  }
}

void Links::flush(uint64_t now_ns) {
  State& state = *state_;
  std::vector<NodeIndex> pumped;
  pumped.swap(state.dirty);
  for (const NodeIndex peer : pumped) {
    Link& link = *state.links[peer];
    link.is_dirty = false;
    if (link.pump(now_ns)) state.mark(peer);
    state.timer_ns = std::min(state.timer_ns, link.timer_ns());
  }
}

uint64_t Links::next_timer_ns() const {
  const bool has_work = !state_->context.events.empty() || !state_->dirty.empty();
  return has_work ? 0 : state_->timer_ns;
}

}  // namespace dragon::fabric
