// SPDX-License-Identifier: BSD-3-Clause
//
// barrier: how long until all PEs have met, or know what all of them know? The yardstick is a
// token handed to and fro between two PEs on different cores by bare loads and stores.

#include <cstdint>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/world.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/core_pairs.hpp"
#include "support/job.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t rounds = 10000;  // in a repetition
};

// --- what is timed; each returns how many rounds had the right result ---

std::uint64_t meet_all(world& w, const team&, std::uint64_t rounds) {
  for (std::uint64_t k = 0; k < rounds; ++k) w.barrier().get();
  return rounds;
}

std::uint64_t meet_team(world&, const team& turned, std::uint64_t rounds) {
  for (std::uint64_t k = 0; k < rounds; ++k) turned.barrier().get();
  return rounds;
}

std::uint64_t sum_up(world& w, const team&, std::uint64_t rounds) {
  std::uint64_t right = 0;
  for (std::uint64_t k = 0; k < rounds; ++k) {
    right += static_cast<std::uint64_t>(all_reduce(w, k).get() == k * w.size());
  }
  return right;
}

std::uint64_t tell_all(world& w, const team&, std::uint64_t rounds) {
  std::uint64_t right = 0;
  for (std::uint64_t k = 0; k < rounds; ++k) {
    const std::uint64_t mine = w.me().index() == 0 ? k : 0;
    right += static_cast<std::uint64_t>(broadcast(w, mine).get() == k);
  }
  return right;
}

struct row {
  std::string name;
  std::uint64_t (*once)(world& w, const team& turned, std::uint64_t rounds);
  bool orders = false;  // what each PE stored before it, all see after it
  samples seconds = {};
  std::uint64_t right = 0;
  std::uint64_t wanted = 0;
};

// After the k-th round, each PE must have stored what it stored before it: k, in its cell.
bool orders(world& w, const team& turned, const core_pairs& bare, const row& r,
            std::uint32_t& round, bool lose_one) {
  bool right = true;
  for (int checks = 0; checks < 100; ++checks) {
    ++round;
    if (!lose_one) bare.cell(w.me()).store(round, std::memory_order_relaxed);
    r.once(w, turned, 1);
    for (std::uint32_t other = 0; other < w.size(); ++other) {
      // Some may have gone on to the next round.
      right = right && bare.cell(pe(other)).load(std::memory_order_relaxed) >= round;
    }
  }
  return right;
}

void measure(world& w, const settings& set, report* out) {
  core_pairs bare(w);
  // Not the team of all PEs, though all are in it: one that meets by messages.
  std::vector<team_position> backwards;
  for (std::uint32_t k = w.size(); k > 0; --k) backwards.emplace_back(k - 1);
  const team turned = team{w}.subteam(backwards).get();
  std::vector<row> rows = {{"world", meet_all, true},
                           {"team", meet_team, true},
                           {"all_reduce", sum_up},
                           {"broadcast", tell_all}};
  const std::uint64_t lost = set.common.sabotage ? 1 : 0;
  samples tokens;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) {
      w.barrier().get();
      const stopwatch watch;
      r.right += r.once(w, turned, set.rounds - lost);
      r.wanted += set.rounds;
      r.seconds.add(watch.seconds());
    }
    tokens.add(bare.round_trips(set.rounds));
  }
  const bool tokens_right = on_all(w, bare.right());
  std::uint32_t round = 0;
  for (const row& each : rows) {
    const bool ordered = !each.orders || orders(w, turned, bare, each, round, lost != 0);
    const bool right = on_all(w, each.right == each.wanted && ordered) && tokens_right;
    if (out == nullptr) continue;
    result r = job_result(w, "barrier/" + each.name, set.common);
    r.operations = static_cast<double>(set.rounds);
    r.seconds = summarise(each.seconds.counted());
    r.unit = "rounds/s";
    r.verified = right;
    r.bound = {"round_trip_two_lines", r.operations / tokens.median()};
    r.parameters = {{"nanoseconds", 1e9 / r.rate()},
                    {"bare_nanoseconds", 1e9 / r.bound.rate},
                    {"times_bare", 1 / r.fraction_of_limit()}};
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "All PEs meet, or learn a number, again and again.\n"
    "  world       a barrier of all PEs\n"
    "  team        a barrier of a team that has all PEs in another order: by messages\n"
    "  all_reduce  the sum of a number of each PE, on all\n"
    "  broadcast   a number of PE 0, on all";
constexpr const char* metric =
    "rounds per second; the parameters show the inverse. The limit is a token handed to and "
    "fro\n"
    "by bare loads and stores between two PEs, over one cache line for each direction.";

int main(int argc, char** argv) {
  settings set;
  command_line command("barrier", problem, metric);
  command.add_size("--rounds", set.rounds, "Rounds in a repetition", 2);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
