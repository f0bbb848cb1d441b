// Attachments to a node.
#include <unistd.h>

#include "c/objects.h"
#include "channel/reclaim.h"
#include "sync/deadline.h"

namespace c = dragon::c;

namespace {

// As a client in TypeScript has it.
constexpr uint64_t kServicesPatienceNs = 5'000'000'000;
constexpr uint32_t kLookAgainUs = 1000;

}  // namespace

dragon_status_t dragon_node_attach(const char* directory, const char* name, dragon_node_t** out) {
  if (directory == nullptr || directory[0] == 0 || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::NodeOptions options;
  if (name != nullptr) options.name = name;
  std::shared_ptr<dragon::Node> node;
  const dragon_status_t status = dragon::Node::attach(directory, options, node);
  return c::hand_over(status, std::move(node), out);
}

void dragon_node_leave(dragon_node_t* node) {
  if (node == nullptr) return;
  dragon::leave(node->node);
  delete node;
}

uint32_t dragon_node_actor(const dragon_node_t* node) {
  return node == nullptr ? 0 : node->node->me().id;
}

dragon_status_t dragon_node_well_known(dragon_node_t* node, uint32_t index, dragon_handle_t* out) {
  if (node == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon_handle_t handle;
  const uint64_t give_up_ns = dragon::now_ns() + kServicesPatienceNs;
  dragon_status_t status = node->node->segment().well_known(index, handle.bytes);
  while (status == DRAGON_NOT_FOUND && index <= DRAGON_WELL_KNOWN_INFRASTRUCTURE_POOL &&
         dragon::now_ns() < give_up_ns) {
    ::usleep(kLookAgainUs);
    status = node->node->segment().well_known(index, handle.bytes);
  }
  if (status == DRAGON_SUCCESS) *out = handle;
  return status;
}
