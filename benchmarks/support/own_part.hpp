// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <vector>

#include "job.hpp"
#include "limits.hpp"
#include "pages.hpp"

// The limit of random access to a distributed table: every thread of every PE works on its own
// part of what its PE holds, as many times as the benchmark does, with no runtime in between.
//
// Thread-safety: made and used by the main thread of each PE; repetition() is collective.
namespace lamellar::benchmark {

/// Share number `share` of `shares` of a list, as even as possible.
template <class T>
std::span<T> share_of(std::span<T> all, unsigned share, unsigned shares) {
  const std::size_t begin = all.size() * share / shares;
  return all.subspan(begin, all.size() * (share + 1) / shares - begin);
}

class own_part {
 public:
  /// Access the elements of `words` whose places come from the indices of `list`, modulo the
  /// size of a thread's share. `values` is as long as the list for a gather.
  own_part(world& w, access kind, std::span<std::uint64_t> words,
           std::span<const std::uint64_t> list, std::span<std::uint64_t> values = {})
      : world_{w},
        words_{words},
        values_{values},
        memory_{std::max<std::size_t>(1, list.size_bytes()), sharing::private_memory},
        list_{memory_.as<std::uint64_t>(list.size())},
        loops_(w.threads(), best_of_distances{kind}),
        threads_{static_cast<std::ptrdiff_t>(w.threads())} {
    for (unsigned thread = 0; thread < w.threads(); ++thread) {
      const std::uint64_t own = share_of(words, thread, w.threads()).size();
      const auto from = share_of(list, thread, w.threads());
      const auto to = share_of(list_, thread, w.threads());
      std::transform(from.begin(), from.end(), to.begin(),
                     [own](std::uint64_t index) { return index % own; });
    }
  }

  void repetition() {
    on_all_threads(world_, [this](unsigned thread) {
      const std::span<const std::uint64_t> list = share_of(list_, thread, world_.threads());
      loops_[thread].repetition<std::uint64_t>(
          share_of(words_, thread, world_.threads()), list,
          values_.empty() ? values_ : share_of(values_, thread, world_.threads()),
          [&] { together(thread); });
    });
  }

  void forget() {
    for (best_of_distances& loop : loops_) loop.forget();
  }

  template <class Agreed>
  void agree(const Agreed& agreed) {
    loops_[0].agree(agreed);
  }

  const best_of_distances& loop() const { return loops_[0]; }

  /// Call f(element, share's first element) for each access of a pass, in this PE's memory.
  template <class F>
  void for_each_access(F f) const {
    for (unsigned thread = 0; thread < world_.threads(); ++thread) {
      const auto own = share_of(words_, thread, world_.threads());
      const auto begin = static_cast<std::size_t>(own.data() - words_.data());
      for (const std::uint64_t offset : share_of(list_, thread, world_.threads())) {
        f(begin + offset);
      }
    }
  }

 private:
  void together(unsigned thread) {
    if (world_.threads() > 1) threads_.arrive_and_wait();
    if (thread == 0) world_.barrier().get();
    if (world_.threads() > 1) threads_.arrive_and_wait();
  }

  world& world_;
  std::span<std::uint64_t> words_;
  std::span<std::uint64_t> values_;
  memory memory_;
  std::span<std::uint64_t> list_;
  std::vector<best_of_distances> loops_;  // of each thread
  std::barrier<> threads_;
};

}  // namespace lamellar::benchmark
