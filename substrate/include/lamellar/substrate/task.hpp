// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <lamellar/substrate/detail/frame_pool.hpp>
#include <lamellar/substrate/detail/scheduling.hpp>
#include <lamellar/substrate/detail/tally.hpp>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

// task<T>: a lazy coroutine. Nothing happens until it is awaited, blocked on with get(), or
// spawned. It learns which PE drives it from the first reply or collective that it waits for.
//
// A finished child never resumes its parent from inside itself: the parent either finds it
// finished at once and goes on, or is queued. Chains of any length therefore use no stack.
//
// Thread-safety: one thread at a time; a task that was spawned may move between threads.
namespace lamellar {

template <class T = void>
class task;

namespace detail {

class promise_base {
 public:
  std::suspend_always initial_suspend() noexcept { return {}; }

  struct final_awaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) noexcept {
      self.promise().end();
    }
    void await_resume() noexcept {}
  };
  static void* operator new(std::size_t bytes) { return take_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept {
    give_frame_back(frame, bytes);
  }
  final_awaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }

  bool finished() const { return state_.load(std::memory_order_acquire) == state::finished; }
  bool started() const { return started_; }
  void mark_started() { started_ = true; }
  engine* home() const { return home_.load(std::memory_order_relaxed); }
  /// It was spawned: whoever counts it, and `of`, if it belongs to one, hear of its end.
  /// `shared`: the PE has several threads.
  void become_spawned(engine& at, group_count* of, bool shared) {
    learn_home(&at);
    shared_ = shared;
    spawned_ = true;
    group_ = of;
  }
  group_count* group() const { return group_; }
  void learn_home(engine* at) { home_.store(at, std::memory_order_relaxed); }

  /// Have `next` resumed at the end. False if the end has come already.
  bool await_by(std::coroutine_handle<> next) {
    next_ = next;
    next_place_ = home() != nullptr ? running_place(*home()) : place::anywhere;
    return become_awaited();
  }
  /// Have `finish(this, data)` called at the end. False if the end has come already.
  bool notify(void (*finish)(promise_base&, void*), void* data) {
    on_finish_ = finish;
    finish_data_ = data;
    return become_awaited();
  }

  void rethrow() {
    if (thrown_) {
      std::rethrow_exception(std::exchange(thrown_, nullptr));
    }
  }
  const std::exception_ptr& thrown() const { return thrown_; }

 private:
  enum class state : std::uint8_t { running, awaited, finished };

  bool become_awaited() {
    state expected = state::running;
    return replace(state_, expected, state::awaited, shared_);
  }

  /// The coroutine is suspended for the last time. Whoever waits may destroy it at once.
  [[gnu::noinline]] void end() noexcept {
    engine* const counted_in = spawned_ ? home() : nullptr;
    group_count* const group = group_;
    if (swap_in(state_, state::finished, shared_) == state::awaited) {
      wake();
    }
    if (counted_in != nullptr) {
      spawned_task_ended(*counted_in, group);
    }
  }

  void wake() noexcept {
    if (on_finish_ != nullptr) {
      on_finish_(*this, finish_data_);
    } else if (engine* at = home(); at != nullptr) {
      resume_later(*at, next_, next_place_);
    } else {
      next_.resume();
    }
  }

  std::coroutine_handle<> next_;
  void (*on_finish_)(promise_base&, void*) = nullptr;
  void* finish_data_ = nullptr;
  // Written by whoever runs the coroutine, read by whoever awaits it, perhaps while another
  // thread already runs it on. Relaxed: it is known before the first suspension, and is the
  // same engine for good.
  std::atomic<engine*> home_{nullptr};
  std::exception_ptr thrown_;
  // Written by whoever runs the coroutine (finished) and whoever awaits it (awaited), each
  // once; the second one finds the other's value and acts.
  std::atomic<state> state_{state::running};
  place next_place_ = place::anywhere;
  bool started_ = false;
  bool spawned_ = false;
  bool shared_ = true;  // several threads may run it and wait for it
  group_count* group_ = nullptr;
};

template <class T>
class promise : public promise_base {
 public:
  task<T> get_return_object();
  template <class U>
    requires std::constructible_from<T, U&&>
  void return_value(U&& value) { value_.emplace(std::forward<U>(value)); }
  T take() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class promise<void> : public promise_base {
 public:
  task<void> get_return_object();
  void return_void() noexcept {}
  void take() { rethrow(); }
};

/// Tell the promise of an awaiting coroutine, if it is one of ours, who drives it.
template <class Promise>
void teach_home(std::coroutine_handle<Promise> waiting, engine* at) {
  if constexpr (std::is_base_of_v<promise_base, Promise>) {
    waiting.promise().learn_home(at);
  }
}

}  // namespace detail

template <class T>
class [[nodiscard(
    "a task does nothing until it is awaited, spawned, or .get() is called")]] task {
 public:
  using promise_type = detail::promise<T>;
  using value_type = T;

  task() noexcept = default;
  task(task && other) noexcept : frame_{std::exchange(other.frame_, nullptr)} {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      drop();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  /// A task that has begun and not ended goes on by itself; what it throws is lost.
  ~task() { drop(); }

  bool valid() const { return frame_ != nullptr; }
  bool started() const { return state().started(); }
  bool finished() const { return state().finished(); }

  /// Run to the first suspension, now. Called by get(), co_await and spawn(); harmless twice.
  void start() {
    if (promise_type& p = state(); !p.started()) {
      p.mark_started();
      frame_.resume();
    }
  }

  /// Run to the end, making progress meanwhile, and return the result or throw what it threw.
  T get(std::source_location where = std::source_location::current()) {
    start();
    promise_type& p = state();
    if (!p.finished()) {
      detail::wait_until(
          *p.home(), [](void* of) { return static_cast<promise_type*>(of)->finished(); }, &p,
          detail::a_task, where);
    }
    return p.take();
  }

  auto operator co_await()&& noexcept { return awaiter{frame_}; }
  auto operator co_await()& noexcept { return awaiter{frame_}; }

  /// Hand the frame over: the caller destroys it.
  std::coroutine_handle<promise_type> release() { return std::exchange(frame_, nullptr); }

 private:
  friend promise_type;
  explicit task(std::coroutine_handle<promise_type> frame) : frame_{frame} {}

  std::coroutine_handle<promise_type> handle() const {
    state();
    return frame_;
  }
  promise_type& state() const {
    if (frame_ == nullptr) {
      detail::no_such_task();
    }
    return frame_.promise();
  }

  struct awaiter {
    std::coroutine_handle<promise_type> child;
    bool await_ready() {
      if (!child.promise().started()) {
        child.promise().mark_started();
        child.resume();
      }
      return child.promise().finished();
    }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) {
      detail::teach_home(parent, child.promise().home());
      return child.promise().await_by(parent);
    }
    T await_resume() { return child.promise().take(); }
  };

  void drop() noexcept {
    if (frame_ == nullptr) {
      return;
    }
    promise_type& p = frame_.promise();
    const auto destroy = [](detail::promise_base& base, void*) {
      std::coroutine_handle<promise_type>::from_promise(static_cast<promise_type&>(base))
          .destroy();
    };
    if (!p.started() || !p.notify(destroy, nullptr)) {
      frame_.destroy();
    }
    frame_ = nullptr;
  }

  std::coroutine_handle<promise_type> frame_;
};

template <class T>
task<T> detail::promise<T>::get_return_object() {
  return task<T>{std::coroutine_handle<promise<T>>::from_promise(*this)};
}
inline task<void> detail::promise<void>::get_return_object() {
  return task<void>{std::coroutine_handle<promise<void>>::from_promise(*this)};
}

/// What a coroutine of type task<T> gives; void for anything else.
template <class T>
struct task_result {
  static constexpr bool is_task = false;
  using type = T;
};
template <class T>
struct task_result<task<T>> {
  static constexpr bool is_task = true;
  using type = T;
};

}  // namespace lamellar
