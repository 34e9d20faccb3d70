// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <lamellar/containers/detail/array_part.hpp>
#include <lamellar/substrate/access_guard.hpp>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <type_traits>
#include <utility>

// What the locks of a local_lock_array or global_lock_array give: the elements of the view that
// are here, for as long as the guard lives.
//
// Thread-safety: one thread at a time. Moves and the destructor are local, noexcept and never
// wait. A body that holds a guard and waits for an operation on the same elements waits for
// itself.
namespace lamellar {

template <class Array, detail::access Which>
class [[nodiscard("the lock is given back when the guard is dropped")]] array_guard {
  using handle = typename Array::access_type::template handle<
      detail::array_part<typename Array::value_type, typename Array::layout_type>>;

 public:
  /// T for writers, const T for readers.
  using element_type =
      std::conditional_t<Which == detail::access::read, const typename Array::value_type,
                         typename Array::value_type>;

  array_guard() noexcept = default;

  std::span<element_type> local() const { return elements_; }
  std::size_t size() const { return elements_.size(); }
  element_type& operator[](std::size_t k) const { return elements_[k]; }
  auto begin() const { return elements_.begin(); }
  auto end() const { return elements_.end(); }
  /// The world of the array. Requires: the guard has not been released.
  world& where() const { return *where_; }
  explicit operator bool() const { return static_cast<bool>(guard_); }

  /// Give the lock back now.
  void release() noexcept {
    elements_ = {};
    guard_.release();
  }

 private:
  friend Array;
  array_guard(access_guard<handle, Which> guard, std::span<element_type> elements,
              world & where)
      : guard_{std::move(guard)}, elements_{elements}, where_{&where} {}

  access_guard<handle, Which> guard_;
  std::span<element_type> elements_;
  world* where_ = nullptr;
};

}  // namespace lamellar
