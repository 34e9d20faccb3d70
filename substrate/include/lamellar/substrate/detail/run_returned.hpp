// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/on_caller.hpp>
#include <tuple>
#include <utility>

// What becomes of a message that a handler has returned: it travels to the caller as a message
// with the call's ticket before its arguments, and its result fills the call's slot there.
namespace lamellar::detail {

template <class G, class... Args>
struct run_returned {
  using s = shape<G, void, Args...>;
  static_assert(!is_returned_message<typename s::value>,
                "a message that runs on the caller cannot return another one");
  static constexpr bool is_coroutine = s::is_coroutine;

  static auto call(context& where, G& g, Args&... args) {
    if constexpr (s::takes == head::context) {
      return g(where, std::move(args)...);
    } else {
      return g(std::move(args)...);
    }
  }
  static void failed(context& where, ticket t) {
    const std::string text = text_of_current_exception();
    engine& home = engine_of(where.world());
    home.answer_error_to(home.here(), home.me(), t, handler_table::readable(typeid(G).name()),
                         text);
  }
  template <class... Value>
  static void answer(context& where, ticket t, const Value&... value) {
    engine& home = engine_of(where.world());
    execution here{home, home.here(), home.me()};
    if constexpr (sizeof...(Value) == 0) {
      home.answer<0>(here, t, nullptr);
    } else {
      (answer_with(here, t, value), ...);
    }
  }
};

/// As a handler.
template <class G, class... Args>
struct run_returned_now {
  using run = run_returned<G, Args...>;
  void operator()(context& where, ticket t, G g, Args... args) const {
    try {
      if constexpr (std::is_void_v<typename run::s::value>) {
        run::call(where, g, args...);
        run::answer(where, t);
      } else {
        run::answer(where, t, run::call(where, g, args...));
      }
    } catch (...) {
      run::failed(where, t);
    }
  }
};

/// The same for a coroutine.
template <class G, class... Args>
struct run_returned_later {
  using run = run_returned<G, Args...>;
  task<> operator()(context where, ticket t, G g, Args... args) const {
    try {
      if constexpr (std::is_void_v<typename run::s::value>) {
        co_await run::call(where, g, args...);
        run::answer(where, t);
      } else {
        const auto value = co_await run::call(where, g, args...);
        run::answer(where, t, value);
      }
    } catch (...) {
      run::failed(where, t);
    }
  }
};

template <class G, class... Args>
void return_to_caller(execution& at, ticket t, bool is_call,
                      const returned_message<G, Args...>& message) {
  using coded =
      std::conditional_t<run_returned<G, Args...>::is_coroutine, run_returned_later<G, Args...>,
                         run_returned_now<G, Args...>>;
  const exempt_scope beyond_budget{at.here};  // as an answer
  std::apply(
      [&](const Args&... args) {
        if (is_call) {
          send_message<void>(at.home, at.from, 0, coded{}, t, message.callable, args...);
        } else {
          send_message<void>(at.home, at.from, 0, message.callable, args...);
        }
      },
      message.arguments);
}

}  // namespace lamellar::detail
