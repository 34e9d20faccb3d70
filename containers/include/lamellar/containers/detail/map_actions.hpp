// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/substrate/context.hpp>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

// What becomes of one item of a map; see keyed_handlers.hpp. All run under the lock of the
// item's table.
namespace lamellar::detail {

/// Call a user's function of a value: f(v, args...), f(key, v, args...) or
/// f(context, key, v, args...).
template <class F, class K, class V, class... A>
decltype(auto) call_visitor(context& where, const F& f, const K& key, V& value,
                            const A&... args) {
  if constexpr (std::invocable<const F&, context&, const K&, V&, const A&...>) {
    return f(where, key, value, args...);
  } else if constexpr (std::invocable<const F&, const K&, V&, const A&...>) {
    return f(key, value, args...);
  } else {
    static_assert(std::invocable<const F&, V&, const A&...>,
                  "the function of an element takes (value&, args...), "
                  "(const key&, value&, args...) or (context&, const key&, value&, args...)");
    return f(value, args...);
  }
}

template <class F, class K, class V, class... A>
using visitor_result = std::remove_cvref_t<decltype(call_visitor(
    std::declval<context&>(), std::declval<const F&>(), std::declval<const K&>(),
    std::declval<V&>(), std::declval<const A&>()...))>;

/// Stands for a function with a state, which travels as the first of its arguments.
struct carried_function {
  template <class K, class V, class F, class... A>
  decltype(auto) operator()(context& where, const K& key, V& value, const F& f,
                            const A&... args) const {
    return call_visitor(where, f, key, value, args...);
  }
};

template <class Part>
using key_of_part = typename Part::key_type;
template <class Part>
using value_of_part = typename Part::item_type::second_type;

/// Constructs an item of a map.
template <class Part, class... A>
auto maker(const typename Part::lookup& key, const A&... args) {
  return [&](void* place) {
    using item = typename Part::item_type;
    ::new (place) item(std::piecewise_construct, std::forward_as_tuple(key),
                       std::forward_as_tuple(args...));
  };
}

template <class Part>
struct map_insert {
  using part = Part;
  using result = void;
  using operands = std::tuple<value_of_part<Part>>;
  static void run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key,
                  const value_of_part<Part>& value) {
    here.with_made(h, key, maker<Part>(key, value), [](auto&, bool) {});
  }
};

template <class Part>
struct map_assign {
  using part = Part;
  using result = void;
  using operands = std::tuple<value_of_part<Part>>;
  static void run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key,
                  const value_of_part<Part>& value) {
    here.with_made(h, key, maker<Part>(key, value), [&](auto& item, bool is_new) {
      if (!is_new) {
        item.second = value;
      }
    });
  }
};

template <class Part, class... A>
struct map_emplace {
  using part = Part;
  using result = bool;
  using operands = std::tuple<A...>;
  static bool run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key,
                  const A&... args) {
    return here.with_made(h, key, maker<Part>(key, args...),
                          [](auto&, bool is_new) { return is_new; });
  }
};

template <class Part, class F, class... A>
struct map_update {
  using part = Part;
  using result = void;
  using operands = std::tuple<A...>;
  static void run(context& where, Part& here, std::uint64_t h, const typename Part::lookup& key,
                  const A&... args) {
    here.with_made(h, key, maker<Part>(key), [&](auto& item, bool) {
      static_cast<void>(
          call_visitor(where, F{}, std::as_const(item.first), item.second, args...));
    });
  }
};

template <class Part, class F, class... A>
struct map_visit {
  using part = Part;
  using value = visitor_result<F, key_of_part<Part>, value_of_part<Part>, A...>;
  static constexpr bool is_void = std::is_void_v<value>;
  using result = typename std::conditional_t<is_void, std::type_identity<bool>,
                                             std::type_identity<maybe<value>>>::type;
  using operands = std::tuple<A...>;
  static result run(context& where, Part& here, std::uint64_t h,
                    const typename Part::lookup& key, const A&... args) {
    return here.with(h, key, [&](auto* item) -> result {
      if (item == nullptr) {
        return {};
      }
      if constexpr (is_void) {
        call_visitor(where, F{}, std::as_const(item->first), item->second, args...);
        return true;
      } else {
        return {call_visitor(where, F{}, std::as_const(item->first), item->second, args...),
                true};
      }
    });
  }
};

/// value = op(value, given); the value is given where there was none.
template <class Part, class Op>
struct map_combine {
  using part = Part;
  using result = void;
  using operands = std::tuple<value_of_part<Part>>;
  static void run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key,
                  const value_of_part<Part>& given) {
    here.with_made(h, key, maker<Part>(key, given), [&](auto& item, bool is_new) {
      if (!is_new) {
        item.second = Op{}(std::as_const(item.second), given);
      }
    });
  }
};

template <class Part>
struct map_find {
  using part = Part;
  using result = maybe<value_of_part<Part>>;
  using operands = std::tuple<>;
  static result run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key) {
    return here.with(h, key, [](const auto* item) {
      return item == nullptr ? result{} : result{item->second, true};
    });
  }
};

template <class Part>
struct map_extract {
  using part = Part;
  using result = maybe<value_of_part<Part>>;
  using operands = std::tuple<>;
  static result run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key) {
    result found;
    found.some =
        here.take_out(h, key, [&](auto& item) { found.value = std::move(item.second); });
    return found;
  }
};

// ---- also of sets ---------------------------------------------------------------------------

template <class Part>
struct keyed_contains {
  using part = Part;
  using result = bool;
  using operands = std::tuple<>;
  static bool run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key) {
    return here.with(h, key, [](const auto* item) { return item != nullptr; });
  }
};

template <class Part>
struct keyed_erase {
  using part = Part;
  using result = bool;
  using operands = std::tuple<>;
  static bool run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key) {
    return here.take_out(h, key, [](auto&) {});
  }
};

}  // namespace lamellar::detail
