// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/substrate/reply.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <utility>

// completion<T>: the end of a put, a get or an atomic operation on a memory region. What could
// be done by loads and stores is done when it is made, and then it is a value and nothing else:
// no slot, no allocation, nothing to wait for. Otherwise a message is under way, and it is a
// reply.
//
// Waiting is get() or co_await, as for a reply. A completion may be dropped: what it stands for
// happens all the same, and wait_all() covers it. The exception is a get into the caller's
// memory, whose data come when it is waited for or when other waiting makes progress: to drop
// it unfinished is misuse and ends the job.
//
// Thread-safety: one thread at a time.
namespace lamellar {

namespace detail {

class engine;

/// Where data that are under way are to be put. `at` is nullptr once nobody wants them any
/// more.
struct landing {
  engine* home = nullptr;
  std::size_t bytes = 0;
  std::source_location where;
  std::mutex mutex;  // guards `at`, and the copying to it
  std::byte* at = nullptr;
  lamellae::transfer by_network;  // if the network brings them
};

/// A get into the caller's memory was dropped. Ends the job, unless an exception unwinds.
void drop_landing(landing& dropped) noexcept;

}  // namespace detail

template <class T = void>
class [[nodiscard("wait for it with .get() or co_await")]] completion {
 public:
  using value_type = T;

  completion() noexcept = default;
  /// Done already.
  explicit completion(T value) : done_{std::move(value)} {}
  /// Done when the reply comes.
  explicit completion(reply<T> rest) noexcept : rest_{std::move(rest)} {}

  /// Whether there is something to get() or await.
  bool valid() const { return done_.has_value() || rest_.valid(); }
  /// Whether get() would return at once.
  bool ready() const { return done_.has_value() || rest_.ready(); }

  /// Wait until it is done, making progress meanwhile, and return the result. Once only.
  T get(std::source_location where = std::source_location::current()) {
    if (done_.has_value()) [[likely]] {
      return *std::move(done_);
    }
    return rest_.get(where);
  }

  auto operator co_await() noexcept { return awaiter{this}; }

 private:
  struct awaiter {
    completion* of;
    bool await_ready() {
      return of->done_.has_value() || of->rest_.operator co_await().await_ready();
    }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) {
      return of->rest_.operator co_await().await_suspend(waiting);
    }
    T await_resume() { return of->get(); }
  };

  std::optional<T> done_;
  reply<T> rest_;
};

template <>
class [[nodiscard("wait for it with .get() or co_await")]] completion<void> {
 public:
  using value_type = void;

  /// Done already.
  completion() noexcept = default;
  /// Done when the reply comes.
  explicit completion(reply<> rest) noexcept : rest_{std::move(rest)} {}
  /// The same; what comes is put to `into`.
  completion(reply<> rest, std::shared_ptr<detail::landing> into) noexcept
      : rest_{std::move(rest)}, into_{std::move(into)} {}
  completion(completion && other) noexcept = default;
  completion& operator=(completion&& other) noexcept {
    if (this != &other) {
      drop();
      rest_ = std::move(other.rest_);
      into_ = std::move(other.into_);
    }
    return *this;
  }
  ~completion() { drop(); }

  /// Whether get() would return at once.
  bool ready() const { return !rest_.valid() || rest_.ready(); }

  /// Wait until it is done, making progress meanwhile.
  void get(std::source_location where = std::source_location::current()) {
    if (rest_.valid()) [[unlikely]] {
      finish(where);
    }
  }

  auto operator co_await() noexcept { return awaiter{this}; }

 private:
  struct awaiter {
    completion* of;
    bool await_ready() {
      return !of->rest_.valid() || of->rest_.operator co_await().await_ready();
    }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) {
      return of->rest_.operator co_await().await_suspend(waiting);
    }
    void await_resume() { of->get(); }
  };

  void finish(std::source_location where) {
    reply<> rest = std::move(rest_);
    const std::shared_ptr<detail::landing> into = std::move(into_);
    rest.get(where);
  }

  void drop() noexcept {
    if (into_ != nullptr) [[unlikely]] {
      if (!ready()) {
        detail::drop_landing(*into_);
      }
      into_.reset();
    }
  }

  reply<> rest_;
  std::shared_ptr<detail::landing> into_;
};

}  // namespace lamellar
