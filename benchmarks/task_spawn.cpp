// SPDX-License-Identifier: BSD-3-Clause
//
// task_spawn: what does it cost to spawn a local task and to join it? Each PE spawns tasks that
// only return a number, some at a time, and awaits them. What bounds it is to await the same
// task without spawning it: its frame is made, run and destroyed all the same.

#include <algorithm>
#include <cstdint>
#include <lamellar/substrate/world.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/job.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t tasks = 1U << 20;  // of each PE, in a repetition
  std::uint64_t batch = 1000;
};

task<std::uint64_t> give(std::uint64_t number) { co_return number; }

/// Spawn tasks 0 to `count` - 1, at most `batch` of them before they are joined. Return the
/// sum.
task<std::uint64_t> spawn_and_join(world& w, std::uint64_t count, std::uint64_t batch) {
  std::vector<spawned<std::uint64_t>> running;
  running.reserve(batch);
  std::uint64_t sum = 0;
  for (std::uint64_t first = 0; first < count; first += batch) {
    const std::uint64_t end = std::min(first + batch, count);
    for (std::uint64_t k = first; k < end; ++k) running.push_back(w.spawn(give(k)));
    for (spawned<std::uint64_t>& one : running) sum += co_await one;
    running.clear();
  }
  co_return sum;
}

task<std::uint64_t> await_each(std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t k = 0; k < count; ++k) sum += co_await give(k);
  co_return sum;
}

struct row {
  std::string name;
  std::uint64_t batch;
  samples seconds = {};
  bool right = true;
};

void measure(world& w, const settings& set, report* out) {
  const std::uint64_t count = set.tasks;
  const std::uint64_t expected = count * (count - 1) / 2;
  const std::uint64_t worked = count - (set.common.sabotage && w.me() == pe(0) ? 1 : 0);
  row rows[] = {{"each", 1}, {"batch", set.batch}};
  samples bare;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) {
      w.barrier().get();
      const stopwatch watch;
      const std::uint64_t sum = spawn_and_join(w, worked, r.batch).get();
      r.seconds.add(watch.seconds());
      r.right = r.right && sum == expected;
    }
    w.barrier().get();
    const stopwatch watch;
    const std::uint64_t sum = await_each(count).get();
    bare.add(watch.seconds());
    if (sum != expected) throw std::runtime_error("tasks that were awaited returned nonsense");
  }
  const double bare_seconds = summarise(slowest(w, bare.counted())).median;
  for (row& each : rows) {
    const bool right = on_all(w, each.right);
    const std::vector<double> seconds = slowest(w, each.seconds.counted());
    if (out == nullptr) continue;
    result r = job_result(w, "task_spawn/" + each.name, set.common);
    r.operations = static_cast<double>(count) * w.size();
    r.seconds = summarise(seconds);
    r.unit = "tasks/s";
    r.verified = right;
    r.bound = {"await_without_spawn", r.operations / bare_seconds};
    r.parameters = {{"tasks_per_pe", static_cast<std::int64_t>(count)},
                    {"batch", static_cast<std::int64_t>(each.batch)},
                    {"nanoseconds_per_task", 1e9 * w.size() / r.rate()}};
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "Each PE spawns tasks that only return a number, and joins them by co_await: one at a "
    "time\n"
    "(each), or --batch of them and then all (batch). The sum must come out right.";
constexpr const char* metric =
    "tasks per second, all PEs together, from the first spawn to the last result. The limit "
    "is\n"
    "to await the same tasks without spawning them.";

int main(int argc, char** argv) {
  settings set;
  command_line command("task_spawn", problem, metric);
  command.add_size("--tasks", set.tasks, "Tasks of each PE in a repetition");
  command.add_size("--batch", set.batch, "Tasks that are spawned before they are joined");
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
