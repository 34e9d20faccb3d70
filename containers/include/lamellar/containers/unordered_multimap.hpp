// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/detail/keyed_handle.hpp>
#include <lamellar/containers/detail/map_part.hpp>
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
#include <vector>

// unordered_multimap<K, V>: many values for a key. The values of a key are a group, a
// std::vector<V> on the PE that owns the key, in no order; a function sees a group as a whole.
// What unordered_map.hpp says of keys, owners and order holds here, too.
//
// Thread-safety: handles as values; operations: any thread of the PE.
namespace lamellar {

template <transferable K, transferable V, hash_of<K> Hash = hash<K>,
          stateless Equal = std::equal_to<>>
class unordered_multimap {
 public:
  using key_type = K;
  using item_type = std::pair<K, V>;
  using group_type = std::vector<V>;

 private:
  using part_type = detail::map_part<K, group_type, Hash, Equal>;

 public:
  using lookup = typename part_type::lookup;
  static constexpr std::string_view kind = "unordered_multimap";

  unordered_multimap() noexcept = default;

  /// Make an empty one. Collective over the world or a team. Cost: a barrier.
  static task<unordered_multimap> create(detail::located_team of) {
    auto making = detail::keyed_handle<part_type>::create(of);
    unordered_multimap made;
    made.handle_ = co_await making;
    co_return made;
  }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  world& where() const { return handle_.where(); }
  const team& members() const { return handle_.part().members(); }
  pe owner(const lookup& key) const {
    return pe{handle_.part().owner_of(part_type::hash_of(key))};
  }

  // ---- cost, completion and threads as in unordered_map ----

  /// Add `value` to the group of `key`.
  void insert(const lookup& key, const V& value) const {
    handle_.template tell<detail::group_insert<part_type>>(key, value);
  }
  void insert(std::span<const item_type> items) const {
    handle_.template tell_many<detail::group_insert<part_type>>(
        items.size(), [&](std::size_t k) { return std::tie(items[k].first, items[k].second); });
  }
  /// Remove the group of `key`.
  void erase(const lookup& key) const {
    handle_.template tell<detail::keyed_erase<part_type>>(key);
  }
  /// How many values `key` has.
  count_reply count(const lookup& key) const {
    return {handle_.template look<detail::group_size<part_type>>(key), {}};
  }
  flag_reply contains(const lookup& key) const {
    return {handle_.template look<detail::keyed_contains<part_type>>(key), {}};
  }
  /// The values of `key`, if it has any.
  optional_reply<group_type> find_group(
      const lookup& key, std::source_location where = std::source_location::current()) const {
    return {handle_.template look<detail::map_find<part_type>>(key), where};
  }
  /// Call f(group, args...) on the group of `key`, a std::vector<V>&, at its owner; as
  /// unordered_map::visit, with what it gives.
  template <stateless F, class... Args>
  auto visit_group(const lookup& key, const F&, const Args&... args) const {
    using action = detail::map_visit<part_type, F, Args...>;
    if constexpr (action::is_void) {
      return flag_reply{handle_.template ask<action>(key, args...), {}};
    } else {
      return optional_reply<typename action::value>{handle_.template ask<action>(key, args...),
                                                    {}};
    }
  }

  /// All groups as a map, of the same team. Collective. Cost: a quiesce and a copy of the own
  /// part; nothing is sent.
  task<unordered_map<K, group_type, Hash, Equal>> group_by() const { return as_map(*this); }

  // ---- what is here ----

  /// Values here. Cost: a pass over groups.
  std::size_t local_size() const {
    std::size_t sum = 0;
    for (std::size_t k = 0; k < part_type::tables; ++k) {
      handle_.part().for_each_in(k, [&sum](const auto& group) { sum += group.second.size(); });
    }
    return sum;
  }
  /// Memory of the tables and of the groups.
  std::size_t local_bytes() const {
    std::size_t sum = handle_.part().bytes();
    for (std::size_t k = 0; k < part_type::tables; ++k) {
      handle_.part().for_each_in(
          k, [&sum](const auto& group) { sum += group.second.capacity() * sizeof(V); });
    }
    return sum;
  }
  /// Call f(item), an item_type, for each value here. f may send, not wait.
  template <class F>
  void local_for_each(F f) const {
    handle_.part().for_each([&](const auto& group) { hand_over(f, group); });
  }
  std::size_t local_pieces() const { return part_type::tables; }
  template <class F>
  void local_for_each_in(std::size_t piece, F f) const {
    handle_.part().for_each_in(piece, [&](const auto& group) { hand_over(f, group); });
  }
  /// Call f(key, group) for each group here, which f may change.
  template <class F>
  void local_for_each_group(F f) const {
    handle_.part().for_each([&](auto& group) { f(std::as_const(group.first), group.second); });
  }
  void local_clear() const { handle_.part().clear(); }
  void add_item(const item_type& item) const { insert(lookup{item.first}, item.second); }

  template <class Archive>
  void serialize(Archive& by) {
    by(handle_);
  }

 private:
  template <class F, class Group>
  static void hand_over(F& f, const Group& group) {
    for (const V& value : group.second) {
      f(item_type{group.first, value});
    }
  }
  static task<unordered_map<K, group_type, Hash, Equal>> as_map(unordered_multimap of) {
    auto making = unordered_map<K, group_type, Hash, Equal>::create(of.members());
    const auto map = co_await making;
    auto settling = of.members().quiesce();
    co_await settling;
    of.local_for_each_group(
        [&map](const K& key, const group_type& group) { map.insert(lookup{key}, group); });
    auto ending = of.members().quiesce();
    co_await ending;
    co_return map;
  }

  detail::keyed_handle<part_type> handle_;
};

}  // namespace lamellar
