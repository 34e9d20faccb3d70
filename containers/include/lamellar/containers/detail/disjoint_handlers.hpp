// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <lamellar/containers/detail/disjoint_part.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/darc.hpp>
#include <mutex>
#include <span>
#include <tuple>
#include <vector>

// What messages to a disjoint set do at the owner of an id.
//
// Thread-safety: handlers of a darc.
namespace lamellar::detail {

template <class Id>
struct link_ids;

/// Join pair(k) for k = begin, ... until `end`, and send what is left to do to the owners.
template <class Id, class Pair>
void join_and_tell(const darc<disjoint_part<Id>>& set, std::size_t begin, std::size_t end,
                   Pair pair) {
  constexpr std::size_t at_once = 256;
  constexpr std::size_t between = 1024;  // pairs, for which others do not get the lock
  disjoint_part<Id>& mine = *set;
  std::array<id_link<Id>, at_once> news;
  while (begin < end) {
    std::size_t found = 0;
    {
      const std::lock_guard held{mine.lock()};
      std::tie(begin, found) =
          mine.join_each(begin, std::min(end, begin + between), pair, std::span{news});
    }
    set.send_each(link_ids<Id>{}, std::span<const id_link<Id>>{news.data(), found},
                  [&](const id_link<Id>& link) {
                    return routed<id_link<Id>>{mine.owner(link.larger), link};
                  });
  }
}

template <class Id>
struct link_ids {
  void operator()(context&, const darc<disjoint_part<Id>>& set,
                  std::span<const id_link<Id>> links) const {
    join_and_tell(set, 0, links.size(), [&](std::size_t k) { return links[k]; });
  }
};

/// A pair on its way to two roots, and what to do if they become one.
template <class Id, class Call>
struct link_and_call {
  id_link<Id> at;
  Id a;
  Id b;
  Call call;
  template <class Archive>
  void serialize(Archive& by) requires(!bitwise<Call>) {
    by(at.larger, at.smaller, a, b, call);
  }
};

template <class Id, class Call>
struct link_ids_and {
  void operator()(context& here, const darc<disjoint_part<Id>>& set,
                  const link_and_call<Id, Call>& given) const {
    disjoint_part<Id>& mine = *set;
    id_link<Id> rest = given.at;
    const bool joined = [&] {
      const std::lock_guard held{mine.lock()};
      return mine.join_roots(rest);
    }();
    if (joined) {
      given.call(here, given.a, given.b);
    } else if (rest.is_some()) {
      link_and_call<Id, Call> next = given;
      next.at = rest;
      set.send(pe{mine.owner(rest.larger)}, link_ids_and{}, next);
    }
  }
};

template <class Id>
struct walk_id {
  id_step<Id> operator()(disjoint_part<Id>& mine, Id id) const {
    const std::lock_guard held{mine.lock()};
    return mine.walk(id);
  }
};
template <class Id>
struct walk_ids {
  std::vector<id_step<Id>> operator()(disjoint_part<Id>& mine, std::span<const Id> ids) const {
    std::vector<id_step<Id>> steps;
    steps.reserve(ids.size());
    const std::lock_guard held{mine.lock()};
    for (const Id id : ids) {
      steps.push_back(mine.walk(id));
    }
    return steps;
  }
};
template <class Id>
struct shorten_way {
  void operator()(disjoint_part<Id>& mine, Id id, Id root) const {
    const std::lock_guard held{mine.lock()};
    mine.shorten(id, root);
  }
};

}  // namespace lamellar::detail
