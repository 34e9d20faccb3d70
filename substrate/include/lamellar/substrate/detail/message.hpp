// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>

// What a buffer holds: runs, back to back, each starting at a multiple of 8. A run is one
// header and `count` like records behind it. The only layout that both ends must agree on.
//
//   fixed records     record_bytes each, packed
//   variable records  each a u64 length, the bytes, padding to a multiple of 8
namespace lamellar::detail {

struct run_header {
  std::uint16_t handler;
  std::uint16_t record_bytes;  ///< or variable_record
  std::uint32_t count;
  std::uint32_t object;  ///< 0: addressed to the PE itself
  std::uint32_t extra;   ///< calls and answers: the first record's ticket; the rest count up
};
static_assert(sizeof(run_header) == 16);

inline constexpr std::uint16_t variable_record = 0xffff;
/// What fits behind its header into the smallest buffer that a lamella may have, 2 KiB with the
/// lamella's own header. Larger records have a length and may travel in pieces.
inline constexpr std::size_t largest_fixed_record = 2048 - 16 - sizeof(run_header);
/// Records without bytes in one run, which then ends its buffer: their number is all that
/// bounds the work that a buffer brings.
inline constexpr std::uint32_t most_empty_records = 1u << 12;

/// Handler numbers that mean answers; the handlers of programs start behind them.
inline constexpr std::uint16_t answer_value = 0;    ///< fixed records: the result
inline constexpr std::uint16_t answer_bytes = 1;    ///< variable records: the encoded result
inline constexpr std::uint16_t answer_error = 2;    ///< variable records: what was thrown
inline constexpr std::uint16_t answer_handles = 3;  ///< as answer_bytes, with a list of handles
inline constexpr std::uint16_t first_handler = 4;

/// Flag of a posted buffer: a piece of a message larger than a buffer.
inline constexpr std::uint16_t fragment_flag = 1;

/// Opens each piece of a large message.
struct fragment_header {
  std::uint64_t message;  ///< number, counted by the sender
  std::uint64_t total;    ///< bytes of the whole message
  std::uint64_t offset;   ///< where this piece belongs
};

/// Flag of a posted buffer: it tells where a large message can be fetched from.
inline constexpr std::uint16_t offer_flag = 2;

struct message_offer {
  run_header first;      ///< as it stands in the message too
  std::uint64_t number;  ///< counted by the sender
  std::uint64_t bytes;
  lamellae::remote_memory where;
  std::uint64_t offset;
};

constexpr std::size_t round_up_8(std::size_t n) { return (n + 7) & ~std::size_t{7}; }
constexpr std::size_t variable_bytes(std::size_t payload) { return 8 + round_up_8(payload); }

}  // namespace lamellar::detail
