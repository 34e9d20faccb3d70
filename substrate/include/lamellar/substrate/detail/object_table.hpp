// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/substrate/detail/message.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/detail/tally.hpp>
#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

// The distributed objects that have a part on this PE, by number. Numbers are given in the
// order of collective creation, so they are equal on all PEs, and are never reused.
//
// Thread-safety: find() any thread; insert and erase by the main thread.
namespace lamellar::detail {

struct unfinished;

/// A run that arrived while another handler of its object was running.
struct postponed_run {
  run_header header;
  std::vector<std::byte> records;
  std::uint32_t from;
  unfinished* rest;

  std::size_t kept_bytes() const { return sizeof(postponed_run) + records.size(); }
};

/// A fingerprint of an object's type and number, which all PEs must bring to its creation.
std::uint64_t kind_of_object(const std::type_info& type, std::uint32_t number);

/// One object's part on this PE.
struct object_entry {
  /// `threads`: the PE has several.
  explicit object_entry(bool threads) : shared{threads}, lock{threads} {}

  bool shared;
  std::uint32_t number = 0;
  void* part = nullptr;
  void (*destroy)(void* part) = nullptr;
  const char* type = "";
  bool concurrent = false;  ///< its handlers may overlap

  spin_lock lock;     ///< guards busy and postponed
  bool busy = false;  ///< a handler of it runs, or somebody holds it exclusively
  std::deque<postponed_run> postponed;

  /// On this PE, and going_bit. Any thread.
  std::atomic<std::uint64_t> handles{0};
  std::atomic<std::uint32_t> guards{0};  ///< those of the handles that are inside guards
  /// Who waits for access to the part, in words; nullptr if it has no lock.
  std::string (*who_waits)(void* part) = nullptr;
  bool release_announced = false;  ///< main thread: what the other PEs were told last
  /// Per PE: 1 + the epoch of its release, or 0. Written by whichever thread handles that PE's
  /// message, read by the main thread in a quiesce. Relaxed: the quiesce's own count of handled
  /// messages orders those of its epoch, and what a PE already in the next one says changes
  /// nothing for the objects that this one decides.
  std::vector<std::atomic<std::uint64_t>> releases;

  /// While the PEs vote on the object's end, no weak handle may revive it.
  static constexpr std::uint64_t going_bit = std::uint64_t{1} << 63;

  void hold() noexcept { tally(handles, 1, shared); }
  void let_go() noexcept { tally(handles, ~std::uint64_t{0}, shared); }
  /// hold(), from no handle at all. False if the object is about to go.
  bool try_hold() noexcept {
    std::uint64_t now = handles.load(std::memory_order_relaxed);
    while ((now & going_bit) == 0) {
      if (handles.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }
  /// Let it go, if the other PEs agree. False if this one holds handles.
  bool offer() noexcept {
    std::uint64_t none = 0;
    return handles.compare_exchange_strong(none, going_bit, std::memory_order_acquire);
  }
  /// The other PEs did not agree.
  void keep() noexcept { handles.fetch_and(~going_bit, std::memory_order_relaxed); }
};

class object_table {
 public:
  object_table() : chunks_{std::make_unique<std::atomic<chunk*>[]>(most_chunks)} {}
  ~object_table();

  object_entry* find(std::uint32_t number) const {
    const std::uint32_t c = number / per_chunk;
    if (c >= most_chunks) {
      return nullptr;
    }
    const chunk* at = chunks_[c].load(std::memory_order_acquire);
    return at == nullptr ? nullptr
                         : at->entries[number % per_chunk].load(std::memory_order_acquire);
  }
  void insert(std::unique_ptr<object_entry> entry);
  /// Hold an object of this type from no handle at all. nullptr if there is none, or if it is
  /// about to go.
  object_entry* revive(std::uint32_t number, const char* type);
  /// Destroy the part and forget the object.
  void erase(std::uint32_t number);
  /// In the order of creation. Main thread.
  const std::vector<object_entry*>& all() const { return live_; }

 private:
  static constexpr std::uint32_t per_chunk = 1024;
  static constexpr std::uint32_t most_chunks = 4096;
  // Written by the main thread, release; read by any, acquire.
  struct chunk {
    std::atomic<object_entry*> entries[per_chunk] = {};
  };
  std::unique_ptr<std::atomic<chunk*>[]> chunks_;
  std::vector<object_entry*> live_;
  spin_lock erase_lock_;  // an entry that revive() looks at does not go
};

}  // namespace lamellar::detail
