/* Adds to a number that other processes share, and reports over a channel.
 *
 *     NUMBER=HANDLE LOCK=HANDLE REPORTS=HANDLE count ROUNDS
 *
 * The runtime directory is in DRAGON_RUNTIME_DIR, as in every process that was started under
 * dragon.
 */
#include <dragon/dragon.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(dragon_status_t status, const char* what) {
  if (status == DRAGON_SUCCESS) return;
  fprintf(stderr, "count: %s: status %d\n", what, (int)status);
  exit(1);
}

static dragon_handle_t handle_from(const char* variable) {
  dragon_handle_t handle;
  const char* text = getenv(variable);
  check(dragon_handle_from_text(text == NULL ? "" : text, &handle), variable);
  return handle;
}

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
  dragon_node_t* node = NULL;
  check(dragon_node_attach(getenv("DRAGON_RUNTIME_DIR"), "count", &node), "attach");

  const dragon_handle_t number_handle = handle_from("NUMBER");
  const dragon_handle_t lock_handle = handle_from("LOCK");
  const dragon_handle_t reports_handle = handle_from("REPORTS");
  dragon_pool_t* pool = NULL;
  dragon_allocation_t number;
  dragon_lock_t* lock = NULL;
  dragon_channel_t* reports = NULL;
  check(dragon_allocation_attach(node, &number_handle, &pool, &number), "the number");
  check(dragon_lock_attach(node, &lock_handle, &lock), "the lock");
  check(dragon_channel_attach(node, &reports_handle, &reports), "the reports");

  for (long round = 0; round < rounds; ++round) {
    uint64_t value;
    check(dragon_lock_acquire(lock, 10000), "acquire");
    memcpy(&value, number.data, sizeof(value));
    ++value;
    memcpy(number.data, &value, sizeof(value));
    check(dragon_lock_release(lock), "release");
  }

  char report[64];
  const int length = snprintf(report, sizeof(report), "C added %ld", rounds);
  check(dragon_channel_send(reports, report, (uint64_t)length, 0, 10000), "send");

  dragon_channel_close(reports);
  dragon_lock_close(lock);
  dragon_pool_close(pool);
  dragon_node_leave(node);
  return 0;
}
