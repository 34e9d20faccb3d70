// SPDX-License-Identifier: BSD-3-Clause
//
// gups: random updates of a table, by the rules of HPCC's RandomAccess: the table has a power
// of two of words, word k holds k; four updates for each word, by a given sequence of numbers,
// each of which says where it is to be added in by exclusive or; no PE knows more than 1024 of
// its updates before they have been made; and no update may be lost, where HPCC lets 1 % go.

#include <fmt/core.h>

#include <array>
#include <bit>
#include <cstdint>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <stdexcept>
#include <vector>

#include "support/hpcc_random.hpp"
#include "support/job.hpp"
#include "support/options.hpp"
#include "support/own_part.hpp"
#include "support/pages.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t table = std::uint64_t{1} << 24;  // words, over all PEs
  std::uint64_t updates_of_word = 4;
};

using table_type = atomic_array<std::uint64_t>;

// --- the kernel, as a user writes it ---

constexpr std::size_t look_ahead = 1024;

/// Make updates number `first` to `end` - 1.
void update(world& w, const table_type& table, std::uint64_t first, std::uint64_t end) {
  hpcc_random random{first};
  std::vector<std::uint64_t> places(look_ahead), values(look_ahead);
  for (; first < end; first += places.size()) {
    places.resize(std::min<std::size_t>(look_ahead, end - first));
    for (std::size_t k = 0; k < places.size(); ++k) {
      places[k] = (values[k] = random.next()) & (table.size() - 1);
    }
    table.bit_xor(places, std::span{values}.first(places.size()));
    w.wait_all();
  }
}

// --- checking ---

/// Take all updates of all PEs out of this PE's words, one at a time, and count the words that
/// then do not hold what they began with.
std::uint64_t errors_here(const table_type& table, std::uint64_t updates, bool take_out) {
  const std::span<std::uint64_t> own = table.part()->own();
  const std::uint64_t begin = own.empty() ? 0 : table.global_index(0);
  if (take_out) {
    hpcc_random random{0};
    for (std::uint64_t k = 0; k < updates; ++k) {
      const std::uint64_t value = random.next();
      const std::uint64_t place = (value & (table.size() - 1)) - begin;
      if (place < own.size()) own[place] ^= value;
    }
  }
  std::uint64_t wrong = 0;
  for (std::size_t k = 0; k < own.size(); ++k) wrong += own[k] != begin + k;
  return wrong;
}

// --- measuring ---

/// Places that fall on any part alike, for the limit: as many as are enough for a measurement.
std::vector<std::uint64_t> some_places(std::uint64_t first, std::uint64_t count) {
  std::vector<std::uint64_t> places(std::min(count, std::uint64_t{1} << 22));
  hpcc_random random{first};
  for (std::uint64_t& each : places) each = random.next();
  return places;
}

void measure(world& w, const settings& set, report* out) {
  if (!std::has_single_bit(set.table) || set.table < w.size()) {
    throw std::invalid_argument(
        "--table: a power of two is needed, and a word for each PE; as 2^24");
  }
  const std::uint64_t updates = set.updates_of_word * set.table;
  const std::uint64_t first = updates * w.me().index() / w.size();
  const std::uint64_t end = updates * (w.me().index() + 1) / w.size();
  const table_type table = table_type::create(w, set.table).get();
  const std::span<std::uint64_t> own = table.part()->own();
  for (std::size_t k = 0; k < own.size(); ++k) own[k] = table.global_index(k);
  const std::vector<std::uint64_t> list = some_places(first, end - first);
  own_part limit(w, benchmark::access::atomic_update, own, list);

  std::vector<double> seconds;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    const bool loses = set.common.sabotage && k == 0 && w.me() == pe(0);
    w.barrier().get();
    const stopwatch watch;
    update(w, table, first, end - (loses ? 1 : 0));
    w.quiesce().get();
    seconds.push_back(watch.seconds());
    // The limit adds 1 where it passes: that is taken back.
    const std::uint64_t before = limit.loop().passes();
    limit.repetition();
    const std::uint64_t added = limit.loop().passes() - before;
    limit.for_each_access([&](std::size_t offset) { own[offset] -= added; });
    if (k != 0) continue;
    seconds.clear();
    limit.forget();
  }
  const auto agreed = [&w](const std::vector<double>& each) { return slowest(w, each); };
  seconds = agreed(seconds);
  limit.agree(agreed);
  const bool is_odd = set.common.repetitions % 2 == 0;  // with the one that warmed up
  const std::uint64_t errors =
      all_reduce(w, errors_here(table, updates, is_odd), std::plus<>{}).get();
  const std::uint64_t listed = all_reduce(w, std::uint64_t{list.size()}, std::plus<>{}).get();
  if (out == nullptr) return;
  result r = job_result(w, "gups", set.common);
  r.operations = static_cast<double>(updates);
  r.seconds = summarise(seconds);
  r.unit = "updates/s";
  r.verified = errors == 0;
  r.bound = {"atomic_update_own_part",
             static_cast<double>(listed) / limit.loop().seconds().median};
  r.parameters = {{"table_words", static_cast<std::int64_t>(set.table)},
                  {"gups", r.rate() * 1e-9},
                  {"errors", static_cast<std::int64_t>(errors)},
                  {"look_ahead", static_cast<std::int64_t>(look_ahead)},
                  {"pages", page_kind(own.data(), own.size_bytes())},
                  {"in_place", table.part()->all_reached()}};
  out->add(std::move(r));
}

constexpr const char* problem =
    "HPCC's RandomAccess: four updates for each word of a table that lies on all PEs, at the\n"
    "places and with the values that its sequence of numbers gives; no PE has more than 1024\n"
    "updates that are not made. All words are checked afterwards, and none may be wrong. The\n"
    "body of each PE makes its updates; other threads of the PE help to serve.";
constexpr const char* metric =
    "updates per second, all PEs together (gups: 10^9 of them). The limit is atomic updates "
    "with\n"
    "no array: each PE in its own part of the same memory, with the best of several prefetch\n"
    "distances.";

int main(int argc, char** argv) {
  settings set;
  command_line command("gups", problem, metric);
  command.add_size("--table", set.table, "Words of the table, a power of two, all PEs");
  command.add_size("--updates", set.updates_of_word, "Updates for each word; by the rules 4");
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
