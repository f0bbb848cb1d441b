/* What all headers of the C interface share.
 *
 * The interface is versioned: within one major version calls and fields are only added, each
 * struct that grows says its size first, and opaque types are reached by calls alone.
 *
 * Every call that can fail returns a dragon_status_t and changes its results only on success.
 * INVALID_ARGUMENT is returned for a missing argument by every call that returns a status, and is
 * not listed again. Where SYSTEM, OUT_OF_MEMORY or RUNTIME_GONE came from a system call, errno
 * says more. Calls that take an opaque pointer without returning a status do nothing, or return 0,
 * for NULL.
 *
 * Threads: a node and all that was opened through it are used by one thread at a time.
 */
#ifndef DRAGON_ABI_H
#define DRAGON_ABI_H

#include <stddef.h>
#include <stdint.h>

#include "dragon/errors.h"

#define DRAGON_API __attribute__((visibility("default")))

/* major << 16 | minor of these headers. */
#define DRAGON_ABI_VERSION 0x00010002u

/* The release that these headers belong to. */
#define DRAGON_VERSION "0.1.0"

#define DRAGON_HANDLE_BYTES 64

/* Deadlines are milliseconds from now for the whole call. With DRAGON_ONCE a call tries once and
 * returns the condition that it would wait for; any negative number is DRAGON_FOREVER. */
#define DRAGON_ONCE 0
#define DRAGON_FOREVER (-1)

#ifdef __cplusplus
extern "C" {
#endif

/* The serialized name of an object, good in every process of the node. Copy it as bytes. */
typedef struct dragon_handle {
  uint8_t bytes[DRAGON_HANDLE_BYTES];
} dragon_handle_t;

/* The version of the library, to be compared with DRAGON_ABI_VERSION: the major part must be
 * equal, the minor part not smaller. */
DRAGON_API uint32_t dragon_abi_version(void);

/* The release that the library belongs to, as DRAGON_VERSION; never NULL. */
DRAGON_API const char* dragon_version(void);

/* Writes the handle as hexadecimal digits, for arguments and environments; `out` has room for
 * 2 * DRAGON_HANDLE_BYTES + 1 characters. */
DRAGON_API void dragon_handle_to_text(const dragon_handle_t* handle, char* out);

/* Reads what dragon_handle_to_text has written, or the same digits in capitals. BAD_HANDLE. */
DRAGON_API dragon_status_t dragon_handle_from_text(const char* text, dragon_handle_t* out);

#ifdef __cplusplus
}
#endif

#endif
