// SPDX-License-Identifier: BSD-3-Clause
//
// limits: what this machine can do without any runtime. See support/limits.hpp for the loops;
// the other benchmarks run the same loops on their own tables, in their own runs, and print
// fractions of them.

#include "support/limits.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/machine.hpp"
#include "support/options.hpp"
#include "support/pages.hpp"
#include "support/report.hpp"
#include "support/team.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::vector<std::uint64_t> tables{1U << 20, 1U << 24,
                                    1U << 27};  // words, over all participants
  std::uint64_t updates = 1U << 23;             // of each participant
  std::vector<std::uint64_t> copies{1U << 15, 1U << 20, 1U << 26};  // bytes
  std::uint64_t copied_bytes = 1U << 28;  // of each participant in one repetition
  std::uint64_t round_trips = 100000;
  std::uint64_t streamed = 1U << 24;  // words, each way
  unsigned pes = usable_cpus();
  std::string lamella = "both";
};

// Where a group of rows is measured: what stands for a PE, and which memory its table has.
struct place {
  std::string lamella;  // local: threads; shmem: processes
  sharing table;
};

std::string memory_name(sharing kind) {
  return kind == sharing::private_memory ? "private" : "shared";
}

// --- random access ---

struct access_row {
  std::string name;
  std::string unit;
  access kind;
  best_of_distances loop;
};

std::vector<access_row> access_rows() {
  static constexpr unsigned none[] = {0};
  return {
      {"update_plain", "updates/s", access::update, best_of_distances(access::update, none)},
      {"update_prefetched", "updates/s", access::update, best_of_distances(access::update)},
      {"update_atomic", "updates/s", access::atomic_update,
       best_of_distances(access::atomic_update, none)},
      {"update_atomic_prefetched", "updates/s", access::atomic_update,
       best_of_distances(access::atomic_update)},
      // Last, so that its answer can be compared with the final table.
      {"gather", "elements/s", access::gather, best_of_distances(access::gather)}};
}

void measure_access(member& self, const place& where, const settings& set, std::uint64_t words,
                    report& out) {
  const std::uint64_t own_words = words / self.size();
  const memory table_memory(own_words * sizeof(std::uint64_t), where.table);
  const memory list_memory(set.updates * sizeof(std::uint64_t), sharing::private_memory);
  const memory value_memory(set.updates * sizeof(std::uint64_t), sharing::private_memory);
  const auto table = table_memory.as<std::uint64_t>(own_words);
  const auto list = list_memory.as<std::uint64_t>(set.updates);
  const auto values = value_memory.as<std::uint64_t>(set.updates);
  std::fill(values.begin(), values.end(), ~std::uint64_t{0});  // no count is as large
  std::mt19937_64 random(self.index() + 1);
  std::uniform_int_distribution<std::uint64_t> any_word(0, own_words - 1);
  std::generate(list.begin(), list.end(), [&] { return any_word(random); });

  const bool lose_one = set.common.sabotage && self.index() == 0;
  const std::span<const std::uint64_t> worked = list.first(list.size() - (lose_one ? 1 : 0));
  std::vector<access_row> rows = access_rows();
  const auto one_repetition = [&] {
    for (access_row& row : rows) {
      row.loop.repetition<std::uint64_t>(table, worked, values, [&] { self.together(); });
    }
  };
  one_repetition();
  for (access_row& row : rows) row.loop.forget();
  for (unsigned k = 0; k < set.common.repetitions; ++k) one_repetition();

  std::uint64_t expected = 0;
  for (const access_row& row : rows) {
    if (row.kind != access::gather) expected += row.loop.passes() * list.size();
  }
  const bool sum_is_right =
      self.all(std::accumulate(table.begin(), table.end(), std::uint64_t{0}) == expected);
  bool values_are_mine = true;
  for (std::size_t k = 0; k < list.size(); ++k) {
    values_are_mine = values_are_mine && values[k] == table[list[k]];
  }
  const bool values_are_right = self.all(values_are_mine);
  if (self.index() != 0) return;

  const std::string pages = page_kind(table.data(), table.size_bytes());
  for (const access_row& row : rows) {
    result r;
    r.name = "limits/" + row.name;
    r.lamella = where.lamella;
    r.pes = self.size();
    r.operations = static_cast<double>(set.updates) * self.size();
    r.seconds = row.loop.seconds();
    r.unit = row.unit;
    r.repetitions = set.common.repetitions;
    r.verified = row.kind == access::gather ? values_are_right : sum_is_right;
    r.parameters = {{"table_words", static_cast<std::int64_t>(words)},
                    {"memory", memory_name(where.table)},
                    {"pages", pages},
                    {"prefetch", static_cast<std::int64_t>(row.loop.distance())},
                    {"list_items", static_cast<std::int64_t>(set.updates)},
                    {"index_bytes", std::int64_t{8}}};
    out.add(as_its_own_limit(std::move(r)));
  }
}

// --- one line between two cores ---

void measure_round_trip(member& self, const place& where, const settings& set,
                        shared_line& first, shared_line& second, const std::string& name,
                        report& out) {
  const std::uint64_t rounds = set.round_trips - (set.common.sabotage ? 1 : 0);
  std::uint64_t token = 1;
  std::uint64_t answered = 0;
  const std::vector<double> samples = repeat(set.common.repetitions, [&] {
    self.together();
    double seconds = 0;
    if (self.index() == 0) {
      seconds = ping(first, second, token, rounds);
      answered = (second.token.load() + 1 - token) / 2;
    } else {
      answered = pong(first, second, token, rounds);
    }
    token += 2 * rounds;
    self.together();
    return seconds;
  });
  const bool right = self.all(answered == set.round_trips);
  if (self.index() != 0) return;
  result r;
  r.name = "limits/" + name;
  r.lamella = where.lamella;
  r.pes = self.size();
  r.operations = static_cast<double>(set.round_trips);
  r.seconds = summarise(samples);
  r.unit = "round trips/s";
  r.repetitions = set.common.repetitions;
  r.verified = right;
  out.add(as_its_own_limit(std::move(r)));
}

void measure_stream(member& self, const place& where, const settings& set, stream_ring& first,
                    stream_ring& second, report& out) {
  constexpr std::uint64_t words_per_slab = stream_end::words_per_slab;
  const std::uint64_t slabs = std::max<std::uint64_t>(1, set.streamed / words_per_slab);
  const std::uint64_t worked = slabs - (set.common.sabotage ? 1 : 0);
  std::uint64_t exchanged = 0;
  stream_end end(self.index() == 0 ? first : second, self.index() == 0 ? second : first);
  const std::vector<double> samples = repeat(set.common.repetitions, [&] {
    self.together();
    const stopwatch watch;
    end.exchange(worked);
    self.together();
    exchanged += worked;
    return watch.seconds();
  });
  const bool right = self.all(end.right() && exchanged == slabs * (set.common.repetitions + 1));
  if (self.index() != 0) return;
  result r;
  r.name = "limits/stream_both_ways";
  r.lamella = where.lamella;
  r.pes = self.size();
  r.operations = static_cast<double>(slabs * words_per_slab) * self.size();
  r.seconds = summarise(samples);
  r.unit = "words/s";
  r.repetitions = set.common.repetitions;
  r.verified = right;
  r.parameters = {{"word_bytes", std::int64_t{8}},
                  {"buffer_bytes", static_cast<std::int64_t>(sizeof(stream_slab))},
                  {"pages", page_kind(&first, sizeof first)}};
  out.add(as_its_own_limit(std::move(r)));
}

// --- copying ---

void measure_copy(member& self, const place& where, const settings& set, std::uint64_t bytes,
                  bool all_at_once, report& out) {
  const memory source(bytes, sharing::private_memory);
  const memory target(bytes, where.table);
  const auto from = source.as<std::byte>(bytes);
  const auto to = target.as<std::byte>(bytes);
  for (std::size_t k = 0; k < bytes; ++k) from[k] = static_cast<std::byte>(k % 255 + 1);

  const bool works = all_at_once || self.index() == 0;
  const bool lose_one = set.common.sabotage && self.index() == 0;
  const std::uint64_t times = std::max<std::uint64_t>(1, set.copied_bytes / bytes);
  const std::vector<double> samples = repeat(set.common.repetitions, [&] {
    return copy_seconds(from.first(bytes - (lose_one ? 1 : 0)), to,
                        works ? static_cast<unsigned>(times) : 0, [&] { self.together(); });
  });
  const bool right = self.all(!works || std::equal(from.begin(), from.end(), to.begin()));
  if (self.index() != 0) return;
  result r;
  r.name = all_at_once ? "limits/copy_by_all" : "limits/copy_by_one";
  r.lamella = where.lamella;
  r.pes = self.size();
  r.operations = static_cast<double>(bytes * times) * (all_at_once ? self.size() : 1);
  r.seconds = summarise(samples);
  r.unit = "bytes/s";
  r.repetitions = set.common.repetitions;
  r.verified = right;
  r.parameters = {{"bytes", static_cast<std::int64_t>(bytes)},
                  {"target", memory_name(where.table)},
                  {"pages", page_kind(to.data(), to.size())}};
  out.add(as_its_own_limit(std::move(r)));
}

// --- all of it ---

void run_team(const std::string& lamella, const std::vector<unsigned>& cpus,
              const team_body& body) {
  if (lamella == "local") on_threads(cpus, body);
  if (lamella == "shmem") on_processes(cpus, body);
}

void measure_lamella(const std::string& lamella, const settings& set, report& out) {
  const std::vector<unsigned> cpus = spread_cpus(set.pes);
  out.state(lamella, fmt::format("{} pinned {} on cpus {}", set.pes,
                                 lamella == "local" ? "threads of one process" : "processes",
                                 fmt::join(cpus, ",")));
  if (usable_cpus() >= 2) {
    const memory lines(2 * sizeof(shared_line), sharing::shared_memory);
    const auto line = lines.as<shared_line>(2);
    const place where{lamella, sharing::shared_memory};
    run_team(lamella, spread_cpus(2), [&](member& self) {
      measure_round_trip(self, where, set, line[0], line[1], "round_trip_two_lines", out);
    });
    run_team(lamella, spread_cpus(2), [&](member& self) {
      measure_round_trip(self, where, set, line[0], line[0], "round_trip_one_line", out);
    });
    const memory rings(2 * sizeof(stream_ring),
                       lamella == "local" ? sharing::private_memory : sharing::shared_memory);
    const auto ring = rings.as<stream_ring>(2);
    run_team(lamella, spread_cpus(2),
             [&](member& self) { measure_stream(self, where, set, ring[0], ring[1], out); });
  } else {
    out.state("skipped",
              "round trips and streams: they need two cpus, this process may use one");
  }

  std::vector<place> places{{lamella, sharing::private_memory}};
  if (lamella == "shmem") places.push_back({lamella, sharing::shared_memory});
  for (const place& where : places) {
    for (const std::uint64_t words : set.tables) {
      run_team(lamella, cpus,
               [&](member& self) { measure_access(self, where, set, words, out); });
    }
    for (const std::uint64_t bytes : set.copies) {
      for (const bool all_at_once : {false, true}) {
        run_team(lamella, cpus, [&](member& self) {
          measure_copy(self, where, set, bytes, all_at_once, out);
        });
      }
    }
  }
}

constexpr const char* problem =
    "Measure what this machine can do without any runtime: handing a cache line from core to\n"
    "core and back, streaming words between two cores, updating and reading random words of a\n"
    "table, copying memory. Participants are pinned, one to a cpu; each has its own part of "
    "the\n"
    "table, and all work at once. For the lamella `local` they are threads of one process, "
    "for\n"
    "`shmem` processes, with tables in private and in shared memory.";
constexpr const char* metric =
    "round trips, words, updates, elements or bytes per second, all participants\n"
    "together. Random access takes the best of the prefetch distances 0, 8, 16, 32 and 64.\n"
    "The other benchmarks print fractions of these.";

void require_sensible(const settings& set) {
  for (const std::uint64_t words : set.tables) {
    if (words < set.pes) {
      throw std::invalid_argument(fmt::format(
          "--table {}: each of the {} participants needs a word of its own", words, set.pes));
    }
  }
  const bool empty_copy = std::count(set.copies.begin(), set.copies.end(), 0U) != 0;
  if (empty_copy) throw std::invalid_argument("--copy: a size of 0 bytes measures nothing");
  if (set.updates < 2) throw std::invalid_argument("--updates: choose 2 or more");
  if (set.round_trips < 2) throw std::invalid_argument("--round-trips: choose 2 or more");
}

int main(int argc, char** argv) {
  settings set;
  command_line command("limits", problem, metric);
  allow_powers(*command.parser()
                    .add_option("--table", set.tables,
                                "Table sizes in 64-bit words, all participants together")
                    ->delimiter(',')
                    ->capture_default_str());
  command.add_size("--updates", set.updates,
                   "Random accesses of each participant in a repetition");
  allow_powers(*command.parser()
                    .add_option("--copy", set.copies, "Sizes of the copies in bytes")
                    ->delimiter(',')
                    ->capture_default_str());
  command.add_size("--copied", set.copied_bytes,
                   "Bytes that each participant copies in a repetition");
  command.add_size("--round-trips", set.round_trips, "Round trips in a repetition");
  command.add_size("--streamed", set.streamed,
                   "64-bit words streamed each way in a repetition");
  command.parser()
      .add_option("--pes", set.pes, "Participants; by default one for each usable cpu")
      ->capture_default_str()
      ->check(CLI::Range(1U, 1024U));
  command.parser()
      .add_option("--lamella", set.lamella, "local, shmem or both")
      ->capture_default_str()
      ->check(CLI::IsMember({"local", "shmem", "both"}));
  if (!command.parse(argc, argv)) return command.exit_code();
  set.common = command.common();

  try {
    require_sensible(set);
    report out("limits", set.common);
    for (const std::string lamella : {"local", "shmem"}) {
      if (set.lamella == "both" || set.lamella == lamella) measure_lamella(lamella, set, out);
    }
    return out.finish();
  } catch (const std::exception& e) {
    fmt::print(stderr, "limits: {}\n", e.what());
    return 1;
  }
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
