// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <lamellar/containers/detail/element.hpp>
#include <lamellar/containers/operations.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <type_traits>
#include <utility>

// What is done to one element, as a type: an action has an `operand`, which travels, a
// `result`, and `run<Element>(slot, stripe, operand)`, where Element is one of element.hpp.
// Everything else about operations (routes, batches, locks, answers) is written once, for any
// action.
namespace lamellar::detail {

/// No operand.
struct nothing {};

/// Several operands of a user's function.
template <class... Args>
struct operands;
template <>
struct operands<> {
  template <class F, class... Before>
  decltype(auto) pass_to(const F& f, const Before&... before) const {
    return f(before...);
  }
};
template <class First, class... Rest>
struct operands<First, Rest...> {
  First first;
  [[no_unique_address]] operands<Rest...> rest;

  template <class F, class... Before>
  decltype(auto) pass_to(const F& f, const Before&... before) const {
    return rest.pass_to(f, before..., first);
  }
  template <class Archive>
  void serialize(Archive& by) requires(!bitwise<First> || (!bitwise<Rest> || ...)) {
    by(first, rest);
  }
};

inline operands<> make_operands() { return {}; }
template <class First, class... Rest>
operands<First, Rest...> make_operands(const First& first, const Rest&... rest) {
  return {first, make_operands(rest...)};
}

template <class T>
struct load_action {
  using operand = nothing;
  using result = T;
  static constexpr bool writes = false;
  template <class Element>
  static T run(T& slot, const stripe& by, const nothing&) {
    return Element::load(slot, by);
  }
};

template <class T>
struct store_action {
  using operand = T;
  using result = void;
  static constexpr bool writes = true;
  template <class Element>
  static void run(T& slot, const stripe& by, const T& value) {
    Element::store(slot, value, by);
  }
};

/// By one of the operations, or any callable without state, with one operand.
template <class T, class F, class V = T>
struct update_action {
  using operand = V;
  using result = T;
  static constexpr bool writes = true;
  template <class Element>
  static T run(T& slot, const stripe& by, const V& value) {
    return Element::update(slot, by, F{}, value);
  }
};

/// By a user's function, which may have state, with any operands.
template <class T, class F, class... Args>
struct apply_action {
  struct operand {
    [[no_unique_address]] F f;
    [[no_unique_address]] operands<Args...> args;
    template <class Archive>
    void serialize(Archive& by) requires(!bitwise<F> || (!bitwise<Args> || ...)) {
      by(f, args);
    }
  };
  using result = T;
  static constexpr bool writes = true;
  template <class Element>
  static T run(T& slot, const stripe& by, const operand& o) {
    return Element::update(
        slot, by, [&o](const T& old) { return static_cast<T>(o.args.pass_to(o.f, old)); });
  }
};

/// The operand of an apply_action.
template <class Action, class F, class... Args>
typename Action::operand bound(const F& f, const Args&... args) {
  if constexpr (sizeof...(Args) == 0) {
    return {f, {}};
  } else {
    return {f, make_operands(args...)};
  }
}

template <class T>
struct compare_action {
  struct operand {
    T expected;
    T desired;
    template <class Archive>
    void serialize(Archive& by) requires(!bitwise<T>) {
      by(expected, desired);
    }
  };
  using result = exchanged<T>;
  static constexpr bool writes = true;
  template <class Element>
  static result run(T& slot, const stripe& by, const operand& o) {
    result r;
    r.before = Element::update(slot, by, [&](const T& old) {
      r.done = old == o.expected;
      return r.done ? o.desired : old;
    });
    return r;
  }
};

/// For floating point: equal means less than `epsilon` apart.
template <class T>
struct compare_epsilon_action {
  struct operand {
    T expected;
    T desired;
    T epsilon;
  };
  using result = exchanged<T>;
  static constexpr bool writes = true;
  template <class Element>
  static result run(T& slot, const stripe& by, const operand& o) {
    result r;
    r.before = Element::update(slot, by, [&](const T& old) {
      const T apart = old < o.expected ? o.expected - old : old - o.expected;
      r.done = apart < o.epsilon;
      return r.done ? o.desired : old;
    });
    return r;
  }
};

/// Whether an action may be put off until the processor has fetched its element.
template <class A>
struct deferrable : std::false_type {};
template <class T, std::derived_from<library_operation> F>
struct deferrable<update_action<T, F, T>> : std::bool_constant<native_atomic<T>> {};

/// Adding to integers, which is mostly counting one by one.
template <class Action>
inline constexpr bool counts = false;
template <std::integral T>
inline constexpr bool counts<update_action<T, op::add, T>> = !std::same_as<T, bool>;

// ---- records --------------------------------------------------------------------------------

/// One element's offset and what to do with it, without padding.
template <class Offset, class Operand>
struct element_record {
  std::byte raw[sizeof(Offset) + bitwise_size<Operand>];

  element_record() = default;
  element_record(std::size_t offset, const Operand& value) {
    write_bitwise(write_bitwise(raw, static_cast<Offset>(offset)), value);
  }
  std::size_t offset() const { return static_cast<std::size_t>(read_bitwise<Offset>(raw)); }
  Operand operand() const { return read_bitwise<Operand>(raw + sizeof(Offset)); }
};

}  // namespace lamellar::detail

template <class Offset, class Operand>
inline constexpr bool
    lamellar::enable_bitwise<lamellar::detail::element_record<Offset, Operand>> = true;
