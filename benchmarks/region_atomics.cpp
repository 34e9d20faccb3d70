// SPDX-License-Identifier: BSD-3-Clause
//
// region_atomics: what does an atomic operation on another PE's memory cost? PE 0 does one
// after the other on a word that its owner leaves alone; then all PEs do on one word. The
// yardstick is the same instruction on memory that nobody else uses.

#include <atomic>
#include <cstdint>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/world.hpp>
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
  std::uint64_t operations = std::uint64_t{1} << 20;  // of each kind, in a repetition
};

// --- what is timed; each returns what its word must have become ---

word fetch_adds(const region& r, pe to, std::uint64_t count) {
  bool grows = true;
  word before = r.load(to, 0).get();
  const word first = before;
  for (std::uint64_t k = 0; k < count; ++k) {
    const word now = r.fetch_add(to, 0, 1).get();
    grows = grows && now >= before;
    before = now;
  }
  return grows ? first + count : ~word{0};
}

word adds(const region& r, pe to, std::uint64_t count) {
  const word first = r.load(to, 0).get();
  for (std::uint64_t k = 0; k < count; ++k) r.add(to, 0, 1).get();
  return first + count;
}

word exchanges(const region& r, pe to, std::uint64_t count) {
  const word first = r.load(to, 0).get();
  word wanted = first;
  for (std::uint64_t k = 0; k < count; ++k) {
    wanted += static_cast<word>(r.compare_exchange(to, 0, wanted, wanted + 1).get().done);
  }
  return first + count;
}

struct row {
  std::string name;
  bool together;  // all PEs on one word
  word (*once)(const region& r, pe to, std::uint64_t count);
  samples seconds = {};
  bool right = true;
};

double bare_instructions(std::uint64_t count) {
  alignas(64) word own = 0;
  const std::atomic_ref<word> at{own};
  const stopwatch watch;
  for (std::uint64_t k = 0; k < count; ++k) at.fetch_add(1);
  return watch.seconds();
}

void time_row(world& w, row& r, const region& words, const settings& set) {
  const pe to = w.at(w.size() - 1);
  const bool lose_one = set.common.sabotage && w.me() == pe(0);
  w.barrier().get();
  const word before = words.load(to, 0).get();
  w.barrier().get();
  const stopwatch watch;
  word wanted = 0;
  if (r.together || w.me() == pe(0)) {
    wanted = r.once(words, to, set.operations - (lose_one ? 1 : 0));
  }
  r.seconds.add(watch.seconds());
  w.barrier().get();
  const word after = words.load(to, 0).get();
  r.right = r.right && after - before == set.operations * (r.together ? w.size() : 1);
  if (!r.together && w.me() == pe(0)) r.right = r.right && wanted == after;
  w.barrier().get();
}

void measure(world& w, const settings& set, report* out) {
  const region words = region::create(w, 8).get();
  std::vector<row> rows = {{"fetch_add", false, fetch_adds},
                           {"add", false, adds},
                           {"compare_exchange", false, exchanges},
                           {"fetch_add_by_all", true, fetch_adds}};
  samples bare;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) time_row(w, r, words, set);
    bare.add(bare_instructions(set.operations));
  }
  for (row& each : rows) {
    const bool right = on_all(w, each.right);
    const std::vector<double> seconds = slowest(w, each.seconds.counted());
    if (out == nullptr) continue;
    result r = job_result(w, "region_atomics/" + each.name, set.common);
    r.operations = static_cast<double>(set.operations) * (each.together ? w.size() : 1);
    r.seconds = summarise(each.together ? seconds : each.seconds.counted());
    r.unit = "operations/s";
    r.verified = right;
    r.bound = {"atomic_instruction_on_own_memory",
               static_cast<double>(set.operations) / bare.median()};
    r.parameters = {{"nanoseconds", 1e9 / r.rate()}, {"mapped", w.able().mapped}};
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "PE 0 does atomic operations on a word of the last PE, in a shared memory region, and "
    "waits\n"
    "for each before it begins the next one. The owner leaves the word alone, and waits in a\n"
    "barrier.\n"
    "  fetch_add, add, compare_exchange   by PE 0 alone\n"
    "  fetch_add_by_all                   by all PEs at once on one word";
constexpr const char* metric =
    "operations per second, over all PEs that do some; the parameter shows the inverse. The\n"
    "limit is the same instruction on memory that nobody else uses.";

int main(int argc, char** argv) {
  settings set;
  command_line command("region_atomics", problem, metric);
  command.add_size("--operations", set.operations, "Operations of each kind and PE", 2);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
