// SPDX-License-Identifier: BSD-3-Clause
//
// am_latency: how long does a PE wait for an answer, and for a quiesce? PE 0 calls a PE on
// another core, which serves from inside a barrier. The yardstick is a token handed to and fro
// between the same two PEs by bare loads and stores, over one cache line for each direction.

#include <cstdint>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/task.hpp>
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
  std::uint64_t round_trips = 20000;  // in a repetition
};

// --- handlers ---

struct nothing {
  void operator()() const {}
};

struct successor {
  std::uint64_t operator()(std::uint64_t value) const { return value + 1; }
};

struct nothing_by_coroutine {
  task<> operator()() const { co_return; }
};

struct successor_by_coroutine {
  task<std::uint64_t> operator()(std::uint64_t value) const { co_return value + 1; }
};

// --- what is timed; each returns how many answers were right ---

std::uint64_t call_nothing(world& w, pe to, std::uint64_t rounds) {
  for (std::uint64_t k = 0; k < rounds; ++k) w.call(to, nothing{}).get();
  return rounds;
}

std::uint64_t call_successor(world& w, pe to, std::uint64_t rounds) {
  std::uint64_t right = 0;
  for (std::uint64_t k = 0; k < rounds; ++k) {
    right += static_cast<std::uint64_t>(w.call(to, successor{}, k).get() == k + 1);
  }
  return right;
}

task<std::uint64_t> await_nothing(world& w, pe to, std::uint64_t rounds) {
  for (std::uint64_t k = 0; k < rounds; ++k) co_await w.call(to, nothing_by_coroutine{});
  co_return rounds;
}

task<std::uint64_t> await_successor(world& w, pe to, std::uint64_t rounds) {
  std::uint64_t right = 0;
  for (std::uint64_t k = 0; k < rounds; ++k) {
    const std::uint64_t answer = co_await w.call(to, successor_by_coroutine{}, k);
    right += static_cast<std::uint64_t>(answer == k + 1);
  }
  co_return right;
}

std::uint64_t quiesce_idle(world& w, pe, std::uint64_t rounds) {
  for (std::uint64_t k = 0; k < rounds; ++k) w.quiesce().get();
  return rounds;
}

enum class who { first, pair, all };

struct row {
  std::string name;
  who works;
  std::uint64_t (*once)(world& w, pe to, std::uint64_t rounds);
  samples seconds = {};
  samples bare = {};  // one beside each of these: cores move apart and back
  std::uint64_t right = 0;
  std::uint64_t wanted = 0;
};

std::vector<row> all_rows() {
  const auto awaited = [](world& w, pe to, std::uint64_t rounds) {
    return await_nothing(w, to, rounds).get();
  };
  const auto awaited_value = [](world& w, pe to, std::uint64_t rounds) {
    return await_successor(w, to, rounds).get();
  };
  return {{"call", who::first, call_nothing},
          {"call_value", who::first, call_successor},
          {"call_both_ways", who::pair, call_successor},
          {"coroutine", who::first, awaited},
          {"coroutine_value", who::first, awaited_value},
          {"quiesce", who::all, quiesce_idle}};
}

// One repetition: those who do not work serve, in the barrier. `lost` calls are left out.
void time_row(world& w, row& r, const core_pairs& bare, std::uint64_t rounds,
              std::uint64_t lost) {
  const bool works =
      r.works == who::all || w.me() == pe(0) || (r.works == who::pair && bare.in_first_pair());
  w.barrier().get();
  const stopwatch watch;
  if (works) {
    r.right +=
        r.once(w, bare.partner().value_or(pe(0)), rounds - (r.works == who::all ? 0 : lost));
    r.wanted += rounds;
  }
  r.seconds.add(watch.seconds());
  w.barrier().get();
}

// --- does quiesce keep its promise? ---

constexpr std::uint32_t checks = 100;

struct arrivals {
  std::uint64_t count = 0;
};

struct arrive {
  void operator()(arrivals& here) const { ++here.count; }
};

// After quiesce, all that was sent before must be handled.
bool quiesce_is_right(world& w, bool lose_one) {
  const darc<arrivals> counts = darc<arrivals>::create(w).get();
  bool right = true;
  for (std::uint32_t k = 1; k <= checks; ++k) {
    if (!lose_one || k != checks) counts.send_all(arrive{});
    w.quiesce().get();
    right = right && counts->count == std::uint64_t{k} * w.size();
    w.barrier().get();
  }
  return on_all(w, right);
}

// --- all of it ---

void measure(world& w, const settings& set, report* out) {
  core_pairs bare(w);
  const bool lose_one = set.common.sabotage && w.me() == pe(0);
  std::vector<row> rows = all_rows();
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) {
      time_row(w, r, bare, set.round_trips, lose_one ? 1 : 0);
      r.bare.add(bare.round_trips(set.round_trips));
    }
  }
  const bool tokens_right = on_all(w, bare.right());
  const bool quiesce_right = quiesce_is_right(w, lose_one);

  for (const row& each : rows) {
    const bool right = on_all(w, each.right == each.wanted) && tokens_right &&
                       (each.name != "quiesce" || quiesce_right);
    if (out == nullptr) continue;
    result r = job_result(w, "am_latency/" + each.name, set.common);
    r.operations = static_cast<double>(set.round_trips);
    r.seconds = summarise(each.seconds.counted());
    r.unit = each.works == who::all ? "waves/s" : "round trips/s";
    r.verified = right;
    r.bound = {"round_trip_two_lines", r.operations / each.bare.median()};
    r.parameters = {{"nanoseconds", 1e9 / r.rate()},
                    {"bare_nanoseconds", 1e9 / r.bound.rate},
                    {"times_bare", 1 / r.fraction_of_limit()}};
    if (each.works != who::all) {
      r.parameters.emplace_back("partner", std::int64_t{bare.partner()->index()});
    }
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "PE 0 calls a PE on another core and waits for the answer, again and again; the other one\n"
    "serves from inside a barrier.\n"
    "  call             a handler without arguments and result, get()\n"
    "  call_value       a number there and its successor back, get()\n"
    "  call_both_ways   the same by both PEs at once\n"
    "  coroutine        as call, but the handler is a coroutine, and a coroutine awaits it\n"
    "  coroutine_value  the same with a number there and back\n"
    "  quiesce          all PEs, with no message under way";
constexpr const char* metric =
    "round trips per second of one caller, or waves per second; the parameters show the "
    "inverse.\n"
    "The limit is a token handed to and fro by bare loads and stores between the same two "
    "PEs,\n"
    "over one cache line for each direction, just after each row.";

int main(int argc, char** argv) {
  settings set;
  command_line command("am_latency", problem, metric);
  command.add_size("--round-trips", set.round_trips, "Round trips and waves in a repetition",
                   2);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
