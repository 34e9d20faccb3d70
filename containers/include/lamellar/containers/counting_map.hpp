// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/detail/combining_cache.hpp>
#include <lamellar/containers/detail/count_actions.hpp>
#include <lamellar/containers/detail/keyed_handle.hpp>
#include <lamellar/containers/detail/top_items.hpp>
#include <lamellar/containers/hash.hpp>
#include <lamellar/containers/keyed_reply.hpp>
#include <lamellar/containers/unordered_map.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// counting_map<K>: how often each key has come, counted on the PE that owns the key.
//
//   auto words = co_await counting_map<std::string>::create(world);
//   for (const auto& word : text) words.add(word);
//   for (const auto& [word, n] : co_await words.top_k(10)) ...
//
// Keys that come often are added up where they come, and sent once in a while: see
// detail/combining_cache.hpp. Such an addition counts as buffered, as others do.
//
// Counts are 64 bits wide. One that would be larger stays at the largest number, and the
// quiesce or wait_all that follows throws.
//
// Thread-safety: handles as values; operations: any thread of the PE.
namespace lamellar {

template <transferable K, hash_of<K> Hash = hash<K>, stateless Equal = std::equal_to<>>
class counting_map {
  using part_type = detail::counting_part<K, Hash, Equal>;
  using action = detail::count_key<part_type>;

 public:
  using key_type = K;
  using item_type = std::pair<K, std::uint64_t>;
  using lookup = typename part_type::lookup;
  static constexpr std::string_view kind = "counting_map";

  counting_map() noexcept = default;

  /// Make one without keys on the PEs of the world or of a team. Collective over it. Cost: a
  /// barrier.
  static task<counting_map> create(detail::located_team of) {
    auto making = detail::keyed_handle<part_type>::create(of);
    counting_map made;
    made.handle_ = co_await making;
    co_return made;
  }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  world& where() const { return handle_.where(); }
  const team& members() const { return handle_.part().members(); }
  /// The PE that counts `key`. No communication.
  pe owner(const lookup& key) const {
    return pe{handle_.part().owner_of(part_type::hash_of(key))};
  }

  /// `key` has come `n` times more. Cost: nothing but a look, if it waits here already; else a
  /// record to the owner. Done: when quiesce() or wait_all() has returned. Not collective.
  /// Threads: any. Throws: nothing; a count that overflows comes out of quiesce() or
  /// wait_all().
  void add(const lookup& key, std::uint64_t n = 1) const {
    part_type& here = handle_.part();
    const std::uint64_t h = part_type::hash_of(key);
    if (cache_type::may_use(handle_.where()) && !here.cache.passes_by(1)) {
      here.cache.add(handle_, h, key, n);
    } else {
      handle_.template tell_hashed<action>(h, key, n);
    }
  }
  /// Each of `keys` has come once more.
  void add(std::span<const K> keys) const {
    part_type& here = handle_.part();
    constexpr std::size_t at_a_time = 4096;
    for (std::size_t first = 0; first < keys.size(); first += at_a_time) {
      const auto some = keys.subspan(first, std::min(at_a_time, keys.size() - first));
      if (!cache_type::may_use(handle_.where()) || here.cache.passes_by(some.size())) {
        static constexpr std::uint64_t once = 1;
        handle_.template tell_many<action>(
            some.size(), [&](std::size_t k) { return std::tie(some[k], once); });
        continue;
      }
      for (const K& key : some) {
        here.cache.add(handle_, part_type::hash_of(key), key, 1);
      }
    }
  }

  /// How often `key` has come; 0 if it has not. Cost: one round trip.
  count_reply count(const lookup& key) const {
    return {handle_.template look<detail::map_find<part_type>>(key), {}};
  }
  /// All counts together. Collective. Cost: a quiesce, one pass, an all_reduce. Throws:
  /// count_overflow on all members, if the sum is 2^64 or more.
  task<std::uint64_t> total() const { return add_up(*this); }
  /// The k keys that have come most often, the most frequent first, on every member; keys that
  /// have come equally often in their order. Collective. Cost: a quiesce, one pass, an
  /// all_reduce of k items.
  task<std::vector<item_type>> top_k(std::size_t k) const {
    return detail::top_items(
        *this, k, [](const item_type& a, const item_type& b) { return b.second < a.second; });
  }
  /// How many keys have come once, twice, ...: pairs of a count and a number of keys, by
  /// counts, on every member. Collective. Cost: a quiesce, one pass, an all_reduce of as many
  /// pairs as there are different counts.
  task<std::vector<std::pair<std::uint64_t, std::uint64_t>>> histogram() const {
    return count_counts(*this);
  }
  /// Forget the keys that have come less than `n` times. Collective. Cost: a quiesce, one pass,
  /// a barrier.
  task<> erase_below(std::uint64_t n) const { return erase_rare(*this, n); }

  // ---- what is here ----

  std::size_t local_size() const { return handle_.part().size(); }
  std::size_t local_bytes() const { return handle_.part().bytes(); }
  /// Call f(item) or f(key, count) for each key here, once. Counts of what is on its way are
  /// not there yet. f may send, not wait.
  template <class F>
  void local_for_each(F f) const {
    handle_.part().for_each([&](const item_type& item) { hand_over(f, item); });
  }
  std::size_t local_pieces() const { return part_type::tables; }
  template <class F>
  void local_for_each_in(std::size_t piece, F f) const {
    handle_.part().for_each_in(piece, [&](const item_type& item) { hand_over(f, item); });
  }
  void local_clear() const { handle_.part().clear(); }
  void add_item(const item_type& item) const { add(item.first, item.second); }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(handle_);
  }

 private:
  using cache_type = typename part_type::cache_type;

  template <class F>
  static void hand_over(F& f, const item_type& item) {
    if constexpr (std::invocable<F&, const K&, std::uint64_t>) {
      f(item.first, item.second);
    } else {
      f(item);
    }
  }
  static task<std::uint64_t> add_up(counting_map of);
  static task<std::vector<std::pair<std::uint64_t, std::uint64_t>>> count_counts(
      counting_map of);
  static task<> erase_rare(counting_map of, std::uint64_t n);

  detail::keyed_handle<part_type> handle_;
};

// ---- detail ---------------------------------------------------------------------------------

template <transferable K, hash_of<K> Hash, stateless Equal>
task<std::uint64_t> counting_map<K, Hash, Equal>::add_up(counting_map of) {
  auto settling = of.members().quiesce();
  co_await settling;
  detail::checked_sum sum;
  of.local_for_each([&sum](const item_type& item) { sum.add(item.second); });
  const auto join = [](detail::checked_sum a, const detail::checked_sum& b) {
    a.add(b.sum);
    a.overflown |= b.overflown;
    return a;
  };
  auto joining = all_reduce(of.members(), sum, join);
  const detail::checked_sum all = co_await joining;
  if (all.overflown) {
    detail::throw_count_overflow("the total");
  }
  co_return all.sum;
}

template <transferable K, hash_of<K> Hash, stateless Equal>
task<std::vector<std::pair<std::uint64_t, std::uint64_t>>>
counting_map<K, Hash, Equal>::count_counts(counting_map of) {
  using counts = std::map<std::uint64_t, std::uint64_t>;
  auto settling = of.members().quiesce();
  co_await settling;
  counts here;
  of.local_for_each([&here](const item_type& item) { ++here[item.second]; });
  const auto join = [](counts a, const counts& b) {
    for (const auto& [count, keys] : b) {
      a[count] += keys;
    }
    return a;
  };
  auto joining = all_reduce(of.members(), std::move(here), join);
  const counts all = co_await joining;
  co_return std::vector<std::pair<std::uint64_t, std::uint64_t>>(all.begin(), all.end());
}

template <transferable K, hash_of<K> Hash, stateless Equal>
task<> counting_map<K, Hash, Equal>::erase_rare(counting_map of, std::uint64_t n) {
  auto settling = of.members().quiesce();
  co_await settling;
  of.handle_.part().erase_if([n](const item_type& item) { return item.second < n; });
  auto waiting = of.members().barrier();
  co_await waiting;
}

}  // namespace lamellar
