// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/stream_buffers.hpp>
#include <lamellar/substrate/task.hpp>
#include <limits>
#include <memory>
#include <ranges>
#include <source_location>
#include <span>
#include <utility>

// stream(a): all elements of an array, in order, for one PE that reads them. A buffer of
// elements is got at a time and the next ones are under way meanwhile, so a loop over an array
// of other PEs runs at the speed of memory or of the wire.
//
//   for (const double x : stream(a)) ...                        an input range
//   for (const double x : stream(a).skip(10).step_by(3).take(100)) ...
//   for (const std::span<const double> row : stream(a).chunks(columns)) ...
//   for (const auto [x, y] : zip(stream(a), stream(b))) ...
//   while (!(row = co_await rows.next()).empty()) ...           buffer by buffer, in a
//   coroutine
//
// An element is read when its buffer is got, up to two buffers before the loop sees it. Under a
// lock each buffer is read under the read lock of each owner, or of all. A loop waits where a
// buffer has not come, making progress; a coroutine handler uses next(). A stream may be
// abandoned at any time, and never waits when it goes. Not collective.
//
// Thread-safety: one thread at a time.
namespace lamellar {

template <class Array>
class array_stream : public std::ranges::view_base {
 public:
  using value_type = typename Array::value_type;
  using row = std::span<const value_type>;

  array_stream(Array of, std::size_t buffer_elements, std::source_location where)
      : of_{std::move(of)}, last_{of_.size()}, room_{buffer_elements}, where_{where} {}

  // ---- which elements: before the first one is read ----
  /// Without the first `n`. No data are moved for these.
  array_stream skip(std::size_t n) && {
    first_ = n >= size() ? last_ : first_ + n * step_;
    return std::move(*this);
  }
  /// At most `n`.
  array_stream take(std::size_t n) && {
    if (n < size()) {
      last_ = n == 0 ? first_ : first_ + (n - 1) * step_ + 1;
    }
    return std::move(*this);
  }
  /// The first one, then each `n`-th after it. Steps of more than a few elements are got as
  /// lists of elements. Requires: n > 0.
  array_stream step_by(std::size_t n) && {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    step_ = n == 0 ? 1 : step_ > most / n ? most : step_ * n;
    return std::move(*this);
  }
  /// Rows of `n` elements, the last one perhaps shorter, as spans that last until the next one.
  /// Requires: n > 0.
  auto chunks(std::size_t n) &&;

  /// How many elements there are to come from the start.
  std::size_t size() const { return detail::steps_between(first_, last_, step_); }

  // ---- reading ----
  class iterator {
   public:
    using value_type = typename Array::value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(array_stream* of) : of_{of} { advance_to(of->wait()); }
    const value_type& operator*() const { return *at_; }
    iterator& operator++() {
      if (++at_ == end_) [[unlikely]] {
        advance_to(of_->wait());
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return at_ == nullptr; }

   private:
    void advance_to(row next) {
      at_ = next.empty() ? nullptr : next.data();
      end_ = next.data() + next.size();
    }
    const value_type* at_ = nullptr;
    const value_type* end_ = nullptr;
    array_stream* of_ = nullptr;
  };

  /// Starts reading. Once only.
  iterator begin() { return iterator{this}; }
  std::default_sentinel_t end() const { return {}; }

  /// The next buffer; empty at the end. It lasts until the next call. The stream must stay
  /// where it is meanwhile.
  task<row> next() { return next_of(this); }
  /// The same, blocking.
  row wait() {
    start();
    completion_of_front().get();
    return buffers_->advance();
  }

 private:
  template <class>
  friend class array_chunks;

  void start() {
    if (buffers_ == nullptr) {
      buffers_ = std::make_unique<detail::stream_buffers<Array>>(of_, first_, last_, step_,
                                                                 room_, where_);
    }
  }
  completion<> completion_of_front() { return buffers_->front(); }
  static task<row> next_of(array_stream* self) {
    self->start();
    completion<> arriving = self->completion_of_front();
    co_await arriving;
    co_return self->buffers_->advance();
  }

  Array of_;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
  std::size_t step_ = 1;
  std::size_t room_;
  std::source_location where_;
  std::unique_ptr<detail::stream_buffers<Array>> buffers_;  // once it is read
};

/// Read `a` from its first element to its last one, `buffer_elements` at a time (0: as many as
/// make 128 KiB). See above.
template <array_element T, array_layout Layout, class Access>
array_stream<array<T, Layout, Access>> stream(
    array<T, Layout, Access> a, std::size_t buffer_elements = 0,
    std::source_location where = std::source_location::current()) {
  constexpr std::size_t bytes = std::size_t{128} << 10;
  return {std::move(a),
          buffer_elements == 0 ? std::max<std::size_t>(1, bytes / sizeof(T)) : buffer_elements,
          where};
}

/// The rows that array_stream::chunks() gives.
template <class Array>
class array_chunks : public std::ranges::view_base {
 public:
  using value_type = typename array_stream<Array>::row;

  array_chunks(array_stream<Array> of, std::size_t n) : of_{std::move(of)}, n_{n} {
    // A buffer has whole rows.
    of_.room_ = std::max<std::size_t>(1, of_.room_ / n_) * n_;
  }

  class iterator {
   public:
    using value_type = typename array_stream<Array>::row;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(array_chunks* of) : of_{of}, rest_{of->of_.wait()} {}
    value_type operator*() const { return rest_.first(std::min(of_->n_, rest_.size())); }
    iterator& operator++() {
      rest_ = rest_.subspan(std::min(of_->n_, rest_.size()));
      if (rest_.empty()) {
        rest_ = of_->of_.wait();
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return rest_.empty(); }

   private:
    array_chunks* of_ = nullptr;
    value_type rest_;
  };

  iterator begin() { return iterator{this}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  array_stream<Array> of_;
  std::size_t n_;
};

template <class Array>
auto array_stream<Array>::chunks(std::size_t n) && {
  return array_chunks<Array>{std::move(*this), std::max<std::size_t>(1, n)};
}

/// Pairs of the elements of two ranges, as long as both have one.
template <std::ranges::input_range A, std::ranges::input_range B>
class zipped : public std::ranges::view_base {
 public:
  zipped(A a, B b) : a_{std::move(a)}, b_{std::move(b)} {}

  class iterator {
   public:
    using value_type = std::pair<std::ranges::range_value_t<A>, std::ranges::range_value_t<B>>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(zipped* of)
        : a_{std::ranges::begin(of->a_)}, b_{std::ranges::begin(of->b_)}, of_{of} {}
    value_type operator*() const { return {*a_, *b_}; }
    iterator& operator++() {
      ++a_;
      ++b_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const {
      return a_ == std::ranges::end(of_->a_) || b_ == std::ranges::end(of_->b_);
    }

   private:
    std::ranges::iterator_t<A> a_;
    std::ranges::iterator_t<B> b_;
    zipped* of_ = nullptr;
  };

  iterator begin() { return iterator{this}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  A a_;
  B b_;
};

template <std::ranges::input_range A, std::ranges::input_range B>
zipped<A, B> zip(A a, B b) {
  return {std::move(a), std::move(b)};
}

}  // namespace lamellar
