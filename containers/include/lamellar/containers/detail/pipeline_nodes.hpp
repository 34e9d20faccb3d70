// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/atomic_span.hpp>
#include <lamellar/containers/layout.hpp>
#include <tuple>
#include <type_traits>
#include <utility>

// What a pipeline over elements is made of: a source, and nodes that each hold the one before
// them. Nothing is stored for an element.
//
// A node has slots(), numbered from 0, in the order of the elements' positions. A dense node
// has an item in each of them, at(k). A sparse one may have none in some, and hands those that
// are there to a sink: run(begin, end, sink) calls sink(k, item).
//
// Slots lie on a PE; positions are those of the whole sequence: for the elements of one PE the
// same, for those of an array their indices. An indexed node knows where its slots are in it:
//   position(k)       of a slot
//   before(part, p)   slots of a part whose position is less than p
//   length()          positions altogether
//
// Thread-safety: constant after construction; functions in nodes are called by several threads.
namespace lamellar::detail {

template <class Node>
concept dense = requires(const Node& node) {
  node.at(std::size_t{});
};

template <class Node>
concept sliceable = requires(const Node& node) {
  node.slice(std::size_t{}, std::size_t{});
};

/// Call sink(k, item) for the items in slots [begin, end), in order.
template <class Node, class Sink>
void visit(const Node& node, std::size_t begin, std::size_t end, Sink&& sink) {
  if constexpr (dense<Node>) {
    for (std::size_t k = begin; k < end; ++k) {
      sink(k, node.at(k));
    }
  } else {
    node.run(begin, end, sink);
  }
}

/// f(item), or f(first, second) if the item is a pair and f takes no pair. An item that is a
/// value is passed as a variable if f wants one.
template <class F, class Item>
decltype(auto) invoke_with(const F& f, Item&& item) {
  if constexpr (std::invocable<const F&, Item>) {
    return std::invoke(f, std::forward<Item>(item));
  } else if constexpr (std::invocable<const F&, Item&>) {
    return std::invoke(f, item);
  } else {
    return std::apply(f, item);
  }
}
template <class F, class Item>
using result_for = decltype(invoke_with(std::declval<const F&>(), std::declval<Item>()));

/// What is kept of an item when its element is not at hand any more.
template <class Item>
struct kept : std::remove_cvref<Item> {};
template <class T>
struct kept<atomic_reference<T>> : std::type_identity<T> {};
template <class A, class B>
struct kept<std::pair<A, B>>
    : std::type_identity<std::pair<typename kept<A>::type, typename kept<B>::type>> {};
template <class Item>
using kept_value = typename kept<std::remove_cvref_t<Item>>::type;

// ---- positions ------------------------------------------------------------------------------

/// Of elements on one PE.
struct positions_here {
  std::size_t count = 0;

  std::size_t position(std::size_t k) const { return k; }
  std::size_t before(std::uint32_t, std::size_t p) const { return std::min(p, count); }
  std::size_t length() const { return count; }
  std::uint32_t parts() const { return 1; }
  std::uint32_t me() const { return 0; }

  struct place {
    std::size_t first = 0;
    std::size_t grain = 1;
  };
  place origin() const { return {}; }
  static bool aligned(const place&, const place&) { return true; }
};

/// Of elements of an array: all indices of a view, from `first` of the whole array on.
template <class Layout>
class positions_in_array {
 public:
  positions_in_array(const Layout& how, std::size_t first, std::size_t count, std::uint32_t me,
                     const std::uint32_t* pes)
      : layout_{how},
        first_{first},
        count_{count},
        begin_{how.before(me, first)},
        me_{me},
        pes_{pes} {}

  std::size_t position(std::size_t k) const {
    return layout_.index_of({me_, begin_ + k}) - first_;
  }
  std::size_t before(std::uint32_t part, std::size_t p) const {
    return layout_.before(part, first_ + std::min(p, count_)) - layout_.before(part, first_);
  }
  std::size_t length() const { return count_; }
  std::uint32_t parts() const { return layout_.parts(); }
  std::uint32_t me() const { return me_; }

  /// Where position 0 of a sequence is in the whole array, and how many elements an item has.
  struct place {
    Layout layout;
    const std::uint32_t* pes;
    std::size_t first;
    std::size_t grain = 1;
  };
  place origin() const { return {layout_, pes_, first_}; }
  /// Whether equal positions are on the same PE. The same answer on all PEs.
  static bool aligned(const place& a, const place& b) {
    return a.layout == b.layout && a.first == b.first && a.grain == b.grain &&
           std::equal(a.pes, a.pes + a.layout.parts(), b.pes);
  }

 private:
  Layout layout_;
  std::size_t first_;
  std::size_t count_;
  std::size_t begin_;
  std::uint32_t me_;
  const std::uint32_t* pes_;  // by position in the team
};

// ---- nodes ----------------------------------------------------------------------------------

/// Elements as they lie. `Keep` is a handle that keeps them alive.
template <class Span, class Positions, class Keep>
class element_source {
 public:
  static constexpr bool indexed = true;
  using item = decltype(std::declval<const Span&>()[0]);
  using positions = Positions;

  element_source(Span elements, Positions where, Keep keep)
      : elements_{elements}, positions_{where}, keep_{std::move(keep)} {}

  std::size_t slots() const { return elements_.size(); }
  item at(std::size_t k) const { return elements_[k]; }
  Span slice(std::size_t first, std::size_t count) const {
    return elements_.subspan(first, count);
  }
  std::size_t position(std::size_t k) const { return positions_.position(k); }
  std::size_t before(std::uint32_t part, std::size_t p) const {
    return positions_.before(part, p);
  }
  std::size_t length() const { return positions_.length(); }
  std::uint32_t parts() const { return positions_.parts(); }
  std::uint32_t me() const { return positions_.me(); }
  auto origin() const { return positions_.origin(); }

 private:
  Span elements_;
  Positions positions_;
  [[no_unique_address]] Keep keep_;
};

/// What nodes have in common: all is as in the node before.
template <class Base>
class node_over {
 public:
  static constexpr bool indexed = Base::indexed;
  using item = typename Base::item;
  using positions = typename Base::positions;

  explicit node_over(Base base) : base_{std::move(base)} {}

  std::size_t slots() const { return base_.slots(); }
  std::size_t position(std::size_t k) const { return base_.position(k); }
  std::size_t before(std::uint32_t part, std::size_t p) const { return base_.before(part, p); }
  std::size_t length() const { return base_.length(); }
  std::uint32_t parts() const { return base_.parts(); }
  std::uint32_t me() const { return base_.me(); }
  auto origin() const { return base_.origin(); }

 protected:
  Base base_;
};

/// Each item becomes another one: change(base, k, item).
template <class Base, class Change>
class transformed : public node_over<Base> {
 public:
  using item = decltype(std::declval<const Change&>()(
      std::declval<const Base&>(), std::size_t{}, std::declval<typename Base::item>()));

  transformed(Base base, Change change)
      : node_over<Base>{std::move(base)}, change_{std::move(change)} {}

  item at(std::size_t k) const requires dense<Base> {
    return change_(this->base_, k, this->base_.at(k));
  }
  template <class Sink>
  void run(std::size_t begin, std::size_t end, Sink&& sink) const requires(!dense<Base>) {
    this->base_.run(begin, end, [&]<class I>(std::size_t k, I&& one) {
      sink(k, change_(this->base_, k, std::forward<I>(one)));
    });
  }

 private:
  [[no_unique_address]] Change change_;
};

template <class F>
struct by_function {
  [[no_unique_address]] F f;
  template <class Base, class Item>
  decltype(auto) operator()(const Base&, std::size_t, Item&& item) const {
    return invoke_with(f, std::forward<Item>(item));
  }
};

struct with_position {
  template <class Base, class Item>
  std::pair<std::size_t, Item> operator()(const Base& base, std::size_t k, Item&& item) const {
    return {base.position(k), std::forward<Item>(item)};
  }
};

template <class Other>
struct with_other {
  Other other;
  template <class Base, class Item>
  std::pair<Item, typename Other::item> operator()(const Base&, std::size_t k,
                                                   Item&& item) const {
    return {std::forward<Item>(item), other.at(k)};
  }
};

/// Some items are left out, or become others: choose(item, sink).
template <class Base, class Choice>
class selected : public node_over<Base> {
 public:
  static constexpr bool indexed = false;
  using item = typename Choice::template item<typename Base::item>;

  selected(Base base, Choice choose)
      : node_over<Base>{std::move(base)}, choose_{std::move(choose)} {}

  template <class Sink>
  void run(std::size_t begin, std::size_t end, Sink&& sink) const {
    visit(this->base_, begin, end, [&]<class I>(std::size_t k, I&& one) {
      choose_(std::forward<I>(one), [&]<class O>(O&& out) { sink(k, std::forward<O>(out)); });
    });
  }

 private:
  [[no_unique_address]] Choice choose_;
};

template <class F>
struct if_true {
  template <class Item>
  using item = Item;
  [[no_unique_address]] F f;
  template <class Item, class Next>
  void operator()(Item&& one, const Next& next) const {
    if (invoke_with(f, std::as_const(one))) {
      next(std::forward<Item>(one));
    }
  }
};

template <class F>
struct if_value {
  template <class Item>
  using item = std::remove_cvref_t<decltype(*std::declval<result_for<F, Item>>())>;
  [[no_unique_address]] F f;
  template <class Item, class Next>
  void operator()(Item&& one, const Next& next) const {
    if (auto result = invoke_with(f, std::forward<Item>(one))) {
      next(*std::move(result));
    }
  }
};

/// Positions [first, first + count).
template <class Base>
class ranged : public node_over<Base> {
 public:
  ranged(Base base, std::size_t first, std::size_t count)
      : node_over<Base>{std::move(base)},
        first_{std::min(first, this->base_.length())},
        count_{std::min(count, this->base_.length() - first_)},
        begin_{this->base_.before(this->me(), first_)},
        slots_{this->base_.before(this->me(), first_ + count_) - begin_} {}

  std::size_t slots() const { return slots_; }
  typename Base::item at(std::size_t k) const requires dense<Base> {
    return this->base_.at(begin_ + k);
  }
  template <class Sink>
  void run(std::size_t begin, std::size_t end, Sink&& sink) const requires(!dense<Base>) {
    this->base_.run(begin_ + begin, begin_ + end, [&]<class I>(std::size_t k, I&& one) {
      sink(k - begin_, std::forward<I>(one));
    });
  }
  auto slice(std::size_t first, std::size_t count) const requires sliceable<Base> {
    return this->base_.slice(begin_ + first, count);
  }
  std::size_t position(std::size_t k) const {
    return this->base_.position(begin_ + k) - first_;
  }
  std::size_t before(std::uint32_t part, std::size_t p) const {
    return this->base_.before(part, first_ + std::min(p, count_)) -
           this->base_.before(part, first_);
  }
  std::size_t length() const { return count_; }
  auto origin() const {
    auto at = this->base_.origin();
    at.first += first_ * at.grain;
    return at;
  }

 private:
  std::size_t first_;
  std::size_t count_;
  std::size_t begin_;
  std::size_t slots_;
};

/// Every `step`-th position, from 0 on.
template <class Base>
class stepped : public node_over<Base> {
 public:
  stepped(Base base, std::size_t step)
      : node_over<Base>{std::move(base)},
        step_{
            std::clamp<std::size_t>(step, 1, std::max<std::size_t>(1, this->base_.length()))} {}

  template <class Sink>
  void run(std::size_t begin, std::size_t end, Sink&& sink) const {
    for (std::size_t k = begin; k < end;) {
      const std::size_t at = this->base_.position(k);
      const std::size_t past = at % step_;
      if (past == 0) {
        visit(this->base_, k, k + 1, sink);
      }
      // Not one slot after the other: a step may be long.
      k = std::max(k + 1, this->base_.before(this->me(), at - past + step_));
    }
  }
  std::size_t position(std::size_t k) const { return this->base_.position(k) / step_; }
  std::size_t before(std::uint32_t part, std::size_t p) const {
    return this->base_.before(part, p >= length() ? this->base_.length() : p * step_);
  }
  std::size_t length() const { return (this->base_.length() + step_ - 1) / step_; }

 private:
  std::size_t step_;
};

/// Items of `size` elements that lie side by side on a PE; the last one of a PE may have fewer.
/// Their positions: those of the first part before those of the second.
template <class Base>
class chunked : public node_over<Base> {
 public:
  using item = decltype(std::declval<const Base&>().slice(0, 0));

  chunked(Base base, std::size_t size)
      : node_over<Base>{std::move(base)},
        size_{std::max<std::size_t>(1, size)},
        offset_{chunks_before(this->me())},
        length_{chunks_before(this->parts())} {}

  std::size_t slots() const { return chunks(this->base_.slots()); }
  item at(std::size_t k) const {
    const std::size_t first = k * size_;
    return this->base_.slice(first, std::min(size_, this->base_.slots() - first));
  }
  std::size_t position(std::size_t k) const { return offset_ + k; }
  std::size_t before(std::uint32_t part, std::size_t p) const {
    const std::size_t first = part == this->me() ? offset_ : chunks_before(part);
    return p <= first ? 0 : std::min(p - first, chunks_on(part));
  }
  std::size_t length() const { return length_; }
  auto origin() const {
    auto at = this->base_.origin();
    at.grain = size_;
    return at;
  }

 private:
  std::size_t chunks(std::size_t elements) const {
    return elements / size_ + static_cast<std::size_t>(elements % size_ != 0);
  }
  std::size_t chunks_on(std::uint32_t part) const {
    return chunks(this->base_.before(part, this->base_.length()));
  }
  std::size_t chunks_before(std::uint32_t part) const {
    std::size_t all = 0;
    for (std::uint32_t each = 0; each < part; ++each) {
      all += chunks_on(each);
    }
    return all;
  }

  std::size_t size_;
  std::size_t offset_;
  std::size_t length_;
};

}  // namespace lamellar::detail
