// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/noted_handles.hpp>
#include <lamellar/substrate/detail/symmetric_heap.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>

// The one-sided regions that this PE owns or holds handles of, and when their memory goes.
//
// A PE *holds* a region from the arrival of its first handle until a quiesce finds it without
// any. It tells the owner both: the first in a message sent by the code that decodes the
// handle, so that the quiesce which covers that code covers this message too; the second at the
// start of a quiesce, with its epoch. At the end of a quiesce no handle is under way, so the
// owner's count says who has some. What a PE that is ahead has let go in the next quiesce does
// not count yet: it may have passed its handle on, and the receiver's word may come later. A
// handle in an answer that nobody has read yet counts as one of the PE that has the answer.
//
// Thread-safety: arrive, drop, hold, let_go and find any thread; announce and retire the main
// thread.
namespace lamellar::detail {

class engine;

/// What this PE knows of one region.
struct one_sided_entry {
  one_sided_name name;
  std::byte* base = nullptr;  ///< here, or nullptr if it cannot be mapped
  network_place place;        ///< where that is nullptr
  heap_block block;           ///< at the owner
  /// On this PE. Any thread adds and takes; read, acquire, under the table's mutex.
  std::atomic<std::uint64_t> handles{0};

  // Under the table's mutex.
  bool held = true;              ///< this PE counts as a holder
  std::uint64_t holders = 0;     ///< at the owner
  std::uint64_t let_go[2] = {};  ///< at the owner: by epoch, even and odd, not yet subtracted
};

class one_sided_table {
 public:
  static constexpr std::string_view heap_name = "one_sided_memory_region";

  explicit one_sided_table(engine& home) : home_{home} {}
  ~one_sided_table();
  one_sided_table(const one_sided_table&) = delete;
  one_sided_table& operator=(const one_sided_table&) = delete;

  /// A region of `bytes` zeroed bytes on this PE, with one handle. Throws: out_of_memory.
  one_sided_entry& make(std::size_t bytes);
  /// A handle has arrived: count it. Throws: corrupt_message.
  one_sided_entry& arrive(const one_sided_name& name);
  /// An answer that held a handle goes. Requires: the handle has arrived with it.
  void drop(const one_sided_name& name);
  /// The memory of a region of this PE. Throws: corrupt_message.
  std::span<std::byte> find(std::uint32_t number);

  /// Some PE has got its first handle of a region of this PE. Throws: corrupt_message.
  void hold(std::uint32_t number);
  /// Some PE had no handle any more when it entered the quiesce of `epoch`.
  void let_go(std::uint32_t number, std::uint64_t epoch);

  /// Tell the owners what this PE does not hold any more. At the start of a quiesce.
  void announce(std::uint64_t epoch);
  /// Free what nobody holds. At the end of a quiesce.
  void retire(std::uint64_t epoch);

 private:
  using id = std::pair<std::uint32_t, std::uint32_t>;

  one_sided_entry& own(std::uint32_t number);

  engine& home_;
  std::mutex mutex_;  // guards what follows
  std::map<id, std::unique_ptr<one_sided_entry>> entries_;
  std::uint32_t next_number_ = 1;
};

}  // namespace lamellar::detail
