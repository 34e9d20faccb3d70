// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/scheduling.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/task.hpp>
#include <map>
#include <vector>

// Letters between the members of a team that are in the same collective. A letter may come
// before its receiver has begun the collective; it waits until somebody asks for it.
//
// Thread-safety: put() any thread of the PE; receive() the main thread.
namespace lamellar::detail {

/// Names one letter on the PE that gets it.
struct letter_key {
  std::uint32_t team;      ///< the team's number
  std::uint32_t sequence;  ///< of the collective in its team
  std::uint32_t from;      ///< position of the sender
  std::uint32_t step;      ///< of the collective's own

  friend auto operator<=>(const letter_key&, const letter_key&) = default;
};

/// What the sender believes the collective to be. Plain values: it travels.
struct collective_mark {
  std::uint32_t kind = 0;   ///< see collective_name()
  std::uint32_t line = 0;   ///< of the program, where it was called
  std::uint64_t waves = 0;  ///< barriers and quiesces of the world that the sender began before
  std::uint64_t print = 0;  ///< of everything that must agree: types, sizes, the root
};

struct letter {
  collective_mark mark;
  std::vector<std::byte> bytes;
};

/// The number of the handler that takes letters.
std::uint16_t letter_handler();

class mail_room {
 public:
  /// `shared`: the PE has several threads.
  mail_room(engine* home, bool shared) : home_{home}, lock_{shared} {}

  void put(const letter_key& key, letter&& what);

  /// Whether letters of the team of all PEs have come from a collective that this PE has not
  /// begun, its number `begun` or more, though the sender began it before its wave number
  /// `waves`. If so, what the sender is in.
  bool out_of_order(std::uint32_t begun, std::uint64_t waves, letter_key& key,
                    collective_mark& mark);
  /// Letters that nobody has asked for yet.
  std::size_t waiting() const { return count_.load(std::memory_order_relaxed); }

  /// `co_await receive(key)` is the letter.
  auto receive(const letter_key& key) { return receiver{this, key, {}}; }

 private:
  struct receiver {
    mail_room* room;
    letter_key key;
    letter found;

    bool await_ready() { return room->take(key, found); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) {
      teach_home(waiting, room->home_);
      return room->wait(*this, waiting);
    }
    letter await_resume() { return std::move(found); }
  };
  struct waiter {
    receiver* into;
    std::coroutine_handle<> who;
  };

  bool take(const letter_key& key, letter& into);
  /// False if the letter has come meanwhile.
  bool wait(receiver& by, std::coroutine_handle<> who);

  engine* home_;
  spin_lock lock_;                     // guards the rest
  std::atomic<std::size_t> count_{0};  // of letters_; any thread
  std::map<letter_key, letter> letters_;
  std::map<letter_key, waiter> waiting_;
};

}  // namespace lamellar::detail
