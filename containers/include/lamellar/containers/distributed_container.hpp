// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/checkpoint.hpp>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What all containers of items have in common, but for arrays: a concept that says what a
// container must offer, which is little, and functions that work for every container that
// offers it. Containers share no base class.
//
// A container is a handle, cheap to copy, that travels in messages; its items lie in parts, one
// on each member of a team. The functions below that return a task are collective: they begin
// with a quiesce of the team, so that everything any member has put in before is there. Handles
// are swapped by std::swap, which moves nothing.
//
// Thread-safety: the body, but for insert_all(): any thread of the PE.
namespace lamellar {

/// A container whose items lie on the members of a team.
///
///   C::item_type          an item, which travels
///   C::kind               what it is called in texts and in checkpoints
///   members()             the team
///   local_size()          items here
///   local_bytes()         memory that the part here takes, without what items own themselves
///   local_for_each(f)     f(item) for each item here, as const item_type&
///   local_clear()         removes the items here
///   add_item(item)        puts an item where it belongs; one-sided, buffered
template <class C>
concept distributed_container = std::copyable<C> && transferable<typename C::item_type> &&
    requires(const C& c, const typename C::item_type& item,
             void (*look)(const typename C::item_type&)) {
  {std::string_view{C::kind}};
  { c.members() } -> std::convertible_to<const team&>;
  { c.local_size() } -> std::convertible_to<std::size_t>;
  { c.local_bytes() } -> std::convertible_to<std::size_t>;
  c.local_for_each(look);
  c.local_clear();
  c.add_item(item);
};

/// One whose part is a row of pieces that several threads may pass over, each its own.
///
///   local_pieces()               how many
///   local_for_each_in(k, f)      f(item) for each item of piece k
template <class C>
concept container_of_pieces = distributed_container<C> &&
    requires(const C& c, void (*look)(const typename C::item_type&)) {
  { c.local_pieces() } -> std::convertible_to<std::size_t>;
  c.local_for_each_in(std::size_t{0}, look);
};

/// One whose checkpoint is more than its items in any order: it writes and reads that itself.
///
///   save(path), load(path)    tasks, collective; called after a quiesce; say how many items
template <class C>
concept container_that_saves_itself = distributed_container<C> &&
    requires(const C& c, std::string path) {
  { c.save(path) } -> std::same_as<task<std::uint64_t>>;
  { c.load(path) } -> std::same_as<task<std::uint64_t>>;
};

/// How a container lies on its members.
struct container_statistics {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;   ///< of all parts, without what items own themselves
  std::uint64_t fewest = 0;  ///< items on one member
  std::uint64_t most = 0;
  std::uint32_t members = 0;

  /// The fullest member against the mean: 1 is even.
  double imbalance() const {
    return items == 0 ? 1.0 : static_cast<double>(most) * members / static_cast<double>(items);
  }
  double bytes_per_item() const {
    return items == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(items);
  }
};

/// How many items all members have. Collective. Cost: a quiesce and an all_reduce.
template <distributed_container C>
task<std::uint64_t> size(const C& c);

/// Whether nobody has any. Collective. Cost: as size().
template <distributed_container C>
task<bool> empty(const C& c);

/// Remove all items. Collective. Cost: a quiesce and a barrier.
template <distributed_container C>
task<> clear(C c);

/// Call `f(item)` for each item, on the member that has it. `f` may send, to this container
/// too; it must not wait. An item is seen at most once; whether one is that `f`, or another
/// member, puts in meanwhile, is open. Messages to the items that are being looked at wait.
///
/// Returns when all members have done theirs; what `f` sent is not waited for. Collective.
/// Cost: a quiesce, one pass, an all_reduce. Throws, on every member: there what `f` threw,
/// elsewhere a remote_error.
template <distributed_container C, class F>
task<> for_each(C c, F f);

/// op(f(a), op(f(b), ...)) of all items, on every member; nothing if there are none. Items come
/// in no order. `f` and `op` only look at their arguments: where the container has pieces, the
/// PE's threads share them.
///
/// Collective. Cost: a quiesce, one pass, an all_reduce. Requires: op is associative and
/// commutes. Throws: as for_each().
template <distributed_container C, class F, class Op>
auto reduce(C c, F f, Op op) -> task<
    std::optional<std::remove_cvref_t<std::invoke_result_t<F&, const typename C::item_type&>>>>;

/// All items, on one member; nothing on the others. Those of a member lie together. Collective.
/// Cost: a quiesce, a barrier, and what the items take, twice.
template <distributed_container C>
task<std::vector<typename C::item_type>> gather(C c, team_position root = team_position{0});

/// All items as an array of the same team: those of the first member first. Collective. Cost: a
/// quiesce, a scan, and two passes over the items.
template <distributed_container C>
task<unsafe_array<typename C::item_type>> to_array(C c);

/// Put in each item of a range: of a std::vector, of local_elements(a), of what a pipeline
/// makes of these. Each PE brings what it has. Not collective; one-sided, buffered. Done: when
/// quiesce() or wait_all() has returned.
template <distributed_container C, std::ranges::input_range Items>
  requires std::convertible_to < std::ranges::range_reference_t<Items>,
typename C::item_type > void insert_all(const C& c, Items&& items) {
  for (auto&& each : items) {
    c.add_item(static_cast<const typename C::item_type&>(each));
  }
}

/// Save all items as the checkpoint `path`; see checkpoint.hpp. Returns how many. Collective.
/// Throws: checkpoint_error on all members; the checkpoint before is then as it was.
template <distributed_container C>
task<std::uint64_t> checkpoint(C c, std::string path);

/// Put in all items of a checkpoint, which any number of PEs may have saved. Returns how many.
/// Items that are there stay, as far as the container allows: clear() it first, or restore to a
/// new one. Collective. Throws: checkpoint_error on all members; some items may then be there.
template <distributed_container C>
task<std::uint64_t> restore(C c, std::string path);

/// How the items lie on the members. Collective. Cost: as size().
template <distributed_container C>
task<container_statistics> statistics_of(C c);

/// The same in a line for people, on every member. Collective.
template <distributed_container C>
task<std::string> describe(C c);

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

std::string describe_container(std::string_view kind, const container_statistics& what);

/// Give all members their own `mine` joined with the others' by `op`, or throw on all of them.
template <class R, class Op>
task<std::optional<R>> end_container_loop(located_team of, outcome<R> mine,
                                          std::exception_ptr thrown, const char* what, Op op) {
  const auto join = [op](outcome<R> a, outcome<R> b) {
    if (a.failed != outcome<R>::nobody || b.failed != outcome<R>::nobody) {
      return a.failed != outcome<R>::nobody ? a : b;
    }
    if (a.value.some && b.value.some) {
      a.value.value = op(std::move(a.value.value), std::move(b.value.value));
    }
    return a.value.some ? a : b;
  };
  auto joining = all_reduce(of, std::move(mine), join);
  outcome<R> all = co_await joining;
  if (thrown) {
    std::rethrow_exception(thrown);
  }
  if (all.failed != outcome<R>::nobody) {
    throw remote_error(all.failed, what, all.why);
  }
  co_return std::move(all.value).get();
}

/// f of the items here, joined; by the PE's threads if there are pieces.
template <class R, class C, class F, class Op>
std::optional<R> reduce_here(const C& c, F& f, Op& op) {
  const auto over = [&](auto pass) {
    std::optional<R> sum;
    pass([&](const typename C::item_type& item) {
      if (sum.has_value()) {
        sum.emplace(op(*std::move(sum), R(f(item))));
      } else {
        sum.emplace(f(item));
      }
    });
    return sum;
  };
  if constexpr (container_of_pieces<C>) {
    const std::size_t pieces = c.local_pieces();
    std::vector<std::optional<R>> sums(pieces);
    on_node::for_each(c.members().where().on_node(), pieces, [&](std::size_t k) {
      sums[k] = over([&](const auto& look) { c.local_for_each_in(k, look); });
    });
    std::optional<R> all;
    for (std::optional<R>& each : sums) {
      if (all.has_value() && each.has_value()) {
        all.emplace(op(*std::move(all), *std::move(each)));
      } else if (each.has_value()) {
        all = std::move(each);
      }
    }
    return all;
  } else {
    return over([&](const auto& look) { c.local_for_each(look); });
  }
}

template <distributed_container C>
task<std::uint64_t> count_items(C c) {
  auto settling = c.members().quiesce();
  co_await settling;
  auto counting = all_reduce(c.members(), static_cast<std::uint64_t>(c.local_size()));
  co_return co_await counting;
}

template <distributed_container C>
task<bool> has_no_items(C c) {
  auto counting = count_items(std::move(c));
  co_return co_await counting == 0;
}

}  // namespace detail

// These two take references, as std::size and std::empty do: so they are chosen before those
// where a container of a type of std brings both into an overload set.
template <distributed_container C>
task<std::uint64_t> size(const C& c) {
  return detail::count_items(c);
}

template <distributed_container C>
task<bool> empty(const C& c) {
  return detail::has_no_items(c);
}

template <distributed_container C>
task<> clear(C c) {
  auto settling = c.members().quiesce();
  co_await settling;
  c.local_clear();
  auto waiting = c.members().barrier();
  co_await waiting;
}

template <distributed_container C, class F>
task<> for_each(C c, F f) {
  const detail::located_team of{c.members()};
  auto settling = of.value.quiesce();
  co_await settling;
  std::exception_ptr thrown;
  auto done = detail::attempt<std::uint8_t>(of, thrown, [&] {
    c.local_for_each(f);
    return std::optional<std::uint8_t>{};
  });
  const auto any = [](std::uint8_t a, std::uint8_t) { return a; };
  auto ending =
      detail::end_container_loop(of, std::move(done), thrown, "a function of for_each()", any);
  co_await ending;
}

template <distributed_container C, class F, class Op>
auto reduce(C c, F f, Op op) -> task<std::optional<
    std::remove_cvref_t<std::invoke_result_t<F&, const typename C::item_type&>>>> {
  using R = std::remove_cvref_t<std::invoke_result_t<F&, const typename C::item_type&>>;
  const detail::located_team of{c.members()};
  auto settling = of.value.quiesce();
  co_await settling;
  std::exception_ptr thrown;
  auto mine = detail::attempt<R>(of, thrown, [&] { return detail::reduce_here<R>(c, f, op); });
  auto ending =
      detail::end_container_loop(of, std::move(mine), thrown, "a function of reduce()", op);
  co_return co_await ending;
}

template <distributed_container C>
task<std::vector<typename C::item_type>> gather(C c, team_position root) {
  using item = typename C::item_type;
  auto settling = c.members().quiesce();
  co_await settling;
  std::vector<item> mine;
  mine.reserve(c.local_size());
  c.local_for_each([&mine](const item& each) { mine.push_back(each); });
  auto gathering = gather(c.members(), std::move(mine), root);
  std::vector<std::vector<item>> parts = co_await gathering;
  std::vector<item> all;
  for (std::vector<item>& part : parts) {
    if (all.empty()) {
      all = std::move(part);
    } else {
      all.insert(all.end(), std::make_move_iterator(part.begin()),
                 std::make_move_iterator(part.end()));
    }
  }
  auto waiting = c.members().barrier();  // nobody goes on before all have read
  co_await waiting;
  co_return all;
}

template <distributed_container C>
task<unsafe_array<typename C::item_type>> to_array(C c) {
  using item = typename C::item_type;
  auto settling = c.members().quiesce();
  co_await settling;
  std::vector<item> mine;
  mine.reserve(c.local_size());
  c.local_for_each([&mine](const item& each) { mine.push_back(each); });
  auto counting = all_reduce(c.members(), mine.size());
  const std::size_t all = co_await counting;
  auto scanning = exclusive_scan(c.members(), mine.size(), std::size_t{0});
  const std::size_t before = co_await scanning;
  auto making = unsafe_array<item>::create(c.members(), all);
  const unsafe_array<item> made = co_await making;
  co_await made.put(before, mine);
  auto waiting = c.members().barrier();
  co_await waiting;
  co_return made;
}

template <distributed_container C>
task<std::uint64_t> checkpoint(C c, std::string path) {
  using item = typename C::item_type;
  auto settling = c.members().quiesce();
  co_await settling;
  if constexpr (container_that_saves_itself<C>) {
    auto saving = c.save(std::move(path));
    co_return co_await saving;
  } else {
    const auto each = [&c](const auto& put) {
      c.local_for_each([&put](const item& one) { put(one); });
    };
    auto saving = save_items<item>(c.members(), std::move(path), std::string{C::kind}, each);
    co_return co_await saving;
  }
}

template <distributed_container C>
task<std::uint64_t> restore(C c, std::string path) {
  using item = typename C::item_type;
  auto settling = c.members().quiesce();
  co_await settling;
  std::uint64_t items = 0;
  if constexpr (container_that_saves_itself<C>) {
    auto loading = c.load(std::move(path));
    items = co_await loading;
  } else {
    const auto take = [&c](const item& one) { c.add_item(one); };
    auto loading = load_items<item>(c.members(), std::move(path), std::string{C::kind}, take);
    items = co_await loading;
  }
  auto ending = c.members().quiesce();
  co_await ending;
  co_return items;
}

template <distributed_container C>
task<container_statistics> statistics_of(C c) {
  auto settling = c.members().quiesce();
  co_await settling;
  const std::uint64_t items = c.local_size();
  const container_statistics mine{items, c.local_bytes(), items, items, 1};
  const auto join = [](container_statistics a, const container_statistics& b) {
    return container_statistics{a.items + b.items, a.bytes + b.bytes,
                                std::min(a.fewest, b.fewest), std::max(a.most, b.most),
                                a.members + b.members};
  };
  auto joining = all_reduce(c.members(), mine, join);
  co_return co_await joining;
}

template <distributed_container C>
task<std::string> describe(C c) {
  auto asking = statistics_of(std::move(c));
  const container_statistics what = co_await asking;
  co_return detail::describe_container(C::kind, what);
}

}  // namespace lamellar
