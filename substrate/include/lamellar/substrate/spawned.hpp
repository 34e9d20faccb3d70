// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/task.hpp>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

// spawned<T>: a task that runs by itself. Awaiting it, or get(), gives its result. Dropping it
// lets it go on.
namespace lamellar {

namespace detail {

/// What nobody will fetch comes out of wait_all() or quiesce().
void log_lost_exception(engine& at, const std::exception_ptr& thrown);

template <class T>
struct spawn_state {
  explicit spawn_state(engine& at) : home{&at} {}

  engine* home;
  // running -> awaited by the holder, abandoned by the holder; -> ended by the task. The second
  // one to change it finds the other's value.
  enum class status : std::uint8_t { running, awaited, abandoned, ended };
  std::atomic<status> state{status::running};
  std::coroutine_handle<> waiting;
  place where = place::anywhere;
  std::exception_ptr thrown;
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value;
};

/// Owns nothing and is owned by nobody: it ends by itself.
struct detached {
  struct promise_type {
    detached get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> frame;
};

template <class T>
detached run_spawned(std::shared_ptr<spawn_state<T>> state, task<T> work) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await work;
      state->value = true;
    } else {
      state->value.emplace(co_await work);
    }
  } catch (...) {
    state->thrown = std::current_exception();
  }
  using status = typename spawn_state<T>::status;
  engine& home = *state->home;
  const status before = state->state.exchange(status::ended, std::memory_order_acq_rel);
  if (before == status::awaited) {
    home.resume_later(state->waiting, state->where);
  } else if (before == status::abandoned && state->thrown) {
    log_lost_exception(home, state->thrown);
  }
  state.reset();
  home.task_ended();
}

}  // namespace detail

template <class T = void>
class spawned {
 public:
  using value_type = T;

  spawned(spawned&&) noexcept = default;
  spawned& operator=(spawned&& other) noexcept {
    drop();
    state_ = std::move(other.state_);
    return *this;
  }
  ~spawned() { drop(); }

  /// Whether get() would return at once.
  bool ready() const { return state_->state.load(std::memory_order_acquire) == status::ended; }

  /// Wait for the end, making progress meanwhile; the result, or what the task threw.
  T get(std::source_location where = std::source_location::current()) {
    if (!ready()) {
      detail::wait_until(
          *state_->home, [](void* of) { return static_cast<spawned*>(of)->ready(); }, this,
          "a spawned task", where);
    }
    return take();
  }

  auto operator co_await() noexcept { return awaiter{this}; }

  /// For world::spawn.
  static spawned start(detail::engine& at, task<T> work) {
    auto state = std::make_shared<detail::spawn_state<T>>(at);
    at.task_spawned();
    detail::detached running = detail::run_spawned<T>(state, std::move(work));
    at.resume_later(running.frame, detail::place::anywhere);
    return spawned{std::move(state)};
  }

 private:
  using status = typename detail::spawn_state<T>::status;
  explicit spawned(std::shared_ptr<detail::spawn_state<T>> state) : state_{std::move(state)} {}

  struct awaiter {
    spawned* of;
    bool await_ready() const { return of->ready(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) {
      detail::spawn_state<T>& state = *of->state_;
      detail::teach_home(self, state.home);
      state.waiting = self;
      state.where = detail::running_place(*state.home);
      status expected = status::running;
      return state.state.compare_exchange_strong(expected, status::awaited,
                                                 std::memory_order_acq_rel);
    }
    T await_resume() { return of->take(); }
  };

  T take() {
    const auto state = std::move(state_);
    if (state->thrown) {
      std::rethrow_exception(state->thrown);
    }
    if constexpr (!std::is_void_v<T>) {
      return std::move(*state->value);
    }
  }

  void drop() noexcept {
    if (state_ == nullptr) {
      return;
    }
    status expected = status::running;
    if (!state_->state.compare_exchange_strong(expected, status::abandoned,
                                               std::memory_order_acq_rel) &&
        expected == status::ended && state_->thrown) {
      detail::log_lost_exception(*state_->home, state_->thrown);
    }
    state_.reset();
  }

  std::shared_ptr<detail::spawn_state<T>> state_;
};

}  // namespace lamellar
