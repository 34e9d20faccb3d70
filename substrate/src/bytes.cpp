// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/substrate/bytes.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/record.hpp>
#include <string>

namespace lamellar {

void byte_reader::throw_truncated(std::size_t wanted) const {
  throw corrupt_message{"the record is cut off: " + std::to_string(wanted) +
                        " more bytes wanted at byte " + std::to_string(used_) + " of " +
                        std::to_string(size_)};
}

void byte_reader::throw_impossible_length(std::uint64_t count, std::size_t element_size) const {
  throw corrupt_message{"the record announces " + std::to_string(count) +
                        " elements of at least " + std::to_string(element_size) +
                        " bytes at byte " + std::to_string(used_) + " of " +
                        std::to_string(size_)};
}

void byte_reader::throw_surplus() const {
  throw corrupt_message{"the record goes on for " + std::to_string(left()) +
                        " bytes after its last argument, " + "which ends at byte " +
                        std::to_string(used_) + " of " + std::to_string(size_)};
}

void detail::throw_wrong_size(std::size_t got, std::size_t expected) {
  throw corrupt_message{"the record has " + std::to_string(got) +
                        " bytes, its arguments take " + std::to_string(expected)};
}

void detail::throw_misaligned(std::size_t alignment) {
  throw corrupt_message{"the record does not begin at a multiple of " +
                        std::to_string(alignment) + " bytes, as its spans need"};
}

}  // namespace lamellar
