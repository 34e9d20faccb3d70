// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <lamellar/substrate/bitwise.hpp>
#include <tuple>
#include <type_traits>
#include <utility>

// The members of an aggregate as a tuple of references, so that a plain struct with a string or
// a vector in it can travel without a line of code from its author. Up to 16 members, of any
// kind, arrays among them; no base classes. A larger struct needs a `serialize` member.

namespace lamellar {

namespace detail {

inline constexpr std::size_t most_fields = 16;

template <class T>
struct any_base_of {
  template <class U>
    requires(std::is_base_of_v<U, T> && !std::same_as<U, T>)
  operator U() const;
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-braces"
#pragma GCC diagnostic ignored "-Wconversion"  // choosing a constructor over a conversion

template <class T>
inline constexpr bool has_base = requires {
  T{any_base_of<T>{}};
};

template <class T, std::size_t... Before, std::size_t... After>
consteval bool initialises_braced(std::index_sequence<Before...>,
                                  std::index_sequence<After...>) {
  return requires { T{repeated<anything, Before>{}..., {}, repeated<anything, After>{}...}; };
}

#pragma GCC diagnostic pop

/// How many of `Count` initialisers the member takes that begins with number `First`: more than
/// one if it is an array.
/// `{}` initialises the member whole, whatever it is; the number of initialisers that then
/// still find a place tells.
template <class T, std::size_t Count, std::size_t First, std::size_t After = Count - First - 1>
consteval std::size_t initialisers_of_member() {
  if constexpr (initialises_braced<T>(std::make_index_sequence<First>{},
                                      std::make_index_sequence<After>{})) {
    return Count - First - After;
  } else if constexpr (After > 0) {
    return initialisers_of_member<T, Count, First, After - 1>();
  } else {
    return 1;  // cannot be made from {}: a class, for an array could
  }
}

template <class T, std::size_t Count, std::size_t First = 0>
consteval std::size_t count_fields_from() {
  if constexpr (First == Count) {
    return 0;
  } else {
    return 1 + count_fields_from<T, Count, First + initialisers_of_member<T, Count, First>()>();
  }
}

/// The number of members of aggregate T, an array counting as one; 0 if it has none or more
/// than we look through.
template <class T>
consteval std::size_t count_fields() {
  if constexpr (!std::is_aggregate_v<T> || !std::is_class_v<T> || has_base<T>) {
    return 0;
  } else {
    constexpr std::size_t initialisers = count_initialisers<T>();
    if constexpr (initialisers == 0 || initialisers > 64 ||
                  has_member_after<T>(std::make_index_sequence<initialisers>{})) {
      return 0;
    } else {
      constexpr std::size_t fields = count_fields_from<T, initialisers>();
      return fields <= most_fields ? fields : 0;
    }
  }
}

}  // namespace detail

/// An aggregate whose members fields() can list.
template <class T>
concept listable = detail::count_fields<std::remove_cvref_t<T>>()
> 0;

/// The members of `value`, in order, as a tuple of references.
template <listable T>
constexpr auto fields(T& value) noexcept {
  constexpr std::size_t count = detail::count_fields<std::remove_cv_t<T>>();
  // A structured binding needs its names written out, hence one line for each number of
  // members.
  // clang-format off
  if constexpr (count == 1) { auto& [a] = value; return std::tie(a); }
  else if constexpr (count == 2) { auto& [a, b] = value; return std::tie(a, b); }
  else if constexpr (count == 3) { auto& [a, b, c] = value; return std::tie(a, b, c); }
  else if constexpr (count == 4) { auto& [a, b, c, d] = value; return std::tie(a, b, c, d); }
  else if constexpr (count == 5) { auto& [a, b, c, d, e] = value; return std::tie(a, b, c, d, e); }
  else if constexpr (count == 6) { auto& [a, b, c, d, e, f] = value; return std::tie(a, b, c, d, e, f); }
  else if constexpr (count == 7) { auto& [a, b, c, d, e, f, g] = value; return std::tie(a, b, c, d, e, f, g); }
  else if constexpr (count == 8) { auto& [a, b, c, d, e, f, g, h] = value; return std::tie(a, b, c, d, e, f, g, h); }
  else if constexpr (count == 9) { auto& [a, b, c, d, e, f, g, h, i] = value; return std::tie(a, b, c, d, e, f, g, h, i); }
  else if constexpr (count == 10) { auto& [a, b, c, d, e, f, g, h, i, j] = value; return std::tie(a, b, c, d, e, f, g, h, i, j); }
  else if constexpr (count == 11) { auto& [a, b, c, d, e, f, g, h, i, j, k] = value; return std::tie(a, b, c, d, e, f, g, h, i, j, k); }
  else if constexpr (count == 12) { auto& [a, b, c, d, e, f, g, h, i, j, k, l] = value; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l); }
  else if constexpr (count == 13) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = value; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m); }
  else if constexpr (count == 14) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = value; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n); }
  else if constexpr (count == 15) { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = value; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o); }
  else { auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = value; return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p); }
  // clang-format on
}

}  // namespace lamellar
