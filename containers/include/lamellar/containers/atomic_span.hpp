// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <iterator>
#include <lamellar/containers/access.hpp>
#include <lamellar/containers/detail/action.hpp>
#include <span>
#include <utility>

// The elements of an atomic array that are here. Each is an atomic_reference: what is done to
// it is atomic against everybody else's operations on the array.
//
// Thread-safety: any thread of the PE.
namespace lamellar {

/// One element of an atomic array, here. Reading it loads, assigning to it stores.
template <class T>
class atomic_reference {
  using element = access::atomic::element<T>;

 public:
  atomic_reference(T& slot, detail::stripe by) : slot_{&slot}, by_{by} {}

  T load() const { return element::load(*slot_, by_); }
  void store(T value) const { element::store(*slot_, std::move(value), by_); }
  T swap(T value) const { return fetch(op::swap{}, value); }
  operator T() const { return load(); }  // NOLINT: it stands for the element
  const atomic_reference& operator=(T value) const {
    store(std::move(value));
    return *this;
  }
  atomic_reference(const atomic_reference&) = default;
  atomic_reference& operator=(const atomic_reference& other) {
    store(other.load());
    return *this;
  }

  /// Let it be f(old, value), for an operation of op or a pure function; gives the old value.
  template <class F>
  T fetch(const F& f, const T& value) const requires std::is_invocable_r_v<T, const F&, T, T> {
    return element::update(*slot_, by_, f, value);
  }
  /// Let it be f(old); gives the old value.
  template <class F>
  T update(const F& f) const requires std::is_invocable_r_v<T, const F&, T> {
    return element::update(*slot_, by_, f);
  }
  T fetch_add(const T& v) const requires operation_on<op::add, T> {
    return fetch(op::add{}, v);
  }
  T fetch_sub(const T& v) const requires operation_on<op::sub, T> {
    return fetch(op::sub{}, v);
  }
  T operator+=(const T& v) const requires operation_on<op::add, T> { return fetch_add(v) + v; }
  T operator-=(const T& v) const requires operation_on<op::sub, T> { return fetch_sub(v) - v; }
  /// Replace it by `desired` if it is `expected`; tell what it was, and whether.
  exchanged<T> compare_exchange(const T& expected, const T& desired) const {
    return detail::compare_action<T>::template run<element>(*slot_, by_, {expected, desired});
  }

 private:
  T* slot_;
  detail::stripe by_;
};

template <class T>
class atomic_span {
 public:
  using value_type = T;
  using reference = atomic_reference<T>;

  atomic_span() = default;
  /// Elements from `offset` on of those that `locks` guard.
  atomic_span(std::span<T> plain, const detail::lock_stripes* locks, std::size_t offset)
      : plain_{plain}, locks_{locks}, offset_{offset} {}

  std::size_t size() const { return plain_.size(); }
  bool empty() const { return plain_.empty(); }
  atomic_reference<T> operator[](std::size_t k) const {
    return {plain_[k], detail::stripe{*locks_, offset_ + k}};
  }
  /// `count` elements from `first` on. Requires: they are in this one.
  atomic_span subspan(std::size_t first, std::size_t count) const {
    return {plain_.subspan(first, count), locks_, offset_ + first};
  }
  /// The same memory without atomic access. Requires: nobody changes it meanwhile, which holds
  /// between a quiesce and a barrier.
  std::span<T> plain() const { return plain_; }

  class iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = atomic_reference<T>;
    using iterator_category = std::input_iterator_tag;

    iterator() = default;
    iterator(const atomic_span* of, std::size_t k) : of_{*of}, k_{k} {}
    reference operator*() const { return of_[k_]; }
    iterator& operator++() {
      ++k_;
      return *this;
    }
    iterator operator++(int) {
      iterator before = *this;
      ++k_;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) { return a.k_ == b.k_; }

   private:
    atomic_span of_;
    std::size_t k_ = 0;
  };
  iterator begin() const { return {this, 0}; }
  iterator end() const { return {this, size()}; }

 private:
  std::span<T> plain_;
  const detail::lock_stripes* locks_ = nullptr;
  std::size_t offset_ = 0;
};

}  // namespace lamellar
