// SPDX-License-Identifier: BSD-3-Clause
//
// array_put_get: what does it cost to write a range of an array that another PE owns, and to
// read it? PE 0 does, for each kind of access, the owner waits in a barrier. The yardstick is
// memcpy to and from PE 0's own part of a memory region, so memory of the same kind.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/job.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

using word = std::uint64_t;

struct settings {
  options common;
  std::uint64_t operations = std::uint64_t{1} << 18;  // of one size, in a repetition, at most
  std::uint64_t volume = std::uint64_t{1} << 27;      // bytes of one size, in a repetition
  std::uint64_t volume_by_message = std::uint64_t{1} << 24;  // the same, where the owner works
  std::vector<std::uint64_t> sizes = {8,        64,       512,      1u << 12,
                                      1u << 14, 1u << 16, 1u << 20, 1u << 22};  // bytes
};

/// Keeps a compiler from seeing through `value`.
template <class T>
void opaque(T& value) {
  asm volatile("" : "+m"(value) : : "memory");
}

struct row {
  std::string name;
  std::string access;
  std::uint64_t operations = 0;  // in a repetition
  std::uint64_t bytes = 0;       // of each
  std::vector<double> samples = {};
  std::vector<double> bare_samples = {};
  bool right = true;
};

/// What all kinds of arrays are measured with.
class workbench {
 public:
  workbench(world& w, const settings& given)
      : set{given},
        words{*std::max_element(given.sizes.begin(), given.sizes.end()) / sizeof(word)},
        own{shared_memory_region<word>::create(w, words).get()},
        first(words),
        last(words),
        spare(words) {
    std::fill(own.begin(), own.end(), 1);
  }

  const settings& set;
  std::size_t words;  // of the longest range
  shared_memory_region<word> own;
  std::vector<word> first;
  std::vector<word> last;
  std::vector<word> spare;
};

/// Do `one(k)` for all k of the row, and `bare(k)` as often, by turns: whatever else the
/// machine does meanwhile slows both down.
template <class One, class Bare>
void by_turns(row& r, One one, Bare bare) {
  constexpr std::uint64_t turns = 8;
  double taken = 0;
  double bare_taken = 0;
  for (std::uint64_t turn = 0; turn < turns; ++turn) {
    const std::uint64_t begin = r.operations * turn / turns;
    const std::uint64_t end = r.operations * (turn + 1) / turns;
    const stopwatch bare_watch;
    for (std::uint64_t k = begin; k < end; ++k) bare(k);
    bare_taken += bare_watch.seconds();
    const stopwatch watch;
    for (std::uint64_t k = begin; k < end; ++k) one(k);
    taken += watch.seconds();
  }
  r.samples.push_back(taken);
  r.bare_samples.push_back(bare_taken);
}

class measured {
 public:
  virtual ~measured() = default;
  virtual void time(bool lose_one) = 0;
  std::vector<row> rows;
};

/// An array of which the last PE owns `words` consecutive elements, from a certain index on.
template <class Layout, class Access>
class ranges : public measured {
  using array_type = array<word, Layout, Access>;
  static constexpr bool fixed = std::same_as<Access, access::read_only>;

 public:
  ranges(world& w, workbench& bench) : bench_{bench} {
    const std::size_t n = bench.words * w.size();
    if constexpr (fixed) {
      auto filled = unsafe_array<word, Layout>::create(w, n).get();
      for (std::size_t k = 0; k < filled.local_size(); ++k) {
        filled.local()[k] = fixed_value(filled.global_index(k));
      }
      w.barrier().get();
      array_ = std::move(filled).into_read_only().get();
    } else {
      array_ = array_type::create(w, n).get();
    }
    first_ = n - bench.words;
    const bool by_message = Access::locks || !w.able().mapped;
    for (const std::uint64_t bytes : bench.set.sizes) {
      const std::uint64_t volume = by_message ? bench.set.volume_by_message : bench.set.volume;
      const std::uint64_t most = by_message ? bench.set.operations / 16 : bench.set.operations;
      const std::uint64_t count = std::max<std::uint64_t>(2, std::min(volume / bytes, most));
      const std::string kind = fmt::format(
          "{}{}", Access::name, std::same_as<Layout, layout::block> ? "" : "_cyclic");
      if (!fixed) rows.push_back({"put", kind, count, bytes});
      rows.push_back({"get", kind, count, bytes});
    }
  }

  void time(bool lose_one) override {
    ++round_;
    for (row& each : rows) {
      if constexpr (!fixed) {
        if (each.name == "put") {
          time_put(each, lose_one);
          continue;
        }
      }
      time_get(each, lose_one);
    }
  }

 private:
  static word fixed_value(std::size_t i) { return i * 7 + 1; }
  /// What is there after the puts of this round.
  word expected(std::size_t k, std::uint64_t bytes) const {
    return fixed ? fixed_value(first_ + k) : round_ * 1000003 + k + bytes;
  }

  // All puts but the last write something else than it does.
  void time_put(row& r, bool lose_one) {
    const std::size_t words = r.bytes / sizeof(word);
    for (std::size_t k = 0; k < words; ++k) {
      bench_.first[k] = k;
      bench_.last[k] = expected(k, r.bytes);
    }
    const std::span<const word> first{bench_.first.data(), words};
    const std::span<const word> last{bench_.last.data(), words};
    word* const own = bench_.own.begin();
    by_turns(
        r,
        [&](std::uint64_t k) {
          if (k + 1 != r.operations) {
            array_.put(first_, first).get();
          } else if (!lose_one) {
            array_.put(first_, last).get();
          }
        },
        [&](std::uint64_t) {
          std::memcpy(own, first.data(), r.bytes);
          opaque(own[0]);
        });
    std::fill_n(bench_.spare.begin(), words, 0);
    array_.get(first_, std::span{bench_.spare.data(), words}).get();
    r.right = r.right && std::equal(last.begin(), last.end(), bench_.spare.begin());
  }

  // What the last put has left, all gets but the last to another place than it.
  void time_get(row& r, bool lose_one) {
    const std::size_t words = r.bytes / sizeof(word);
    std::fill_n(bench_.first.begin(), words, 0);
    std::fill_n(bench_.last.begin(), words, 0);
    const std::span<word> first{bench_.first.data(), words};
    const std::span<word> last{bench_.last.data(), words};
    const word* const own = bench_.own.begin();
    by_turns(
        r,
        [&](std::uint64_t k) {
          if (k + 1 != r.operations) {
            array_.get(first_, first).get();
          } else if (!lose_one) {
            array_.get(first_, last).get();
          }
        },
        [&](std::uint64_t) {
          std::memcpy(bench_.spare.data(), own, r.bytes);
          opaque(bench_.spare[0]);
        });
    for (std::size_t k = 0; k < words; ++k) {
      r.right = r.right && first[k] == expected(k, r.bytes) && last[k] == first[k];
    }
  }

  workbench& bench_;
  array_type array_;
  std::size_t first_ = 0;
  std::uint64_t round_ = 0;
};

void tell(world& w, const options& common, const row& each, report* out) {
  const double bare = summarise(each.bare_samples).median;
  result r = job_result(w, fmt::format("array_put_get/{}_{}", each.access, each.name), common);
  r.operations = static_cast<double>(each.operations) * static_cast<double>(each.bytes);
  r.seconds = summarise(each.samples);
  r.unit = "bytes/s";
  r.verified = each.right;
  r.bound = {"memcpy", r.operations / bare};
  r.parameters = {
      {"bytes", static_cast<std::int64_t>(each.bytes)},
      {"nanoseconds", r.seconds.median * 1e9 / static_cast<double>(each.operations)},
      {"mapped", w.able().mapped},
      {"page_bytes", static_cast<std::int64_t>(w.heap().page_bytes)}};
  out->add(std::move(r));
}

void measure(world& w, const settings& set, report* out) {
  workbench bench(w, set);
  std::vector<std::unique_ptr<measured>> all;
  all.push_back(std::make_unique<ranges<layout::block, access::unsafe>>(w, bench));
  all.push_back(std::make_unique<ranges<layout::block, access::read_only>>(w, bench));
  all.push_back(std::make_unique<ranges<layout::block, access::atomic>>(w, bench));
  all.push_back(std::make_unique<ranges<layout::block, access::local_lock>>(w, bench));
  all.push_back(std::make_unique<ranges<layout::block, access::global_lock>>(w, bench));
  all.push_back(std::make_unique<ranges<layout::cyclic, access::unsafe>>(w, bench));
  all.push_back(std::make_unique<ranges<layout::cyclic, access::atomic>>(w, bench));
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    w.barrier().get();
    if (w.me() == pe(0)) {
      for (auto& each : all) each->time(set.common.sabotage);
    }
    w.barrier().get();
    if (k != 0) continue;
    for (auto& each : all) {
      for (row& r : each->rows) {
        r.samples.clear();
        r.bare_samples.clear();
      }
    }
  }
  if (out == nullptr) return;
  for (const auto& each : all) {
    for (const row& r : each->rows) tell(w, set.common, r, out);
  }
}

constexpr const char* problem =
    "PE 0 writes ranges of an array and reads them, and waits for each operation before it "
    "begins\n"
    "the next one. The last PE owns them, and waits in a barrier; of a cyclic array all PEs "
    "own\n"
    "their share of each range.\n"
    "  unsafe, read_only, atomic, local_lock, global_lock  block arrays of this access\n"
    "  unsafe_cyclic, atomic_cyclic                        cyclic arrays";
constexpr const char* metric =
    "bytes per second; the parameter `nanoseconds` is the time of one operation. The limit is\n"
    "memcpy to, or from, PE 0's own part of a memory region, as often and as long.";

int main(int argc, char** argv) {
  settings set;
  command_line command("array_put_get", problem, metric);
  command.add_size("--operations", set.operations, "Operations of one size, at most");
  command.add_size("--volume", set.volume, "Bytes that ranges of one size move");
  command.add_size("--volume-by-message", set.volume_by_message,
                   "The same, where the owner does the work");
  allow_powers(*command.parser()
                    .add_option("--bytes", set.sizes, "Bytes of a range, multiples of 8")
                    ->delimiter(','));
  if (!command.parse(argc, argv)) return command.exit_code();
  set.common = command.common();
  if (set.sizes.empty() || std::any_of(set.sizes.begin(), set.sizes.end(), [](std::uint64_t b) {
        return b == 0 || b % sizeof(word) != 0;
      })) {
    fmt::print(stderr, "array_put_get: choose --bytes as multiples of 8\n");
    return 1;
  }
  return run_job(argc, argv, "array_put_get", set.common,
                 [&set](world& w, report* out) { measure(w, set, out); });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
