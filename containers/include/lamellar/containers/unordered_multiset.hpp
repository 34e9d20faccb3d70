// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/detail/keyed_handle.hpp>
#include <lamellar/containers/detail/set_actions.hpp>
#include <lamellar/containers/hash.hpp>
#include <lamellar/containers/keyed_reply.hpp>
#include <lamellar/containers/unordered_map.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <source_location>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

// unordered_multiset<K>: a set whose keys may be there several times. Equal keys are kept once,
// with their number. What unordered_map.hpp says of keys, owners, order and memory holds here,
// too.
//
// Thread-safety: handles as values; operations: any thread of the PE.
namespace lamellar {

template <transferable K, hash_of<K> Hash = hash<K>, stateless Equal = std::equal_to<>>
class unordered_multiset {
  using part_type =
      detail::keyed_part<K, std::pair<K, std::uint64_t>, detail::key_is_first, Hash, Equal>;
  using counted = std::pair<K, std::uint64_t>;

 public:
  using key_type = K;
  using item_type = K;
  using lookup = typename part_type::lookup;
  static constexpr std::string_view kind = "unordered_multiset";

  unordered_multiset() noexcept = default;

  /// Make an empty one. Collective over the world or a team. Cost: a barrier.
  static task<unordered_multiset> create(detail::located_team of) {
    auto making = detail::keyed_handle<part_type>::create(of);
    unordered_multiset made;
    made.handle_ = co_await making;
    co_return made;
  }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  world& where() const { return handle_.where(); }
  const team& members() const { return handle_.part().members(); }
  pe owner(const lookup& key) const {
    return pe{handle_.part().owner_of(part_type::hash_of(key))};
  }

  // ---- keys: cost, completion and threads as in unordered_map ----

  /// Put `key` in, `n` times.
  void insert(const lookup& key, std::uint64_t n = 1) const {
    handle_.template tell<detail::multiset_insert<part_type>>(key, n);
  }
  void insert(std::span<const K> keys) const {
    static constexpr std::uint64_t once = 1;
    handle_.template tell_many<detail::multiset_insert<part_type>>(
        keys.size(), [&](std::size_t k) { return std::tie(keys[k], once); });
  }
  /// Remove all that are equal to `key`.
  void erase(const lookup& key) const {
    handle_.template tell<detail::keyed_erase<part_type>>(key);
  }
  /// Remove one of them; whether there was one.
  flag_reply try_erase_one(const lookup& key) const {
    return {handle_.template ask<detail::multiset_erase_one<part_type>>(key), {}};
  }
  flag_reply contains(const lookup& key) const {
    return {handle_.template look<detail::keyed_contains<part_type>>(key), {}};
  }
  /// How many are equal to `key`.
  count_reply count(const lookup& key) const {
    return {handle_.template look<detail::map_find<part_type>>(key), {}};
  }

  // ---- multisets: collective over both teams, which must be of the same PEs. Cost: a quiesce,
  // a pass over the own part, a barrier; nothing is sent. `other` is another one, and is not
  // changed.

  /// Put in what `other` has, as often.
  task<> unite(unordered_multiset other,
               std::source_location where = std::source_location::current()) const {
    const auto work = [](part_type& here, part_type& there) {
      there.for_each([&here](const counted& item) {
        const lookup key = item.first;
        here.with_made(part_type::hash_of(key), key,
                       detail::maker<part_type>(key, std::uint64_t{0}),
                       [&](counted& mine, bool) { mine.second += item.second; });
      });
    };
    return join(*this, std::move(other), work, where);
  }
  /// Keep of equal keys as many as `other` has, at most.
  task<> intersect(unordered_multiset other,
                   std::source_location where = std::source_location::current()) const {
    const auto work = [](part_type& here, part_type& there) {
      here.erase_if([&there](counted& item) {
        item.second = std::min(item.second, count_in(there, item.first));
        return item.second == 0;
      });
    };
    return join(*this, std::move(other), work, where);
  }
  /// Remove of equal keys as many as `other` has.
  task<> subtract(unordered_multiset other,
                  std::source_location where = std::source_location::current()) const {
    const auto work = [](part_type& here, part_type& there) {
      here.erase_if([&there](counted& item) {
        item.second -= std::min(item.second, count_in(there, item.first));
        return item.second == 0;
      });
    };
    return join(*this, std::move(other), work, where);
  }

  // ---- what is here ----

  /// Keys here, equal ones counted each. Cost: a pass over different ones.
  std::size_t local_size() const {
    std::size_t sum = 0;
    for (std::size_t k = 0; k < part_type::tables; ++k) {
      handle_.part().for_each_in(k, [&sum](const counted& item) { sum += item.second; });
    }
    return sum;
  }
  std::size_t local_bytes() const { return handle_.part().bytes(); }
  /// Call f(key) for each key here, for equal ones as often as they are there; or f(key, n)
  /// once for equal ones. f may send, not wait.
  template <class F>
  void local_for_each(F f) const {
    handle_.part().for_each([&](const counted& item) { hand_over(f, item); });
  }
  std::size_t local_pieces() const { return part_type::tables; }
  template <class F>
  void local_for_each_in(std::size_t piece, F f) const {
    handle_.part().for_each_in(piece, [&](const counted& item) { hand_over(f, item); });
  }
  void local_clear() const { handle_.part().clear(); }
  void add_item(const K& key) const { insert(lookup{key}); }

  template <class Archive>
  void serialize(Archive& by) {
    by(handle_);
  }

 private:
  template <class F>
  static void hand_over(F& f, const counted& item) {
    if constexpr (std::invocable<F&, const K&, std::uint64_t>) {
      f(item.first, item.second);
    } else {
      for (std::uint64_t k = 0; k < item.second; ++k) {
        f(item.first);
      }
    }
  }
  static std::uint64_t count_in(part_type& there, const K& key) {
    return there.with(part_type::hash_of(key), lookup{key}, [](const counted* item) {
      return item == nullptr ? std::uint64_t{0} : item->second;
    });
  }
  template <class Work>
  static task<> join(unordered_multiset into, unordered_multiset from, Work work,
                     std::source_location where) {
    if (&into.handle_.part() == &from.handle_.part()) {
      detail::joined_with_itself(into.where(), where);
    }
    auto joining = detail::join_parts(&into.handle_.part(), &from.handle_.part(), work, where);
    co_await joining;
  }

  detail::keyed_handle<part_type> handle_;
};

}  // namespace lamellar
