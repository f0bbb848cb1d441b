// The same as count.c, with owners that close what they hold. Its report is an allocation of the
// pool, which the channel passes on without a copy.
#include <dragon/dragon.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace {

template <auto close>
struct Closer {
  template <typename Opaque>
  void operator()(Opaque* opaque) const {
    close(opaque);
  }
};
using Node = std::unique_ptr<dragon_node_t, Closer<dragon_node_leave>>;
using Pool = std::unique_ptr<dragon_pool_t, Closer<dragon_pool_close>>;
using Lock = std::unique_ptr<dragon_lock_t, Closer<dragon_lock_close>>;
using Channel = std::unique_ptr<dragon_channel_t, Closer<dragon_channel_close>>;

void check(dragon_status_t status, const char* what) {
  if (status == DRAGON_SUCCESS) return;
  std::fprintf(stderr, "count: %s: status %d\n", what, static_cast<int>(status));
  std::exit(1);
}

dragon_handle_t handle_from(const char* variable) {
  dragon_handle_t handle;
  const char* text = std::getenv(variable);
  check(dragon_handle_from_text(text == nullptr ? "" : text, &handle), variable);
  return handle;
}

template <typename Owner, typename Opaque>
Owner attach(dragon_status_t (*call)(dragon_node_t*, const dragon_handle_t*, Opaque**),
             const Node& node, const char* variable) {
  const dragon_handle_t handle = handle_from(variable);
  Opaque* opaque = nullptr;
  check(call(node.get(), &handle, &opaque), variable);
  return Owner(opaque);
}

Node attach_node() {
  dragon_node_t* node = nullptr;
  check(dragon_node_attach(std::getenv("DRAGON_RUNTIME_DIR"), "count", &node), "attach");
  return Node(node);
}

}  // namespace

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1;
  const Node node = attach_node();
  const auto lock = attach<Lock>(dragon_lock_attach, node, "LOCK");
  const auto reports = attach<Channel>(dragon_channel_attach, node, "REPORTS");
  const dragon_handle_t handle = handle_from("NUMBER");
  dragon_pool_t* opened = nullptr;
  dragon_allocation_t number;
  check(dragon_allocation_attach(node.get(), &handle, &opened, &number), "NUMBER");
  const Pool pool(opened);

  for (long round = 0; round < rounds; ++round) {
    check(dragon_lock_acquire(lock.get(), 10000), "acquire");
    std::uint64_t value = 0;
    std::memcpy(&value, number.data, sizeof(value));
    ++value;
    std::memcpy(number.data, &value, sizeof(value));
    check(dragon_lock_release(lock.get()), "release");
  }

  const std::string text = "C++ added " + std::to_string(rounds);
  dragon_allocation_t report;
  check(dragon_allocate(pool.get(), text.size(), 10000, &report), "allocate");
  std::memcpy(report.data, text.data(), text.size());
  check(dragon_channel_send_allocation(reports.get(), report.id, 0, 10000), "send");
  return 0;
}
