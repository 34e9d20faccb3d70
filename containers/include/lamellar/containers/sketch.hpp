// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <lamellar/containers/checkpoint.hpp>
#include <lamellar/containers/detail/random_numbers.hpp>
#include <lamellar/containers/hash.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

// What sketches have in common. A sketch is a small value that stands for many: it answers one
// kind of question about all that was inserted, with a known error. Each PE has one of its own
// and inserts without any message; sketches of the same size merge into that of all their
// items, whatever the order, and all_merge() does so for a team.
//
//   hyperloglog     how many distinct items?          count_min   how often has an item come?
//   quantile        which items lie where in order?   reservoir   some items, at random
//   bloom_filter    has an item come? Large, so it is spread over the PEs, see there.
//
// checkpoint() saves those of a team, and restore() brings them to any number of PEs.
//
// What is random comes from a seed: the same items give the same sketch.
//
// Thread-safety: values; one thread at a time.
namespace lamellar {

/// Sketches of different sizes, or seeds, cannot be merged.
class sketch_mismatch : public error {
 public:
  using error::error;
};

/// A value that stands for what was inserted, and joins another one of its kind.
template <class S>
concept mergeable_sketch = transferable<S> && std::copyable<S> && requires(S a, const S& b) {
  a.merge(b);
};

/// One that checkpoints know by a name, S::kind.
template <class S>
concept saved_sketch = mergeable_sketch<S> && requires {
  {std::string_view{S::kind}};
};

/// The sketches of all members merged, on every member. Collective. Cost: an all_reduce of a
/// sketch. Throws: sketch_mismatch, if they differ in size.
template <mergeable_sketch S>
task<S> all_merge(detail::located_team of, S mine) {
  const auto join = [](S a, const S& b) {
    a.merge(b);
    return a;
  };
  auto merging = all_reduce(of, std::move(mine), join);
  co_return co_await merging;
}

/// Save the sketches of all members as the checkpoint `path`; see checkpoint.hpp. Returns how
/// many: one for each member.
///
/// Collective. Throws: checkpoint_error on all members; the checkpoint before is then as it
/// was.
template <saved_sketch S>
task<std::uint64_t> checkpoint(detail::located_team of, S mine, std::string path) {
  const auto each = [&mine](const auto& put) { put(mine); };
  auto saving = save_items<S>(std::move(of), std::move(path), std::string{S::kind}, each);
  co_return co_await saving;
}

/// The sketches of a checkpoint, which any number of PEs may have saved: each member gets some
/// of them, merged, and `mine`, which is of the same size, if there are none for it. All
/// members together have what all had: all_merge() gives it. Inserting goes on as where it was
/// saved.
///
/// Collective. Throws: checkpoint_error on all members, if it is of another kind or size, or
/// damaged. Requires: the same types of items and hashes.
template <saved_sketch S>
task<S> restore(detail::located_team of, S mine, std::string path) {
  std::optional<S> found;
  const auto take = [&](S sketch) {
    if (found) {
      found->merge(sketch);
    } else {
      sketch.merge(mine);  // what it holds stays, and its size is compared
      found = std::move(sketch);
    }
  };
  auto loading = load_items<S>(std::move(of), std::move(path), std::string{S::kind}, take);
  co_await loading;
  co_return found ? *std::move(found) : std::move(mine);
}

namespace detail {

/// A hash of an item for sketches: number `which` of many independent ones.
template <class T, class Hash>
std::uint64_t sketch_hash(const T& item, std::uint64_t which = 0) {
  return mixed_bits(static_cast<std::uint64_t>(Hash{}(item)) + (which + 1) * counter_step);
}

[[noreturn]] void refuse_merge(const char* kind, std::uint64_t mine, std::uint64_t theirs);
[[noreturn]] void refuse_size(const char* kind, const char* what, double value);

}  // namespace detail

}  // namespace lamellar
