// SPDX-License-Identifier: BSD-3-Clause
//
// region_put_get: what does it cost to write to another PE's memory, and to read from it? PE 0
// does, another one waits in a barrier. The yardstick of the ranges is memcpy to and from PE
// 0's own part of the same region, so memory of the same kind; that of single elements is a
// bare store, and a load, of memory that nobody else uses.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/world.hpp>
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
using region = shared_memory_region<word>;

struct settings {
  options common;
  std::uint64_t operations = std::uint64_t{1} << 20;  // of single elements, in a repetition
  std::uint64_t volume = std::uint64_t{1} << 28;      // bytes of ranges, in a repetition
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
  std::uint64_t operations = 0;  // in a repetition
  std::uint64_t bytes = 0;       // of each
  samples seconds = {};
  samples bare = {};
  bool right = true;
};

// --- single elements: one after the other, each finished before the next one begins ---

constexpr std::size_t elements = 64;  // eight lines, in the nearest cache

word value_of(std::uint64_t round, std::uint64_t k) { return round << 40 | (k + 1); }

class single_elements {
 public:
  single_elements(world& w, const settings& set)
      : set_{set}, region_{region::create(w, elements).get()} {
    rows_ = {{"put_8_bytes", set.operations, 8}, {"get_8_bytes", set.operations, 8}};
  }

  void time(pe to, bool lose_one) {
    ++round_;
    const std::uint64_t lost = lose_one ? set_.operations - 1 : set_.operations;
    const region& r = region_;
    const stopwatch puts;
    for (std::uint64_t k = 0; k < lost; ++k) {
      r.put(to, k % elements, value_of(round_, k)).get();
    }
    rows_[0].seconds.add(puts.seconds());
    // The last value that each element was given.
    for (std::uint64_t k = set_.operations - elements; k < set_.operations; ++k) {
      rows_[0].right = rows_[0].right && r.get(to, k % elements).get() == value_of(round_, k);
    }

    word sum = 0;
    const stopwatch gets;
    for (std::uint64_t k = 0; k < lost; ++k) sum += r.get(to, k % elements).get();
    rows_[1].seconds.add(gets.seconds());
    word wanted = 0;
    for (std::uint64_t k = 0; k < set_.operations; ++k) {
      wanted += value_of(round_, set_.operations - elements + k % elements);
    }
    rows_[1].right = rows_[1].right && (sum == wanted);
    time_bare();
  }

  std::vector<row>& rows() { return rows_; }

 private:
  void time_bare() {
    word* const own = own_;
    const stopwatch stores;
    for (std::uint64_t k = 0; k < set_.operations; ++k) {
      own[k % elements] = value_of(round_, k);
      opaque(own[k % elements]);
    }
    rows_[0].bare.add(stores.seconds());
    const stopwatch loads;
    for (std::uint64_t k = 0; k < set_.operations; ++k) {
      word got = own[k % elements];
      opaque(got);
    }
    rows_[1].bare.add(loads.seconds());
  }

  const settings& set_;
  region region_;
  std::vector<row> rows_;
  std::uint64_t round_ = 0;
  word own_[elements] = {};
};

// --- ranges: one after the other, to and from the same place, as memcpy ---

class ranges {
 public:
  ranges(world& w, const settings& set)
      : region_{region::create(
                    w, *std::max_element(set.sizes.begin(), set.sizes.end()) / sizeof(word))
                    .get()},
        first_(region_.size()),
        last_(region_.size()),
        spare_(region_.size()) {
    for (const std::uint64_t bytes : set.sizes) {
      // Small ranges cost some nanoseconds each, whatever their length.
      const std::uint64_t count =
          std::max<std::uint64_t>(2, std::min(set.volume / bytes, set.operations));
      rows_.push_back({"put", count, bytes});
      rows_.push_back({"get", count, bytes});
    }
    std::fill(region_.begin(), region_.end(), 1);
  }

  void time(pe to, bool lose_one) {
    ++round_;
    for (std::size_t k = 0; k < rows_.size(); k += 2) {
      time_put(rows_[k], to, lose_one);
      time_get(rows_[k + 1], to, lose_one);
    }
  }

  std::vector<row>& rows() { return rows_; }

 private:
  word expected(std::size_t k, std::uint64_t bytes) const {
    return round_ * 1000003 + k + bytes;
  }

  // Do `one(k)` for all k of the row, and `bare(k)` as often, by turns: whatever else the
  // machine does meanwhile slows both down.
  template <class One, class Bare>
  static void by_turns(row& r, One one, Bare bare) {
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
    r.seconds.add(taken);
    r.bare.add(bare_taken);
  }

  // All puts but the last write something else than it does.
  void time_put(row& r, pe to, bool lose_one) {
    const std::size_t words = r.bytes / sizeof(word);
    for (std::size_t k = 0; k < words; ++k) {
      first_[k] = k;
      last_[k] = expected(k, r.bytes);
    }
    const std::span<const word> first{first_.data(), words};
    const std::span<const word> last{last_.data(), words};
    word* const own = region_.begin();
    by_turns(
        r,
        [&](std::uint64_t k) {
          if (k + 1 != r.operations) {
            region_.put(to, 0, first).get();
          } else if (!lose_one) {
            region_.put(to, 0, last).get();
          }
        },
        [&](std::uint64_t) {
          std::memcpy(own, first.data(), r.bytes);
          opaque(own[0]);
        });
    std::fill_n(spare_.begin(), words, 0);
    region_.get(to, 0, std::span{spare_.data(), words}).get();
    r.right = r.right && std::equal(last.begin(), last.end(), spare_.begin());
  }

  // What the last put has left, all gets but the last to another place than it.
  void time_get(row& r, pe from, bool lose_one) {
    const std::size_t words = r.bytes / sizeof(word);
    std::fill_n(first_.begin(), words, 0);
    std::fill_n(last_.begin(), words, 0);
    const std::span<word> first{first_.data(), words};
    const std::span<word> last{last_.data(), words};
    const word* const own = region_.begin();
    by_turns(
        r,
        [&](std::uint64_t k) {
          if (k + 1 != r.operations) {
            region_.get(from, 0, first).get();
          } else if (!lose_one) {
            region_.get(from, 0, last).get();
          }
        },
        [&](std::uint64_t) {
          std::memcpy(spare_.data(), own, r.bytes);
          opaque(spare_[0]);
        });
    for (std::size_t k = 0; k < words; ++k) {
      r.right = r.right && first[k] == expected(k, r.bytes) && last[k] == first[k];
    }
  }

  region region_;
  std::vector<word> first_;
  std::vector<word> last_;
  std::vector<word> spare_;
  std::vector<row> rows_;
  std::uint64_t round_ = 0;
};

// --- all of it ---

void tell(world& w, const options& common, std::vector<row>& rows, bool single, report* out) {
  for (row& each : rows) {
    if (out == nullptr) continue;
    result r = job_result(w, "region_put_get/" + each.name, common);
    r.operations =
        static_cast<double>(each.operations) * (single ? 1 : static_cast<double>(each.bytes));
    r.seconds = summarise(each.seconds.counted());
    r.unit = single ? "operations/s" : "bytes/s";
    r.verified = each.right;
    r.bound = {single ? "own_memory" : "memcpy", r.operations / each.bare.median()};
    r.parameters = {
        {"bytes", static_cast<std::int64_t>(each.bytes)},
        {"nanoseconds", r.seconds.median * 1e9 / static_cast<double>(each.operations)},
        {"mapped", w.able().mapped},
        {"page_bytes", static_cast<std::int64_t>(w.heap().page_bytes)}};
    out->add(std::move(r));
  }
}

void measure(world& w, const settings& set, report* out) {
  single_elements single(w, set);
  ranges bulk(w, set);
  const bool works = w.me() == pe(0);
  const pe to = w.at(w.size() - 1);
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    w.barrier().get();
    if (works) {
      single.time(to, set.common.sabotage);
      bulk.time(to, set.common.sabotage);
    }
    w.barrier().get();
  }
  tell(w, set.common, single.rows(), true, out);
  tell(w, set.common, bulk.rows(), false, out);
}

constexpr const char* problem =
    "PE 0 writes to the memory of the last PE and reads from it, through a shared memory "
    "region,\n"
    "and waits for each operation before it begins the next one. The other PE leaves this "
    "memory\n"
    "alone, and waits in a barrier.\n"
    "  put_8_bytes, get_8_bytes  single elements, 64 of them by turns\n"
    "  put, get                  ranges of --bytes, always the same place";
constexpr const char* metric =
    "operations, or bytes, per second; the parameter `nanoseconds` is the time of one "
    "operation.\n"
    "The limit is memcpy to, or from, PE 0's own part of the region, as often and as long; "
    "for\n"
    "single elements it is a bare store, or load, of its own memory.";

int main(int argc, char** argv) {
  settings set;
  command_line command("region_put_get", problem, metric);
  command.add_size("--operations", set.operations, "Operations on single elements",
                   2 * elements);
  command.add_size("--volume", set.volume, "Bytes that ranges of one size move");
  CLI::Option& sizes =
      *command.parser()
           .add_option("--bytes", set.sizes, "Bytes of a range, multiples of 8")
           ->delimiter(',');
  allow_powers(sizes);
  sizes.check([](const std::string& given) -> std::string {
    std::uint64_t bytes = 0;
    const bool fits = !CLI::detail::lexical_cast(given, bytes) ||
                      (bytes != 0 && bytes % sizeof(std::uint64_t) == 0);
    return fits ? "" : given + " is no multiple of 8";
  });
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
