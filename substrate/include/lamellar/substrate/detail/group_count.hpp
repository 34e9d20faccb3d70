// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <coroutine>
#include <cstdint>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/failure_log.hpp>
#include <lamellar/substrate/detail/scheduling.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/task.hpp>
#include <memory>
#include <utility>
#include <vector>

// How many messages and tasks of a group have not ended yet, what nobody else hears of in them
// went wrong, and who waits for the last one. It lives as long as anything of the group does.
//
// Thread-safety: any thread of the PE.
namespace lamellar::detail {

class group_count : public std::enable_shared_from_this<group_count> {
 public:
  explicit group_count(engine& home)
      : home_{&home}, lock_{home.threads() > 1}, failures_{home.threads() > 1} {}
  /// Failures that nobody has asked for come out of wait_all() or quiesce().
  ~group_count();
  group_count(const group_count&) = delete;
  group_count& operator=(const group_count&) = delete;

  engine& home() const { return *home_; }
  /// One more is under way.
  void begin() {
    lock_.lock();
    if (left_++ == 0) {
      self_ = shared_from_this();
    }
    lock_.unlock();
  }
  /// One has ended.
  void end() noexcept;
  /// It has ended by a throw, and nobody holds its result.
  void failed(const failure& one) { failures_.add(1, one); }
  std::uint64_t left();
  /// Throws: remote_error, the first failure since the last call.
  void throw_failures() { failures_.take().rethrow(); }

  /// `co_await count.all_ended()`.
  auto all_ended() { return awaiter{this}; }

 private:
  struct awaiter {
    group_count* of;
    bool await_ready() const { return of->left() == 0; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) {
      teach_home(self, of->home_);
      return of->wait(self, running_place(*of->home_));
    }
    void await_resume() const noexcept {}
  };
  /// False if there is nothing to wait for.
  bool wait(std::coroutine_handle<> who, place where);

  engine* home_;
  spin_lock lock_;  // guards the next three
  std::uint64_t left_ = 0;
  std::vector<std::pair<std::coroutine_handle<>, place>> waiting_;
  std::shared_ptr<group_count> self_;  // while something is left
  failure_collector failures_;
};

}  // namespace lamellar::detail
