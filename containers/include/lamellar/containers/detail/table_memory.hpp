// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

// Memory of the hash tables of one part. They are read at random places, so that they want huge
// pages; but each is small, and a huge page for each would be a waste. So they share chunks of
// whole huge pages, from which they take ranges and to which they give them back when they
// move. Small tables are taken from the heap, very large ones have pages of their own.
//
// Thread-safety: any.
namespace lamellar::detail {

class table_memory {
 public:
  table_memory() = default;
  table_memory(const table_memory&) = delete;
  table_memory& operator=(const table_memory&) = delete;
  ~table_memory();

  /// Memory for one table, aligned to a cache line. Throws: std::bad_alloc.
  void* take(std::size_t bytes);
  void give_back(void* memory, std::size_t bytes) noexcept;
  /// Of chunks and pages that are taken from the system.
  std::size_t bytes() const;

 private:
  struct chunk {
    std::byte* begin;
    std::size_t bytes;
  };
  void* take_from_chunks(std::size_t bytes);
  void add_chunk(std::size_t least);
  chunk chunk_of(const std::byte* at) const;

  mutable std::mutex mutex_;  // guards all of it
  std::vector<chunk> chunks_;
  std::map<std::byte*, std::size_t> free_;  // ranges of chunks
  std::size_t from_chunks_ = 0;
  std::size_t others_ = 0;
};

}  // namespace lamellar::detail
