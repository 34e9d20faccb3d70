// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>

// Looks for addresses of this process among bytes that are about to leave it. The compiler
// cannot look into a closure; the memory map of the process can tell which words of it point
// into the executable, a library, the heap or a stack. Linux only, slow (the map is read each
// time that a word might be an address), meant for checked builds.
//
// Words below 2^32 are taken for numbers: executables and heaps of position-independent
// programs lie higher. Any thread may call this.

namespace lamellar::detail {

/// A word that is an address.
struct found_address {
  std::size_t offset;  // of the word, in bytes
  std::uint64_t value;
  std::string points_to;  // "the heap", "the stack", "the executable", a library's path ...
};

/// Return the first aligned 8-byte word of `bytes` that is an address of mapped memory in this
/// process, if any is. Requires: bytes.data() is aligned to 8 if the object with these bytes
/// is.
[[nodiscard]] std::optional<found_address> find_address(std::span<const std::byte> bytes);

/// End the process with a message if `bytes`, a closure made at `where`, hold an address.
void end_if_address_travels(std::span<const std::byte> bytes, std::string_view closure,
                            std::source_location where);

}  // namespace lamellar::detail
