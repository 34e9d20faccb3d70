// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <coroutine>
#include <cstdint>
#include <lamellar/containers/detail/keyed_errors.hpp>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/substrate/completion.hpp>
#include <lamellar/substrate/reply.hpp>
#include <optional>
#include <source_location>
#include <utility>

// What a map answers: a reply<>, or a value that was here already, told in other words when it
// is taken. As cheap as one: a value that travels as its bytes allocates nothing.
//
// Thread-safety: one thread at a time.
namespace lamellar {

/// A completion<Wire>, given as Told{}(wire answer, place of the call).
template <class Wire, class Told>
class [[nodiscard("wait for it with .get() or co_await")]] told_reply {
 public:
  using value_type = decltype(Told{}(std::declval<Wire>(), std::source_location{}));

  told_reply() noexcept = default;
  told_reply(completion<Wire> rest, std::source_location asked) noexcept
      : rest_{std::move(rest)}, asked_{asked} {}
  told_reply(reply<Wire> rest, std::source_location asked) noexcept
      : rest_{std::move(rest)}, asked_{asked} {}

  /// Whether there is an answer to get() or await.
  bool valid() const { return rest_.valid(); }
  /// Whether get() would return at once.
  bool ready() const { return rest_.ready(); }
  /// Wait for the answer, making progress meanwhile, and return it. Once only.
  ///
  /// Throws: remote_error, if the handler threw.
  value_type get(std::source_location where = std::source_location::current()) {
    return Told{}(rest_.get(where), asked_);
  }

  auto operator co_await() noexcept { return awaiter{rest_.operator co_await(), asked_}; }

 private:
  using inner_awaiter = decltype(std::declval<completion<Wire>&>().operator co_await());
  struct awaiter {
    inner_awaiter inner;
    std::source_location asked;
    bool await_ready() { return inner.await_ready(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) {
      return inner.await_suspend(waiting);
    }
    value_type await_resume() { return Told{}(inner.await_resume(), asked); }
  };

  completion<Wire> rest_;
  std::source_location asked_;
};

namespace detail {

struct as_optional {
  template <class V>
  std::optional<V> operator()(maybe<V> answer, const std::source_location&) const {
    return std::move(answer).get();
  }
};
struct as_value {
  template <class V>
  V operator()(maybe<V> answer, const std::source_location& asked) const {
    if (!answer.some) [[unlikely]] {
      throw_no_such_key(asked);
    }
    return std::move(answer.value);
  }
};

struct as_count {
  std::uint64_t operator()(const maybe<std::uint64_t>& answer,
                           const std::source_location&) const {
    return answer.some ? answer.value : 0;
  }
};
struct as_flag {
  bool operator()(std::uint8_t answer, const std::source_location&) const {
    return answer != 0;
  }
};

}  // namespace detail

/// Yes or no: gives bool.
using flag_reply = told_reply<std::uint8_t, detail::as_flag>;
/// How often: gives std::uint64_t.
using count_reply = told_reply<detail::maybe<std::uint64_t>, detail::as_count>;
/// An answer that may be none: gives std::optional<V>.
template <class V>
using optional_reply = told_reply<detail::maybe<V>, detail::as_optional>;
/// An answer that should be one: gives V, or throws no_such_key.
template <class V>
using value_reply = told_reply<detail::maybe<V>, detail::as_value>;

}  // namespace lamellar
