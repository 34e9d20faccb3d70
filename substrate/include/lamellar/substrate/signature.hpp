// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <lamellar/substrate/record.hpp>
#include <span>
#include <string_view>
#include <type_traits>

// What a handler takes, read off its call operator. Records are laid out after the handler's
// own parameters, so that `send(pe, f, 1)` and `send(pe, f, i)` with another integer type are
// records of one kind, and so that a std::string sent to a std::string_view parameter is read
// in place. A call operator that is a template or overloaded has no parameter list; then the
// record holds what the sender gave: strings and string literals sent as such, arrays as spans.

namespace lamellar {

/// A list of types.
template <class... Types>
struct type_list {
  static constexpr std::size_t size = sizeof...(Types);
};

namespace detail {

template <class Member>
struct member_parameters;
template <class R, class F, class... Args>
struct member_parameters<R (F::*)(Args...) const> : std::type_identity<type_list<Args...>> {};
template <class R, class F, class... Args>
struct member_parameters<R (F::*)(Args...) const noexcept>
    : std::type_identity<type_list<Args...>> {};
template <class R, class F, class... Args>
struct member_parameters<R (F::*)(Args...)> : std::type_identity<type_list<Args...>> {};
template <class R, class F, class... Args>
struct member_parameters<R (F::*)(Args...) noexcept> : std::type_identity<type_list<Args...>> {
};
template <class R, class F, class... Args>
struct member_parameters<R (F::*)(Args...) const&> : std::type_identity<type_list<Args...>> {};
template <class R, class F, class... Args>
struct member_parameters<R (F::*)(Args...) &&> : std::type_identity<type_list<Args...>> {};

template <std::size_t Skip, class List>
struct record_of_list;
template <class... Types>
struct record_of_list<0, type_list<Types...>>
    : std::type_identity<record<std::decay_t<Types>...>> {};
template <std::size_t Skip, class First, class... Rest>
  requires(Skip > 0)
struct record_of_list<Skip, type_list<First, Rest...>>
    : record_of_list<Skip - 1, type_list<Rest...>> {};

template <class Given>
struct sent_as : std::type_identity<std::decay_t<Given>> {};
template <class Given>
  requires std::is_pointer_v<std::decay_t<Given>> &&
      std::is_convertible_v<Given, std::string_view>
struct sent_as<Given> : std::type_identity<std::string_view> {
};
template <class T, std::size_t N>
  requires(!std::is_same_v<std::remove_const_t<T>, char>)
struct sent_as<T (&)[N]> : std::type_identity<std::span<const T>> {};
template <class T>
struct sent_as_span : std::type_identity<T> {};
template <class T, std::size_t N>
struct sent_as_span<std::span<T, N>> : std::type_identity<std::span<const T>> {};

}  // namespace detail

/// F has one call operator, which is not a template: parameters_of<F> exists.
template <class F>
concept has_signature = requires {
  &F::operator();
};

/// The parameter types of F's call operator, as declared.
template <has_signature F>
using parameters_of = typename detail::member_parameters<decltype(&F::operator())>::type;

/// The type as which an argument of type `Given` is sent to a handler that leaves it open.
template <class Given>
using sent_type = typename detail::sent_as_span<typename detail::sent_as<Given>::type>::type;

/// The record that carries arguments of types `Given...` to F, whose first `Skip` parameters
/// are not sent (the context, the object).
template <class F, std::size_t Skip, class... Given>
struct record_for : std::type_identity<record<sent_type<Given>...>> {};
template <has_signature F, std::size_t Skip, class... Given>
struct record_for<F, Skip, Given...> : detail::record_of_list<Skip, parameters_of<F>> {};

}  // namespace lamellar
