// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <functional>
#include <lamellar/lamellae/settings.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/world.hpp>
#include <type_traits>

// How a program becomes N PEs: `return lamellar::run(argc, argv, body);` at the end of main.
namespace lamellar {

/// What a program gives to run(): a function or coroutine of its PE's world.
template <class F>
concept main_function = std::invocable<F&, world&>;

namespace detail {

/// Run `one` on every PE of this process, each on a thread of its own (PE 0: this one).
int run_job(const lamellae::settings& s, const std::function<int(world&)>& one);
/// The settings of the environment; prints and ends the process if they are wrong.
int run_job_from_environment(const std::function<int(world&)>& one);

template <class F>
std::function<int(world&)> as_main(F&& f) {
  return [&f](world& w) -> int {
    using raw = std::invoke_result_t<F&, world&>;
    if constexpr (task_result<raw>::is_task) {
      if constexpr (std::is_void_v<typename task_result<raw>::type>) {
        f(w).get();
        return 0;
      } else {
        return f(w).get();
      }
    } else if constexpr (std::is_void_v<raw>) {
      f(w);
      return 0;
    } else {
      return f(w);
    }
  };
}

}  // namespace detail

/// Run `f(world)` on every PE of the job that the environment describes, and return when all
/// have ended and all messages are handled.
///
/// Alone: LAMELLAR_PES threads of this process, 1 if not set. Under lamellar-run: the processes
/// that it started. `f` may be a coroutine (task<>), and may return an exit code. An exception
/// that leaves `f` ends the job with its text and a non-zero code. Collective. Once at a time.
template <main_function F>
int run(int, char**, F&& f) {
  return detail::run_job_from_environment(detail::as_main(f));
}

/// The same with settings made by hand; for programs that embed a job, and for tests.
template <main_function F>
int launch(const lamellae::settings& s, F&& f) {
  return detail::run_job(s, detail::as_main(f));
}

}  // namespace lamellar
