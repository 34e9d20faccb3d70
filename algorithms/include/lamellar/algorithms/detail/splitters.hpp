// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/detail/cuts.hpp>
#include <lamellar/containers/detail/random_numbers.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <utility>
#include <vector>

// Find elements of given ranks among those of all members, which are in no order: the marks
// that cut them into parts of wanted sizes, exactly.
//
// In each round the members put together a sample of every interval of the order in which
// wanted ranks still lie. It says between which two of its elements such a rank lies, most
// likely; all count how many elements are below those, and an all_reduce makes that exact. So
// an interval shrinks to a few hundredths in a round, and only what lies in it is looked at in
// the next one. When an interval is no larger than a sample, the sample is all of it. Where the
// sample misleads, the rank lies in another, larger interval, and a round is added.
//
// Cost: one pass over the elements, and a little; 3 to 5 rounds of an all_gather and an
// all_reduce. Memory: a few hundredths of the elements, as indices.
//
// Thread-safety: the body.
namespace lamellar::detail {

/// An interval of the order in which wanted ranks lie.
struct open_interval {
  std::uint64_t first = 0;                 // rank of its least element
  std::uint64_t own_before = 0;            // this member\'s elements below it
  std::uint64_t size = 0;                  // over all members
  std::vector<std::uint64_t> wanted = {};  // ranks, ascending
  // This member's elements of it, ascending; or all that it has.
  std::vector<std::uint64_t> own = {};
  bool all = false;
};

/// What cuts the elements of all members, and how many of this member's are before it.
template <class K>
struct splitter {
  mark<K> at;
  std::uint64_t own_before;
};

/// What a member brings to a sample: marks of one interval after the other.
template <class K>
struct sample_share {
  std::vector<mark<K>> marks;
  std::vector<std::uint32_t> ends;
};

template <class Items>
class splitter_search {
 public:
  using key_type = typename Items::key_type;
  using mark_type = mark<key_type>;

  /// `ranks`: ascending, each below `total`, which is the number of elements of all members.
  splitter_search(const Items& items, std::vector<std::uint64_t> ranks, std::uint64_t total)
      : items_{items}, places_{items.part()} {
    if (!ranks.empty()) {
      open_.push_back({0, 0, total, std::move(ranks), {}, true});
    }
  }

  bool done() const { return open_.empty(); }
  /// The splitters of all ranks, in their order. Requires: done().
  std::vector<splitter<key_type>> take() {
    std::sort(found_.begin(), found_.end(),
              [](const found& a, const found& b) { return a.rank < b.rank; });
    std::vector<splitter<key_type>> all;
    for (found& each : found_) {
      all.push_back(std::move(each.what));
    }
    return all;
  }

  /// This member's share of a sample of the open intervals.
  sample_share<key_type> draw() {
    sample_share<key_type> share;
    const std::uint64_t wanted = sample_size();
    for (const open_interval& each : open_) {
      const std::uint64_t here = each.all ? items_.size() : each.own.size();
      if (each.size <= wanted) {
        for (std::uint64_t j = 0; j < here; ++j) {
          share.marks.push_back(mark_of(each, j));
        }
      } else if (here != 0) {
        // One from each of as many stretches: the sample is as even as it can be.
        const std::uint64_t n = share_of(here, each.size, wanted);
        for (std::uint64_t j = 0; j < n; ++j) {
          const std::uint64_t begin = here * j / n;
          const std::uint64_t end = here * (j + 1) / n;
          share.marks.push_back(mark_of(each, begin + places_.below(end - begin)));
        }
      }
      share.ends.push_back(static_cast<std::uint32_t>(share.marks.size()));
    }
    return share;
  }

  /// Take the shares of all members. Intervals that they hold wholly are done. Returns how many
  /// own elements lie in each cell of the others, the cells between the chosen marks.
  std::vector<std::uint64_t> count(const std::vector<sample_share<key_type>>& shares) {
    std::vector<open_interval> open;
    cells_.clear();
    std::vector<std::uint64_t> counts;
    for (std::size_t k = 0; k < open_.size(); ++k) {
      std::vector<mark_type> sample = join(shares, k);
      if (open_[k].size <= sample_size()) {
        for (const std::uint64_t rank : open_[k].wanted) {
          const mark_type& at = sample[rank - open_[k].first];
          found_.push_back({rank, {at, open_[k].own_before + own_below(open_[k], at)}});
        }
        continue;
      }
      cells_.push_back(choose(open_[k], sample));
      fill(open_[k], cells_.back());
      counts.insert(counts.end(), cells_.back().counts.begin(), cells_.back().counts.end());
      open.push_back(std::move(open_[k]));
    }
    open_ = std::move(open);
    return counts;
  }

  /// Take the sums of all members' counts: the cells with wanted ranks are the new intervals.
  void narrow(const std::vector<std::uint64_t>& sums) {
    std::vector<open_interval> open;
    std::size_t next = 0;
    for (std::size_t k = 0; k < open_.size(); ++k) {
      std::uint64_t first = open_[k].first;
      std::uint64_t own_before = open_[k].own_before;
      auto rank = open_[k].wanted.begin();
      for (std::size_t cell = 0; cell < cells_[k].counts.size(); ++cell) {
        const std::uint64_t size = sums[next++];
        open_interval inner{first, own_before, size, {}, {}, false};
        while (rank != open_[k].wanted.end() && *rank < first + size) {
          inner.wanted.push_back(*rank++);
        }
        first += size;
        own_before += cells_[k].counts[cell];
        if (!inner.wanted.empty()) {
          inner.own = own_in(open_[k], cells_[k], cell);
          open.push_back(std::move(inner));
        }
      }
    }
    open_ = std::move(open);
  }

 private:
  struct found {
    std::uint64_t rank;
    splitter<key_type> what;
  };
  /// The cells of an interval.
  struct cell_list {
    cuts<Items> between;
    std::vector<bool> likely = {};  // a wanted rank may lie in it
    std::vector<std::uint64_t> counts = {};
    std::vector<std::vector<std::uint64_t>> own = {};  // of the likely ones
  };

  /// How large a sample of an interval is; the same on all members.
  std::uint64_t sample_size() const {
    constexpr std::uint64_t all = Items::words ? 65536 : 8192;
    return std::clamp<std::uint64_t>(all / open_.size(), 128, all / 16);
  }
  /// About as large a share of the sample as of the interval.
  std::uint64_t share_of(std::uint64_t here, std::uint64_t size, std::uint64_t wanted) {
    const double share =
        static_cast<double>(wanted) * static_cast<double>(here) / static_cast<double>(size);
    const auto whole = static_cast<std::uint64_t>(share);
    constexpr std::uint64_t steps = 1U << 20;
    const auto rest = static_cast<std::uint64_t>((share - std::floor(share)) * steps);
    return std::min(here, whole + (places_.below(steps) < rest ? 1 : 0));
  }
  std::uint64_t own_below(const open_interval& of, const mark_type& at) const {
    const std::uint64_t here = of.all ? items_.size() : of.own.size();
    std::uint64_t below = 0;
    for (std::uint64_t j = 0; j < here; ++j) {
      below += static_cast<std::uint64_t>(mark_before(items_, mark_of(of, j), at));
    }
    return below;
  }
  mark_type mark_of(const open_interval& of, std::uint64_t j) const {
    const std::uint64_t k = of.all ? j : of.own[j];
    return {items_.key(k), items_.part(), items_.tie(k)};
  }

  std::vector<mark_type> join(const std::vector<sample_share<key_type>>& shares,
                              std::size_t interval) const {
    std::vector<mark_type> sample;
    for (const sample_share<key_type>& each : shares) {
      const std::uint32_t begin = interval == 0 ? 0 : each.ends[interval - 1];
      sample.insert(sample.end(), each.marks.begin() + begin,
                    each.marks.begin() + each.ends[interval]);
    }
    std::sort(sample.begin(), sample.end(), [this](const mark_type& a, const mark_type& b) {
      return mark_before(items_, a, b);
    });
    return sample;
  }

  /// The elements of the sample between which the wanted ranks lie, most likely.
  cell_list choose(const open_interval& of, const std::vector<mark_type>& sample) const {
    struct range {
      std::size_t begin;
      std::size_t end;
    };
    std::vector<range> likely;
    std::vector<std::size_t> chosen;
    const auto n = static_cast<double>(sample.size());
    for (const std::uint64_t rank : of.wanted) {
      const double share =
          (static_cast<double>(rank - of.first) + 0.5) / static_cast<double>(of.size);
      // Two standard deviations to both sides.
      const double reach = 1 + 2 * std::sqrt(n * share * (1 - share));
      const double begin = std::floor(share * n - reach);
      const double end = std::ceil(share * n + reach);
      range r{0, sample.size()};
      if (begin >= 0) {
        r.begin = static_cast<std::size_t>(begin) + 1;
        chosen.push_back(r.begin - 1);
      }
      if (end < n) {
        r.end = static_cast<std::size_t>(end);
        chosen.push_back(r.end);
      }
      likely.push_back(r);
    }
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    cell_list cells{cuts<Items>{items_}};
    cells.likely.assign(chosen.size() + 1, false);
    for (const std::size_t place : chosen) {
      cells.between.add(sample[place]);
    }
    for (std::size_t cell = 0; cell < cells.likely.size(); ++cell) {
      // The cell holds what is from one chosen element of the sample on to before the next.
      const std::size_t begin = cell == 0 ? 0 : chosen[cell - 1] + 1;
      const std::size_t end = cell == chosen.size() ? sample.size() : chosen[cell];
      for (const range& r : likely) {
        cells.likely[cell] = cells.likely[cell] || (r.begin <= end && begin <= r.end);
      }
    }
    return cells;
  }

  /// Count own elements in the cells, and keep those of likely ones.
  void fill(const open_interval& of, cell_list& cells) const {
    const std::size_t n = cells.likely.size();
    cells.counts.assign(n, 0);
    cells.own.resize(n);
    if (of.all) {
      fill_from(
          items_.size(), [](std::size_t j) { return j; }, cells);
    } else {
      fill_from(
          of.own.size(), [&of](std::size_t j) { return of.own[j]; }, cells);
    }
  }
  template <class Index>
  void fill_from(std::size_t n, const Index& index, cell_list& cells) const {
    if (Items::words && cells.likely == std::vector<bool>{false, true, false}) {
      fill_three(n, index, cells);
      return;
    }
    const std::vector<std::uint8_t> keeps(cells.likely.begin(), cells.likely.end());
    const std::uint8_t* const keep = keeps.data();
    std::uint64_t* const count = cells.counts.data();
    std::vector<std::uint64_t>* const own = cells.own.data();
    cells.between.each(n, index, [=](std::size_t k, std::size_t cell) {
      ++count[cell];
      if (keep[cell] != 0) [[unlikely]] {
        own[cell].push_back(k);
      }
    });
  }
  /// For one wanted rank: no branch that depends on an element.
  template <class Index>
  void fill_three(std::size_t n, const Index& index, cell_list& cells) const {
    std::vector<std::uint64_t>& own = cells.own[1];
    std::uint64_t sum = 0;  // 1 for an element of the middle cell, 2 for one of the last
    std::size_t used = 0;
    cells.between.stretches(n, index, [&](std::size_t begin, std::size_t end, auto find) {
      // Some elements at a time, so that the loop need not ask whether there is room.
      constexpr std::size_t at_a_time = 4096;
      for (std::size_t first = begin; first < end; first += at_a_time) {
        const std::size_t last = std::min(end, first + at_a_time);
        own.resize(std::max(own.size(), used + at_a_time));
        std::uint64_t* const to = own.data();
        std::uint64_t more = 0;
        std::size_t next = used;
        for (std::size_t j = first; j < last; ++j) {
          const std::size_t k = index(j);
          const std::size_t cell = find(k);
          to[next] = k;
          next += cell & 1U;
          more += cell;
        }
        sum += more;
        used = next;
      }
    });
    own.resize(used);
    cells.counts = {n - used - (sum - used) / 2, used, (sum - used) / 2};
  }

  /// Own elements in a cell.
  std::vector<std::uint64_t> own_in(const open_interval& of, cell_list& cells,
                                    std::size_t cell) const {
    if (!cells.likely[cell]) {
      // The sample has misled.
      std::vector<std::uint64_t>& own = cells.own[cell];
      const auto keep = [&own, cell](std::size_t k, std::size_t its) {
        if (its == cell) {
          own.push_back(k);
        }
      };
      if (of.all) {
        cells.between.each(
            items_.size(), [](std::size_t j) { return j; }, keep);
      } else {
        cells.between.each(
            of.own.size(), [&of](std::size_t j) { return of.own[j]; }, keep);
      }
    }
    return std::move(cells.own[cell]);
  }

  const Items& items_;
  random_sequence places_;           // the same in every run
  std::vector<open_interval> open_;  // ascending
  std::vector<cell_list> cells_;     // of open_, between count() and narrow()
  std::vector<found> found_;
};

struct add_counts {
  std::vector<std::uint64_t> operator()(std::vector<std::uint64_t> a,
                                        const std::vector<std::uint64_t>& b) const {
    for (std::size_t k = 0; k < a.size(); ++k) {
      a[k] += b[k];
    }
    return a;
  }
};

/// The elements with these ranks among all `total` elements of the members. Collective.
/// Requires: ranks ascend and are below total, the same everywhere; `items` outlives the task.
template <class Items>
task<std::vector<splitter<typename Items::key_type>>> find_splitters(
    located_team of, const Items& items, std::vector<std::uint64_t> ranks,
    std::uint64_t total) {
  splitter_search<Items> search{items, std::move(ranks), total};
  while (!search.done()) {
    auto drawing = all_gather(of, search.draw());
    const auto shares = co_await drawing;
    std::vector<std::uint64_t> counts = search.count(shares);
    if (search.done()) {
      break;
    }
    auto adding = all_reduce(of, std::move(counts), add_counts{});
    search.narrow(co_await adding);
  }
  co_return search.take();
}

}  // namespace lamellar::detail
