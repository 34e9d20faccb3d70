// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <type_traits>
#include <utility>
#include <vector>

// One call to many PEs, and the one reply that stands for all of theirs.
namespace lamellar::detail {

/// What many replies give together.
template <class R>
struct all_of : std::type_identity<std::vector<R>> {};
template <>
struct all_of<void> : std::type_identity<void> {};

template <class R>
task<typename all_of<R>::type> gather_replies(std::vector<reply<R>> replies) {
  if constexpr (std::is_void_v<R>) {
    for (reply<R>& each : replies) {
      co_await each;
    }
  } else {
    std::vector<R> results;
    results.reserve(replies.size());
    for (reply<R>& each : replies) {
      results.push_back(co_await each);
    }
    co_return results;
  }
}

/// Call `f` on the PEs pe_of(0) to pe_of(count - 1); the results come in that order.
template <class Object, class PeOf, class F, class... Args>
auto call_each(engine& at, std::uint32_t count, PeOf pe_of, std::uint32_t object, const F& f,
               const Args&... args) {
  using result = call_result<F, Object, Args...>;
  std::vector<reply<result>> replies;
  replies.reserve(count);
  for (std::uint32_t k = 0; k < count; ++k) {
    replies.push_back(call_message<Object>(at, pe_of(k), object, f, args...));
  }
  at.flush(at.here());
  return reply<typename all_of<result>::type>{gather_replies<result>(std::move(replies))};
}

}  // namespace lamellar::detail
