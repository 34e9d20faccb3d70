// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/action.hpp>
#include <lamellar/containers/detail/ask_owners.hpp>
#include <lamellar/containers/detail/disjoint_handlers.hpp>
#include <lamellar/containers/detail/disjoint_part.hpp>
#include <lamellar/containers/detail/sequence_errors.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <limits>
#include <mutex>
#include <ranges>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// disjoint_set<T>: which of the numbers 0, 1, ... n - 1 belong together. At first each is a set
// of its own; any PE unites any two. The ids lie in blocks; the owner of an id knows its
// parent, a smaller id of the same set, so that a set is represented by its least member: by
// the same one in every run, on any number of PEs.
//
// A PE remembers what it knows of others' ids, in at most 32 MiB: a pair that follows from what
// it has been given before is dropped at once. Of the edges of a graph that it unites one by
// one only those of a spanning forest travel, and of these not what concerns its own ids; each
// is one record of two ids.
//
// The handle is cheap to copy and travels. The parts go in the first quiesce after the last
// handle.
//
// Thread-safety: handles as values; unite, find and same: any thread of the PE.
namespace lamellar {

template <std::unsigned_integral T>
class disjoint_set {
  using part_type = detail::disjoint_part<T>;

 public:
  using value_type = T;

  /// No set; to be assigned to.
  disjoint_set() noexcept = default;

  /// Make `n` sets of one number each, on the PEs of the world or of a team.
  ///
  /// Cost: a barrier. Memory: on each PE sizeof(T) bytes for each of n / size ids, and at most
  /// 32 MiB for others'. Collective.
  /// Requires: the same n on all PEs, not more than T can count.
  static task<disjoint_set> create(detail::located_team of, std::size_t n) {
    return create_on(std::move(of), n);
  }

  // ---- what and where ----
  /// How many numbers there are.
  std::size_t size() const { return part().layout().size(); }
  bool empty() const { return size() == 0; }
  explicit operator bool() const { return static_cast<bool>(parts_); }
  const team& members() const { return part().members(); }
  /// The PE that owns `id`. Requires: id < size().
  pe owner(T id, std::source_location at = std::source_location::current()) const {
    check(id, "owner", at);
    return pe{part().owner(id)};
  }
  /// The first of the ids that are here, and how many there are.
  T local_first() const { return part().first(); }
  std::size_t local_size() const { return part().parents().size(); }
  /// For each id that is here a member of its set, after compress() its representative.
  /// Requires: nobody unites or finds meanwhile.
  std::span<const T> local() const { return part().parents(); }

  // ---- element operations ----
  /// Let the sets of `a` and `b` be one.
  ///
  /// Cost: a walk in what this PE knows; if the pair is news, one record of 2 sizeof(T)
  /// bytes to the owner of an id, and on to other owners. Done: when quiesce() has returned.
  /// Not collective. Threads: any. Requires: a, b < size(). Throws: nothing.
  /// Source: Rem's algorithm (Dijkstra 1976), with messages; YGM async_union.
  void unite(T a, T b, std::source_location at = std::source_location::current()) const;
  /// unite() of each pair of a list, whose items have a first and a second id: std::pair,
  /// std::array, or a class of two ids.
  template <std::ranges::contiguous_range Pairs>
  void unite(const Pairs& pairs,
             std::source_location at = std::source_location::current()) const;

  /// unite(a, b), and call `f(a, b, args...)`, or with a context& first, if two sets have
  /// become one by it; on the PE where that was seen, as a handler.
  ///
  /// f is called n - k times where k sets are left of n. Between two quiesces in which nothing
  /// else unites, the pairs that it is called with are a spanning forest of all that were
  /// given. Cost: as unite(), each record with a, b, f and args; ways are not shortened.
  template <class F, class... Args>
  void unite_and(detail::located_value<T> a, T b, F f, const Args&... args) const;

  /// The representative of the set of `id`: its least member, if nobody unites meanwhile, else
  /// some member.
  ///
  /// Cost: a round trip to the owner, and to others as the way from id to root changes owners;
  /// then the way is shortened. Not collective. Threads: any. Requires: id < size().
  reply<T> find(T id, std::source_location at = std::source_location::current()) const {
    check(id, "find", at);
    return reply<T>{find_from(*this, id)};
  }
  /// The representatives of many, in their order. Cost: as find(), gathered in messages.
  reply<std::vector<T>> find(std::vector<T> ids,
                             std::source_location at = std::source_location::current()) const {
    for (const T id : ids) {
      check(id, "find", at);
    }
    return reply<std::vector<T>>{find_all(*this, std::move(ids))};
  }
  /// Whether a and b are in one set. Without a quiesce before, false may be told too early.
  reply<bool> same(T a, T b, std::source_location at = std::source_location::current()) const {
    check(a, "same", at);
    check(b, "same", at);
    return reply<bool>{are_same(*this, a, b)};
  }

  // ---- together: collective over the members; each begins with a quiesce of the team ----
  /// Let every id point at its representative. Cost: O(n / size) here; each PE asks for each
  /// distinct id of others that its own ones point at, in O(log size) rounds at most.
  task<> compress(std::source_location at = std::source_location::current()) const {
    return compress_all(*this, at);
  }
  /// How many sets there are. Cost: an all_reduce.
  task<std::size_t> count(std::source_location at = std::source_location::current()) const {
    return count_all(*this, at);
  }
  /// compress(), then `f(representative, members)` once for each set, on the PE that owns the
  /// representative; members ascend. Cost: each id travels once, to one PE for all ids of a
  /// set, which must have memory for them.
  template <class F>
  task<> for_each_set(F f, std::source_location at = std::source_location::current()) const {
    return for_each_group(*this, std::move(f), at);
  }
  // ---- as a distributed_container: an item is a number and a smaller one of its set, after
  // ---- compress() the representative; or the number itself ----
  using item_type = std::pair<T, T>;
  static constexpr std::string_view kind = "disjoint_set";
  std::size_t local_bytes() const { return part().memory(); }
  template <class F>
  void local_for_each(F&& f) const;
  /// Let each number be a set of its own again.
  void local_clear() const {
    const std::lock_guard held{part().lock()};
    part().clear();
  }
  /// Requires: both are numbers of this set; a checkpoint is restored to one of the same size.
  void add_item(const item_type& item) const { unite(item.first, item.second); }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(parts_);
  }

 private:
  explicit disjoint_set(darc<part_type> parts) : parts_{std::move(parts)} {}

  static task<disjoint_set> create_on(detail::located_team of, std::size_t n);
  static task<T> find_from(disjoint_set of, T id);
  static task<std::vector<T>> find_all(disjoint_set of, std::vector<T> ids);
  static task<bool> are_same(disjoint_set of, T a, T b);
  static task<std::vector<detail::id_step<T>>> walk_all(const disjoint_set& of,
                                                        const std::vector<T>& ids);
  static task<> compress_all(disjoint_set of, std::source_location at);
  static task<std::size_t> count_all(disjoint_set of, std::source_location at);
  template <class F>
  static task<> for_each_group(disjoint_set of, F f, std::source_location at);

  part_type& part() const { return parts_.local(); }
  void tell(const detail::id_link<T>& link) const {
    parts_.send(pe{part().owner(link.larger)}, detail::link_ids<T>{}, link);
  }
  void check(T id, const char* what, std::source_location at) const {
    if (id >= size()) [[unlikely]] {
      detail::no_such_id(members(), what, id, size(), at);
    }
  }

  darc<part_type> parts_;
};

// ---- detail ---------------------------------------------------------------------------------

template <std::unsigned_integral T>
task<disjoint_set<T>> disjoint_set<T>::create_on(detail::located_team of, std::size_t n) {
  auto asking = all_gather(of, std::uint64_t{n});
  detail::check_equal_sizes(of, "disjoint_set::create", co_await asking);
  if (n != 0 && n - 1 > std::numeric_limits<T>::max()) {
    detail::too_many_ids(of.value, n, std::numeric_limits<T>::max(), of.where);
  }
  auto making = darc<part_type>::create(of, of.value, layout::block{n, of.value.size()});
  co_return disjoint_set{co_await making};
}

template <std::unsigned_integral T>
void disjoint_set<T>::unite(T a, T b, std::source_location at) const {
  check(a, "unite", at);
  check(b, "unite", at);
  part_type& here = part();
  if (here.lock().try_lock()) {
    const detail::id_link<T> rest = here.join(a, b);
    here.lock().unlock();
    if (rest.is_some()) {
      tell(rest);
    }
  } else if (a != b) {
    tell({std::max(a, b), std::min(a, b)});
  }
}

template <std::unsigned_integral T>
template <std::ranges::contiguous_range Pairs>
void disjoint_set<T>::unite(const Pairs& pairs, std::source_location at) const {
  const auto* const pair = std::ranges::data(pairs);
  const std::size_t n = std::ranges::size(pairs);
  const std::size_t ids = size();
  detail::join_and_tell(parts_, 0, n, [&, pair](std::size_t k) {
    const auto& [a, b] = pair[k];
    if (a >= ids || b >= ids) [[unlikely]] {
      check(a, "unite", at);
      check(b, "unite", at);
    }
    return std::pair<T, T>{a, b};
  });
}

namespace detail {

/// A function of a pair of ids with its further arguments, as it travels.
template <class T, class F, class... Args>
struct call_with_ids {
  [[no_unique_address]] F f;
  [[no_unique_address]] operands<Args...> args;
  template <class Archive>
  void serialize(Archive& by) requires(!bitwise<F> || (!bitwise<Args> || ...)) {
    by(f, args);
  }
  void operator()(context& here, T a, T b) const {
    if constexpr (std::invocable<const F&, context&, T, T, const Args&...>) {
      args.pass_to([&](const auto&... each) { f(here, a, b, each...); });
    } else {
      args.pass_to(f, a, b);
    }
  }
};

}  // namespace detail

template <std::unsigned_integral T>
template <class F, class... Args>
void disjoint_set<T>::unite_and(detail::located_value<T> located, T b, F f,
                                const Args&... args) const {
  using call_type = detail::call_with_ids<T, F, Args...>;
  const T a = located.value;
  check(a, "unite_and", located.where);
  check(b, "unite_and", located.where);
  part_type& here = part();
  if (a == b) {
    return;
  }
  {
    const std::lock_guard held{here.lock()};
    if (!here.is_new_pair(a, b)) {
      return;
    }
  }
  // The pair itself must travel: what else this PE has sent may not have arrived.
  const detail::id_link<T> ends{std::max(a, b), std::min(a, b)};
  const detail::link_and_call<T, call_type> link{
      ends, a, b, call_type{std::move(f), detail::make_operands(args...)}};
  parts_.send(pe{here.owner(ends.larger)}, detail::link_ids_and<T, call_type>{}, link);
}

}  // namespace lamellar

#include <lamellar/containers/detail/disjoint_together.hpp>
