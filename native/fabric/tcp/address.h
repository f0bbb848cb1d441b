// Addresses of listeners, as "10.0.0.7:4711" or "[fe80::1]:4711".
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "sync/status.h"

namespace dragon::fabric {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// INVALID_ARGUMENT for anything else; names are not looked up.
Status parse_address(const std::string& text, SocketAddress& out);
std::string format_address(const SocketAddress& address);

}  // namespace dragon::fabric
