// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/substrate/detail/member_list.hpp>
#include <lamellar/substrate/detail/message.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/detail/tally.hpp>
#include <memory>
#include <string>
#include <typeinfo>
#include <unordered_map>
#include <vector>

// The distributed objects that have a part on this PE, by number. A number is never reused and
// means one object in the whole job. Objects of all PEs are numbered in the order of their
// creation, which is the same everywhere; those of a team take a number of its first PE's own.
//
// Thread-safety: find() any thread; insert and erase by the main thread.
namespace lamellar {
class team;
}

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

/// A fingerprint of an object's type, which all PEs must bring to its creation.
std::uint64_t kind_of_object(const std::type_info& type);

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

  /// The PEs that have a part; nullptr: all of them. Constant.
  std::shared_ptr<const member_list> members;

  /// The team over which it was made. Constant.
  std::shared_ptr<const team> made_on;
  /// Who waits for access to the part, in words; nullptr if it has no lock.
  std::string (*who_waits)(void* part) = nullptr;

  std::atomic<std::uint64_t> handles{0};   ///< on this PE, and going_bit; any thread
  std::atomic<std::uint32_t> guards{0};    ///< those of the handles that are inside guards
  std::atomic<std::uint64_t> arrivals{0};  ///< when there was none here before; any thread

  // Main thread: what the other PEs were told last.
  bool release_announced = false;
  std::uint64_t arrivals_announced = 0;

  // What all PEs have told, guarded by `lock`: how many hold no handle, and the last epoch in
  // which one of them said something.
  std::uint32_t released = 0;
  std::uint64_t released_in = 0;

  /// While it may be about to go, no weak handle may revive it.
  static constexpr std::uint64_t going_bit = std::uint64_t{1} << 63;

  void hold() noexcept { tally(handles, 1, shared); }
  void let_go() noexcept { tally(handles, ~std::uint64_t{0}, shared); }
  /// A handle is about to be made that comes in a message, or from a weak one. If there are
  /// others, the first of them has been counted, or this PE is known to hold some.
  void arrive() noexcept {
    if (handles.load(std::memory_order_relaxed) == 0) {
      tally(arrivals, 1, shared);
    }
  }
  /// hold(), from no handle at all. False if the object may be about to go.
  bool try_hold() noexcept {
    arrive();
    std::uint64_t now = handles.load(std::memory_order_relaxed);
    while ((now & going_bit) == 0) {
      if (handles.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }
  /// Nobody on this PE holds it: from now on none shall.
  void offer() noexcept {
    std::uint64_t none = 0;
    handles.compare_exchange_strong(none, going_bit, std::memory_order_acquire);
  }
  /// It does not go.
  void keep() noexcept { handles.fetch_and(~going_bit, std::memory_order_relaxed); }
};

/// Numbers from here on belong to objects of teams.
inline constexpr std::uint32_t first_team_object = 1u << 31;

class object_table {
 public:
  /// `shared`: the PE has several threads.
  explicit object_table(bool shared)
      : chunks_{std::make_unique<std::atomic<chunk*>[]>(most_chunks)}, team_lock_{shared} {}
  ~object_table();

  object_entry* find(std::uint32_t number) const {
    const std::uint32_t c = number / per_chunk;
    if (c >= most_chunks) {
      return find_of_team(number);
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
  object_entry* find_of_team(std::uint32_t number) const;

  std::unique_ptr<std::atomic<chunk*>[]> chunks_;
  mutable spin_lock team_lock_;  // guards of_teams_
  std::unordered_map<std::uint32_t, object_entry*> of_teams_;
  std::vector<object_entry*> live_;
  spin_lock erase_lock_;  // an entry that revive() looks at does not go
};

}  // namespace lamellar::detail
