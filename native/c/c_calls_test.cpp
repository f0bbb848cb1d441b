// The C interface, called as a program in C would.
// variants: plain
#include <ctype.h>
#include <dragon/dragon.h>
#include <string.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "channel/lock_object.h"
#include "memory/node_fixture.h"

using namespace dragon::test;

namespace {

// An actor that knows nothing but the C interface, with a pool.
struct CActor {
  explicit CActor(const std::string& dir) {
    check_ok(dragon_node_attach(dir.c_str(), "c", &node));
    check_ok(dragon_pool_create(node, nullptr, &pool));
  }
  CActor(const CActor&) = delete;
  CActor& operator=(const CActor&) = delete;
  ~CActor() {
    leave();
    dragon_pool_close(pool);
  }
  void leave() {
    dragon_node_leave(node);
    node = nullptr;
  }

  dragon_node_t* node = nullptr;
  dragon_pool_t* pool = nullptr;
};

struct Scene : NodeFixture {
  CActor actor{dir.path()};
  dragon_node_t*& c_node = actor.node;
  dragon_pool_t* c_pool = actor.pool;
};

constexpr auto kMissing = DRAGON_INVALID_ARGUMENT;

}  // namespace

TEST_CASE_FIXTURE(Scene, "a handle is 128 digits, no less and no more [CAB-012]") {
  dragon_handle_t handle;
  dragon_handle_t again;
  char text[2 * DRAGON_HANDLE_BYTES + 2];
  check_ok(dragon_pool_handle(c_pool, &handle));
  dragon_handle_to_text(&handle, text);
  check_ok(dragon_handle_from_text(text, &again));
  CHECK(::memcmp(&handle, &again, sizeof(handle)) == 0);
  for (char& character : text) character = static_cast<char>(::toupper(character));
  check_ok(dragon_handle_from_text(text, &again));
  CHECK(::memcmp(&handle, &again, sizeof(handle)) == 0);
  ::memset(&again, 7, sizeof(again));
  const dragon_handle_t untouched = again;
  const std::string whole = text;
  for (const std::string& wrong :
       {whole + "0", whole.substr(1), whole.substr(0, 126), "g" + whole.substr(1),
        "0g" + whole.substr(2), whole.substr(0, 127) + " "}) {
    CHECK(dragon_handle_from_text(wrong.c_str(), &again) == DRAGON_BAD_HANDLE);
  }
  CHECK(::memcmp(&untouched, &again, sizeof(again)) == 0);
}

TEST_CASE_FIXTURE(Scene, "every call can do without its arguments [CAB-011]") {
  dragon_handle_t handle = {};
  uint32_t number = 9;
  CHECK(dragon_lock_acquire(nullptr, 0) == kMissing);
  CHECK(dragon_lock_release(nullptr) == kMissing);
  CHECK(dragon_lock_holder(nullptr) == 0);
  CHECK(dragon_lock_handle(nullptr, &handle) == kMissing);
  CHECK(dragon_lock_destroy(nullptr) == kMissing);
  dragon_lock_close(nullptr);
  CHECK(dragon_semaphore_acquire(nullptr, 0) == kMissing);
  CHECK(dragon_semaphore_release(nullptr, 1) == kMissing);
  CHECK(dragon_semaphore_wait_zero(nullptr, 0) == kMissing);
  CHECK(dragon_semaphore_value(nullptr) == 0);
  dragon_semaphore_close(nullptr);
  CHECK(dragon_barrier_wait(nullptr, 0, &number) == kMissing);
  CHECK(dragon_barrier_abort(nullptr) == kMissing);
  CHECK(dragon_barrier_reset(nullptr) == kMissing);
  CHECK(dragon_barrier_broken(nullptr) == 0);
  CHECK(dragon_barrier_waiting(nullptr) == 0);
  dragon_barrier_close(nullptr);
  CHECK(dragon_event_set(nullptr) == kMissing);
  CHECK(dragon_event_clear(nullptr) == kMissing);
  CHECK(dragon_event_wait(nullptr, 0) == kMissing);
  CHECK(dragon_event_is_set(nullptr) == 0);
  dragon_event_close(nullptr);
  CHECK(dragon_channel_set_change(nullptr, 1, 1) == kMissing);
  CHECK(dragon_channel_set_remove(nullptr, 1) == kMissing);
  CHECK(dragon_channel_set_poll(nullptr, 0, nullptr) == kMissing);
  dragon_channel_set_close(nullptr);
  dragon_channel_close(nullptr);
  dragon_pool_close(nullptr);
  dragon_node_leave(nullptr);
  dragon_node_t* none = nullptr;
  CHECK(dragon_node_attach("", "c", &none) == kMissing);
  CHECK(dragon_node_attach(nullptr, "c", &none) == kMissing);
  CHECK(none == nullptr);
  CHECK(number == 9);
  dragon_barrier_t* barrier = nullptr;
  check_ok(dragon_barrier_create(c_pool, 2, &barrier));
  CHECK(dragon_barrier_wait(barrier, 0, nullptr) == kMissing);
  CHECK(dragon_barrier_wait(barrier, 2, &number) == DRAGON_TIMEOUT);
  CHECK(number == 9);
  dragon_barrier_close(barrier);
  dragon_channel_t* channel = nullptr;
  check_ok(dragon_channel_create(c_pool, nullptr, &channel));
  CHECK(dragon_channel_send_parts(channel, nullptr, 1, 0, 0) == kMissing);
  const dragon_part_t part = {nullptr, 1};
  CHECK(dragon_channel_send_parts(channel, &part, 1, 0, 0) == kMissing);
  const std::string text = "x";
  const std::vector<dragon_part_t> parts(1025, dragon_part_t{text.data(), 1});
  check_ok(dragon_channel_send_parts(channel, parts.data(), 1024, 0, 0));
  CHECK(dragon_channel_send_parts(channel, parts.data(), 1025, 0, 0) == kMissing);
  CHECK(dragon_channel_message_count(channel) == 1);
  dragon_channel_close(channel);
}

TEST_CASE_FIXTURE(Scene, "who asks before the services are up waits for them [CAB-023]") {
  dragon_handle_t published;
  check_ok(dragon_pool_handle(c_pool, &published));
  std::thread services([&] {
    ::usleep(20'000);
    check_ok(node->segment().set_well_known(DRAGON_WELL_KNOWN_DEFAULT_POOL, published.bytes));
  });
  dragon_handle_t found;
  check_ok(dragon_node_well_known(c_node, DRAGON_WELL_KNOWN_DEFAULT_POOL, &found));
  services.join();
  CHECK(::memcmp(found.bytes, published.bytes, sizeof(found.bytes)) == 0);
  CHECK(dragon_node_well_known(c_node, 4, &found) == DRAGON_NOT_FOUND);
}

TEST_CASE_FIXTURE(Scene, "a negative deadline waits for ever, 0 tries once [CAB-013]") {
  dragon_event_t* event = nullptr;
  check_ok(dragon_event_create(c_pool, 0, &event));
  CHECK(dragon_event_wait(event, 0) == DRAGON_WOULD_BLOCK);
  CHECK(dragon_event_wait(event, 3) == DRAGON_TIMEOUT);
  dragon_handle_t handle;
  check_ok(dragon_event_handle(event, &handle));
  std::thread setter([&] {
    CActor other(dir.path());
    dragon_event_t* its = nullptr;
    check_ok(dragon_event_attach(other.node, &handle, &its));
    ::usleep(30'000);
    check_ok(dragon_event_set(its));
    dragon_event_close(its);
  });
  check_ok(dragon_event_wait(event, -1));
  setter.join();
  CHECK(dragon_event_is_set(event) == 1);
  dragon_event_close(event);
  check_ok(dragon_event_create(c_pool, 5, &event));
  CHECK(dragon_event_is_set(event) == 1);
  dragon_event_close(event);
}

TEST_CASE_FIXTURE(Scene, "objects are made as they were asked for [CAB-013]") {
  dragon_semaphore_t* semaphore = nullptr;
  check_ok(dragon_semaphore_create(c_pool, 2, 3, &semaphore));
  CHECK(dragon_semaphore_value(semaphore) == 2);
  check_ok(dragon_semaphore_release(semaphore, 1));
  CHECK(dragon_semaphore_release(semaphore, 1) == DRAGON_STATE);
  dragon_semaphore_close(semaphore);
  for (const int robust : {0, 1}) {
    dragon_lock_t* lock = nullptr;
    dragon_handle_t handle;
    check_ok(dragon_lock_create(c_pool, robust, &lock));
    check_ok(dragon_lock_handle(lock, &handle));
    // An actor that ends with the lock in its hands.
    const auto other = attach();
    std::unique_ptr<dragon::LockObject> its;
    dragon::RecordId adopted = 0;
    check_ok(
        dragon::LockObject::attach(other, handle.bytes, sizeof(handle.bytes), false, adopted, its));
    check_ok(its->try_acquire());
    const dragon::ActorId holder = other->me().id;
    CHECK(dragon_lock_holder(lock) == holder);
    other->close();
    const dragon_status_t acquired = dragon_lock_acquire(lock, 30);
    CHECK(acquired == (robust != 0 ? DRAGON_OWNER_DIED : DRAGON_TIMEOUT));
    dragon::ReclaimReport report;
    check_ok(dragon::reclaim(node, holder, report));
    check_ok(dragon_lock_destroy(lock));
    dragon_lock_close(lock);
  }
}

TEST_CASE_FIXTURE(Scene, "many messages need as many blocks [CAB-013]") {
  dragon_channel_t* channel = nullptr;
  dragon_channel_options_t options = DRAGON_CHANNEL_OPTIONS;
  options.capacity = 2;
  check_ok(dragon_channel_create(c_pool, &options, &channel));
  const dragon_part_t parts[3] = {{"a", 1}, {"b", 1}, {"c", 1}};
  size_t count = 0;
  check_ok(dragon_channel_send_many(channel, parts, 3, 0, &count));
  CHECK(count == 2);
  char buffer[3 * 192];
  dragon_message_t messages[3];
  CHECK(dragon_channel_receive_many(channel, buffer, 2 * 192 - 1, messages, 2, 0, &count) ==
        DRAGON_BUFFER_TOO_SHORT);
  CHECK(count == 2);
  CHECK(dragon_channel_message_count(channel) == 2);
  check_ok(dragon_channel_receive_many(channel, buffer, sizeof(buffer), messages, 3, 0, &count));
  CHECK(count == 2);
  CHECK(dragon_channel_receive_many(channel, buffer, sizeof(buffer), messages, 3, 0, &count) ==
        DRAGON_EMPTY);
  CHECK(count == 2);
  dragon_channel_close(channel);
}

TEST_CASE_FIXTURE(Scene, "a set watches channels of its own node [CAB-013]") {
  CActor other(dir.path());
  dragon_channel_set_t* set = nullptr;
  check_ok(dragon_channel_set_create(c_node, &set));
  dragon_channel_t* foreign = nullptr;
  check_ok(dragon_channel_create(other.pool, nullptr, &foreign));
  uint32_t member = 9;
  CHECK(dragon_channel_set_add(set, foreign, DRAGON_SET_IN, &member) == kMissing);
  CHECK(member == 9);
  dragon_channel_t* channel = nullptr;
  check_ok(dragon_channel_create(c_pool, nullptr, &channel));
  check_ok(dragon_channel_set_add(set, channel, DRAGON_SET_OUT, &member));
  dragon_ready_t ready;
  check_ok(dragon_channel_set_poll(set, 0, &ready));
  CHECK(ready.member == member);
  CHECK(ready.events == DRAGON_SET_OUT);
  dragon_channel_set_close(set);
  dragon_channel_close(channel);
  dragon_channel_close(foreign);
}

TEST_CASE_FIXTURE(Scene, "structs of another length keep what they have no field for [CAB-004]") {
  dragon_pool_stats_t stats;
  ::memset(&stats, 0xff, sizeof(stats));
  stats.size = offsetof(dragon_pool_stats_t, used_bytes);
  check_ok(dragon_pool_stats(c_pool, &stats));
  CHECK(stats.size == offsetof(dragon_pool_stats_t, used_bytes));
  CHECK(stats.committed_bytes > 0);
  CHECK(stats.committed_bytes != UINT64_MAX);
  CHECK(stats.used_bytes == UINT64_MAX);
  struct {
    dragon_channel_options_t known = DRAGON_CHANNEL_OPTIONS;
    uint64_t unknown = 5;
  } later;
  later.known.size = sizeof(later);
  later.known.capacity = 3;
  later.known.block_bytes = 64;
  dragon_channel_t* channel = nullptr;
  check_ok(dragon_channel_create(c_pool, &later.known, &channel));
  CHECK(dragon_channel_capacity(channel) == 3);
  CHECK(dragon_channel_block_bytes(channel) == 64);
  dragon_channel_close(channel);
  dragon_channel_options_t older = DRAGON_CHANNEL_OPTIONS;
  older.size = offsetof(dragon_channel_options_t, block_bytes);
  older.capacity = 3;
  older.block_bytes = 4096;
  check_ok(dragon_channel_create(c_pool, &older, &channel));
  CHECK(dragon_channel_capacity(channel) == 3);
  CHECK(dragon_channel_block_bytes(channel) == 192);
  dragon_channel_close(channel);
}

TEST_CASE_FIXTURE(Scene, "who has left gets CLOSED and can close what it had open [CAB-014]") {
  const uint64_t before = pool->stats().used_bytes;
  dragon_handle_t shared;
  pool->serialize(shared.bytes);
  dragon_pool_t* same = nullptr;
  check_ok(dragon_pool_attach(c_node, &shared, &same));
  dragon_event_t* event = nullptr;
  dragon_lock_t* lock = nullptr;
  dragon_barrier_t* barrier = nullptr;
  dragon_semaphore_t* semaphore = nullptr;
  check_ok(dragon_event_create(same, 1, &event));
  check_ok(dragon_lock_create(same, 1, &lock));
  check_ok(dragon_lock_acquire(lock, 0));
  check_ok(dragon_barrier_create(same, 2, &barrier));
  check_ok(dragon_semaphore_create(same, 1, 0, &semaphore));
  dragon_allocation_t memory;
  check_ok(dragon_allocate(same, 100, 0, &memory));
  const dragon::ActorId actor_id = dragon_node_actor(c_node);
  actor.leave();
  CHECK_FALSE(node->actors().alive(actor_id));
  CHECK(pool->stats().used_bytes == before);
  CHECK(dragon_event_set(event) == DRAGON_CLOSED);
  CHECK(dragon_event_is_set(event) == 0);
  CHECK(dragon_lock_release(lock) == DRAGON_CLOSED);
  CHECK(dragon_lock_holder(lock) == 0);
  CHECK(dragon_barrier_reset(barrier) == DRAGON_CLOSED);
  CHECK(dragon_barrier_waiting(barrier) == 0);
  CHECK(dragon_semaphore_release(semaphore, 1) == DRAGON_CLOSED);
  CHECK(dragon_semaphore_value(semaphore) == 0);
  dragon_event_close(event);
  dragon_lock_close(lock);
  dragon_barrier_close(barrier);
  dragon_semaphore_close(semaphore);
  dragon_pool_close(same);
}
