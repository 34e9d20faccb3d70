// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <map>
#include <mutex>
#include <vector>

// Where segments come from. Private ones serve PEs of one process; shared ones are ranges of
// the job's file, which peers map when they first ask. Both reserve their memory or refuse: no
// touch of a segment ends in a signal because memory has run out, as far as the system lets us
// know.
namespace lamellar::lamellae {

/// Zeroed private memory, on huge pages where the system grants them. The key is the address.
///
/// Throws: out_of_memory, naming LAMELLAR_HEAP_SIZE. Threads: any.
segment allocate_private_segment(std::size_t bytes);
void free_private_segment(const segment& which) noexcept;

/// One PE's view of the segments in a job's files. Threads: any.
class shared_segments {
 public:
  /// A file to allocate from: its descriptor, and the word in shared memory that says where its
  /// free part begins.
  struct file {
    int fd = -1;
    std::atomic<std::uint64_t>* end = nullptr;
  };

  /// `reserved_huge` has no descriptor where the system has no reserved huge pages.
  shared_segments(file usual, file reserved_huge) : usual_{usual}, huge_{reserved_huge} {}
  ~shared_segments();
  shared_segments(const shared_segments&) = delete;
  shared_segments& operator=(const shared_segments&) = delete;

  /// Throws: out_of_memory, naming LAMELLAR_HEAP_SIZE.
  segment allocate(std::size_t bytes);
  /// Give the memory back to the system. Peers' mappings stay valid and read as zeros.
  void free(const segment& which);
  /// Where a segment of any PE is mapped here; nullptr when there is no such segment.
  std::byte* mapped(std::uint64_t key, std::size_t bytes);

 private:
  struct range {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
  };

  const file& file_of(std::uint64_t key) const { return (key & 1) != 0 ? huge_ : usual_; }
  std::uint64_t take_range(const file& from, std::size_t bytes);
  bool fill(std::uint64_t key, segment& into);

  file usual_;
  file huge_;
  std::mutex mutex_;  // guards what follows
  std::map<std::uint64_t, range> mapped_;
  std::vector<range> outgrown_;  // mapped shorter than asked for later; still in use
  std::multimap<std::size_t, std::uint64_t> spare_;  // freed ranges of this PE by size
};

}  // namespace lamellar::lamellae
