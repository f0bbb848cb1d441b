// Channel sets.
#include "event/channel_set.h"

#include "c/objects.h"

namespace c = dragon::c;

static_assert(DRAGON_SET_IN == dragon::kSetIn && DRAGON_SET_OUT == dragon::kSetOut);
static_assert(DRAGON_SET_EMPTY == dragon::kSetEmpty && DRAGON_SET_FULL == dragon::kSetFull);
static_assert(DRAGON_SET_ENDED == dragon::kSetEnded);

struct dragon_channel_set {
  std::shared_ptr<dragon::Node> node;
  std::unique_ptr<dragon::ChannelSet> set;
};

dragon_status_t dragon_channel_set_create(dragon_node_t* node, dragon_channel_set_t** out) {
  if (node == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  auto* made = new (std::nothrow)
      dragon_channel_set{node->node, std::make_unique<dragon::ChannelSet>(node->node)};
  if (made == nullptr) return DRAGON_OUT_OF_MEMORY;
  *out = made;
  return DRAGON_SUCCESS;
}

void dragon_channel_set_close(dragon_channel_set_t* set) {
  delete set;
}

dragon_status_t dragon_channel_set_add(dragon_channel_set_t* set, dragon_channel_t* channel,
                                       uint32_t mask, uint32_t* member) {
  if (set == nullptr || channel == nullptr || member == nullptr) return DRAGON_INVALID_ARGUMENT;
  const bool is_other = !channel->object->closed() && &channel->object->node() != set->node.get();
  if (is_other) return DRAGON_INVALID_ARGUMENT;
  return set->set->add(channel->object, mask, *member);
}

dragon_status_t dragon_channel_set_change(dragon_channel_set_t* set, uint32_t member,
                                          uint32_t mask) {
  return set == nullptr ? DRAGON_INVALID_ARGUMENT : set->set->change(member, mask);
}

dragon_status_t dragon_channel_set_remove(dragon_channel_set_t* set, uint32_t member) {
  return set == nullptr ? DRAGON_INVALID_ARGUMENT : set->set->remove(member);
}

dragon_status_t dragon_channel_set_poll(dragon_channel_set_t* set, int64_t timeout_ms,
                                        dragon_ready_t* out) {
  if (set == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::ChannelSet::Ready ready;
  const dragon_status_t status = set->set->poll(c::deadline_of(timeout_ms), ready);
  if (status == DRAGON_SUCCESS) *out = {ready.member, ready.events};
  return status;
}
