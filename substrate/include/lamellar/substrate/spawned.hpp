// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/task.hpp>
#include <type_traits>
#include <utility>

// spawned<T>: a task that runs by itself. Awaiting it, or get(), gives its result. Dropping it
// lets it go on. It is the task's own frame, which lives until the result is taken; spawning
// allocates nothing.
//
// Thread-safety: one thread at a time.
namespace lamellar {

namespace detail {

/// What nobody will fetch comes out of wait_all() or quiesce(), or of its group.
void log_lost_exception(engine& at, group_count* group, const std::exception_ptr& thrown);

/// A task that has begun already, as one that has not.
template <class T>
task<T> go_on_with(task<T> begun) {
  co_return co_await begun;
}

/// A callable and its arguments as a task of this PE.
template <class R, class F, class... Args>
task<R> run_local([[maybe_unused]] context at, F f, Args... args) {
  if constexpr (std::invocable<F&, context&, Args...>) {
    if constexpr (task_result<std::invoke_result_t<F&, context&, Args...>>::is_task) {
      co_return co_await f(at, std::move(args)...);
    } else {
      co_return f(at, std::move(args)...);
    }
  } else if constexpr (task_result<std::invoke_result_t<F&, Args...>>::is_task) {
    co_return co_await f(std::move(args)...);
  } else {
    co_return f(std::move(args)...);
  }
}

template <class F, class... Args>
struct local_result : std::invoke_result<F&, Args...> {};
template <class F, class... Args>
  requires std::invocable<F&, context&, Args...>
struct local_result<F, Args...> : std::invoke_result<F&, context&, Args...> {
};

}  // namespace detail

template <class T = void>
class spawned {
 public:
  using value_type = T;

  spawned(spawned&& other) noexcept : frame_{std::exchange(other.frame_, nullptr)} {}
  spawned& operator=(spawned&& other) noexcept {
    if (this != &other) {
      drop();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~spawned() { drop(); }

  /// Whether get() would return at once.
  bool ready() const { return frame_.promise().finished(); }

  /// Wait for the end, making progress meanwhile; the result, or what the task threw.
  T get(std::source_location where = std::source_location::current()) {
    if (!frame_) {
      detail::no_such_task();
    }
    if (!ready()) {
      detail::wait_until(
          *frame_.promise().home(), [](void* of) { return static_cast<spawned*>(of)->ready(); },
          this, "a spawned task", where);
    }
    return take();
  }

  auto operator co_await() noexcept { return awaiter{this}; }

  /// For world::spawn and task_group::spawn.
  static spawned start(detail::engine& at, task<T> work, detail::group_count* group) {
    if (work.started()) {
      return start(at, detail::go_on_with(std::move(work)), group);
    }
    at.task_spawned();
    const frame_handle frame = work.release();
    frame.promise().mark_started();
    frame.promise().become_spawned(at, group, at.threads() > 1);
    at.resume_later(frame, detail::place::anywhere);
    return spawned{frame};
  }

 private:
  using promise_type = detail::promise<T>;
  using frame_handle = std::coroutine_handle<promise_type>;
  explicit spawned(frame_handle frame) : frame_{frame} {}

  struct awaiter {
    spawned* of;
    bool await_ready() const { return of->ready(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) {
      detail::teach_home(self, of->frame_.promise().home());
      return of->frame_.promise().await_by(self);
    }
    T await_resume() { return of->take(); }
  };

  T take() {
    struct destroy {
      frame_handle frame;
      ~destroy() { frame.destroy(); }
    } const at_end{std::exchange(frame_, nullptr)};
    return at_end.frame.promise().take();
  }

  /// `in_time`: not nullptr if it ends just now, and its group is still there.
  static void end_unheard(detail::promise_base& base, void* in_time) {
    auto& ended = static_cast<promise_type&>(base);
    if (ended.thrown()) {
      detail::log_lost_exception(*ended.home(), in_time != nullptr ? ended.group() : nullptr,
                                 ended.thrown());
    }
    frame_handle::from_promise(ended).destroy();
  }

  void drop() noexcept {
    if (frame_ == nullptr) {
      return;
    }
    promise_type& p = std::exchange(frame_, nullptr).promise();
    if (!p.notify(&end_unheard, &p)) {
      end_unheard(p, nullptr);
    }
  }

  frame_handle frame_;
};

}  // namespace lamellar
