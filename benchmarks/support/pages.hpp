// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <string>

// Memory of a known page kind. The page kind decides the rate of random access (a factor of 1.3
// to 3), and what one asks for is not always what one gets: so a benchmark allocates its tables
// here, or shows the tables that it got elsewhere to `page_kind`, and reports what the kernel
// says it has granted.
//
// Thread-safety: a `memory` belongs to the thread that makes it; its bytes may be shared as
// usual. Invariant: every page of a `memory` has been written by the thread that made it
// (placement, no first-touch cost inside a timed part), and every byte is zero.

namespace lamellar::benchmark {

enum class sharing {
  private_memory,  // of this process, 2 MiB pages asked for; what the lamella `local` uses
  shared_memory,   // mappable by other processes, 2 MiB pages asked for; what the lamella
                   // `shmem` uses
};

/// Memory obtained from the kernel for tables, lists and copies. Given back by the destructor.
class memory {
 public:
  /// Map `bytes` of zeroes at a multiple of 2 MiB and touch them all.
  ///
  /// Throws: std::system_error if the kernel has no such amount, with the amount in its text.
  memory(std::size_t bytes, sharing kind);
  ~memory();
  memory(const memory&) = delete;
  memory& operator=(const memory&) = delete;

  std::size_t size_bytes() const { return bytes_; }
  void* data() const { return begin_; }

  /// View the memory as `count` elements of T.
  ///
  /// Requires: count * sizeof(T) <= size_bytes(), T trivial.
  template <class T>
  std::span<T> as(std::size_t count) const {
    return {static_cast<T*>(begin_), count};
  }

 private:
  void* map_ = nullptr;
  std::size_t map_bytes_ = 0;
  void* begin_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Say which pages lie under `[begin, begin + bytes)`, as the kernel accounts them: "2 MiB", "4
/// KiB", or the share of 2 MiB pages if both occur. Works for any memory of this process that
/// has been touched.
///
/// Cost: reads /proc/self/smaps, some milliseconds. Throws: nothing that is not out of memory.
std::string page_kind(const void* begin, std::size_t bytes);

}  // namespace lamellar::benchmark
