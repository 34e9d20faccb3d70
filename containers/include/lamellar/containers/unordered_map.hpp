// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/detail/keyed_handle.hpp>
#include <lamellar/containers/detail/map_actions.hpp>
#include <lamellar/containers/detail/map_part.hpp>
#include <lamellar/containers/detail/set_actions.hpp>
#include <lamellar/containers/detail/top_items.hpp>
#include <lamellar/containers/hash.hpp>
#include <lamellar/containers/keyed_reply.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// unordered_map<K, V>: a hash map over the PEs of the world or of a team. The hash of a key
// says which PE owns it; that PE does what is to be done to its value, whoever asks for it.
//
//   auto ages = co_await unordered_map<std::string, int>::create(world);
//   ages.insert("Ada", 36);                                    // buffered, no answer
//   ages.update("Ada", [](int& age, int by) { age += by; }, 1);
//   co_await world.quiesce();                                  // now all of it has been done
//   std::optional<int> age = co_await ages.find("Ada");
//
// Operations on one element are atomic and happen in no order, not even those of one PE, unless
// one is awaited before the next is begun. None blocks. What returns void is done when
// quiesce() or wait_all() has returned; a reply is under way at once. A function of an element
// runs at its owner while no other operation touches the element: it may send, but not wait,
// and must not touch this map otherwise.
//
// Keys and values are anything that travels; the hash and the comparison have no state and are
// the same on all PEs. Text keys can be looked up by std::string_view. What all containers have
// (size, for_each, gather, checkpoint, ...) is in distributed_container.hpp.
//
// Memory: each PE has 64 tables, which grow by themselves, one at a time, so that no operation
// waits for more than 1/64 of the part to be moved. A table is at most 13/16 full; small ones
// double when they are, from 16384 slots on they grow by a quarter. An entry takes its size, a
// byte for a tag, and for keys that are no integers 8 bytes for the hash: for std::uint64_t to
// std::uint64_t 21 to 26 bytes in large tables, and up to an eighth more for what is left free
// between tables.
//
// Thread-safety: handles as values; operations: any thread of the PE.
namespace lamellar {

/// A function object without a state: the owner makes its own.
template <class F>
concept stateless = std::is_empty_v<F> && std::default_initializable<F>;

template <transferable K, transferable V, hash_of<K> Hash = hash<K>,
          stateless Equal = std::equal_to<>>
class unordered_map {
  using part_type = detail::map_part<K, V, Hash, Equal>;
  template <class F, class... A>
  using visited = detail::visitor_result<F, K, V, A...>;

 public:
  using key_type = K;
  using item_type = std::pair<K, V>;
  /// How keys are given: std::string_view for std::string.
  using lookup = typename part_type::lookup;
  static constexpr std::string_view kind = "unordered_map";

  /// No map; to be assigned to.
  unordered_map() noexcept = default;

  /// Make an empty map on the PEs of the world or of a team. Collective over it. Cost: a
  /// barrier.
  static task<unordered_map> create(detail::located_team of) {
    auto making = detail::keyed_handle<part_type>::create(of);
    unordered_map made;
    made.handle_ = co_await making;
    co_return made;
  }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  world& where() const { return handle_.where(); }
  /// The PEs that have a part.
  const team& members() const { return handle_.part().members(); }
  /// The PE that owns `key`, whether or not it is in the map. No communication.
  pe owner(const lookup& key) const {
    return pe{handle_.part().owner_of(part_type::hash_of(key))};
  }

  // ---- one element, without an answer ----
  // Cost: a record with key and operands to the owner. Done: when quiesce() or wait_all() has
  // returned. Not collective. Threads: any.

  /// Put `key` in with `value`, unless it is there already.
  void insert(const lookup& key, const V& value) const {
    handle_.template tell<detail::map_insert<part_type>>(key, value);
  }
  /// Let the value of `key` be `value`.
  void insert_or_assign(const lookup& key, const V& value) const {
    handle_.template tell<detail::map_assign<part_type>>(key, value);
  }
  /// Remove `key`, if it is there.
  void erase(const lookup& key) const {
    handle_.template tell<detail::keyed_erase<part_type>>(key);
  }
  /// Call f(value, args...) on the value of `key` at its owner; on V{} if it was not there.
  /// f may take more: f(key, value, args...), f(context, key, value, args...). A function with
  /// a state must be able to travel.
  template <class F, class... Args>
  void update(const lookup& key, const F& f, const Args&... args) const {
    if constexpr (stateless<F>) {
      using action = detail::map_update<part_type, F, Args...>;
      handle_.template tell<action>(key, args...);
    } else {
      update(key, detail::carried_function{}, f, args...);
    }
  }
  /// Let the value of `key` be op(value, given), or `given` if it was not there. `op` is
  /// associative and commutes: what this PE's body gives for the same key is joined here before
  /// it is sent, as long as it uses one operation; see detail/combining_cache.hpp.
  template <stateless Op>
  void reduce(const lookup& key, const V& given, Op) const {
    using cache = typename part_type::template cache_of<Op>;
    const std::uint64_t h = part_type::hash_of(key);
    if (cache::may_use(handle_.where())) {
      cache& here = handle_.part().template cache<Op>();
      if (!here.passes_by(1)) {
        here.add(handle_, h, key, given);
        return;
      }
    }
    handle_.template tell_hashed<detail::map_combine<part_type, Op>>(h, key, given);
  }

  // ---- one element, with an answer ----
  // Cost: one round trip, where another PE owns the key; questions of many coroutines share
  // messages. What only looks at a key of this PE is done at once. Not collective.
  // Threads: any.

  /// The value of `key`, or nothing.
  optional_reply<V> find(const lookup& key,
                         std::source_location where = std::source_location::current()) const {
    return {handle_.template look<detail::map_find<part_type>>(key), where};
  }
  /// The value of `key`. Throws: no_such_key, when the answer is taken.
  value_reply<V> at(const lookup& key,
                    std::source_location where = std::source_location::current()) const {
    return {handle_.template look<detail::map_find<part_type>>(key), where};
  }
  /// Whether `key` is there.
  flag_reply contains(const lookup& key) const {
    return {handle_.template look<detail::keyed_contains<part_type>>(key), {}};
  }
  /// Put `key` in with V(args...), unless it is there; whether it was put in.
  template <class... Args>
  flag_reply try_emplace(const lookup& key, const Args&... args) const {
    return {handle_.template ask<detail::map_emplace<part_type, Args...>>(key, args...), {}};
  }
  /// Remove `key`; whether it was there.
  flag_reply try_erase(const lookup& key) const {
    return {handle_.template ask<detail::keyed_erase<part_type>>(key), {}};
  }
  /// Remove `key`, and give its value, if it was there.
  optional_reply<V> extract(
      const lookup& key, std::source_location where = std::source_location::current()) const {
    return {handle_.template ask<detail::map_extract<part_type>>(key), where};
  }
  /// Call f(value, args...) as update() does, if `key` is there: std::optional of its result,
  /// or whether it was there, where it returns void.
  template <class F, class... Args>
  auto visit(const lookup& key, const F& f, const Args&... args) const {
    if constexpr (stateless<F>) {
      using action = detail::map_visit<part_type, F, Args...>;
      if constexpr (action::is_void) {
        return flag_reply{handle_.template ask<action>(key, args...), {}};
      } else {
        return optional_reply<typename action::value>{
            handle_.template ask<action>(key, args...), {}};
      }
    } else {
      return visit(key, detail::carried_function{}, f, args...);
    }
  }

  // ---- many elements ----
  // As a loop over the one-element operations, and faster: keys are dealt out to their owners
  // in rows.

  void insert(std::span<const item_type> items) const {
    tell_items<detail::map_insert<part_type>>(items);
  }
  void insert_or_assign(std::span<const item_type> items) const {
    tell_items<detail::map_assign<part_type>>(items);
  }
  /// keys[k] with values[k]. Requires: as many of these as of those.
  void insert(std::span<const K> keys, std::span<const V> values,
              std::source_location where = std::source_location::current()) const {
    tell_pairs<detail::map_insert<part_type>>(keys, values, where);
  }
  void insert_or_assign(std::span<const K> keys, std::span<const V> values,
                        std::source_location where = std::source_location::current()) const {
    tell_pairs<detail::map_assign<part_type>>(keys, values, where);
  }
  template <stateless Op>
  void reduce(std::span<const K> keys, std::span<const V> values, Op op,
              std::source_location where = std::source_location::current()) const {
    check_lengths(keys, values, where);
    for (std::size_t k = 0; k < keys.size(); ++k) {
      reduce(keys[k], values[k], op);
    }
  }
  void erase(std::span<const K> keys) const {
    handle_.template tell_many<detail::keyed_erase<part_type>>(
        keys.size(), [&](std::size_t k) { return std::tie(keys[k]); });
  }
  /// The values of keys[k], in this order. Where keys repeat, which is seen from the first two
  /// thousand, one that repeats within some ten thousand is asked for once. `keys` must stay in
  /// place until the reply is there.
  reply<std::vector<std::optional<V>>> find_many(std::span<const K> keys) const {
    return reply<std::vector<std::optional<V>>>{find_each(handle_, keys)};
  }

  // ---- the whole map; what else all containers can do is in distributed_container.hpp ----

  /// Put in what `other` has, for keys that are not here; `other` is not changed. Collective
  /// over both teams. Cost: a quiesce, a pass over the parts, a barrier; nothing is sent.
  /// Requires: both are of the same PEs.
  task<> merge(unordered_map other,
               std::source_location where = std::source_location::current()) const {
    return merge_parts(*this, std::move(other), where);
  }

  /// The k items that come first by `before(a, b)`, in this order, on every member. Items that
  /// are equal in it come by their keys, if these can be compared. Collective. Cost: a quiesce,
  /// one pass, an all_reduce of k items.
  template <class Before>
  task<std::vector<item_type>> top_k(std::size_t k, Before before) const {
    return detail::top_items(*this, k, before);
  }
  /// Those with the greatest values.
  task<std::vector<item_type>> top_k(std::size_t k) const {
    return top_k(k, [](const item_type& a, const item_type& b) { return b.second < a.second; });
  }

  // ---- what is here ----

  std::size_t local_size() const { return handle_.part().size(); }
  /// Memory of the tables here.
  std::size_t local_bytes() const { return handle_.part().bytes(); }
  /// Call f(item) or f(key, value), which may change the value, for each item here, once.
  /// Messages to the items wait meanwhile; f may send, not wait.
  template <class F>
  void local_for_each(F f) const {
    handle_.part().for_each([&](item_type& item) { hand_over(f, item); });
  }
  /// A part is a row of pieces, its tables. Threads may pass over different ones at a time; f
  /// must not send.
  std::size_t local_pieces() const { return part_type::tables; }
  template <class F>
  void local_for_each_in(std::size_t piece, F f) const {
    handle_.part().for_each_in(piece, [&](item_type& item) { hand_over(f, item); });
  }
  void local_clear() const { handle_.part().clear(); }
  /// Make room for so many items here, so that none of the tables has to grow before.
  void local_reserve(std::size_t items) const { handle_.part().reserve(items); }
  void add_item(const item_type& item) const { insert_or_assign(item.first, item.second); }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(handle_);
  }

 private:
  template <class F>
  static void hand_over(F& f, item_type& item) {
    if constexpr (std::invocable<F&, const K&, V&>) {
      f(std::as_const(item.first), item.second);
    } else {
      f(std::as_const(item));
    }
  }
  void check_lengths(std::span<const K> keys, std::span<const V> values,
                     std::source_location where) const {
    if (keys.size() != values.size()) [[unlikely]] {
      detail::keys_and_values_differ(handle_.where(), keys.size(), values.size(), where);
    }
  }
  template <class Action>
  void tell_items(std::span<const item_type> items) const {
    handle_.template tell_many<Action>(
        items.size(), [&](std::size_t k) { return std::tie(items[k].first, items[k].second); });
  }
  template <class Action>
  void tell_pairs(std::span<const K> keys, std::span<const V> values,
                  std::source_location where) const {
    check_lengths(keys, values, where);
    handle_.template tell_many<Action>(
        keys.size(), [&](std::size_t k) { return std::tie(keys[k], values[k]); });
  }
  static task<std::vector<std::optional<V>>> find_each(detail::keyed_handle<part_type> of,
                                                       std::span<const K> keys);
  static task<> merge_parts(unordered_map into, unordered_map from, std::source_location where);

  detail::keyed_handle<part_type> handle_;
};

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// Where answers for keys go.
template <class V>
struct found_values {
  std::vector<std::optional<V>>* into;
  void operator()(std::size_t k, const maybe<V>& answer) const {
    if (answer.some) {
      (*into)[k] = answer.value;
    }
  }
  void again(std::size_t k, std::size_t first) const { (*into)[k] = (*into)[first]; }
};

}  // namespace detail

template <transferable K, transferable V, hash_of<K> Hash, stateless Equal>
task<std::vector<std::optional<V>>> unordered_map<K, V, Hash, Equal>::find_each(
    detail::keyed_handle<part_type> of, std::span<const K> keys) {
  std::vector<std::optional<V>> values(keys.size());
  auto asking = detail::keyed_handle<part_type>::template ask_many<detail::map_find<part_type>>(
      std::move(of), keys, detail::found_values<V>{&values});
  co_await asking;
  co_return values;
}

template <transferable K, transferable V, hash_of<K> Hash, stateless Equal>
task<> unordered_map<K, V, Hash, Equal>::merge_parts(unordered_map into, unordered_map from,
                                                     std::source_location where) {
  const auto work = [](part_type& here, part_type& there) {
    if (&here == &there) {
      return;
    }
    // Both hash alike: what another part has, this one wants.
    there.for_each([&here](const item_type& item) {
      const lookup key = item.first;
      here.with_made(part_type::hash_of(key), key, detail::maker<part_type>(key, item.second),
                     [](auto&, bool) {});
    });
  };
  auto joining = detail::join_parts(&into.handle_.part(), &from.handle_.part(), work, where);
  co_await joining;
}

}  // namespace lamellar
