// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/substrate/heap_usage.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The memory of one PE that its peers can reach. It grows by segments of the lamella, from 2
// MiB on, each as large as all before it together, up to 64 MiB or what one block needs; it
// gives segments back that have become empty. Blocks are found best fit first: of the free
// pieces that are large enough the smallest, in logarithmic time.
//
// Nothing is symmetric about the addresses: a block says where it lies, in words that peers can
// map. So PEs need not allocate in the same order, and one PE may allocate alone.
//
// Thread-safety: any thread of the PE.
namespace lamellar::detail {

/// Memory of this PE that peers can reach. All but `data` and `bytes` travels.
struct heap_block {
  std::byte* data = nullptr;
  std::size_t bytes = 0;           ///< as asked for
  std::uint64_t key = 0;           ///< of the segment
  std::size_t segment_bytes = 0;   ///< how much of it must be mapped to reach the block
  std::size_t offset = 0;          ///< in the segment
  lamellae::remote_memory remote;  ///< the segment, for PEs that cannot map it
};

/// What a new block must hold.
enum class heap_contents : std::uint8_t { zeros, anything };

/// A block of a peer's heap as the network reaches it.
struct network_place {
  lamellae::remote_memory memory;  ///< the segment
  std::uint64_t offset = 0;        ///< in it
};

class symmetric_heap {
 public:
  /// Every block begins at a multiple of this, and shares no such piece with another one.
  static constexpr std::size_t alignment = lamellae::cache_line;

  /// `limit`: bytes that it may grow to, over all segments.
  symmetric_heap(lamellae::lamella& from, std::size_t limit);
  ~symmetric_heap();
  symmetric_heap(const symmetric_heap&) = delete;
  symmetric_heap& operator=(const symmetric_heap&) = delete;

  /// `bytes` bytes for a `what`, under which name they are accounted.
  ///
  /// Throws: out_of_memory, which says what the heap holds and names LAMELLAR_HEAP_SIZE. Cost:
  /// logarithmic in the number of free pieces, and for zeros clearing what was used before.
  heap_block allocate(std::size_t bytes, std::string_view what,
                      heap_contents contents = heap_contents::zeros);
  /// Give a block of allocate() back, with the same name.
  void free(const heap_block& block, std::string_view what) noexcept;

  heap_usage usage() const;

 private:
  struct segment {
    lamellae::segment memory;
    std::size_t bytes = 0;    // what is handed out of it; the system may have given more
    std::size_t in_use = 0;   // 0: nothing of it is handed out
    std::size_t touched = 0;  // from here on nothing was ever handed out: it is zero
  };
  struct piece {
    std::size_t bytes = 0;
    segment* of = nullptr;
  };
  struct account {
    std::size_t blocks = 0;
    std::size_t bytes = 0;
  };
  using pieces = std::map<std::byte*, piece>;

  pieces::iterator find(std::size_t bytes);
  pieces::iterator grow(std::size_t bytes, std::string_view what);
  pieces::iterator add_piece(std::byte* at, piece what);
  void remove_piece(pieces::iterator which);
  void give_back() noexcept;
  [[noreturn]] void refuse(std::size_t bytes, std::string_view what,
                           std::string_view why) const;
  heap_usage usage_locked() const;

  lamellae::lamella& from_;
  std::size_t limit_;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<segment>> segments_;
  pieces free_;                                           // by address
  std::set<std::pair<std::size_t, std::byte*>> by_size_;  // the same
  std::map<std::byte*, segment*> owners_;                 // of the blocks that are in use
  std::map<std::string, account, std::less<>> accounts_;
  std::size_t held_ = 0;
  std::size_t in_use_ = 0;
  std::size_t most_in_use_ = 0;
};

}  // namespace lamellar::detail
