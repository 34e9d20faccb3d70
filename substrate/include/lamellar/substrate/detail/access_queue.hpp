// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <coroutine>
#include <cstdint>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/detail/scheduling.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <string>

// A lock for many readers or one writer whose waiters are coroutines: no thread ever waits in
// it. Who comes first is served first: a reader that comes after a waiting writer waits behind
// it, so neither readers nor writers can shut the others out.
//
// Thread-safety: any thread of the PE.
namespace lamellar::detail {

/// A line of the program, on some PE. The file's name is cut to its end.
struct distant_place {
  distant_place() = default;
  distant_place(std::source_location at, std::uint32_t on);

  std::string text() const;

  std::uint32_t pe = 0;
  std::uint32_t line = 0;
  std::array<char, 40> file{};
};

/// What a guard allows.
enum class access : std::uint8_t { read, write, collective_write };

class access_queue {
 public:
  /// `shared`: the PE has several threads.
  explicit access_queue(bool shared) : lock_{shared} {}
  access_queue(const access_queue&) = delete;
  access_queue& operator=(const access_queue&) = delete;

  /// A place in the queue; it lies in the frame of the coroutine that waits.
  struct waiter {
    access wanted = access::read;
    distant_place at;
    std::coroutine_handle<> waiting;
    place where = place::anywhere;
    waiter* next = nullptr;
  };

  /// `co_await queue.turn(home, wanted, at)`: goes on when access is granted. Pairs with one
  /// leave().
  auto turn(engine& home, access wanted, const distant_place& at) {
    return awaiter{this, &home, {wanted, at, {}, place::anywhere, nullptr}};
  }
  /// Give access back and let in who is next. Resumes nobody inside this call.
  void leave(engine& home, access which) noexcept;

  /// Who holds it and who waits, in words; empty if nobody waits.
  std::string who_waits();

 private:
  struct awaiter {
    access_queue* queue;
    engine* home;
    waiter me;
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) {
      teach_home(self, home);
      me.waiting = self;
      me.where = running_place(*home);
      return !queue->enter(me);
    }
    void await_resume() const noexcept {}
  };

  /// True if access is granted at once; otherwise `who` is in the queue.
  bool enter(waiter& who);
  bool may_enter(access wanted) const {
    return !writing_ && (wanted == access::read || readers_ == 0);
  }
  void admit(const waiter& who);

  spin_lock lock_;  // guards all below
  std::uint32_t readers_ = 0;
  bool writing_ = false;
  distant_place admitted_at_;  // the last one
  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
};

}  // namespace lamellar::detail

template <>
inline constexpr bool lamellar::enable_bitwise<lamellar::detail::distant_place> = true;
