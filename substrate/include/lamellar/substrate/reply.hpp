// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <coroutine>
#include <cstring>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/detail/reply_slot.hpp>
#include <lamellar/substrate/record.hpp>
#include <lamellar/substrate/task.hpp>
#include <span>
#include <type_traits>
#include <utility>

// reply<T>: the answer to a call that is already under way. No heap allocation: it names a
// slot.
//
// Thread-safety: one thread at a time. Dropping a reply is allowed: the handler still runs, and
// its answer is thrown away when it comes.
namespace lamellar {

namespace detail {

/// Results that travel as plain bytes, many in one run.
template <class T>
concept inline_answer = std::is_void_v<T> ||
    (bitwise<T> && sizeof(std::conditional_t<std::is_void_v<T>, char, T>) <= reply_slot::room);

/// Bytes of a result in a run of answers.
template <class T>
constexpr std::uint32_t answer_size() {
  if constexpr (std::is_void_v<T>) {
    return 0;
  } else {
    return static_cast<std::uint32_t>(bitwise_size<T>);
  }
}

bool is_answered(const reply_slot& slot);
/// Make progress until the slot is filled. Ends the job if a plain handler waits for an object
/// that it is itself using.
void wait_for_reply(reply_slot& slot, std::source_location where);
/// Free the slot, or have it freed when the answer comes.
void drop_reply(reply_slot& slot) noexcept;
struct failure;
/// What a failed answer says.
failure failure_in(const reply_slot& slot);
[[noreturn]] void throw_remote(const reply_slot& slot);
void discard_answer(reply_slot& slot) noexcept;

}  // namespace detail

template <class T = void>
class [[nodiscard("use send() when no answer is wanted")]] reply {
 public:
  using value_type = T;

  reply() noexcept = default;
  explicit reply(detail::reply_slot * slot) noexcept : slot_{slot} {}
  /// A reply made of several: they are awaited when this one is.
  explicit reply(task<T> many) : many_{std::move(many)} { many_.start(); }
  reply(reply && other) noexcept
      : slot_{std::exchange(other.slot_, nullptr)}, many_{std::move(other.many_)} {}
  reply& operator=(reply&& other) noexcept {
    if (this != &other) {
      drop();
      slot_ = std::exchange(other.slot_, nullptr);
      many_ = std::move(other.many_);
    }
    return *this;
  }
  ~reply() { drop(); }

  /// Whether there is an answer to get() or await.
  bool valid() const { return slot_ != nullptr || many_.valid(); }

  /// Wait for the answer, making progress meanwhile, and return it. Once only.
  ///
  /// Throws: remote_error, if the handler threw.
  T get(std::source_location where = std::source_location::current()) {
    if (slot_ == nullptr) {
      return many_.get(where);
    }
    if (!detail::is_answered(*slot_)) {
      detail::wait_for_reply(*slot_, where);
    }
    return take();
  }

  /// Whether get() would return at once.
  bool ready() const {
    return slot_ != nullptr ? detail::is_answered(*slot_) : many_.finished();
  }

  auto operator co_await() noexcept { return awaiter{this}; }

 private:
  struct awaiter {
    reply* of;
    bool await_ready() {
      if (of->slot_ != nullptr) {
        return detail::is_answered(*of->slot_);
      }
      of->many_.start();
      return of->many_.finished();
    }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) {
      if (of->slot_ == nullptr) {
        return (of->many_).operator co_await().await_suspend(waiting);
      }
      detail::reply_slot& slot = *of->slot_;
      detail::engine* home = detail::reply_block::of(&slot).home;
      detail::teach_home(waiting, home);
      slot.waiting = waiting;
      slot.where = detail::running_place(*home);
      auto expected = detail::reply_slot::status::pending;
      return slot.state.compare_exchange_strong(expected, detail::reply_slot::status::awaited,
                                                std::memory_order_acq_rel);
    }
    T await_resume() {
      if (of->slot_ == nullptr) {
        return of->many_.get();
      }
      return of->take();
    }
  };

  T take() {
    struct discard {
      detail::reply_slot* slot;
      ~discard() { detail::discard_answer(*slot); }
    } guard{std::exchange(slot_, nullptr)};
    const detail::reply_slot& slot = *guard.slot;
    if (slot.state.load(std::memory_order_relaxed) == detail::reply_slot::status::failed) {
      detail::throw_remote(slot);
    }
    if constexpr (!std::is_void_v<T>) {
      if constexpr (detail::inline_answer<T>) {
        return read_bitwise<T>(slot.data);
      } else {
        return std::get<0>(
            record<T>::read(slot.value(), detail::reply_block::of(guard.slot).home));
      }
    }
  }

  void drop() noexcept {
    if (slot_ != nullptr) {
      detail::drop_reply(*std::exchange(slot_, nullptr));
    }
  }

  detail::reply_slot* slot_ = nullptr;
  task<T> many_;
};

}  // namespace lamellar
