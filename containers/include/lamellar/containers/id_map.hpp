// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/detail/id_part.hpp>
#include <lamellar/containers/detail/keyed_handle.hpp>
#include <lamellar/containers/hash.hpp>
#include <lamellar/containers/keyed_reply.hpp>
#include <lamellar/containers/unordered_map.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// id_map<K>: gives each key a number, and the key of a number back. Vertices of a graph are
// read by their names and kept by their numbers.
//
//   auto ids = co_await id_map<std::string>::create(world);
//   const std::uint64_t ada = co_await ids.intern("Ada");
//   co_await ids.freeze();                       // numbers are 0, 1, ... now, without gaps
//   const auto name = co_await ids.name(ids.frozen_id(ada));
//
// Before freeze() a number is unique and about as large as the number of keys: those of PE p
// are p, p + P, p + 2P, and so on. freeze() makes them contiguous, those of a PE one after the
// other; frozen_id() tells what has become of one, without communication.
//
// Thread-safety: handles as values; operations: any thread of the PE.
namespace lamellar {

template <transferable K, hash_of<K> Hash = hash<K>, stateless Equal = std::equal_to<>>
class id_map {
  using part_type = detail::id_part<K, Hash, Equal>;

 public:
  using key_type = K;
  using item_type = K;
  using lookup = typename part_type::lookup;
  static constexpr std::string_view kind = "id_map";

  id_map() noexcept = default;

  /// Make one without keys. Collective over the world or a team. Cost: a barrier.
  static task<id_map> create(detail::located_team of) {
    auto making = detail::keyed_handle<part_type>::create(of);
    id_map made;
    made.handle_ = co_await making;
    co_return made;
  }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  world& where() const { return handle_.where(); }
  const team& members() const { return handle_.part().members(); }
  pe owner(const lookup& key) const {
    return pe{handle_.part().owner_of(part_type::hash_of(key))};
  }

  /// The number of `key`, which it gets now if it has none. Cost: one round trip. Throws:
  /// remote_error, when the answer is taken, if it has none and numbers are frozen.
  reply<std::uint64_t> intern(const lookup& key) const {
    return handle_.template ask<detail::intern_key<part_type>>(key);
  }
  /// Those of many keys, in their order; keys that repeat are asked for once. `keys` must stay
  /// in place until the reply is there.
  reply<std::vector<std::uint64_t>> intern(std::span<const K> keys) const {
    return reply<std::vector<std::uint64_t>>{intern_each(handle_, keys)};
  }
  /// The number of `key`, if it has one.
  optional_reply<std::uint64_t> find(
      const lookup& key, std::source_location where = std::source_location::current()) const {
    return {handle_.template look<detail::find_id<part_type>>(key), where};
  }
  /// The key that has this number, if any. Cost: one round trip.
  optional_reply<K> name(std::uint64_t id,
                         std::source_location where = std::source_location::current()) const {
    const part_type& here = handle_.part();
    const auto at = here.place_of(id).value_or(std::pair{std::uint32_t{0}, ~std::uint64_t{0}});
    return {
        handle_.parts().call(pe{here.pes()[at.first]}, detail::name_at<part_type>{}, at.second),
        where};
  }

  /// Number the keys anew: 0, 1, ... without gaps. No key gets a number afterwards. Collective.
  /// Cost: a quiesce and an all_gather; nothing moves.
  task<> freeze() const { return freeze_parts(*this); }
  bool frozen() const { return handle_.part().frozen(); }
  /// What a number from before freeze() has become. No communication. Requires: frozen().
  std::uint64_t frozen_id(std::uint64_t dealt) const { return handle_.part().frozen_id(dealt); }
  /// How many numbers there are. Requires: frozen().
  std::uint64_t ids() const { return handle_.part().ids(); }

  // ---- what is here. A checkpoint holds keys; restored, they have other numbers. ----

  std::size_t local_size() const { return handle_.part().size(); }
  std::size_t local_bytes() const {
    return handle_.part().bytes() + handle_.part().names_here() * sizeof(K);
  }
  /// Call f(key), or f(key, number), for each key here, once; f may send, not wait.
  template <class F>
  void local_for_each(F f) const {
    handle_.part().for_each([&](const auto& item) { hand_over(f, item); });
  }
  std::size_t local_pieces() const { return part_type::tables; }
  template <class F>
  void local_for_each_in(std::size_t piece, F f) const {
    handle_.part().for_each_in(piece, [&](const auto& item) { hand_over(f, item); });
  }
  /// Forget all keys, and that numbers are frozen.
  void local_clear() const { handle_.part().clear_names(); }
  void add_item(const K& key) const {
    handle_.template tell<detail::intern_key<part_type>>(lookup{key});
  }

  template <class Archive>
  void serialize(Archive& by) {
    by(handle_);
  }

 private:
  struct found_ids {
    std::vector<std::uint64_t>* into;
    void operator()(std::size_t k, std::uint64_t id) const { (*into)[k] = id; }
    void again(std::size_t k, std::size_t first) const { (*into)[k] = (*into)[first]; }
  };
  template <class F, class Item>
  void hand_over(F& f, const Item& item) const {
    if constexpr (std::invocable<F&, const K&, std::uint64_t>) {
      f(item.first, handle_.part().id_of(item.second));
    } else {
      f(item.first);
    }
  }
  static task<std::vector<std::uint64_t>> intern_each(detail::keyed_handle<part_type> of,
                                                      std::span<const K> keys) {
    std::vector<std::uint64_t> ids(keys.size());
    auto asking =
        detail::keyed_handle<part_type>::template ask_many<detail::intern_key<part_type>>(
            std::move(of), keys, found_ids{&ids});
    co_await asking;
    co_return ids;
  }
  static task<> freeze_parts(id_map of) {
    auto settling = of.members().quiesce();
    co_await settling;
    auto gathering = all_gather(of.members(), of.handle_.part().names_here());
    const std::vector<std::uint64_t> counts = co_await gathering;
    of.handle_.part().freeze(counts);
    auto waiting = of.members().barrier();
    co_await waiting;
  }

  detail::keyed_handle<part_type> handle_;
};

}  // namespace lamellar
