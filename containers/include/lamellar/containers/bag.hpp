// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/random_numbers.hpp>
#include <lamellar/containers/detail/segment_part.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// bag<T>: items in no order, which lie where they were put: here, on a PE of the caller's
// choice, or dealt out in turn. It is even only after balance() or shuffle().
//
// A frozen bag is a distributed_range: algorithms such as sort work on it. freeze(), balance()
// and shuffle() freeze it; thaw() lets it grow again.
//
// The handle is cheap to copy and travels. The parts go in the first quiesce after the last
// handle.
//
// Thread-safety: insert() and deal(): any thread of the PE; the others: the body.
namespace lamellar {

template <transferable T>
class bag {
  using part_type = detail::segment_part<T>;

 public:
  using value_type = T;
  using item_type = T;
  static constexpr std::string_view kind = "bag";

  /// No bag; to be assigned to.
  bag() noexcept = default;

  /// Make an empty one on the PEs of the world or of a team. Cost: a barrier. Collective.
  static task<bag> create(detail::located_team of) { return create_on(std::move(of)); }

  explicit operator bool() const { return static_cast<bool>(parts_); }
  const team& members() const { return parts_->members(); }

  // ---- element operations; the bag must not be frozen ----
  /// Put an item here. Cost: a move; no message.
  void insert(T item, std::source_location at = std::source_location::current()) const {
    parts_->push(std::move(item), "insert", at);
  }
  /// Put many here.
  void insert(std::span<const T> items,
              std::source_location at = std::source_location::current()) const {
    parts_->append(items, "insert", at);
  }
  /// Put an item on another member. Cost: one message. Done: when quiesce() has returned.
  void insert(pe to, const T& item) const {
    parts_.send(to, detail::put_in_segment<T>{}, item);
  }
  /// Put an item on one member after the other. Cost: one message, but for each members()'th.
  void deal(const T& item, std::source_location at = std::source_location::current()) const {
    const std::uint32_t to = parts_->next_in_turn();
    if (to == parts_->me()) {
      insert(item, at);
    } else {
      insert(members().at(team_position{to}), item);
    }
  }

  // ---- together: collective over the members; each begins with a quiesce of the team ----
  /// Let all members know how many items each has, and the bag stay as it is. Cost: an
  /// all_gather.
  task<> freeze(std::source_location at = std::source_location::current()) const {
    return detail::freeze_segments(parts_, at);
  }
  /// Let it grow again.
  task<> thaw(std::source_location at = std::source_location::current()) const {
    return detail::thaw_segments(parts_, at);
  }
  /// Let all members have as many items, the first ones one more; and freeze it. Cost: only
  /// what is too much somewhere moves, once.
  task<> balance(std::source_location at = std::source_location::current()) const {
    return balance_all(*this, at);
  }
  /// Put each item at a random place, every order as likely as any other; all members then have
  /// as many, and it is frozen. The same in every run with as many PEs, if the items lie alike.
  /// Cost: each item moves once, and balance().
  task<> shuffle(std::uint64_t seed,
                 std::source_location at = std::source_location::current()) const {
    return shuffle_all(*this, seed, at);
  }
  /// `count` items of all, none of them twice, each choice as likely as any other; all if there
  /// are not so many. On every member, in no order. Cost: O(count) and an all_gather of them.
  /// Requires: the same arguments on all members.
  task<std::vector<T>> sample(std::size_t count, std::uint64_t seed,
                              std::source_location at = std::source_location::current()) const {
    return sample_all(*this, count, seed, at);
  }

  // ---- as a distributed_range: plain values; it must be frozen ----
  std::size_t size(std::source_location at = std::source_location::current()) const {
    return parts_->begins("size", at).back();
  }
  std::size_t size_at(team_position part,
                      std::source_location at = std::source_location::current()) const {
    const auto& begins = parts_->begins("size_at", at);
    return begins[part.index() + 1] - begins[part.index()];
  }
  /// The items that are here. Requires: nobody puts any in meanwhile.
  std::span<T> local() const { return parts_->items(); }

  // ---- as a distributed_container ----
  std::size_t local_size() const { return parts_->size(); }
  std::size_t local_bytes() const { return parts_->bytes(); }
  template <class F>
  void local_for_each(F&& f) const {
    parts_->for_each(f);
  }
  std::size_t local_pieces() const { return parts_->pieces(); }
  template <class F>
  void local_for_each_in(std::size_t k, F&& f) const {
    parts_->for_each_in(k, f);
  }
  void local_clear() const { parts_->clear(); }
  void add_item(const T& item) const { insert(item); }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(parts_);
  }

 private:
  explicit bag(darc<part_type> parts) : parts_{std::move(parts)} {}

  static task<bag> create_on(detail::located_team of) {
    auto making = darc<part_type>::create(of, of.value, kind);
    co_return bag{co_await making};
  }
  static task<> balance_all(bag of, std::source_location at);
  static task<> shuffle_all(bag of, std::uint64_t seed, std::source_location at);
  static task<std::vector<T>> sample_all(bag of, std::size_t count, std::uint64_t seed,
                                         std::source_location at);

  darc<part_type> parts_;
};

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

template <class T>
void shuffle_row(std::vector<T>& items, random_sequence& random) {
  for (std::size_t k = items.size(); k > 1; --k) {
    std::swap(items[k - 1], items[random.below(k)]);
  }
}

}  // namespace detail

template <transferable T>
task<> bag<T>::balance_all(bag of, std::source_location at) {
  part_type& mine = *of.parts_;
  const std::uint32_t members = of.members().size();
  auto freezing = detail::freeze_segments(of.parts_, at);
  co_await freezing;
  const layout::block even{of.size(), members};
  const auto wanted = [&even](std::uint32_t k) { return even.first(k + 1) - even.first(k); };
  // What is too much fills what is missing, both in the order of members.
  std::uint64_t too_much_before = 0;
  std::vector<std::uint64_t> missing_until;
  std::uint64_t missing = 0;
  for (std::uint32_t k = 0; k < members; ++k) {
    const std::uint64_t has = of.size_at(team_position{k});
    const std::uint64_t wants = wanted(k);
    too_much_before += k < mine.me() && has > wants ? has - wants : 0;
    missing += wants > has ? wants - has : 0;
    missing_until.push_back(missing);
  }
  std::vector<T> items = mine.take();
  const std::uint64_t keeps = std::min<std::uint64_t>(items.size(), wanted(mine.me()));
  const std::span<T> rest = std::span{items}.subspan(keeps);
  auto bringing = exchange_placed({of.members(), at}, rest, [&](const T&, std::size_t index) {
    const auto to =
        std::upper_bound(missing_until.begin(), missing_until.end(), too_much_before + index);
    return team_position{static_cast<std::uint32_t>(to - missing_until.begin())};
  });
  auto arrived = co_await bringing;
  items.resize(keeps);
  items.insert(items.end(), std::make_move_iterator(arrived.begin()),
               std::make_move_iterator(arrived.end()));
  mine.put(std::move(items));
  auto again = detail::freeze_segments(of.parts_, at);
  co_await again;
}

template <transferable T>
task<> bag<T>::shuffle_all(bag of, std::uint64_t seed, std::source_location at) {
  part_type& mine = *of.parts_;
  auto settling = of.members().quiesce(at);
  co_await settling;
  detail::random_sequence random{seed, mine.me()};
  std::vector<T> items = mine.take();
  std::vector<std::uint32_t> goes_to(items.size());
  for (std::uint32_t& each : goes_to) {
    each = static_cast<std::uint32_t>(random.below(of.members().size()));
  }
  auto bringing = exchange_placed({of.members(), at}, items, [&](const T&, std::size_t index) {
    return team_position{goes_to[index]};
  });
  auto arrived = co_await bringing;
  items.assign(std::make_move_iterator(arrived.begin()),
               std::make_move_iterator(arrived.end()));
  detail::shuffle_row(items, random);
  mine.put(std::move(items));
  auto balancing = balance_all(of, at);
  co_await balancing;
  items = mine.take();
  detail::shuffle_row(items, random);
  mine.put(std::move(items));
}

template <transferable T>
task<std::vector<T>> bag<T>::sample_all(bag of, std::size_t count, std::uint64_t seed,
                                        std::source_location at) {
  part_type& mine = *of.parts_;
  const detail::located_team members{of.members(), at};
  auto settling = members.value.quiesce(at);
  co_await settling;
  auto counting = all_gather(members, static_cast<std::uint64_t>(mine.size()));
  std::uint64_t all = 0;
  std::uint64_t before = 0;
  const std::vector<std::uint64_t> sizes = co_await counting;
  for (std::uint32_t k = 0; k < sizes.size(); ++k) {
    before += k < mine.me() ? sizes[k] : 0;
    all += sizes[k];
  }
  // All members draw the same places.
  std::vector<T> found;
  for (const std::uint64_t place :
       detail::distinct_numbers(all, std::min<std::uint64_t>(count, all), seed)) {
    if (place >= before && place - before < mine.items().size()) {
      found.push_back(mine.items()[place - before]);
    }
  }
  auto gathering = all_gather(members, std::move(found));
  std::vector<T> sampled;
  for (std::vector<T>& some : co_await gathering) {
    sampled.insert(sampled.end(), std::make_move_iterator(some.begin()),
                   std::make_move_iterator(some.end()));
  }
  co_return sampled;
}

}  // namespace lamellar
