/* The status codes of the native core, generated from spec/errors.yaml.
 *
 * Do not edit: change the YAML file and run `node ci/generate.mjs`. The values are part of
 * the wire and shared-memory formats; they are only ever appended.
 */
#ifndef DRAGON_ERRORS_H
#define DRAGON_ERRORS_H

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
typedef enum dragon_status {
  /* success */
  DRAGON_SUCCESS = 0,
  /* an argument is out of range or of the wrong kind */
  DRAGON_INVALID_ARGUMENT = 1,
  /* the deadline passed before the operation could finish */
  DRAGON_TIMEOUT = 2,
  /* the operation can't finish now */
  DRAGON_WOULD_BLOCK = 3,
  /* the channel is full */
  DRAGON_FULL = 4,
  /* the channel is empty */
  DRAGON_EMPTY = 5,
  /* the object was destroyed */
  DRAGON_OBJECT_DESTROYED = 6,
  /* the handle is closed */
  DRAGON_CLOSED = 7,
  /* every writer has closed and nothing is left to read */
  DRAGON_EOF = 8,
  /* every reader has closed */
  DRAGON_BROKEN_PIPE = 9,
  /* the pool can't hold this allocation */
  DRAGON_OUT_OF_MEMORY = 10,
  /* the request is larger than the pool's limit and can never fit */
  DRAGON_TOO_LARGE = 11,
  /* the holder of the lock died; what the lock protects may be inconsistent */
  DRAGON_OWNER_DIED = 12,
  /* the lock is not held */
  DRAGON_NOT_OWNER = 13,
  /* the serialized handle is damaged, of another version, or of another kind */
  DRAGON_BAD_HANDLE = 14,
  /* the handle belongs to another node or runtime */
  DRAGON_WRONG_NODE = 15,
  /* this process was not started by a runtime */
  DRAGON_NO_RUNTIME = 16,
  /* the runtime does not answer */
  DRAGON_RUNTIME_GONE = 17,
  /* the native part is not built */
  DRAGON_NATIVE_MISSING = 18,
  /* a system call failed */
  DRAGON_SYSTEM = 19,
  /* the node's actor table is full */
  DRAGON_TOO_MANY_ACTORS = 20,
  /* the node's record area is full */
  DRAGON_TOO_MANY_RECORDS = 21,
  /* a control message is malformed or of unknown type */
  DRAGON_INVALID_MESSAGE = 22,
  /* no such object */
  DRAGON_NOT_FOUND = 23,
  /* an object of this name exists */
  DRAGON_EXISTS = 24,
  /* the queue is empty */
  DRAGON_QUEUE_EMPTY = 25,
  /* the queue is full */
  DRAGON_QUEUE_FULL = 26,
  /* the message is longer than the buffer */
  DRAGON_BUFFER_TOO_SHORT = 27,
  /* the value can't be serialized */
  DRAGON_ENCODE = 28,
  /* the bytes are not an encoded value */
  DRAGON_DECODE = 29,
  /* an error of a class unknown here was thrown in another process */
  DRAGON_REMOTE = 30,
  /* a process could not be started or failed */
  DRAGON_PROCESS = 31,
  /* the target function can't be found in its module */
  DRAGON_TARGET_NOT_FOUND = 32,
  /* the process ended before its top-level await settled */
  DRAGON_UNSETTLED = 33,
  /* a pool worker died while it ran the task */
  DRAGON_WORKER_DIED = 34,
  /* the operation is not supported here */
  DRAGON_NOT_SUPPORTED = 35,
  /* the barrier is broken */
  DRAGON_BARRIER_BROKEN = 36,
  /* authentication failed */
  DRAGON_AUTH = 37,
  /* the container changed during iteration */
  DRAGON_MODIFIED = 38,
  /* the call is not legal in the object's state */
  DRAGON_STATE = 39,
  /* a segment has another layout version or a damaged header */
  DRAGON_LAYOUT = 40,
  /* the program can't be loaded */
  DRAGON_PROGRAM = 41,
  /* the node has left the run, or does not answer */
  DRAGON_NODE_GONE = 42,
  /* this node's transport agent has ended; whether the call took place is unknown */
  DRAGON_AGENT_GONE = 43,
  /* too many descriptors that this process sent were not taken yet */
  DRAGON_TOO_MANY_DESCRIPTORS = 44,
} dragon_status_t;

enum { DRAGON_STATUS_COUNT = 45 };

/* The constant's name without its prefix; "UNKNOWN" for a number outside the table. */
static inline const char* dragon_status_name(dragon_status_t status) {
  static const char* const names[] = {
      "SUCCESS",
      "INVALID_ARGUMENT",
      "TIMEOUT",
      "WOULD_BLOCK",
      "FULL",
      "EMPTY",
      "OBJECT_DESTROYED",
      "CLOSED",
      "EOF",
      "BROKEN_PIPE",
      "OUT_OF_MEMORY",
      "TOO_LARGE",
      "OWNER_DIED",
      "NOT_OWNER",
      "BAD_HANDLE",
      "WRONG_NODE",
      "NO_RUNTIME",
      "RUNTIME_GONE",
      "NATIVE_MISSING",
      "SYSTEM",
      "TOO_MANY_ACTORS",
      "TOO_MANY_RECORDS",
      "INVALID_MESSAGE",
      "NOT_FOUND",
      "EXISTS",
      "QUEUE_EMPTY",
      "QUEUE_FULL",
      "BUFFER_TOO_SHORT",
      "ENCODE",
      "DECODE",
      "REMOTE",
      "PROCESS",
      "TARGET_NOT_FOUND",
      "UNSETTLED",
      "WORKER_DIED",
      "NOT_SUPPORTED",
      "BARRIER_BROKEN",
      "AUTH",
      "MODIFIED",
      "STATE",
      "LAYOUT",
      "PROGRAM",
      "NODE_GONE",
      "AGENT_GONE",
      "TOO_MANY_DESCRIPTORS",
  };
  const unsigned index = (unsigned)status;
  return index < (unsigned)DRAGON_STATUS_COUNT ? names[index] : "UNKNOWN";
}

/* What happened, as the start of a message. */
static inline const char* dragon_status_text(dragon_status_t status) {
  static const char* const texts[] = {
      "success",
      "an argument is out of range or of the wrong kind",
      "the deadline passed before the operation could finish",
      "the operation can't finish now",
      "the channel is full",
      "the channel is empty",
      "the object was destroyed",
      "the handle is closed",
      "every writer has closed and nothing is left to read",
      "every reader has closed",
      "the pool can't hold this allocation",
      "the request is larger than the pool's limit and can never fit",
      "the holder of the lock died; what the lock protects may be inconsistent",
      "the lock is not held",
      "the serialized handle is damaged, of another version, or of another kind",
      "the handle belongs to another node or runtime",
      "this process was not started by a runtime",
      "the runtime does not answer",
      "the native part is not built",
      "a system call failed",
      "the node's actor table is full",
      "the node's record area is full",
      "a control message is malformed or of unknown type",
      "no such object",
      "an object of this name exists",
      "the queue is empty",
      "the queue is full",
      "the message is longer than the buffer",
      "the value can't be serialized",
      "the bytes are not an encoded value",
      "an error of a class unknown here was thrown in another process",
      "a process could not be started or failed",
      "the target function can't be found in its module",
      "the process ended before its top-level await settled",
      "a pool worker died while it ran the task",
      "the operation is not supported here",
      "the barrier is broken",
      "authentication failed",
      "the container changed during iteration",
      "the call is not legal in the object's state",
      "a segment has another layout version or a damaged header",
      "the program can't be loaded",
      "the node has left the run, or does not answer",
      "this node's transport agent has ended; whether the call took place is unknown",
      "too many descriptors that this process sent were not taken yet",
  };
  const unsigned index = (unsigned)status;
  return index < (unsigned)DRAGON_STATUS_COUNT ? texts[index] : "unknown status";
}
/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif /* DRAGON_ERRORS_H */
