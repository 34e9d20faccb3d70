// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstddef>
#include <iterator>
#include <lamellar/containers/detail/pipeline_nodes.hpp>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

// Iterators over a node's items on one PE: random access where each slot has an item, else one
// way. They point into the pipeline, which must outlive them.
namespace lamellar::detail {

/// What a standard iterator calls its value: an element's type, or the item as it is.
template <class Item>
struct iterated : std::remove_cvref<Item> {};
template <class T>
struct iterated<atomic_reference<T>> : std::type_identity<T> {};

template <class Node>
class dense_iterator {
 public:
  using iterator_concept = std::random_access_iterator_tag;
  using iterator_category =
      std::conditional_t<std::is_reference_v<typename Node::item>,
                         std::random_access_iterator_tag, std::input_iterator_tag>;
  using value_type = typename iterated<typename Node::item>::type;
  using reference = typename Node::item;
  using difference_type = std::ptrdiff_t;
  using pointer = void;

  dense_iterator() = default;
  dense_iterator(const Node* of, std::size_t k)
      : of_{of}, k_{static_cast<difference_type>(k)} {}

  reference operator*() const { return of_->at(static_cast<std::size_t>(k_)); }
  reference operator[](difference_type by) const { return *(*this + by); }
  dense_iterator& operator+=(difference_type by) {
    k_ += by;
    return *this;
  }
  dense_iterator& operator-=(difference_type by) { return *this += -by; }
  dense_iterator& operator++() { return *this += 1; }
  dense_iterator& operator--() { return *this += -1; }
  dense_iterator operator++(int) { return std::exchange(*this, *this + 1); }
  dense_iterator operator--(int) { return std::exchange(*this, *this - 1); }
  friend dense_iterator operator+(dense_iterator at, difference_type by) { return at += by; }
  friend dense_iterator operator+(difference_type by, dense_iterator at) { return at += by; }
  friend dense_iterator operator-(dense_iterator at, difference_type by) { return at -= by; }
  friend difference_type operator-(const dense_iterator& a, const dense_iterator& b) {
    return a.k_ - b.k_;
  }
  friend bool operator==(const dense_iterator& a, const dense_iterator& b) {
    return a.k_ == b.k_;
  }
  friend auto operator<=>(const dense_iterator& a, const dense_iterator& b) {
    return a.k_ <=> b.k_;
  }

 private:
  const Node* of_ = nullptr;
  difference_type k_ = 0;
};

/// An item, or nothing; for items that are references, too.
template <class Item>
class item_slot {
 public:
  template <class I>
  void put(I&& item) {
    if constexpr (std::is_reference_v<Item>) {
      item_ = std::addressof(item);
    } else {
      item_.emplace(std::forward<I>(item));
    }
  }
  void clear() { item_ = {}; }
  bool full() const { return static_cast<bool>(item_); }
  decltype(auto) get() const {
    if constexpr (std::is_reference_v<Item>) {
      return static_cast<Item>(*item_);
    } else {
      return static_cast<const Item&>(*item_);
    }
  }

 private:
  std::conditional_t<std::is_reference_v<Item>, std::remove_reference_t<Item>*,
                     std::optional<std::remove_reference_t<Item>>>
      item_{};
};

template <class Node>
class sparse_iterator {
  using slot = item_slot<typename Node::item>;

 public:
  using iterator_concept = std::input_iterator_tag;
  using iterator_category = std::input_iterator_tag;
  using value_type = typename iterated<typename Node::item>::type;
  using reference = decltype(std::declval<const slot&>().get());
  using difference_type = std::ptrdiff_t;
  using pointer = void;

  explicit sparse_iterator(const Node* of) : of_{of} { find(); }

  reference operator*() const { return item_.get(); }
  sparse_iterator& operator++() {
    ++k_;
    find();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const sparse_iterator& at, std::default_sentinel_t) {
    return !at.item_.full();
  }

 private:
  void find() {
    item_.clear();
    for (; k_ < of_->slots(); ++k_) {
      of_->run(k_, k_ + 1,
               [this]<class I>(std::size_t, I&& item) { item_.put(std::forward<I>(item)); });
      if (item_.full()) {
        return;
      }
    }
  }

  const Node* of_;
  std::size_t k_ = 0;
  slot item_;
};

}  // namespace lamellar::detail
