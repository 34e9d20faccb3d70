// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/distinct_values.hpp>
#include <lamellar/containers/detail/union_filter.hpp>
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

// One PE's part of a disjoint set: the parent of each id that it owns, and what it has sent.
//
// Invariant: a parent is smaller than its child, or equal: then the id is a root. What two ids
// have been said to belong together, do so by way of ids that are not larger than the larger of
// them, in the forest or in messages under way. Every step keeps that, so steps may come in any
// order, and what a PE has forwarded once it need not forward again.
//
// Thread-safety: that of a darc's part; send_filtered() is for any thread.
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
        parents_(part_size(how, members_.position().index())),
        filter_{how.size()},
        filter_lock_{members_.where().threads() > 1} {
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
  std::span<const Id> parents() const { return parents_; }
  std::size_t roots() const { return roots_; }
  union_filter<Id>& filter() { return filter_; }
  spin_lock& filter_lock() { return filter_lock_; }
  std::size_t memory() const {
    return parents_.capacity() * sizeof(Id) + filter_.memory() + sizeof(forwarded_);
  }

  void clear() {
    for (std::size_t k = 0; k < parents_.size(); ++k) {
      parents_[k] = static_cast<Id>(first_ + k);
    }
    roots_ = parents_.size();
    forwarded_.fill({});
  }

  const Id* place(Id id) const { return &parents_[id - first_]; }

  /// Let two ids belong together, as far as the own ids go; what is left to do is another PE's.
  std::optional<id_link<Id>> join(id_link<Id> both) {
    for (;;) {
      Id& parent = parents_[both.larger - first_];
      const Id before = parent;
      if (before == both.smaller) {
        return std::nullopt;
      }
      if (before == both.larger) {
        parent = both.smaller;
        --roots_;
        return std::nullopt;
      }
      // Hang it below the smaller one; then the other two must come together.
      parent = std::min(before, both.smaller);
      both = {std::max(before, both.smaller), parent};
      if (both.larger < first_) {
        return is_news(both) ? std::optional{both} : std::nullopt;
      }
    }
  }

  /// As join(), without changing any parent but that of a root: true if these ids have become
  /// one tree. Else what is left to do is in `both`, if they differ.
  bool join_roots(id_link<Id>& both) {
    while (both.larger != both.smaller && both.larger >= first_) {
      Id& parent = parents_[both.larger - first_];
      if (parent == both.larger) {
        parent = both.smaller;
        --roots_;
        return true;
      }
      both = {std::max(parent, both.smaller), std::min(parent, both.smaller)};
    }
    return false;
  }

  /// Follow an id as far as it is the own ids' business, and make the way shorter.
  id_step<Id> walk(Id id) {
    for (;;) {
      Id& parent = parents_[id - first_];
      if (parent == id) {
        return {id, 1};
      }
      if (parent < first_) {
        return {parent, 0};
      }
      parent = parents_[parent - first_];
      id = parent;
      if (id < first_) {
        return {id, 0};
      }
    }
  }

  /// `root` is known to be above `id`.
  void shorten(Id id, Id root) {
    Id& parent = parents_[id - first_];
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
  /// Whether this has not been forwarded lately.
  bool is_news(const id_link<Id>& both) {
    const std::uint64_t mixed =
        (both.larger * 0x9e3779b97f4a7c15U) ^ (both.smaller * 0xc2b2ae3d27d4eb4fU);
    id_link<Id>& known = forwarded_[mixed >> (64 - forwarded_bits)];
    if (known.larger == both.larger && known.smaller == both.smaller) {
      return false;
    }
    known = both;
    return true;
  }

  static constexpr unsigned forwarded_bits = 10;

  team members_;
  layout::block layout_;
  Id first_;
  std::vector<std::uint32_t> pes_;
  std::vector<Id> parents_;  // written by handlers, and by the body when none run
  std::size_t roots_ = 0;
  std::array<id_link<Id>, std::size_t{1} << forwarded_bits> forwarded_{};
  std::vector<Id> open_;     // while compressing: own ids below others' that may be no roots
  union_filter<Id> filter_;  // of what this PE sends; by whoever holds the lock
  spin_lock filter_lock_;
};

template <std::unsigned_integral Id>
std::vector<Id> disjoint_part<Id>::begin_compression() {
  open_.clear();
  distinct_values<Id> exits;
  // A parent in the own block comes before its child, so one pass is enough.
  for (std::size_t k = 0; k < parents_.size(); ++k) {
    Id& parent = parents_[k];
    if (parent >= first_) {
      parent = parents_[parent - first_];
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
    Id& parent = parents_[id - first_];
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

// ---- handlers -------------------------------------------------------------------------------

template <class Id>
struct link_ids {
  void operator()(context&, const darc<disjoint_part<Id>>& set,
                  std::span<const id_link<Id>> links) const {
    constexpr std::size_t ahead = 12;
    disjoint_part<Id>& mine = *set;
    for (std::size_t k = 0; k < links.size(); ++k) {
      if (k + ahead < links.size()) {
        __builtin_prefetch(mine.place(links[k + ahead].larger), 1);
      }
      if (const auto rest = mine.join(links[k])) {
        set.send(pe{mine.owner(rest->larger)}, link_ids{}, *rest);
      }
    }
  }
};

/// A link on its way to two roots, and what to do if they become one.
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
    link_and_call<Id, Call> next = given;
    if (mine.join_roots(next.at)) {
      given.call(here, given.a, given.b);
    } else if (next.at.larger != next.at.smaller) {
      set.send(pe{mine.owner(next.at.larger)}, link_ids_and{}, next);
    }
  }
};

template <class Id>
struct walk_id {
  id_step<Id> operator()(disjoint_part<Id>& mine, Id id) const { return mine.walk(id); }
};
template <class Id>
struct walk_ids {
  std::vector<id_step<Id>> operator()(disjoint_part<Id>& mine, std::span<const Id> ids) const {
    std::vector<id_step<Id>> steps;
    steps.reserve(ids.size());
    for (const Id id : ids) {
      steps.push_back(mine.walk(id));
    }
    return steps;
  }
};
template <class Id>
struct shorten_way {
  void operator()(disjoint_part<Id>& mine, Id id, Id root) const { mine.shorten(id, root); }
};

}  // namespace lamellar::detail
