// SPDX-License-Identifier: BSD-3-Clause
//
// scan: what does a prefix sum of a distributed array cost? The limit is memcpy of as many
// bytes by all threads of all PEs at once.

#include <fmt/core.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <lamellar/algorithms/scan.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
#include <span>
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
  std::uint64_t elements = 100'000'000;
};

using words = unsafe_array<std::uint64_t>;

std::uint64_t value_of(std::uint64_t i) { return i % 1021; }

/// The sum of the first n.
std::uint64_t sum_before(std::uint64_t n) {
  const std::uint64_t rest = n % 1021;
  return n / 1021 * (1020 * 1021 / 2) + rest * (rest - (rest == 0 ? 0 : 1)) / 2;
}

struct row {
  std::string name;
  bool inclusive;
  bool in_place;
  std::vector<double> samples = {};
  bool right = true;
};

class scans {
 public:
  scans(world& w, const settings& set)
      : world_{w},
        from_{words::create(w, set.elements).get()},
        to_{words::create(w, set.elements).get()},
        first_{from_.local().empty() ? 0 : from_.global_index(0)},
        sabotage_{set.common.sabotage && w.me() == pe(0)} {}

  void once(row& which) {
    const words& to = which.in_place ? from_ : to_;
    fill();
    world_.barrier().get();
    const stopwatch watch;
    if (which.inclusive) {
      lamellar::inclusive_scan(from_, to).get();
    } else {
      lamellar::exclusive_scan(from_, to, std::uint64_t{0}).get();
    }
    which.samples.push_back(watch.seconds());
    if (sabotage_) to.local()[0] += 1;
    which.right = which.right && is_right(to.local(), which.inclusive);
  }

  double copy() {
    fill();
    world_.barrier().get();
    const stopwatch watch;
    const std::span<const std::uint64_t> in = from_.local();
    const std::span<std::uint64_t> out = to_.local();
    on_node::for_each_range(
        world_.on_node(), in.size(), [&](std::size_t begin, std::size_t end) {
          std::memcpy(out.data() + begin, in.data() + begin, (end - begin) * sizeof(in[0]));
        });
    world_.barrier().get();
    return watch.seconds();
  }

  std::string pages() const { return page_kind(to_.local().data(), to_.local().size_bytes()); }

 private:
  void fill() {
    const std::span<std::uint64_t> in = from_.local();
    on_node::for_each(world_.on_node(), in.size(),
                      [&](std::size_t k) { in[k] = value_of(first_ + k); });
  }
  bool is_right(std::span<const std::uint64_t> got, bool inclusive) const {
    const auto block = [&](std::size_t begin, std::size_t end) {
      std::uint64_t sum = sum_before(first_ + begin);
      bool right = true;
      for (std::size_t k = begin; k < end; ++k) {
        const std::uint64_t next = sum + value_of(first_ + k);
        right = right && got[k] == (inclusive ? next : sum);
        sum = next;
      }
      return std::optional<bool>{right};
    };
    return on_node::reduce_blocks<bool>(world_.on_node(), got.size(), block,
                                        std::logical_and<>{})
        .value_or(true);
  }

  world& world_;
  words from_;
  words to_;
  std::uint64_t first_;
  bool sabotage_;
};

void measure(world& w, const settings& set, report* out) {
  on_node::start(w.threads());
  scans work{w, set};
  std::vector<row> rows{
      {"exclusive", false, false}, {"inclusive", true, false}, {"in_place", false, true}};
  std::vector<double> copies;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& each : rows) work.once(each);
    copies.push_back(work.copy());
    if (k != 0) continue;
    for (row& each : rows) each.samples.clear();
    copies.clear();
  }
  copies = slowest(w, copies);
  for (row& each : rows) {
    const bool right = on_all(w, each.right);
    const std::vector<double> seconds = slowest(w, each.samples);
    if (out == nullptr) continue;
    result r = job_result(w, "scan/" + each.name, set.common);
    r.operations = static_cast<double>(set.elements);
    r.seconds = summarise(seconds);
    r.unit = "elements/s";
    r.verified = right;
    r.bound = {"memcpy", r.operations / summarise(copies).median};
    r.parameters = {{"elements", static_cast<std::int64_t>(set.elements)},
                    {"gigabytes_per_second", r.rate() * sizeof(std::uint64_t) / 1e9},
                    {"pages", work.pages()}};
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "An array of --elements numbers of 64 bits in blocks is scanned:\n"
    "  exclusive  each element of a second array becomes the sum of those before it\n"
    "  inclusive  the same with the element itself\n"
    "  in_place   exclusive, into the same array";
constexpr const char* metric =
    "elements per second, all PEs together, every one of them checked. The limit is memcpy\n"
    "from the first array to the second, by all threads of all PEs at once; a scan must read\n"
    "each element twice, for what comes before a PE is known only when all have added up.";

int main(int argc, char** argv) {
  settings set;
  command_line command("scan", problem, metric);
  command.add_size("--elements", set.elements, "Elements, all PEs together");
  return run_benchmark(
      command, argc, argv, set,
      [](world& w, const settings& with, report* out) { measure(w, with, out); });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
