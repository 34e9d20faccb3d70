// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/task.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// How all PEs begin and end a loop over an array together: begun when all are here, nothing is
// under way and the locks are held; ended when all have done their part, or one has failed.
namespace lamellar::detail {

/// Takes a lock, which lasts as long as what it gives.
using lock_taker = std::function<task<std::shared_ptr<void>>()>;

/// A std::optional that travels, whatever is in it.
template <class V>
struct maybe {
  V value{};
  bool some = false;

  static maybe of(std::optional<V> from) {
    return from.has_value() ? maybe{*std::move(from), true} : maybe{};
  }
  std::optional<V> get() && { return some ? std::optional<V>{std::move(value)} : std::nullopt; }
};

/// What PEs bring to the end: a result, or what went wrong.
template <class R>
struct outcome {
  static constexpr std::uint32_t nobody = std::numeric_limits<std::uint32_t>::max();

  maybe<R> value;
  std::uint32_t failed = nobody;  // PE
  std::string why;
};

/// Wait until all PEs are here and what they have sent is handled; then take the locks.
inline task<std::vector<std::shared_ptr<void>>> begin_together(located_team of,
                                                               std::vector<lock_taker> locks) {
  auto settling = of.value.quiesce(of.where);
  co_await settling;
  std::vector<std::shared_ptr<void>> held;
  for (const lock_taker& each : locks) {
    auto entering = each();
    held.push_back(co_await entering);
  }
  co_return held;
}

/// Make an outcome of what `work()`, a function that returns an optional<R>, gives or throws.
template <class R, class Work>
outcome<R> attempt(const located_team& of, std::exception_ptr& thrown, const Work& work) {
  outcome<R> mine;
  try {
    mine.value = maybe<R>::of(work());
    return mine;
  } catch (const std::exception& e) {
    thrown = std::current_exception();
    mine.why = e.what();
  } catch (...) {
    thrown = std::current_exception();
    mine.why = "something that is no std::exception";
  }
  mine.failed = of.value.where().me().index();
  return mine;
}

/// The values of all PEs joined in the order of positions. Throws, if a PE has failed, on every
/// PE: there what its function threw, elsewhere a remote_error; `what` says whose function.
template <class R, class Op>
task<std::optional<R>> end_together(located_team of, outcome<R> mine, std::exception_ptr thrown,
                                    Op op, const char* what = "a function of all_elements()") {
  const auto join = [op](outcome<R> a, outcome<R> b) {
    if (a.failed != outcome<R>::nobody || b.failed != outcome<R>::nobody) {
      return a.failed != outcome<R>::nobody ? a : b;
    }
    if (a.value.some && b.value.some) {
      a.value.value = op(std::move(a.value.value), std::move(b.value.value));
    }
    return a.value.some ? a : b;
  };
  auto joining = all_reduce(of, std::move(mine), join);
  outcome<R> all = co_await joining;
  if (thrown) {
    std::rethrow_exception(thrown);
  }
  if (all.failed != outcome<R>::nobody) {
    throw remote_error(all.failed, what, all.why);
  }
  co_return std::move(all.value).get();
}

}  // namespace lamellar::detail
