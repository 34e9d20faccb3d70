// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/detail/access_queue.hpp>
#include <type_traits>
#include <utility>

// What read() and write() of a read-write darc give: access to this PE's T for as long as the
// guard lives. It also keeps the object alive.
//
// Thread-safety: one thread at a time. Moves and the destructor are local, noexcept and never
// wait.
namespace lamellar {

template <class Handle, detail::access Which>
class [[nodiscard("access ends when the guard is dropped")]] access_guard {
 public:
  /// T for writers, const T for readers.
  using element_type =
      std::conditional_t<Which == detail::access::read, const typename Handle::value_type,
                         typename Handle::value_type>;

  access_guard() noexcept = default;
  access_guard(access_guard && other) noexcept : of_{std::move(other.of_)} {}
  access_guard& operator=(access_guard&& other) noexcept {
    release();
    of_ = std::move(other.of_);
    return *this;
  }
  ~access_guard() { release(); }

  element_type& operator*() const { return of_.guarded_value(); }
  element_type* operator->() const { return &of_.guarded_value(); }
  /// Whether it gives access: not after release() or a move.
  explicit operator bool() const { return static_cast<bool>(of_); }

  /// Give access back now.
  void release() noexcept {
    if (of_) {
      std::exchange(of_, Handle{}).leave(Which);
    }
  }

 private:
  friend Handle;
  /// Access has been granted.
  explicit access_guard(Handle of) noexcept : of_{std::move(of)} { of_.entered(); }

  Handle of_;
};

}  // namespace lamellar
