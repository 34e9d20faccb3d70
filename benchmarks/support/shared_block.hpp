// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

// Memory that two PEs of one host share without help of the library, so that a benchmark can
// measure what bare loads and stores do between the very two PEs whose messages it measures, on
// their cores and in the same run. One PE makes a block, sends its ticket to the other, and
// keeps it until the other has opened it.
//
// Thread-safety: a block belongs to one thread; what lies in it is the user's affair.
// Invariant: the memory is anonymous and goes when the last block of it does; nothing is left
// behind.

namespace lamellar::benchmark {

/// How another process of the same user finds a block: travels as a plain value.
struct block_ticket {
  std::int32_t process = 0;
  std::int32_t descriptor = -1;
  std::uint64_t bytes = 0;
};

class shared_block {
 public:
  /// Make a block of zeroes. Throws: std::system_error.
  explicit shared_block(std::uint64_t bytes);
  /// Open the block of a ticket, of this process or another. Throws: std::system_error.
  explicit shared_block(const block_ticket& ticket);
  ~shared_block();
  shared_block(const shared_block&) = delete;
  shared_block& operator=(const shared_block&) = delete;

  block_ticket ticket() const;

  /// View the start of the block as an array of T, whose all-zero bytes must be a valid T.
  template <class T>
  T* as() const {
    return static_cast<T*>(begin_);
  }

 private:
  void map();

  int descriptor_ = -1;
  std::uint64_t bytes_ = 0;
  void* begin_ = nullptr;
};

}  // namespace lamellar::benchmark
