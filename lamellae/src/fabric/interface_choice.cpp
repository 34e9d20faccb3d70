// SPDX-License-Identifier: BSD-3-Clause
#include "interface_choice.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>

namespace lamellar::lamellae {
namespace {

/// Where the bytes of an IP address lie; nullptr: it is none.
const std::uint8_t* bytes_of(const sockaddr& address) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(&address);
  if (address.sa_family == AF_INET) return begin + offsetof(sockaddr_in, sin_addr);
  if (address.sa_family == AF_INET6) return begin + offsetof(sockaddr_in6, sin6_addr);
  return nullptr;
}

}  // namespace

std::optional<interface_choice> interface_choice::read(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address{text.substr(0, slash)};
  interface_choice result;
  if (inet_pton(AF_INET, address.c_str(), result.bytes_.data()) == 1) {
    result.prefix_bits_ = 32;
  } else if (inet_pton(AF_INET6, address.c_str(), result.bytes_.data()) == 1) {
    result.version_6_ = true;
    result.prefix_bits_ = 128;
  } else {
    return std::nullopt;
  }
  if (slash == std::string_view::npos) return result;
  const std::string_view length = text.substr(slash + 1);
  std::size_t bits = 0;
  const auto [end, wrong] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (wrong != std::errc{} || end != length.data() + length.size() ||
      bits > result.prefix_bits_) {
    return std::nullopt;
  }
  result.prefix_bits_ = bits;
  return result;
}

bool interface_choice::contains(const sockaddr& address) const {
  if (address.sa_family != (version_6_ ? AF_INET6 : AF_INET)) return false;
  const std::uint8_t* const other = bytes_of(address);
  const std::size_t whole = prefix_bits_ / 8;
  if (std::memcmp(bytes_.data(), other, whole) != 0) return false;
  const std::size_t rest = prefix_bits_ % 8;
  return rest == 0 || ((bytes_[whole] ^ other[whole]) >> (8 - rest)) == 0;
}

std::string text_of(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = {};
  const std::uint8_t* const bytes = bytes_of(address);
  if (bytes == nullptr) return {};
  inet_ntop(address.sa_family, bytes, text, sizeof text);
  return text;
}

}  // namespace lamellar::lamellae
