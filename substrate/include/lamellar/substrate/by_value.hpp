// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <concepts>
#include <functional>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/detail/address_check.hpp>
#include <lamellar/substrate/detail/checked_build.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <source_location>
#include <span>
#include <type_traits>
#include <typeinfo>
#include <utility>

// Which callables may be sent, and the wrapper with which a lambda with captures may.
//
// A callable travels if it is stateless (nothing travels then: the other PE makes its own), or
// an aggregate of transferable members with a call operator. Nothing can look into a closure,
// so one with captures must say that it is meant: `by_value([=] {...})`. Its bytes travel.
// Checked builds test the first 16 instances of each closure type for words that are addresses
// of this process.
//
// A wrapper is a value: any thread may make, copy or send one.

namespace lamellar {

/// A callable without state, which any PE can make for itself.
template <class F>
concept stateless_callable = std::is_class_v<F> && std::is_empty_v<F> &&
    std::default_initializable<F> && detail::copies_as_bytes<F>;

/// A closure whose bytes may travel: a class, so no pointer to a function, and trivially
/// copyable.
template <class F>
concept copyable_closure = std::is_class_v<F> && detail::copies_as_bytes<F>;

/// A closure that travels as its bytes. Made by by_value().
template <copyable_closure F>
class closure {
 public:
  /// The type of the lambda inside.
  using callable = F;

  /// Call the lambda. One that is `mutable` changes this copy.
  template <class... Args>
    requires std::invocable<F&, Args...>
  decltype(auto) operator()(Args&&... args) {
    return std::invoke(f_, std::forward<Args>(args)...);
  }

  template <class... Args>
    requires std::invocable<const F&, Args...>
  decltype(auto) operator()(Args&&... args) const {
    return std::invoke(f_, std::forward<Args>(args)...);
  }

  /// The lambda inside.
  [[nodiscard]] F& get() noexcept { return f_; }
  [[nodiscard]] const F& get() const noexcept { return f_; }

 private:
  explicit closure(const F& f) : f_{f} {}

  template <copyable_closure G>
  friend closure<G> by_value(const G& f, std::source_location where);
  template <copyable_closure G>
  friend closure<G> by_value_unchecked(const G& f);

  F f_;
};

template <class F>
inline constexpr bool enable_bitwise<closure<F>> = true;

/// Let a lambda travel with what it captures by value. It must not capture pointers or
/// references.
///
/// Cost: a copy of the closure; in checked builds a search for addresses, 16 times for each
/// type. Threads: any. Requires: a trivially copyable closure, so strings and vectors go as
/// arguments instead. A closure that holds an address of this process ends the job, in checked
/// builds.
template <copyable_closure F>
[[nodiscard]] closure<F> by_value(const F& f,
                                  std::source_location where = std::source_location::current());

/// Refuse to compile, with words that help, what is no such closure.
template <class F>
  requires(!copyable_closure<F>)
void by_value(const F& f);

/// The same as by_value, without the search for addresses: for closures with numbers that look
/// like some.
template <copyable_closure F>
[[nodiscard]] closure<F> by_value_unchecked(const F& f);

namespace detail {
template <class F>
inline constexpr bool is_closure = false;
template <class F>
inline constexpr bool is_closure<closure<F>> = true;
}  // namespace detail

/// A callable that can be sent: stateless, an aggregate message, or wrapped by by_value().
template <class F>
concept sendable_callable = stateless_callable<F> ||(std::is_class_v<F>&& transferable<F>);

/// Refuse to compile, with words that help, unless F may be sent.
template <class F>
consteval void check_sendable_callable();

// ---- detail ----------------------------------------------------------------------

namespace detail {

inline constexpr unsigned checked_instances = 16;

/// Instances of closure type F that have been searched. Any thread counts up; the order does
/// not matter.
template <class F>
inline constinit std::atomic<unsigned> searched_instances{0};

template <class F>
void search_closure(const F& f, std::source_location where) {
  if constexpr (!std::is_empty_v<F>) {
    if (searched_instances<F>.load(std::memory_order_relaxed) < checked_instances) {
      searched_instances<F>.fetch_add(1, std::memory_order_relaxed);
      end_if_address_travels(std::as_bytes(std::span{&f, 1}), typeid(F).name(), where);
    }
  }
}

}  // namespace detail

template <copyable_closure F>
closure<F> by_value(const F& f, [[maybe_unused]] std::source_location where) {
  if constexpr (detail::checked_build) {
    detail::search_closure(f, where);
  }
  return closure<F>{f};
}

template <class F>
  requires(!copyable_closure<F>)
void by_value(const F&) {
  static_assert(
      copyable_closure<F>,
      "by_value copies the bytes of a closure, and this one needs more: pass strings, "
      "vectors and the like as arguments, and functions as lambdas without captures");
}

template <copyable_closure F>
closure<F> by_value_unchecked(const F& f) {
  return closure<F>{f};
}

template <class F>
consteval void check_sendable_callable() {
  constexpr bool is_function =
      std::is_pointer_v<F> || std::is_function_v<F> || std::is_member_pointer_v<F>;
  static_assert(
      !is_function,
      "a pointer to a function cannot travel: wrap the call in a lambda without captures, or "
      "in a struct with a call operator");
  static_assert(!detail::is_closure_like<F>,
                "a lambda with captures cannot travel as it is: pass the captured values as "
                "arguments, or wrap the lambda in lamellar::by_value(...)");
  if constexpr (!is_function && !detail::is_closure_like<F>) {
    static_assert(
        sendable_callable<F>,
        "this callable cannot travel: make it stateless, or an aggregate of transferable "
        "members (no pointers, no references), or give it a cereal serialize member and a "
        "default constructor; a lambda with captures goes through lamellar::by_value(...)");
  }
}

}  // namespace lamellar
