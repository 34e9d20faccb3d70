// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

// Which network interfaces a user means by 10.0.0.7, 10.0.0.0/24 or their like of IP version 6.
// Constant once read.
namespace lamellar::lamellae {

class interface_choice {
 public:
  /// Nothing where `text` is neither an address nor one with the length of its prefix.
  static std::optional<interface_choice> read(std::string_view text);

  bool contains(const sockaddr& address) const;

 private:
  bool version_6_ = false;
  std::size_t prefix_bits_ = 0;
  std::array<std::uint8_t, 16> bytes_{};  // the first 4 for version 4
};

/// As people write it, such as 10.0.0.7; empty: this is no IP address.
std::string text_of(const sockaddr& address);

}  // namespace lamellar::lamellae
