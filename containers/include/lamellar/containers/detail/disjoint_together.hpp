// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/containers/disjoint_set.hpp>

// Questions to a disjoint set that go from owner to owner, and what its members do together.
// Included by disjoint_set.hpp.
namespace lamellar {

template <std::unsigned_integral T>
task<T> disjoint_set<T>::find_from(disjoint_set of, T id) {
  T at = id;
  for (unsigned hops = 0;; ++hops) {
    auto asking = of.parts_.call(pe{of.part().owner(at)}, detail::walk_id<T>{}, at);
    const detail::id_step<T> step = co_await asking;
    at = step.at;
    if (step.is_root != 0) {
      if (hops > 1) {
        of.parts_.send(pe{of.part().owner(id)}, detail::shorten_way<T>{}, id, at);
      }
      co_return at;
    }
  }
}

template <std::unsigned_integral T>
task<bool> disjoint_set<T>::are_same(disjoint_set of, T a, T b) {
  reply<T> of_a = of.find(a);
  reply<T> of_b = of.find(b);
  const T first = co_await of_a;
  co_return first == co_await of_b;
}

template <std::unsigned_integral T>
task<std::vector<detail::id_step<T>>> disjoint_set<T>::walk_all(const disjoint_set& of,
                                                                const std::vector<T>& ids) {
  using step = detail::id_step<T>;
  const part_type& here = of.part();
  const auto& home = detail::engine_of(here.members().where());
  const std::size_t most = detail::questions_in_a_message<T, step>(home.largest_record());
  std::vector<step> steps(ids.size());
  auto asking = detail::ask_owners<T, step>(
      here.members().size(), ids.size(), std::min(most, std::max<std::size_t>(1, ids.size())),
      [&](std::size_t k) {
        return std::pair{static_cast<std::uint32_t>(here.layout().owner(ids[k])), ids[k]};
      },
      [](std::uint32_t, std::span<const T>, const std::size_t*) { return false; },
      [&](std::uint32_t owner, std::span<const T> some) {
        return of.parts_.call(here.members().at(team_position{owner}), detail::walk_ids<T>{},
                              some);
      },
      [&](std::size_t k, const step& answer) { steps[k] = answer; });
  co_await asking;
  co_return steps;
}

template <std::unsigned_integral T>
task<std::vector<T>> disjoint_set<T>::find_all(disjoint_set of, std::vector<T> ids) {
  std::vector<std::size_t> open(ids.size());
  for (std::size_t k = 0; k < open.size(); ++k) {
    open[k] = k;
  }
  std::vector<T> asked = ids;
  while (!asked.empty()) {
    auto walking = walk_all(of, asked);
    const std::vector<detail::id_step<T>> steps = co_await walking;
    asked.clear();
    std::vector<std::size_t> left;
    for (std::size_t k = 0; k < steps.size(); ++k) {
      ids[open[k]] = steps[k].at;
      if (steps[k].is_root == 0) {
        left.push_back(open[k]);
        asked.push_back(steps[k].at);
      }
    }
    open = std::move(left);
  }
  co_return ids;
}

template <std::unsigned_integral T>
task<> disjoint_set<T>::compress_all(disjoint_set of, std::source_location at) {
  auto settling = of.members().quiesce(at);
  co_await settling;
  std::vector<T> exits;
  {
    const std::lock_guard held{of.part().lock()};
    exits = of.part().begin_compression();
  }
  for (bool more = true; more;) {
    auto walking = walk_all(of, exits);
    const std::vector<detail::id_step<T>> steps = co_await walking;
    {
      const std::lock_guard held{of.part().lock()};
      exits = of.part().go_on_compressing(exits, steps);
    }
    auto agreeing = all_reduce(of.members(), !exits.empty(), std::logical_or<>{});
    more = co_await agreeing;
  }
}

template <std::unsigned_integral T>
task<std::size_t> disjoint_set<T>::count_all(disjoint_set of, std::source_location at) {
  auto settling = of.members().quiesce(at);
  co_await settling;
  auto adding = all_reduce(of.members(), std::uint64_t{of.part().roots()});
  co_return co_await adding;
}

template <std::unsigned_integral T>
template <class F>
void disjoint_set<T>::local_for_each(F&& f) const {
  parts_.exclusive([&](part_type& mine) {
    for (std::size_t k = 0; k < mine.parents().size(); ++k) {
      f(item_type{static_cast<T>(mine.first() + k), mine.parents()[k]});
    }
  });
}

template <std::unsigned_integral T>
template <class F>
task<> disjoint_set<T>::for_each_group(disjoint_set of, F f, std::source_location at) {
  using link = detail::id_link<T>;
  auto compressing = compress_all(of, at);
  co_await compressing;
  std::vector<link> items;
  items.reserve(of.local_size());
  for (std::size_t k = 0; k < of.local_size(); ++k) {
    items.push_back({static_cast<T>(of.local_first() + k), of.local()[k]});
  }
  const part_type& here = of.part();
  auto bringing = exchange_placed({of.members(), at}, items, [&here](const link& item) {
    return team_position{static_cast<std::uint32_t>(here.layout().owner(item.smaller))};
  });
  auto arrived = co_await bringing;
  std::sort(arrived.begin(), arrived.end(), [](const link& a, const link& b) {
    return a.smaller != b.smaller ? a.smaller < b.smaller : a.larger < b.larger;
  });
  std::vector<T> members;
  for (std::size_t k = 0; k < arrived.size();) {
    const T representative = arrived[k].smaller;
    members.clear();
    for (; k < arrived.size() && arrived[k].smaller == representative; ++k) {
      members.push_back(arrived[k].larger);
    }
    f(representative, std::span<const T>{members});
  }
  auto meeting = of.members().barrier(at);
  co_await meeting;
}

}  // namespace lamellar
