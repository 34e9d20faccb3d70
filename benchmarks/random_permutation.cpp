// SPDX-License-Identifier: BSD-3-Clause
//
// random_permutation: what does it cost to permute numbers by throwing darts? Each PE throws
// its numbers at random places of a board twice as large that lies on all PEs, until each has
// hit a free place; what is on the board, without the gaps, goes to an array. What bounds it is
// the same number of compare-exchanges with no array: every PE in its own part of the board,
// with the best of several prefetch distances.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/job.hpp"
#include "support/limits.hpp"
#include "support/options.hpp"
#include "support/own_part.hpp"
#include "support/pages.hpp"
#include "support/report.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t numbers = 1U << 23;  // over all PEs
  std::uint64_t batch = 1U << 14;    // darts thrown at once
  std::vector<std::string> modes{"batch", "loop"};
};

using array_of_numbers = atomic_array<std::uint64_t>;
using numbers = std::vector<std::uint64_t>;

constexpr std::uint64_t nobody = 0;  // on a free place; a number k is there as k + 1

// Places of a board of up to 2^32 words.
class random_places {
 public:
  random_places(std::uint64_t seed, std::uint64_t words) : state_{seed}, words_{words} {}
  std::uint64_t operator()() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return (mixed >> 32) * words_ >> 32;
  }

 private:
  std::uint64_t state_;
  std::uint64_t words_;
};

// --- the kernel, as a user writes it; both return how many darts were thrown ---

std::uint64_t throw_in_loop(const array_of_numbers& board, std::span<const std::uint64_t> darts,
                            random_places random) {
  std::uint64_t thrown = 0;
  for (const std::uint64_t dart : darts) {
    do ++thrown;
    while (!board.compare_exchange(random(), nobody, dart).get().done);
  }
  return thrown;
}

// In rounds: those that have missed are thrown again in the next one.
std::uint64_t throw_in_batches(const array_of_numbers& board,
                               std::span<const std::uint64_t> all, random_places random,
                               std::size_t batch) {
  numbers darts{all.begin(), all.end()};
  numbers places;
  std::uint64_t thrown = 0;
  while (!darts.empty()) {
    std::size_t missed = 0;
    for (std::size_t first = 0; first < darts.size(); first += batch) {
      const auto now = std::span{darts}.subspan(first, std::min(batch, darts.size() - first));
      places.resize(now.size());
      for (std::uint64_t& each : places) each = random();
      const auto hits = board.compare_exchange(places, nobody, now).get();
      for (std::size_t k = 0; k < now.size(); ++k) {
        if (!hits[k].done) darts[missed++] = now[k];
      }
    }
    thrown += darts.size();
    darts.resize(missed);
  }
  return thrown;
}

// What is on this PE's part of the board comes after what is on the parts before.
void compact(world& w, const array_of_numbers& board, const array_of_numbers& permutation) {
  std::vector<numbers> here(w.threads());
  const std::span<std::uint64_t> own = board.local().plain();
  on_all_threads(w, [&](unsigned thread) {
    const auto part = share_of(own, thread, w.threads());
    here[thread].reserve(part.size());
    for (const std::uint64_t each : part) {
      if (each != nobody) here[thread].push_back(each - 1);
    }
  });
  std::uint64_t count = 0;
  for (const numbers& each : here) count += each.size();
  std::uint64_t before = exclusive_scan(w, count, std::uint64_t{0}).get();
  for (const numbers& each : here) {
    permutation.put(before, each).get();
    before += each.size();
  }
}

// --- timing ---

struct sample {
  double seconds = 0;
  std::vector<std::uint64_t> thrown;  // by each thread
};

sample permute(world& w, const settings& set, const std::string& mode, unsigned repetition,
               const array_of_numbers& board, const array_of_numbers& permutation,
               std::span<const std::uint64_t> darts) {
  sample taken{0, std::vector<std::uint64_t>(w.threads())};
  w.barrier().get();
  const stopwatch watch;
  on_all_threads(w, [&](unsigned thread) {
    const std::uint64_t seed =
        (std::uint64_t{repetition} << 32) + w.me().index() * w.threads() + thread;
    const random_places random{seed * 0x632be59bd9b4e019U, board.size()};
    const auto share = share_of(darts, thread, w.threads());
    taken.thrown[thread] = mode == "batch" ? throw_in_batches(board, share, random, set.batch)
                                           : throw_in_loop(board, share, random);
  });
  w.barrier().get();
  compact(w, board, permutation);
  w.barrier().get();
  taken.seconds = watch.seconds();
  return taken;
}

// --- checking ---

// Whether each number is in the permutation once. Leaves it without any.
bool is_permutation(world& w, const array_of_numbers& permutation,
                    const array_of_numbers& seen) {
  const std::span<std::uint64_t> found = permutation.local().plain();
  const std::span<std::uint64_t> counts = seen.local().plain();
  bool right = std::all_of(found.begin(), found.end(),
                           [&seen](std::uint64_t each) { return each < seen.size(); });
  if (on_all(w, right)) seen.add(found, 1);
  w.quiesce().get();
  right = std::all_of(counts.begin(), counts.end(), [](std::uint64_t n) { return n == 1; });
  std::fill(counts.begin(), counts.end(), 0);
  std::fill(found.begin(), found.end(), permutation.size());
  return on_all(w, right);
}

// --- a board of one size ---

struct row {
  std::string name;
  std::vector<double> samples = {};
  std::uint64_t thrown = 0;  // by this PE
  bool right = true;
};

void measure(world& w, const settings& set, report* out) {
  const auto board = array_of_numbers::create(w, 2 * set.numbers).get();
  const auto permutation = array_of_numbers::create(w, set.numbers).get();
  const auto seen = array_of_numbers::create(w, set.numbers).get();
  const std::span<std::uint64_t> own = board.local().plain();
  const auto clear = [&] {
    std::fill(own.begin(), own.end(), nobody);
    w.barrier().get();
  };

  numbers darts(permutation.local_size());
  for (std::size_t k = 0; k < darts.size(); ++k) darts[k] = permutation.global_index(k) + 1;
  const bool lose_one = set.common.sabotage && w.me() == pe(0);
  const auto worked = std::span{darts}.first(darts.size() - (lose_one ? 1 : 0));

  std::vector<row> rows;
  for (const std::string& mode : set.modes) rows.push_back({mode});
  numbers list;
  std::unique_ptr<own_part> limit;
  is_permutation(w, permutation, seen);  // which leaves it without numbers
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) {
      clear();
      const sample taken = permute(w, set, r.name, k, board, permutation, worked);
      r.samples.push_back(taken.seconds);
      r.thrown += std::accumulate(taken.thrown.begin(), taken.thrown.end(), std::uint64_t{0});
      r.right = is_permutation(w, permutation, seen) && r.right;
    }
    if (k == 0) {  // the limit throws as often as the first row has
      list.resize(rows[0].thrown);
      random_places random{w.me().index() + 1, board.size()};
      for (std::uint64_t& each : list) each = random();
      limit = std::make_unique<own_part>(w, benchmark::access::compare_exchange, own, list);
    }
    clear();
    limit->repetition();
    if (k != 0) continue;
    for (row& r : rows) {
      r.samples.clear();
      r.thrown = 0;
    }
    limit->forget();
  }
  const auto agreed = [&w](const std::vector<double>& seconds) { return slowest(w, seconds); };
  limit->agree(agreed);
  for (row& r : rows) {
    r.samples = agreed(r.samples);
    r.thrown = all_reduce(w, r.thrown).get();
  }
  if (out == nullptr) return;
  for (const row& each : rows) {
    result r = job_result(w, fmt::format("random_permutation/{}", each.name), set.common);
    r.operations = static_cast<double>(set.numbers);
    r.seconds = summarise(each.samples);
    r.unit = "numbers/s";
    r.verified = each.right;
    r.bound = {"compare_exchange_own_part", r.operations / limit->loop().seconds().median};
    r.parameters = {{"numbers", static_cast<std::int64_t>(set.numbers)},
                    {"board_words", static_cast<std::int64_t>(board.size())},
                    {"pages", page_kind(own.data(), own.size_bytes())},
                    {"throws_per_number",
                     static_cast<double>(each.thrown) / set.common.repetitions / r.operations},
                    {"in_place", board.part()->all_reached()},
                    {"limit_prefetch", static_cast<std::int64_t>(limit->loop().distance())}};
    if (each.name == "batch") {
      r.parameters.emplace_back("batch_darts", static_cast<std::int64_t>(set.batch));
    }
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "Permute the numbers 0, 1, ... n - 1 at random: each PE throws its share at random places\n"
    "of a board of 2n words on all PEs, by compare-exchange, until each has hit a free place.\n"
    "The board without its gaps, in order, goes to an array. Row `batch` throws lists of "
    "darts\n"
    "and those that have missed in the next round; row `loop` throws one after the other. "
    "With\n"
    "LAMELLAR_MAPPED=0 the owners are asked, through messages.";
constexpr const char* metric =
    "numbers per second, all PEs together, from the first dart to the barrier after the last\n"
    "number is in the array; random places, throws that miss, the barrier and the scan are\n"
    "inside. The limit is the same number of compare-exchanges, and nothing else: each PE in\n"
    "its own part of the same memory, from a list, with the best of the prefetch distances 0,\n"
    "8, 16, 32 and 64.";

int main(int argc, char** argv) {
  settings set;
  command_line command("random_permutation", problem, metric);
  command.add_size("--numbers", set.numbers, "Numbers to permute, all PEs together");
  command.add_size("--batch", set.batch, "Darts that are thrown at once");
  command.parser()
      .add_option("--mode", set.modes, "batch, loop")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"batch", "loop"}));
  return run_benchmark(
      command, argc, argv, set, [](world& w, const settings& given, report* out) {
        const std::uint64_t least = std::uint64_t{w.size()} * w.threads();
        const std::uint64_t most = std::uint64_t{1} << 31;
        if (given.numbers < least || given.numbers > most) {
          throw std::invalid_argument(
              fmt::format("--numbers {}: {} PEs with {} threads can do {} to {}", given.numbers,
                          w.size(), w.threads(), least, most));
        }
        measure(w, given, out);
      });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
