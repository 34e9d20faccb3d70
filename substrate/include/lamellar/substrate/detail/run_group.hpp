// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <lamellar/substrate/codec.hpp>
#include <lamellar/substrate/detail/call_each.hpp>
#include <lamellar/substrate/detail/send.hpp>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// The handler that runs one PE's share of a message_group: the callable, and the arguments of
// its messages back to back. Their results make one answer.
namespace lamellar::detail {

/// Ends the job: there is no such result in a group.
[[noreturn]] void wrong_result(std::size_t message, const char* why);
/// Throws what is being handled, with the number of the message that threw it.
[[noreturn]] void throw_of_group(std::uint32_t message, const std::exception_ptr& thrown);

/// What a group's messages to one PE give, or what the first of them threw that did.
template <class Value>
struct outcomes {
  using results_type = typename all_of<Value>::type;
  std::conditional_t<std::is_void_v<Value>, std::monostate, results_type> results;
  std::exception_ptr first;
  std::uint32_t thrown_by = 0;

  explicit outcomes([[maybe_unused]] std::uint32_t count) {
    if constexpr (!std::is_void_v<Value>) {
      results.reserve(count);
    }
  }
  /// Message `k` has thrown what is being handled.
  void threw(std::uint32_t k) {
    if (!first) {
      first = std::current_exception();
      thrown_by = k;
    }
  }
  results_type take() {
    if (first) {
      throw_of_group(thrown_by, first);
    }
    if constexpr (!std::is_void_v<Value>) {
      return std::move(results);
    }
  }
};

template <class F, class Arguments>
struct run_group;

template <class F, class... Args>
struct run_group<F, record<Args...>> {
  using s = shape<F, void>;
  using value = typename s::value;
  static_assert(!is_returned_message<value>,
                "a handler in a group returns a value, not a message");
  using results = typename all_of<value>::type;

  static std::tuple<Args...> next(byte_reader& in) {
    return std::tuple<Args...>{decode<Args>(in)...};  // braces: from left to right
  }
  static decltype(auto) call(F& f, context& at, std::tuple<Args...>& values) {
    return std::apply(
        [&](Args&... each) -> decltype(auto) {
          if constexpr (s::takes == head::context) {
            return f(at, std::move(each)...);
          } else {
            return f(std::move(each)...);
          }
        },
        values);
  }

  /// Each message in turn.
  struct now {
    results operator()(context& at, F f, std::span<const std::byte> records,
                       std::uint32_t count) const {
      byte_reader in{records, &engine_of(at.world())};
      outcomes<value> all{count};
      for (std::uint32_t k = 0; k < count; ++k) {
        auto values = next(in);
        try {
          if constexpr (std::is_void_v<value>) {
            call(f, at, values);
          } else {
            all.results.push_back(call(f, at, values));
          }
        } catch (...) {
          all.threw(k);
        }
      }
      return all.take();
    }
  };

  /// All begin, then all are awaited.
  struct later {
    task<results> operator()(context at, F f, std::vector<std::byte> records,
                             std::uint32_t count) const {
      byte_reader in{records, &engine_of(at.world())};
      std::vector<task<value>> running;
      running.reserve(count);
      std::exception_ptr broken;  // those that have begun use what this coroutine holds
      try {
        for (std::uint32_t k = 0; k < count; ++k) {
          auto values = next(in);
          running.push_back(call(f, at, values));
          running.back().start();
        }
      } catch (...) {
        broken = std::current_exception();
        count = static_cast<std::uint32_t>(running.size());
      }
      outcomes<value> all{count};
      for (std::uint32_t k = 0; k < count; ++k) {
        try {
          if constexpr (std::is_void_v<value>) {
            co_await running[k];
          } else {
            all.results.push_back(co_await running[k]);
          }
        } catch (...) {
          all.threw(k);
        }
      }
      if (broken) {
        std::rethrow_exception(broken);
      }
      co_return all.take();
    }
  };

  using handler = std::conditional_t<s::is_coroutine, later, now>;
};

template <class F>
auto call_group(engine& at, std::uint32_t to, const F& shared,
                const std::vector<std::byte>& records, std::uint32_t count) {
  using handler = typename run_group<F, typename shape<F, void>::arguments>::handler;
  return call_message<void>(at, to, 0, handler{}, shared, records, count);
}

}  // namespace lamellar::detail
