// SPDX-License-Identifier: BSD-3-Clause
//
// array_sum: what does the sum of a distributed array cost? All PEs add up their part with all
// their threads. The yardstick is one Kokkos::parallel_reduce on every PE over the same memory.

#include <fmt/core.h>

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstdint>
#include <lamellar/containers/local_elements.hpp>
#include <lamellar/containers/reductions.hpp>
#include <lamellar/substrate/kokkos_view.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
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

using doubles = unsafe_array<double>;

/// Small whole numbers: their sum is exact, whatever the order.
double value_of(std::size_t i) { return static_cast<double>(i % 1021); }

double expected_sum(std::uint64_t n) {
  const std::uint64_t rest = n % 1021;
  return static_cast<double>(n / 1021 * (1020 * 1021 / 2) + rest * (rest - 1) / 2);
}

/// Whether Kokkos may be asked: a process has one of it, which several PEs cannot use at once.
bool kokkos_is_ours(const world& w) { return w.able().pes_in_process == 1; }

/// What Kokkos makes of this PE's part, or a plain loop. On the threaded space where the PE's
/// own loops use it.
double limit_sum(const world& w, std::span<double> part) {
  double sum = 0;
  if (!kokkos_is_ours(w)) {
    for (const double x : part) sum += x;
    return sum;
  }
  const auto elements = as_view(part);
  const auto add = [elements](std::size_t i, double& to) { to += elements(i); };
  const auto reduce = [&]<class Space>(Space) {
    using range = Kokkos::RangePolicy<Space, Kokkos::IndexType<std::size_t>>;
    Kokkos::parallel_reduce(range(0, part.size()), add, sum);
  };
  if (w.on_node().threads() > 1) {
    reduce(Kokkos::DefaultHostExecutionSpace{});
  } else {
    reduce(Kokkos::Serial{});
  }
  return sum;
}

struct row {
  std::string name;
  std::optional<double> (*once)(const doubles& a);
  std::vector<double> samples = {};
  bool right = true;
};

const std::vector<row> all_rows = {
    {"collective", [](const doubles& a) { return all_sum(a).get(); }},
    {"one_sided",
     [](const doubles& a) {
       std::optional<double> result;
       if (a.members().where().me() == pe(0)) result = sum(a).get();
       a.members().barrier().get();
       return result;
     }},
    {"pipeline",
     [](const doubles& a) {
       return std::optional{all_elements(a).map([](double x) { return x; }).sum().get()};
     }},
};

void measure(world& w, const settings& set, report* out) {
  const doubles a = doubles::create(w, set.elements).get();
  local_elements(a).enumerate().for_each(
      [&a](std::size_t k, double& x) { x = value_of(a.global_index(k)); });
  if (set.common.sabotage && w.me() == pe(0)) a.local()[0] += 1;
  on_node::start(w.threads());
  const double expected = expected_sum(set.elements);
  std::vector<row> rows = all_rows;
  std::vector<double> bare;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& each : rows) {
      w.barrier().get();
      const stopwatch watch;
      const std::optional<double> got = each.once(a);
      each.samples.push_back(watch.seconds());
      each.right = each.right && (!got.has_value() ? w.me() != pe(0) : *got == expected);
    }
    w.barrier().get();
    const stopwatch watch;
    const double own = limit_sum(w, a.local());
    w.barrier().get();
    bare.push_back(watch.seconds());
    const double sum = all_reduce(w, own, std::plus<>{}).get();
    for (row& each : rows) each.right = each.right && sum == expected;
    if (k != 0) continue;
    for (row& each : rows) each.samples.clear();
    bare.clear();
  }
  bare = slowest(w, bare);
  for (row& each : rows) {
    const bool right = on_all(w, each.right);
    const std::vector<double> seconds = slowest(w, each.samples);
    if (out == nullptr) continue;
    result r = job_result(w, "array_sum/" + each.name, set.common);
    r.operations = static_cast<double>(set.elements);
    r.seconds = summarise(seconds);
    r.unit = "elements/s";
    r.verified = right;
    r.bound = {kokkos_is_ours(w) ? "kokkos_parallel_reduce" : "plain_loop",
               r.operations / summarise(bare).median};
    r.parameters = {{"elements", static_cast<std::int64_t>(set.elements)},
                    {"gigabytes_per_second", r.rate() * sizeof(double) / 1e9},
                    {"pages", page_kind(a.local().data(), a.local().size_bytes())},
                    {"space_threads", static_cast<std::int64_t>(w.on_node().threads())}};
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "An array of --elements doubles in blocks, each PE adding up its part with all its "
    "threads.\n"
    "  collective  all_sum(): all PEs call it, and all get the sum\n"
    "  one_sided   sum(): PE 0 asks, the others answer from inside a barrier\n"
    "  pipeline    all_elements(a).map(...).sum()";
constexpr const char* metric =
    "elements per second, over all PEs. The limit is one Kokkos::parallel_reduce on every PE "
    "over\n"
    "the same memory, in the space that the PE's loops use, without putting the parts "
    "together;\n"
    "a plain loop where several PEs share a process, and so one Kokkos.";

int main(int argc, char** argv) {
  settings set;
  command_line command("array_sum", problem, metric);
  command.add_size("--elements", set.elements, "Doubles in the array");
  if (!command.parse(argc, argv)) return command.exit_code();
  set.common = command.common();
  if (set.elements == 0) {
    fmt::print(stderr, "array_sum: --elements: choose 1 or more\n");
    return 1;
  }
  return run_job(argc, argv, "array_sum", set.common,
                 [&set](world& w, report* out) { measure(w, set, out); });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
