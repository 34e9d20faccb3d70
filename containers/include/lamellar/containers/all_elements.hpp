// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/collect.hpp>
#include <lamellar/containers/detail/pipeline_loops.hpp>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/containers/operations.hpp>
#include <lamellar/containers/pipeline.hpp>
#include <lamellar/substrate/schedule.hpp>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

// Iteration over all elements of an array, by all PEs together, each over those that it owns.
// Positions are the indices of the array (or view), so that enumerate(), skip(), take() and
// step_by() mean the same on every PE.
//
//   co_await all_elements(a).enumerate().for_each([](std::size_t i, auto& x) { x = i; });
//   const auto evens = co_await all_elements(a).filter(is_even).collect();
//
// Consumers are tasks, collective over the array's team: every PE makes the same pipeline and
// starts its consumer. They begin with a quiesce of the team, so that what any member has sent
// before, and stored before, is there; then they take the locks of arrays that have some. They
// end, after the locks are given back, when all PEs have done their part: whoever goes on sees
// no element half done, here or elsewhere. What a function throws on one PE comes out on all.
//
// Items are T& for `unsafe`, const T& for `read_only`, atomic_reference<T> for `atomic`. For
// arrays with locks all_elements() reads, const T& under read locks, and
// all_writable_elements() writes: T& under each PE's own write lock for local_lock, under the
// collective write lock for global_lock. Source: Lamellar's dist_iter and dist_iter_mut.
namespace lamellar {

namespace detail {

/// `To`, or what an array makes of V where nothing was chosen.
template <class To, template <class> class Default, class V>
struct chosen_array : std::type_identity<To> {};
template <template <class> class Default, class V>
struct chosen_array<void, Default, V> : std::type_identity<Default<V>> {};

}  // namespace detail

/// All elements of an array: what they are consumed by. `Default` is what collect() makes of V.
template <template <class> class Default>
class distributed_scope {
 public:
  distributed_scope(team of, std::vector<detail::lock_taker> locks, std::source_location where)
      : team_{std::move(of)}, locks_{std::move(locks)}, where_{where} {}

  const team& members() const { return team_; }
  const std::vector<detail::lock_taker>& locks() const { return locks_; }
  /// The line of the program that the pipeline begins in.
  std::source_location where() const { return where_; }
  /// With the locks of both.
  template <class Other>
  distributed_scope with(const Other& other) const {
    distributed_scope both = *this;
    both.locks_.insert(both.locks_.end(), other.locks().begin(), other.locks().end());
    return both;
  }

  template <class Node>
  class consumers;

 private:
  team team_;
  std::vector<detail::lock_taker> locks_;
  std::source_location where_;
};

template <template <class> class Default>
template <class Node>
class distributed_scope<Default>::consumers {
  using item = typename Node::item;
  using kept = detail::kept_value<item>;

 public:
  consumers(Node node, distributed_scope scope)
      : node_{std::move(node)}, scope_{std::move(scope)} {}

  /// Call f(item) for every item, in no order; on a PE several at once.
  ///
  /// Cost: a quiesce, the loop, and a reduction. Collective. Throws: what f throws, and
  /// remote_error on the other PEs.
  template <class F>
    requires(!detail::coroutine_body<F, item>)
  task<> for_each(F f, schedule by = {})
  const { return run_loop(of(), scope_.locks(), node_, std::move(f), by); }
  /// The same for an f that gives a task, which may send and wait: many of them are under way
  /// at a time.
  template <detail::coroutine_body<item> F>
  task<> for_each(F f) const {
    return run_tasks(of(), scope_.locks(), node_, std::move(f));
  }

  /// How many items there are on all PEs, on every PE. Collective.
  task<std::size_t> count() const { return count_all(of(), scope_.locks(), node_); }
  /// op of all items, or nothing if there is none; on every PE. Collective. The items of a PE
  /// are joined in the order of their positions, then the PEs' in the order of the team; where
  /// the layout is not block, that is not the order of positions.
  ///
  /// Requires: op is associative, and commutative if the layout is not block. The grouping
  /// depends on the sizes and the number of PEs alone.
  template <class Op>
  task<std::optional<kept>> reduce(Op op) const {
    static_assert(transferable<kept>, "the result of reduce() must be able to travel");
    return reduce_all(of(), scope_.locks(), node_, std::move(op));
  }
  /// Of all items, in their type; a value made by {} if there is none. Collective.
  task<kept> sum() const requires operation_on<op::add, kept> {
    return or_nothing(reduce(op::add{}));
  }

  /// All items as a new array, in the order of their positions, spread evenly over the team.
  /// `To` may be an array of any layout and access; without it, of those of the array that the
  /// items come from. `how...` are further arguments of its layout.
  ///
  /// Cost: the items travel once to where they belong, if that is elsewhere; twice if some
  /// are left out and the layout is not block. Collective.
  template <class To = void, class... How>
  auto collect(How... how) const {
    using array_type = typename detail::chosen_array<To, Default, kept>::type;
    return detail::collect_items<array_type>(of(), node_, scope_.locks(), how...);
  }

  /// For the library's own layers.
  const Node& node() const { return node_; }
  const distributed_scope& scope() const { return scope_; }

 private:
  using lock_list = std::vector<detail::lock_taker>;
  using nobodys = std::optional<std::uint8_t>;

  detail::located_team of() const { return {scope_.members(), scope_.where()}; }

  // What keeps the array is moved into variables, and so goes with the work, even if the task
  // is kept for longer.

  template <class F>
  static task<> run_loop(detail::located_team of, lock_list locks, Node node, F f,
                         schedule by) {
    const Node mine = std::move(node);
    auto entering = detail::begin_together(of, std::move(locks));
    auto held = co_await entering;
    std::exception_ptr thrown;
    auto done = detail::attempt<std::uint8_t>(of, thrown, [&] {
      detail::loop_over(of.value.where().on_node(), mine, by, f);
      return nobodys{};
    });
    held.clear();
    auto ending = detail::end_together(of, std::move(done), thrown, op::max{});
    co_await ending;
  }

  template <class F>
  static task<> run_tasks(detail::located_team of, lock_list locks, Node node, F f) {
    const Node mine = std::move(node);
    auto entering = detail::begin_together(of, std::move(locks));
    auto held = co_await entering;
    std::exception_ptr thrown;
    std::exception_ptr from_tasks;
    auto running = detail::run_bodies(of.value.where(), mine, f);
    try {
      co_await running;
    } catch (...) {
      from_tasks = std::current_exception();
    }
    auto done = detail::attempt<std::uint8_t>(of, thrown, [&] {
      if (from_tasks) {
        std::rethrow_exception(from_tasks);
      }
      return nobodys{};
    });
    held.clear();
    auto ending = detail::end_together(of, std::move(done), thrown, op::max{});
    co_await ending;
  }

  static task<std::size_t> count_all(detail::located_team of, lock_list locks, Node node) {
    const Node mine = std::move(node);
    auto entering = detail::begin_together(of, std::move(locks));
    auto held = co_await entering;
    std::exception_ptr thrown;
    auto done = detail::attempt<std::size_t>(of, thrown, [&] {
      return std::optional{detail::count_items(of.value.where().on_node(), mine)};
    });
    held.clear();
    auto ending = detail::end_together(of, std::move(done), thrown, op::add{});
    const std::optional<std::size_t> all = co_await ending;
    co_return all.value_or(0);
  }

  template <class Op>
  static task<std::optional<kept>> reduce_all(detail::located_team of, lock_list locks,
                                              Node node, Op op) {
    const Node mine = std::move(node);
    auto entering = detail::begin_together(of, std::move(locks));
    auto held = co_await entering;
    std::exception_ptr thrown;
    auto done = detail::attempt<kept>(of, thrown, [&] {
      return detail::reduce_items<kept>(of.value.where().on_node(), mine, op);
    });
    held.clear();
    auto ending = detail::end_together(of, std::move(done), thrown, op);
    co_return co_await ending;
  }

  static task<kept> or_nothing(task<std::optional<kept>> reducing) {
    std::optional<kept> all = co_await reducing;
    co_return std::move(all).value_or(kept{});
  }

  Node node_;
  distributed_scope scope_;
};

namespace detail {

template <class Layout, class Access>
struct like_array {
  template <class V>
  using type = array<V, Layout, Access>;
};

template <class Array>
auto elements_of_all(const Array& a, auto span, std::vector<lock_taker> locks,
                     std::source_location at) {
  using layout_type = typename Array::layout_type;
  using access_type = typename Array::access_type;
  using positions = positions_in_array<layout_type>;
  using node = element_source<decltype(span), positions, Array>;
  using scope = distributed_scope<like_array<layout_type, access_type>::template type>;
  const positions where{a.layout(), a.first_index(), a.size(), a.part()->me(), a.part()->pes()};
  return pipeline<node, scope>{{span, where, a}, {a.members(), std::move(locks), at}};
}

/// The elements that are here, whoever has the lock.
template <class Array>
auto unlocked_elements(const Array& a) {
  const std::size_t begin = a.layout().before(a.part()->me(), a.first_index());
  return a.part()->own().subspan(begin, a.local_size());
}

template <class Guard>
task<std::shared_ptr<void>> keep_guard(task<Guard> entering) {
  co_return std::make_shared<Guard>(co_await entering);
}

}  // namespace detail

/// All elements of `a`, as a pipeline; it keeps the array alive. Read only, where locks guard
/// them. All PEs must do the same to it.
template <array_element T, array_layout Layout, class Access>
auto all_elements(const array<T, Layout, Access>& a,
                  std::source_location where = std::source_location::current()) {
  if constexpr (locked<Access>) {
    const detail::lock_taker reading = [a, where] {
      return detail::keep_guard(a.read_lock(where));
    };
    return detail::elements_of_all(a, std::span<const T>{detail::unlocked_elements(a)},
                                   {reading}, where);
  } else {
    return detail::elements_of_all(a, a.local(), {}, where);
  }
}

/// The same for writing.
template <array_element T, array_layout Layout, writable Access>
auto all_writable_elements(const array<T, Layout, Access>& a,
                           std::source_location where = std::source_location::current()) {
  if constexpr (locked<Access>) {
    const detail::lock_taker writing = [a, where] {
      if constexpr (std::same_as<Access, access::global_lock>) {
        return detail::keep_guard(a.collective_write_lock(where));
      } else {
        return detail::keep_guard(a.write_lock(where));
      }
    };
    return detail::elements_of_all(a, detail::unlocked_elements(a), {writing}, where);
  } else {
    return all_elements(a, where);
  }
}

}  // namespace lamellar
