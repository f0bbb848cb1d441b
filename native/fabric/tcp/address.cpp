#include "fabric/tcp/address.h"

#include <arpa/inet.h>
#include <string.h>

#include <charconv>

namespace dragon::fabric {

Status parse_address(const std::string& text, SocketAddress& out) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return DRAGON_INVALID_ARGUMENT;
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc() || rest != end) return DRAGON_INVALID_ARGUMENT;
  out = SocketAddress{};
  if (text[0] == '[') {
    if (colon < 2 || text[colon - 1] != ']') return DRAGON_INVALID_ARGUMENT;
    auto* six = reinterpret_cast<sockaddr_in6*>(&out.storage);
    six->sin6_family = AF_INET6;
    six->sin6_port = ::htons(port);
    out.length = sizeof(*six);
    const std::string host = text.substr(1, colon - 2);
    return ::inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1 ? DRAGON_SUCCESS
                                                                     : DRAGON_INVALID_ARGUMENT;
  }
  auto* four = reinterpret_cast<sockaddr_in*>(&out.storage);
  four->sin_family = AF_INET;
  four->sin_port = ::htons(port);
  out.length = sizeof(*four);
  const std::string host = text.substr(0, colon);
  return ::inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1 ? DRAGON_SUCCESS
                                                                  : DRAGON_INVALID_ARGUMENT;
}

std::string format_address(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.family() == AF_INET6) {
    const auto* six = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    ::inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
    return "[" + std::string(text) + "]:" + std::to_string(::ntohs(six->sin6_port));
  }
  const auto* four = reinterpret_cast<const sockaddr_in*>(&address.storage);
  ::inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
  return std::string(text) + ":" + std::to_string(::ntohs(four->sin_port));
}

}  // namespace dragon::fabric
