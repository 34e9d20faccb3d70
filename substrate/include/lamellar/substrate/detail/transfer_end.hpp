// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <coroutine>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/task.hpp>

// How a coroutine waits for bytes that the network moves: it goes on after the poll that finds
// the end.
//
// Thread-safety: any thread of the PE.
namespace lamellar::detail {

struct transfer_end {
  engine* at;
  const lamellae::transfer* of;  ///< nullptr: just the next poll

  bool await_ready() const noexcept {
    return of != nullptr && of->pending.load(std::memory_order_acquire) == 0;
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) const {
    teach_home(waiting, at);
    at->resume_after_transfer(of, waiting);
  }
  void await_resume() const noexcept {}
};

}  // namespace lamellar::detail
