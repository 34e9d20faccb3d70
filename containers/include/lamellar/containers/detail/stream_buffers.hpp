// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <lamellar/containers/array.hpp>
#include <memory>
#include <mutex>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// The buffers behind a stream: one is read, the others are filled or under way. They may go
// while gets into them are under way: what comes is then thrown away.
//
// Thread-safety: one thread at a time.
namespace lamellar::detail {

/// How many there are of first, first + step, ... before `last`.
constexpr std::size_t steps_between(std::size_t first, std::size_t last, std::size_t step) {
  return first == last ? 0 : (last - first - 1) / step + 1;
}

template <class Array>
class stream_buffers {
  using T = typename Array::value_type;
  using route = range_route<Array>;

 public:
  /// Elements first, first + step, ... before `last`; `room` in a buffer.
  stream_buffers(Array of, std::size_t first, std::size_t last, std::size_t step,
                 std::size_t room, std::source_location where)
      : of_{std::move(of)},
        next_{first},
        last_{last},
        step_{step},
        room_{std::min(std::max<std::size_t>(1, room), steps_between(first, last, step))},
        where_{where} {
    for (buffer& each : all_) {
      fill(each);
    }
  }
  stream_buffers(const stream_buffers&) = delete;
  stream_buffers& operator=(const stream_buffers&) = delete;
  ~stream_buffers() {
    for (buffer& each : all_) {
      if (each.place != nullptr) {
        const std::lock_guard lock{each.place->mutex};
        each.place->at = nullptr;
      }
    }
  }

  /// Done when the next buffer is there.
  completion<> front() {
    buffer& next = all_[at_];
    return next.rest.valid() ? completion<>{std::move(next.rest)} : completion<>{};
  }

  /// Give the next buffer, and fill again the one that was given before. Requires: it is there.
  std::span<const T> advance() {
    if (given_ != none) {
      fill(all_[given_]);
    }
    buffer& next = all_[at_];
    next.place.reset();
    given_ = at_;
    at_ = (at_ + 1) % all_.size();
    return {next.elements.get(), next.size};
  }

 private:
  struct buffer {
    std::unique_ptr<T[]> elements;
    std::size_t size = 0;
    reply<> rest = {};
    std::shared_ptr<landing> place = {};  // while it is under way
  };

  void fill(buffer& into) {
    into.size = std::min(room_, steps_between(next_, last_, step_));
    if (into.size == 0) {
      return;
    }
    if (into.elements == nullptr) {
      into.elements.reset(new T[room_]());
    }
    const std::span<T> elements{into.elements.get(), into.size};
    if (step_ == 1) {
      if (!route::read_now(of_, of_.first_index() + next_, into.size,
                           route::goods::of(elements.data()))) {
        keep(into, route::begin_get(of_, of_.first_index() + next_, elements, where_));
      }
    } else {
      indices_.resize(into.size);
      for (std::size_t k = 0; k < into.size; ++k) {
        indices_[k] = next_ + k * step_;
      }
      keep(into, begin_gather(of_, indices_, elements, where_));
    }
    const std::size_t passed = (into.size - 1) * step_ + 1;
    next_ = last_ - next_ - passed < step_ ? last_ : next_ + into.size * step_;
  }
  static void keep(buffer& into, landing_under_way begun) {
    into.rest = std::move(begun.rest);
    into.place = std::move(begun.place);
  }

  static constexpr std::size_t none = ~std::size_t{0};

  Array of_;
  std::size_t next_;  // the first element that no buffer has
  std::size_t last_;
  std::size_t step_;
  std::size_t room_;
  std::source_location where_;
  std::array<buffer, 3> all_;
  std::size_t at_ = 0;  // the next one to give
  std::size_t given_ = none;
  std::vector<std::size_t> indices_;
};

}  // namespace lamellar::detail
