// Views.
#include "memory/memory_view.h"

#include "c/objects.h"

namespace c = dragon::c;

struct dragon_view {
  dragon::MemoryView view;
};

static_assert(DRAGON_REST == dragon::kRestOfView);

dragon_status_t dragon_view_allocate(dragon_pool_t* pool, uint64_t bytes, int64_t timeout_ms,
                                     dragon_view_t** out) {
  if (pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::MemoryView view;
  const dragon_status_t status = dragon::MemoryView::allocate(
      pool->pool, bytes, dragon::AllocationType::kData, 0, c::deadline_of(timeout_ms), view);
  return c::hand_over(status, std::move(view), out);
}

dragon_status_t dragon_view_open(dragon_pool_t* pool, uint64_t allocation, dragon_view_t** out) {
  if (pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::MemoryView view;
  const dragon_status_t status = dragon::MemoryView::of(pool->pool, allocation, view);
  return c::hand_over(status, std::move(view), out);
}

dragon_status_t dragon_view_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                   dragon_view_t** out) {
  if (node == nullptr || handle == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::MemoryView view;
  const dragon_status_t status =
      dragon::MemoryView::attach(node->node, handle->bytes, sizeof(handle->bytes), view);
  return c::hand_over(status, std::move(view), out);
}

dragon_status_t dragon_view_handle(const dragon_view_t* view, dragon_handle_t* out) {
  if (view == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  view->view.serialize(out->bytes);
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_view_clone(const dragon_view_t* view, uint64_t offset, uint64_t bytes,
                                  dragon_view_t** out) {
  if (view == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::MemoryView part;
  const dragon_status_t status = view->view.clone(offset, bytes, part);
  return c::hand_over(status, std::move(part), out);
}

void dragon_view_close(dragon_view_t* view) {
  delete view;
}

dragon_status_t dragon_view_free(dragon_view_t* view) {
  return view == nullptr ? DRAGON_INVALID_ARGUMENT : view->view.free();
}

dragon_status_t dragon_view_resize(dragon_view_t* view, uint64_t bytes) {
  return view == nullptr ? DRAGON_INVALID_ARGUMENT : view->view.resize(bytes);
}

dragon_status_t dragon_view_data(const dragon_view_t* view, void** out) {
  if (view == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  uint8_t* data = nullptr;
  const dragon_status_t status = view->view.data(data);
  if (status == DRAGON_SUCCESS) *out = data;
  return status;
}

uint64_t dragon_view_bytes(const dragon_view_t* view) {
  return view == nullptr ? 0 : view->view.bytes();
}

uint64_t dragon_view_offset(const dragon_view_t* view) {
  return view == nullptr ? 0 : view->view.offset();
}

uint64_t dragon_view_allocation(const dragon_view_t* view) {
  return view == nullptr ? 0 : view->view.id();
}

int dragon_view_same(const dragon_view_t* view, const dragon_view_t* other) {
  return view != nullptr && other != nullptr && view->view.same(other->view) ? 1 : 0;
}

dragon_status_t dragon_view_equal(const dragon_view_t* view, const dragon_view_t* other, int* out) {
  if (view == nullptr || other == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  bool equal = false;
  const dragon_status_t status = view->view.equal(other->view, equal);
  if (status == DRAGON_SUCCESS) *out = equal ? 1 : 0;
  return status;
}

dragon_status_t dragon_view_hash(const dragon_view_t* view, uint64_t* out) {
  if (view == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  uint64_t hash = 0;
  const dragon_status_t status = view->view.hash(hash);
  if (status == DRAGON_SUCCESS) *out = hash;
  return status;
}

dragon_status_t dragon_view_copy(const dragon_view_t* view, const dragon_view_t* to) {
  if (view == nullptr || to == nullptr) return DRAGON_INVALID_ARGUMENT;
  return view->view.copy_to(to->view);
}

dragon_status_t dragon_view_copy_new(const dragon_view_t* view, dragon_pool_t* pool,
                                     int64_t timeout_ms, dragon_view_t** out) {
  if (view == nullptr || pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::MemoryView copy;
  const dragon_status_t status = view->view.copy_to(pool->pool, c::deadline_of(timeout_ms), copy);
  return c::hand_over(status, std::move(copy), out);
}

dragon_status_t dragon_view_clear(const dragon_view_t* view, uint64_t start, uint64_t stop) {
  return view == nullptr ? DRAGON_INVALID_ARGUMENT : view->view.clear(start, stop);
}
