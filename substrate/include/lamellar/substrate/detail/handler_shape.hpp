// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/by_value.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/detail/message.hpp>
#include <lamellar/substrate/on_caller.hpp>
#include <lamellar/substrate/record.hpp>
#include <lamellar/substrate/signature.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <span>
#include <tuple>
#include <type_traits>

// How a callable is understood as a handler: which of its parameters are the context and the
// object, how its records are laid out, what it gives its caller, and what it may not be.
//
// Thread-safety: types alone.
namespace lamellar {

template <class T>
class darc;

namespace detail {

/// What a handler of an object takes instead of a reference, if it is a coroutine. Kinds of
/// darcs that let nobody touch a part without a guard have a handle type of their own.
template <class Object>
struct handle_type : std::type_identity<darc<Object>> {
  static constexpr bool only = false;  ///< handlers get no reference
};
template <class Object>
using handle_of = typename handle_type<Object>::type;

/// What a handler takes before its own arguments.
enum class head : std::uint8_t { none, context, object, context_object };

template <class P>
inline constexpr bool is_context = std::same_as<std::remove_cvref_t<P>, context>;
template <class P, class Object>
inline constexpr bool is_object =
    !std::is_void_v<Object> &&
    ((std::is_lvalue_reference_v<P> && std::same_as<std::remove_cvref_t<P>, Object>) ||
     std::same_as<std::remove_cvref_t<P>, handle_of<Object>>);

template <class Object, class... P>
consteval head head_of(type_list<P...>) {
  constexpr std::size_t n = sizeof...(P);
  if constexpr (n == 0) {
    return head::none;
  } else {
    using list = std::tuple<P...>;
    using first = std::tuple_element_t<0, list>;
    if constexpr (is_context<first>) {
      if constexpr (n > 1) {
        if constexpr (is_object<std::tuple_element_t<1, list>, Object>) {
          return head::context_object;
        }
      }
      return head::context;
    } else if constexpr (is_object<first, Object>) {
      return head::object;
    } else {
      return head::none;
    }
  }
}

/// The head of a callable without a readable signature: the fullest one that compiles.
template <class F, class Object, class... Sent>
consteval head guess_head() {
  if constexpr (!std::is_void_v<Object>) {
    using object =
        std::conditional_t<handle_type<Object>::only, const handle_of<Object>, Object>;
    if constexpr (std::invocable<F&, context&, object&, Sent...>) {
      return head::context_object;
    } else if constexpr (std::invocable<F&, object&, Sent...>) {
      return head::object;
    }
  }
  if constexpr (std::invocable<F&, context&, Sent...>) {
    return head::context;
  } else {
    return head::none;
  }
}

template <class F, class Object, class... Given>
consteval head find_head() {
  if constexpr (has_signature<F>) {
    return head_of<Object>(parameters_of<F>{});
  } else {
    return guess_head<F, Object, sent_type<Given>...>();
  }
}

constexpr std::size_t parameters_in(head h) {
  return h == head::none ? 0 : h == head::context_object ? 2 : 1;
}

// ---- span handlers --------------------------------------------------------------------------

/// Not a span handler.
struct no_bulk {
  static constexpr bool is = false;
};
template <class Record, class Result>
struct bulk_of {
  static constexpr bool is = true;
  using record_type = Record;
  using result_type = Result;
};

template <class List>
struct bulk_tail : std::type_identity<no_bulk> {};
template <class Record>
struct bulk_tail<type_list<std::span<const Record>>>
    : std::type_identity<bulk_of<Record, void>> {};
template <class Record, class Result>
  requires(!std::is_const_v<Result>)
struct bulk_tail<type_list<std::span<const Record>, std::span<Result>>>
    : std::type_identity<bulk_of<Record, Result>> {};

template <std::size_t Skip, class List>
struct tail : std::type_identity<List> {};
template <std::size_t Skip, class First, class... Rest>
  requires(Skip > 0)
struct tail<Skip, type_list<First, Rest...>> : tail<Skip - 1, type_list<Rest...>> {};

template <class List>
struct strip_references;
template <class... P>
struct strip_references<type_list<P...>>
    : std::type_identity<type_list<std::remove_cvref_t<P>...>> {};

/// Whether one message to F, with the given arguments, is one record of a span.
template <class F, class Object, class... Given>
struct find_bulk : std::type_identity<no_bulk> {};
template <has_signature F, class Object, class Given>
struct find_bulk<F, Object, Given> {
  using candidate = typename bulk_tail<typename strip_references<typename tail<
      parameters_in(head_of<Object>(parameters_of<F>{})), parameters_of<F>>::type>::type>::type;
  template <class C>
  struct accept : std::type_identity<no_bulk> {};
  template <class C>
    requires C::is && std::convertible_to<const Given&, typename C::record_type> &&
        (!block_of<Given, std::span<const typename C::record_type>>)struct accept<C>
        : std::type_identity<C> {
    };
    using type = typename accept<candidate>::type;
};

template <class T>
inline constexpr bool is_returned_message = false;
template <class G, class... Args>
inline constexpr bool is_returned_message<returned_message<G, Args...>> = true;

template <class Value>
struct result_for_caller : std::type_identity<Value> {};

// ---- the shape of a handler -----------------------------------------------------------------

template <class F, class Record>
struct with_callable : std::type_identity<Record> {};
template <class F, class... Args>
  requires(!std::is_empty_v<F>)
struct with_callable<F, record<Args...>> : std::type_identity<record<F, Args...>> {};

template <class F, class Object, class... Given>
struct shape {
  static constexpr head takes = find_head<F, Object, Given...>();
  using bulk = typename find_bulk<F, Object, Given...>::type;
  static constexpr bool carried = !std::is_empty_v<F>;

  template <class B>
  struct arguments_for
      : std::type_identity<typename record_for<F, parameters_in(takes), Given...>::type> {};
  template <class B>
  requires B::is struct arguments_for<B> : std::type_identity<record<typename B::record_type>> {
  };

  using arguments = typename arguments_for<bulk>::type;
  using layout = typename with_callable<F, arguments>::type;

  template <class List>
  struct result_of;
  template <class... Args>
  struct result_of<record<Args...>> {
    static auto probe() {
      if constexpr (takes == head::context_object) {
        if constexpr (std::invocable<F&, context&, Object&, Args...>) {
          return std::type_identity<std::invoke_result_t<F&, context&, Object&, Args...>>{};
        } else {
          return std::type_identity<
              std::invoke_result_t<F&, context&, handle_of<Object>, Args...>>{};
        }
      } else if constexpr (takes == head::object) {
        if constexpr (std::invocable<F&, Object&, Args...>) {
          return std::type_identity<std::invoke_result_t<F&, Object&, Args...>>{};
        } else {
          return std::type_identity<std::invoke_result_t<F&, handle_of<Object>, Args...>>{};
        }
      } else if constexpr (takes == head::context) {
        return std::type_identity<std::invoke_result_t<F&, context&, Args...>>{};
      } else {
        return std::type_identity<std::invoke_result_t<F&, Args...>>{};
      }
    }
    using type = std::remove_cvref_t<typename decltype(probe())::type>;
  };
  template <class B>
  struct returned : std::type_identity<typename result_of<arguments>::type> {};
  template <class B>
  requires B::is struct returned<B> : std::type_identity<typename B::result_type> {
  };

  using raw_result = typename returned<bulk>::type;
  static constexpr bool is_coroutine = task_result<raw_result>::is_task;
  /// What the callable gives, and what its caller gets.
  using value = typename task_result<raw_result>::type;
  using result = typename result_for_caller<value>::type;

  /// Whether a fixed record goes into the run without a length.
  static constexpr bool fixed = layout::fixed && layout::size <= largest_fixed_record;
};

template <class G, class... Args>
struct result_for_caller<returned_message<G, Args...>>
    : std::type_identity<typename shape<G, void, Args...>::result> {};

/// Whether a handler of a guarded object takes what the guard is for.
template <class Object, class F>
consteval bool takes_unguarded() {
  if constexpr (has_signature<F> && requires { typename handle_of<Object>::value_type; }) {
    return []<class... P>(type_list<P...>) {
      return ((std::is_reference_v<P> &&
               std::same_as<std::remove_cvref_t<P>, typename handle_of<Object>::value_type>) ||
              ...);
    }(parameters_of<F>{});
  } else {
    return false;
  }
}

template <class... P>
consteval bool any_reference(type_list<P...>) {
  return (std::is_reference_v<P> || ...);
}

/// Refuse at compile time, in words, what cannot be a handler.
template <class F, class Object, class... Given>
consteval void check_handler() {
  check_sendable_callable<F>();
  if constexpr (!std::is_void_v<Object>) {
    if constexpr (handle_type<Object>::only) {
      static_assert(!takes_unguarded<Object, F>() || sizeof...(Given) != 0,
                    "handlers of a read-write darc take the handle and await a guard: "
                    "task<> operator()(context, local_rw_darc<T> object) const");
    }
  }
  using s = shape<F, Object, Given...>;
  if constexpr (s::is_coroutine) {
    static_assert(!s::layout::has_views,
                  "a coroutine handler outlives the arrived buffer: take std::string or "
                  "std::vector instead of a view");
    if constexpr (has_signature<F>) {
      static_assert(!any_reference(parameters_of<F>{}),
                    "a coroutine handler outlives its message: take the context, the object "
                    "(as a darc) and the arguments by value, not by reference");
    }
  }
  if constexpr (!std::is_void_v<typename s::result>) {
    static_assert(
        transferable<typename s::result>,
        "the handler's result cannot travel: return a value, not a pointer, a view or "
        "a reference");
  }
}

}  // namespace detail
}  // namespace lamellar
