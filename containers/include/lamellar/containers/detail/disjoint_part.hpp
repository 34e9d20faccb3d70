// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/distinct_values.hpp>
#include <lamellar/containers/detail/id_forest.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/team.hpp>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

// One PE's part of a disjoint set: a forest of all ids as this PE knows it. The parents of the
// own ids are the set itself; a parent of another PE's id is something that this PE has told,
// or was told on the way, and need not tell again.
//
// Invariant: a parent is smaller than its child. Whatever was said to belong together does so
// by way of ids that are not larger than the larger of the two, in the parents at the owners or
// in messages under way. A step at id x changes only what is said of x, and relies only on what
// is said of smaller ids: so steps may come in any order, and a PE may drop whatever follows
// from what it knows.
//
// Thread-safety: what touches parents holds the lock, for a few instructions each; nothing is
// sent under it. With one thread per PE it costs nothing.
namespace lamellar::detail {

/// How far an owner has followed an id.
template <class Id>
struct id_step {
  Id at;
  Id is_root;
};

template <std::unsigned_integral Id>
class disjoint_part {
 public:
  disjoint_part(team members, layout::block how)
      : members_{std::move(members)},
        layout_{how},
        first_{static_cast<Id>(how.first(members_.position().index()))},
        forest_{how.size(), first_, part_size(how, members_.position().index())},
        given_{how.size(), 0, 0},
        lock_{members_.where().threads() > 1} {
    for (std::uint32_t k = 0; k < members_.size(); ++k) {
      pes_.push_back(members_.at(team_position{k}).index());
    }
    clear();
  }

  const team& members() const { return members_; }
  const layout::block& layout() const { return layout_; }
  std::uint32_t owner(Id id) const { return pes_[layout_.owner(id)]; }
  Id first() const { return first_; }
  /// Of the own ids.
  std::span<const Id> parents() const { return forest_.own(); }
  std::size_t roots() const { return roots_; }
  std::size_t memory() const { return forest_.memory() + given_.memory(); }
  spin_lock& lock() const { return lock_; }

  // ---- under the lock ----
  void clear() {
    forest_.reset();
    if (given_.is_reset()) {
      given_.reset();
    }
    roots_ = parents().size();
  }
  /// Let two ids belong together, as far as this PE can; what is left to do is another's.
  id_link<Id> join(Id a, Id b) {
    const id_link<Id> link = forest_.join(a, b);
    if (link.is_some() && forest_.owns(link.larger)) {
      --roots_;
      return {};
    }
    return link;
  }
  /// join(pair(k)) for k = begin, begin + 1, ... until there is no room in `rest` for what is
  /// left to do. Returns: the first k that was not reached, and how much is left to do.
  template <class Pair>
  std::pair<std::size_t, std::size_t> join_each(std::size_t begin, std::size_t end, Pair pair,
                                                std::span<id_link<Id>> rest) {
    std::size_t found = 0;
    std::size_t fewer_roots = 0;
    const std::size_t next = forest_.join_each(begin, end, pair, [&](const id_link<Id>& link) {
      if (forest_.owns(link.larger)) {
        ++fewer_roots;
      } else {
        rest[found++] = link;
      }
      return found < rest.size();
    });
    roots_ -= fewer_roots;
    return {next, found};
  }

  /// Whether it does not follow from other pairs given to this that a and b belong together.
  bool is_new_pair(Id a, Id b) {
    if (!given_.is_reset()) {
      given_.reset();
    }
    return given_.join(a, b).is_some();
  }
  /// As join(), without changing any parent but that of an own root: true if these ids have
  /// become one tree. Else what is left to do is in `both`, if they differ.
  bool join_roots(id_link<Id>& both) {
    const std::span<Id> parents = forest_.own();
    while (both.is_some() && both.larger >= first_) {
      Id& parent = parents[both.larger - first_];
      if (parent == both.larger) {
        parent = both.smaller;
        --roots_;
        return true;
      }
      both = {std::max(parent, both.smaller), std::min(parent, both.smaller)};
    }
    return false;
  }

  /// Follow an own id as far as it is the own ids' business, and make the way shorter.
  id_step<Id> walk(Id id) {
    const std::span<Id> parents = forest_.own();
    for (;;) {
      Id& parent = parents[id - first_];
      if (parent == id) {
        return {id, 1};
      }
      if (parent < first_) {
        return {parent, 0};
      }
      parent = parents[parent - first_];
      id = parent;
      if (id < first_) {
        return {id, 0};
      }
    }
  }
  /// `root` is known to be above `id`.
  void shorten(Id id, Id root) {
    Id& parent = forest_.own()[id - first_];
    if (parent != id && root < parent) {
      parent = root;
    }
  }

  /// Let all own ids point at roots, or at others' ids: these, each once.
  std::vector<Id> begin_compression();
  /// What begin_compression() or this has given was followed to `steps`. What is left: others'
  /// ids that are not known to be roots.
  std::vector<Id> go_on_compressing(const std::vector<Id>& asked,
                                    const std::vector<id_step<Id>>& steps);

 private:
  team members_;
  layout::block layout_;
  Id first_;
  std::vector<std::uint32_t> pes_;
  id_forest<Id> forest_;   // by whoever holds the lock
  id_forest<Id> given_;    // the same: what unite_and() has sent from here
  std::size_t roots_ = 0;  // the same: of own ids
  std::vector<Id> open_;   // while compressing: own ids below others' that may be no roots
  mutable spin_lock lock_;
};

template <std::unsigned_integral Id>
std::vector<Id> disjoint_part<Id>::begin_compression() {
  open_.clear();
  distinct_values<Id> exits;
  // A parent in the own block comes before its child, so one pass is enough.
  const std::span<Id> parents = forest_.own();
  for (std::size_t k = 0; k < parents.size(); ++k) {
    Id& parent = parents[k];
    if (parent >= first_) {
      parent = parents[parent - first_];
    }
    if (parent < first_) {
      open_.push_back(static_cast<Id>(first_ + k));
      exits.add(parent);
    }
  }
  return exits.take();
}

template <std::unsigned_integral Id>
std::vector<Id> disjoint_part<Id>::go_on_compressing(const std::vector<Id>& asked,
                                                     const std::vector<id_step<Id>>& steps) {
  std::unordered_map<Id, id_step<Id>> known;
  known.reserve(asked.size());
  for (std::size_t k = 0; k < asked.size(); ++k) {
    known.emplace(asked[k], steps[k]);
  }
  distinct_values<Id> exits;
  std::vector<Id> still_open;
  std::optional<Id> last;
  id_step<Id> step{};
  for (const Id id : open_) {
    Id& parent = forest_.own()[id - first_];
    if (parent != last) {  // one large set: the same again and again
      const auto found = known.find(parent);
      // A find() of somebody may have put it below another id meanwhile.
      step = found != known.end() ? found->second : id_step<Id>{parent, 0};
      last = parent;
    }
    parent = step.at;
    if (step.is_root == 0) {
      still_open.push_back(id);
      exits.add(parent);
    }
  }
  open_ = std::move(still_open);
  return exits.take();
}

}  // namespace lamellar::detail
