// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/substrate/detail/noted_handles.hpp>
#include <lamellar/substrate/detail/scheduling.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/detail/tally.hpp>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

// Where answers land. A slot waits for one answer; slots come in blocks of 63, so that the
// calls of one run have consecutive tickets and one run header names them all. Blocks are
// reused, last given first taken, and are never freed before the world ends: no allocation per
// call.
//
// Thread-safety: a slot is filled by whichever thread handles the answer and read by whoever
// holds the reply; `state` hands it over. The pool may be used from any thread.
namespace lamellar::detail {

class group_count;

/// Who else wants to know of a call's end.
struct call_terms {
  group_count* group = nullptr;
  bool unread = false;              ///< nobody will look at the answer
  std::source_location where = {};  ///< the call in the program, if it is known
};

/// A place in the program in one word, where the compiler has it so; else none.
struct unknown_place {
  unknown_place(std::source_location = {}) {}  // NOLINT: stands in for the other
  operator std::source_location() const { return {}; }
};
using place_in_a_word = std::conditional_t<sizeof(std::source_location) == sizeof(void*),
                                           std::source_location, unknown_place>;

/// Identifies a slot of this PE on the wire: block number << 6 | place in the block.
using ticket = std::uint32_t;

struct alignas(lamellae::cache_line) reply_slot {
  enum class status : std::uint8_t { free, pending, awaited, abandoned, ready, failed };
  static constexpr std::size_t room = 32;

  // pending -> awaited, abandoned by the holder; pending, awaited, abandoned -> ready, failed
  // by the thread that handles the answer. Acquire-release on both sides.
  std::atomic<status> state{status::free};
  place where = place::anywhere;
  bool on_line = false;        // the answer comes on the request line; main thread only
  bool holds_handles = false;  // the answer ends in a list of them
  std::uint32_t bytes = 0;
  // Who answers. Written by the holder when it calls; where a handler returns a message for the
  // caller, also by the thread that fills the slot, while others may look whom the call waits
  // for. Relaxed: what else depends on it is ordered by `state`.
  std::atomic<std::uint32_t> peer{0};
  std::uint32_t object = 0;
  group_count* group = nullptr;
  union {  // the holder's, until it waits or lets go
    place_in_a_word called_at = {};
    std::coroutine_handle<> waiting;  // awaited
  };
  union {
    std::byte data[room];
    std::byte* heap;  // bytes > room, or failed
  };

  reply_slot() : heap{nullptr} {}

  /// It waits for an answer from `from`.
  void begin(std::uint32_t from, std::uint32_t of_object, const call_terms& terms) {
    peer.store(from, std::memory_order_relaxed);
    object = of_object;
    group = terms.group;
    called_at = terms.where;
    state.store(terms.unread ? status::abandoned : status::pending, std::memory_order_release);
  }

  const std::byte* payload() const { return bytes > room ? heap : data; }
  /// The handles that the answer holds; they are held for it.
  std::optional<listed_handles> handles() const {
    return holds_handles ? listed_handles::behind({payload(), bytes}) : std::nullopt;
  }
  /// The answer without their list.
  std::span<const std::byte> value() const {
    const std::optional<listed_handles> list = handles();
    return {payload(), list ? list->value_bytes() : bytes};
  }
};
static_assert(sizeof(reply_slot) == lamellae::cache_line);

/// " (called at FILE:LINE)", or nothing if the place is not known.
std::string place_of_call(std::source_location where);

struct alignas(4096) reply_block {
  static constexpr std::uint32_t slots = 63;

  engine* home = nullptr;
  bool shared = false;
  std::uint32_t number = 0;
  std::uint16_t handler = 0;  // that its calls are for; set before the first
  // Slots in use, plus one while a run is still handing them out. Any thread, acquire-release.
  std::atomic<std::uint32_t> live{0};
  alignas(lamellae::cache_line) reply_slot slot[slots];

  ticket ticket_of(std::uint32_t k) const { return number << 6 | k; }
  static reply_block& of(reply_slot* slot) {
    return *reinterpret_cast<reply_block*>(reinterpret_cast<std::uintptr_t>(slot) &
                                           ~std::uintptr_t{4095});
  }
};
static_assert(sizeof(reply_block) == 4096);

class reply_pool {
 public:
  static constexpr std::uint32_t most_blocks = 1u << 16;

  /// `shared`: the PE has several threads.
  reply_pool(engine* home, bool shared);
  ~reply_pool();

  /// A block with `live` == 1 and nothing handed out.
  /// Throws: out_of_memory when 4 million calls are unanswered.
  reply_block* take();
  /// One use of the block is over.
  void drop(reply_block& block) {
    if (tally(block.live, ~0u, shared_) == 1) {
      give_back(block);
    }
  }
  /// The slot of a ticket that came over the wire, or nullptr if nobody waits there.
  reply_slot* find(ticket t) const;
  /// Call `f(block, slot)` for each slot that waits for an answer, as far as this thread knows.
  template <class F>
  void for_each_unanswered(F f) const {
    for (std::uint32_t k = 0; k < most_blocks; ++k) {
      const reply_block* block = blocks_[k].load(std::memory_order_acquire);
      if (block == nullptr) {
        return;
      }
      for (const reply_slot& slot : block->slot) {
        const reply_slot::status state = slot.state.load(std::memory_order_acquire);
        if (state == reply_slot::status::pending || state == reply_slot::status::awaited) {
          f(*block, slot);
        }
      }
    }
  }
  /// Blocks in use.
  std::uint32_t in_use() const { return in_use_.load(std::memory_order_relaxed); }

 private:
  void give_back(reply_block& block);

  engine* home_;
  bool shared_;
  spin_lock lock_;  // guards free_, made_
  std::vector<reply_block*> free_;
  std::uint32_t made_ = 0;
  std::atomic<std::uint32_t> in_use_{0};
  // Entries are written once, before the block's first ticket leaves this PE.
  std::unique_ptr<std::atomic<reply_block*>[]> blocks_;
};

}  // namespace lamellar::detail
