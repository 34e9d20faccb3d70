// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/detail/keyed_handle.hpp>
#include <lamellar/containers/detail/set_actions.hpp>
#include <lamellar/containers/hash.hpp>
#include <lamellar/containers/keyed_reply.hpp>
#include <lamellar/containers/unordered_map.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <source_location>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

// unordered_set<K>: a set over the PEs of the world or of a team. What unordered_map.hpp says
// of keys, owners, order and memory holds here, too. Sets of the same PEs have their keys in
// the same places: union, intersection and difference send nothing.
//
// Thread-safety: handles as values; operations: any thread of the PE.
namespace lamellar {

template <transferable K, hash_of<K> Hash = hash<K>, stateless Equal = std::equal_to<>>
class unordered_set {
  using part_type = detail::keyed_part<K, K, detail::key_is_item, Hash, Equal>;

 public:
  using key_type = K;
  using item_type = K;
  using lookup = typename part_type::lookup;
  static constexpr std::string_view kind = "unordered_set";

  unordered_set() noexcept = default;

  /// Make an empty set. Collective over the world or a team. Cost: a barrier.
  static task<unordered_set> create(detail::located_team of) {
    auto making = detail::keyed_handle<part_type>::create(of);
    unordered_set made;
    made.handle_ = co_await making;
    co_return made;
  }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  world& where() const { return handle_.where(); }
  const team& members() const { return handle_.part().members(); }
  /// The PE that owns `key`, whether or not it is in the set. No communication.
  pe owner(const lookup& key) const {
    return pe{handle_.part().owner_of(part_type::hash_of(key))};
  }

  // ---- keys: cost, completion and threads as in unordered_map ----

  void insert(const lookup& key) const {
    handle_.template tell<detail::set_insert<part_type>>(key);
  }
  void erase(const lookup& key) const {
    handle_.template tell<detail::keyed_erase<part_type>>(key);
  }
  /// The same, and whether it was not there before.
  flag_reply try_insert(const lookup& key) const {
    return {handle_.template ask<detail::set_insert<part_type>>(key), {}};
  }
  /// The same, and whether it was there before.
  flag_reply try_erase(const lookup& key) const {
    return {handle_.template ask<detail::keyed_erase<part_type>>(key), {}};
  }
  flag_reply contains(const lookup& key) const {
    return {handle_.template look<detail::keyed_contains<part_type>>(key), {}};
  }
  void insert(std::span<const K> keys) const {
    handle_.template tell_many<detail::set_insert<part_type>>(
        keys.size(), [&](std::size_t k) { return std::tie(keys[k]); });
  }
  void erase(std::span<const K> keys) const {
    handle_.template tell_many<detail::keyed_erase<part_type>>(
        keys.size(), [&](std::size_t k) { return std::tie(keys[k]); });
  }
  /// For each key, in this order, 1 if it is there and 0 if not. `keys` must stay in place
  /// until the reply is there.
  reply<std::vector<std::uint8_t>> contains_many(std::span<const K> keys) const {
    return reply<std::vector<std::uint8_t>>{look_up(handle_, keys)};
  }

  // ---- sets: collective over both teams, which must be of the same PEs. Cost: a quiesce, a
  // pass over the own part, a barrier; nothing is sent. `other` is not changed.

  /// Put in what `other` has.
  task<> unite(unordered_set other,
               std::source_location where = std::source_location::current()) const {
    const auto work = [](part_type& here, part_type& there) {
      if (&here != &there) {
        there.for_each([&here](const K& key) { put_in(here, key); });
      }
    };
    return join(*this, std::move(other), work, where);
  }
  /// Remove what `other` does not have.
  task<> intersect(unordered_set other,
                   std::source_location where = std::source_location::current()) const {
    const auto work = [](part_type& here, part_type& there) {
      if (&here != &there) {
        here.erase_if([&there](const K& key) { return !has(there, key); });
      }
    };
    return join(*this, std::move(other), work, where);
  }
  /// Remove what `other` has.
  task<> subtract(unordered_set other,
                  std::source_location where = std::source_location::current()) const {
    const auto work = [](part_type& here, part_type& there) {
      if (&here == &there) {
        here.clear();
      } else {
        here.erase_if([&there](const K& key) { return has(there, key); });
      }
    };
    return join(*this, std::move(other), work, where);
  }

  // ---- what is here ----

  std::size_t local_size() const { return handle_.part().size(); }
  std::size_t local_bytes() const { return handle_.part().bytes(); }
  /// Call f(key) for each key here, once; f may send, not wait.
  template <class F>
  void local_for_each(F f) const {
    handle_.part().for_each([&](const K& key) { f(key); });
  }
  std::size_t local_pieces() const { return part_type::tables; }
  template <class F>
  void local_for_each_in(std::size_t piece, F f) const {
    handle_.part().for_each_in(piece, [&](const K& key) { f(key); });
  }
  void local_clear() const { handle_.part().clear(); }
  void add_item(const K& key) const { insert(lookup{key}); }

  template <class Archive>
  void serialize(Archive& by) {
    by(handle_);
  }

 private:
  struct found_flags {
    std::vector<std::uint8_t>* into;
    void operator()(std::size_t k, std::uint8_t answer) const { (*into)[k] = answer; }
    void again(std::size_t k, std::size_t first) const { (*into)[k] = (*into)[first]; }
  };
  static task<std::vector<std::uint8_t>> look_up(detail::keyed_handle<part_type> of,
                                                 std::span<const K> keys) {
    std::vector<std::uint8_t> flags(keys.size());
    auto asking =
        detail::keyed_handle<part_type>::template ask_many<detail::keyed_contains<part_type>>(
            std::move(of), keys, found_flags{&flags});
    co_await asking;
    co_return flags;
  }
  static void put_in(part_type& here, const K& key) {
    here.with_made(
        part_type::hash_of(key), lookup{key}, [&](void* place) { ::new (place) K(key); },
        [](auto&, bool) {});
  }
  static bool has(part_type& there, const K& key) {
    return there.with(part_type::hash_of(key), lookup{key},
                      [](const auto* item) { return item != nullptr; });
  }
  template <class Work>
  static task<> join(unordered_set into, unordered_set from, Work work,
                     std::source_location where) {
    auto joining = detail::join_parts(&into.handle_.part(), &from.handle_.part(), work, where);
    co_await joining;
  }

  detail::keyed_handle<part_type> handle_;
};

}  // namespace lamellar
