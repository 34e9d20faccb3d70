// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <lamellar/containers/detail/work_part.hpp>
#include <lamellar/containers/detail/work_stores.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <source_location>
#include <string_view>
#include <utility>
#include <vector>

// work_queue<T, Order>: items that wait to be processed, where processing one may bring forth
// others, until none are left anywhere. An item is processed where it was put, or on a PE that
// had nothing to do and was given it.
//
// The handle is cheap to copy and travels. The parts go in the first quiesce after the last
// handle.
//
// Thread-safety: push(): any thread of the PE; process(): the body.
namespace lamellar {

/// In which order the items of a PE are processed. Between PEs, and between threads of one,
/// there is none: what is given to another PE is what comes first, or has waited longest.
namespace work_order {
/// First in, first out.
struct fifo {
  static constexpr std::string_view name = "fifo";
  template <class T>
  using store = detail::fifo_store<T>;
};
/// Last in, first out: a tree is searched in depth, with few items waiting at a time.
struct lifo {
  static constexpr std::string_view name = "lifo";
  template <class T>
  using store = detail::lifo_store<T>;
};
/// By buckets: BucketOf{}(item) is the number of an item's, and the least comes first; within a
/// bucket first in, first out. Cost: a search among the buckets that have items.
template <class BucketOf>
struct priority {
  static constexpr std::string_view name = "priority";
  template <class T>
  using store = detail::bucket_store<T, BucketOf>;
};
}  // namespace work_order

/// Where a function that processes an item puts others.
template <class T, class Order>
class more_work {
 public:
  explicit more_work(const darc<detail::work_part<T, Order>>& queue) : queue_{&queue} {}

  /// Put an item here. Cost: a move; no message.
  void push(T item) { (*queue_)->push(std::move(item)); }
  /// Put an item on a member of the queue's team. Cost: one message.
  void push(pe to, const T& item) { queue_->send(to, detail::put_item<T, Order>{}, item); }

 private:
  const darc<detail::work_part<T, Order>>* queue_;
};

template <transferable T, class Order = work_order::fifo>
class work_queue {
  using part_type = detail::work_part<T, Order>;

 public:
  using value_type = T;
  using item_type = T;
  using order_type = Order;
  static constexpr std::string_view kind = "work_queue";

  /// No queue; to be assigned to.
  work_queue() noexcept = default;

  /// Make an empty one on the PEs of the world or of a team. Cost: a barrier. Collective.
  static task<work_queue> create(detail::located_team of) { return create_on(std::move(of)); }

  explicit operator bool() const { return static_cast<bool>(parts_); }
  const team& members() const { return parts_->members(); }

  /// Put an item here. Cost: a move; no message. Not collective. Threads: any.
  void push(T item) const {
    parts_->push(std::move(item));
    parts_->wake(parts_);
  }
  /// Put an item on another member. Cost: one message. Done: when quiesce() has returned.
  void push(pe to, const T& item) const { parts_.send(to, detail::put_item<T, Order>{}, item); }

  /// Process all items, those that come up meanwhile too, until there are none on any member:
  /// `f(item)`, or `f(item, more)` with a more_work<T, Order>& to put others. f runs as a
  /// handler: it may send and must not wait; with several threads in a PE it may overlap with
  /// itself. Returns: how many items this PE has processed.
  ///
  /// Cost: nothing is sent while all PEs have items; a PE that runs out asks at most
  /// log2(members) others, and gets half of what one has, at most 4096 items at a time.
  /// Collective; each member may have an f of its own. Throws: remote_error on all members, if
  /// an f throws; all other items are processed all the same.
  /// Source: UTS; lifelines as in X10's GLB; YGM work_queue, which does not steal.
  template <class F>
  task<std::uint64_t> process(F f,
                              std::source_location at = std::source_location::current()) const {
    return process_all(*this, std::move(f), at);
  }

  // ---- as a distributed_container ----
  std::size_t local_size() const { return parts_->size(); }
  std::size_t local_bytes() const { return sizeof(part_type) + parts_->bytes(); }
  template <class F>
  void local_for_each(F&& f) const {
    parts_->for_each(f);
  }
  void local_clear() const { parts_->clear(); }
  void add_item(const T& item) const { push(item); }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(parts_);
  }

 private:
  explicit work_queue(darc<part_type> parts) : parts_{std::move(parts)} {}
  static task<work_queue> create_on(detail::located_team of);
  template <class F>
  static task<std::uint64_t> process_all(work_queue queue, F f, std::source_location at);

  darc<part_type> parts_;
};

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

template <class T, class Order, class F>
class function_processor final : public item_processor<T, Order> {
 public:
  explicit function_processor(F& f) : f_{f} {}

  std::size_t process(const darc<work_part<T, Order>>& queue, std::size_t most,
                      std::exception_ptr& thrown) override {
    more_work<T, Order> more{queue};
    work_part<T, Order>& mine = *queue;
    std::vector<T> next;
    std::size_t done = 0;
    for (; done < most && mine.pop(next); ++done) {
      try {
        if constexpr (std::invocable<F&, T, more_work<T, Order>&>) {
          f_(std::move(next.back()), more);
        } else {
          f_(std::move(next.back()));
        }
      } catch (...) {
        thrown = std::current_exception();
      }
      next.clear();
    }
    return done;
  }

 private:
  F& f_;
};

}  // namespace detail

template <transferable T, class Order>
task<work_queue<T, Order>> work_queue<T, Order>::create_on(detail::located_team of) {
  auto making = darc<part_type>::create(of, of.value);
  co_return work_queue{co_await making};
}

template <transferable T, class Order>
template <class F>
task<std::uint64_t> work_queue<T, Order>::process_all(work_queue queue, F f,
                                                      std::source_location at) {
  detail::function_processor<T, Order, F> processor{f};
  part_type& mine = *queue.parts_;
  mine.begin(&processor, queue.parts_);
  std::exception_ptr thrown;
  try {
    auto settling = queue.members().quiesce(at);
    co_await settling;
  } catch (...) {
    thrown = std::current_exception();
  }
  const std::uint64_t processed = mine.end();
  // What a member puts in afterwards must not meet the end of this.
  auto meeting = queue.members().barrier(at);
  co_await meeting;
  if (thrown) {
    std::rethrow_exception(thrown);
  }
  co_return processed;
}

}  // namespace lamellar
