// SPDX-License-Identifier: BSD-3-Clause
//
// isx: what does it cost to sort uniform integers of a known range, as the ISx benchmark asks?
// The limit is the same counting sort by every PE of keys that it has already: no
// communication.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/job.hpp"
#include "support/options.hpp"
#include "support/pages.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t keys = 1U << 25;   // of each PE
  std::uint64_t range = 1U << 28;  // of keys
};

/// Which keys are one PE's: a stretch of the range.
struct buckets {
  std::uint64_t range;
  std::uint64_t pes;

  std::uint32_t owner(std::uint32_t key) const {
    return static_cast<std::uint32_t>(key * pes / range);
  }
  /// The least key of a PE.
  std::uint64_t begin(std::uint64_t of) const { return (of * range + pes - 1) / pes; }
};

/// Counts keys of a stretch, and writes them down in order.
class counting_sort {
 public:
  counting_sort(std::uint64_t first, std::uint64_t range)
      : first_{first},
        memory_{std::max<std::uint64_t>(1, range) * sizeof(std::uint32_t),
                sharing::private_memory},
        counts_{memory_.as<std::uint32_t>(range)} {}

  void clear() { std::fill(counts_.begin(), counts_.end(), 0U); }
  void add(std::span<const std::uint32_t> keys) {
    std::uint32_t* const counts = counts_.data() - first_;
    for (const std::uint32_t key : keys) ++counts[key];
  }
  std::size_t write(std::span<std::uint32_t> to) const {
    std::size_t used = 0;
    for (std::size_t k = 0; k < counts_.size(); ++k) {
      const std::uint32_t n = counts_[k];
      if (n == 0) continue;
      if (n > to.size() - used) return to.size() + 1;
      std::fill_n(to.data() + used, n, static_cast<std::uint32_t>(first_ + k));
      used += n;
    }
    return used;
  }

 private:
  std::uint64_t first_;
  memory memory_;
  std::span<std::uint32_t> counts_;
};

std::uint64_t mixed(std::uint32_t key) {
  std::uint64_t x = key + 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  return x ^ (x >> 27);
}

class key_sorts {
 public:
  key_sorts(world& w, const settings& set)
      : world_{w},
        set_{set},
        of_{set.range, w.size()},
        memory_{set.keys * sizeof(std::uint32_t), sharing::private_memory},
        keys_{memory_.as<std::uint32_t>(set.keys)},
        array_{unsafe_array<std::uint32_t>::create(w, set.keys * w.size()).get()},
        counts_{of_.begin(w.me().index()),
                of_.begin(w.me().index() + 1U) - of_.begin(w.me().index())} {
    std::mt19937_64 random{w.me().index() + 1U};
    for (std::uint32_t& key : keys_) {
      key = static_cast<std::uint32_t>((random() >> 32) * set.range >> 32);
    }
    std::uint64_t sum = 0;
    std::vector<std::uint64_t> to(w.size());
    for (const std::uint32_t key : keys_) {
      sum += mixed(key);
      ++to[of_.owner(key)];
    }
    expected_ = all_reduce(w, sum).get();
    for (const std::uint64_t each : all_to_all(w, to).get()) here_ += each;
    room_ = std::make_unique<memory>(std::max<std::uint64_t>(here_, 1) * sizeof(std::uint32_t),
                                     sharing::private_memory);
    // What the limit sorts: own keys, moved into the own stretch.
    const std::uint64_t first = of_.begin(w.me().index());
    const std::uint64_t width = of_.begin(w.me().index() + 1U) - first;
    own_memory_ =
        std::make_unique<memory>(set.keys * sizeof(std::uint32_t), sharing::private_memory);
    own_ = own_memory_->as<std::uint32_t>(set.keys);
    for (std::size_t k = 0; k < own_.size(); ++k) {
      own_[k] = static_cast<std::uint32_t>(first + keys_[k] % width);
    }
  }

  /// Keys stream to the PEs of their stretches, which count them as they come.
  double by_buckets() {
    const std::span<std::uint32_t> to = room_->as<std::uint32_t>(here_);
    counts_.clear();
    world_.barrier().get();
    const stopwatch watch;
    const buckets of = of_;
    exchange(
        world_, std::span<const std::uint32_t>{keys_},
        [of](std::uint32_t key) { return team_position{of.owner(key)}; },
        [this](std::span<const std::uint32_t> row) { counts_.add(row); })
        .get();
    const std::size_t written = counts_.write(to);
    world_.barrier().get();
    const double seconds = watch.seconds();
    if (set_.common.sabotage && world_.me() == pe(0)) to[0] ^= 1U;
    right_ = right_ && written == here_ && is_right(to);
    return seconds;
  }

  /// lamellar::sort(), which knows nothing of the range.
  double by_sort() {
    std::copy(keys_.begin(), keys_.end(), array_.local().begin());
    world_.barrier().get();
    const stopwatch watch;
    lamellar::sort(array_).get();
    const double seconds = watch.seconds();
    right_ = right_ && is_right(array_.local());
    return seconds;
  }

  double alone() {
    const std::span<std::uint32_t> to = array_.local();
    counts_.clear();
    world_.barrier().get();
    const stopwatch watch;
    counts_.add(own_);
    right_ = counts_.write(to) == own_.size() && right_;
    world_.barrier().get();
    return watch.seconds();
  }

  bool right() const { return right_; }
  std::string pages() const { return page_kind(keys_.data(), keys_.size_bytes()); }

 private:
  /// In order from PE to PE, and the same keys.
  bool is_right(std::span<const std::uint32_t> own) const {
    std::uint64_t sum = 0;
    for (const std::uint32_t key : own) sum += mixed(key);
    bool right = std::is_sorted(own.begin(), own.end());
    std::vector<std::uint32_t> ends;
    if (!own.empty()) ends = {own.front(), own.back()};
    std::uint32_t last = 0;
    for (const auto& each : all_gather(world_, ends).get()) {
      if (each.empty()) continue;
      right = right && each.front() >= last;
      last = each.back();
    }
    return all_reduce(world_, sum).get() == expected_ && right;
  }

  world& world_;
  settings set_;
  buckets of_;
  memory memory_;
  std::span<std::uint32_t> keys_;
  unsafe_array<std::uint32_t> array_;
  counting_sort counts_;
  std::uint64_t expected_ = 0;
  std::uint64_t here_ = 0;  // keys of this PE's stretch
  std::unique_ptr<memory> room_;
  std::unique_ptr<memory> own_memory_;
  std::span<std::uint32_t> own_;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  if (set.keys == 0 || set.range < w.size() || set.range > std::uint64_t{1} << 32) {
    throw std::invalid_argument(fmt::format(
        "--keys {} --range {}: choose at least one key, and a range from {} to 2^32", set.keys,
        set.range, w.size()));
  }
  on_node::start(w.threads());
  key_sorts work{w, set};
  std::vector<double> buckets;
  std::vector<double> sorts;
  std::vector<double> alone;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    buckets.push_back(work.by_buckets());
    sorts.push_back(work.by_sort());
    alone.push_back(work.alone());
    if (k != 0) continue;
    buckets.clear();
    sorts.clear();
    alone.clear();
  }
  buckets = slowest(w, buckets);
  sorts = slowest(w, sorts);
  alone = slowest(w, alone);
  const bool right = on_all(w, work.right());
  if (out == nullptr) return;
  const auto add = [&](const char* name, const std::vector<double>& seconds) {
    result r = job_result(w, std::string{"isx/"} + name, set.common);
    r.operations = static_cast<double>(set.keys) * w.size();
    r.seconds = summarise(seconds);
    r.unit = "keys/s";
    r.verified = right;
    r.bound = {"counting_sort", r.operations / summarise(alone).median};
    r.parameters = {{"keys_per_pe", static_cast<std::int64_t>(set.keys)},
                    {"range", static_cast<std::int64_t>(set.range)},
                    {"pages", work.pages()}};
    out->add(std::move(r));
  };
  add("buckets", buckets);
  add("sort", sorts);
}

constexpr const char* problem =
    "Each PE has --keys uniform keys of 32 bits below --range; PE k shall have those of the\n"
    "k-th part of the range, sorted.\n"
    "  buckets  exchange() streams keys to their PEs, which count them as they come, and "
    "write\n"
    "           them down in order\n"
    "  sort     lamellar::sort() of an array of them, which evens the PEs' shares";
constexpr const char* metric =
    "keys per second, all PEs together, from unsorted to sorted. The limit is the same "
    "counting\n"
    "sort by all PEs at once, each of as many keys of its own part of the range: counters are "
    "as\n"
    "many, and nothing travels.";

int main(int argc, char** argv) {
  settings set;
  command_line command("isx", problem, metric);
  command.add_size("--keys", set.keys, "Keys of each PE");
  command.add_size("--range", set.range, "Keys are below");
  return run_benchmark(
      command, argc, argv, set,
      [](world& w, const settings& with, report* out) { measure(w, with, out); });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
