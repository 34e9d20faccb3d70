// SPDX-License-Identifier: BSD-3-Clause
//
// am_histogram: what do random increments of a distributed table cost, if each is a message?
// The table lies in blocks on the PEs; each PE has a list of random indices of the whole table.
// What bounds it is the same number of increments with no messages: every PE updates its own
// part, with the best of several prefetch distances.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/block_layout.hpp"
#include "support/job.hpp"
#include "support/limits.hpp"
#include "support/options.hpp"
#include "support/own_part.hpp"
#include "support/pages.hpp"
#include "support/report.hpp"

namespace lamellar::benchmark {
namespace {

constexpr unsigned handler_distance = 16;  // items that the handler fetches ahead

struct settings {
  options common;
  std::vector<std::uint64_t> tables{1U << 24, 1U << 27};  // words, over all PEs
  std::uint64_t updates = 1U << 24;                       // in a repetition, over all PEs
  std::uint64_t batch = 1U << 14;                         // items
  std::string mode = "both";
};

// --- the distributed table ---

// One PE's block. With several threads its handlers overlap, and count with atomic
// instructions.
template <bool Concurrent>
struct block {
  static constexpr bool concurrent_handlers = Concurrent;

  explicit block(std::uint64_t count)
      : memory_of_words(count * sizeof(std::uint64_t), sharing::private_memory),
        words(memory_of_words.as<std::uint64_t>(count)) {}

  memory memory_of_words;
  std::span<std::uint64_t> words;
};

template <bool Concurrent>
struct increment {
  static const void* address(const block<Concurrent>& part, std::uint32_t offset) {
    return part.words.data() + offset;
  }
  void operator()(block<Concurrent>& part, std::span<const std::uint32_t> offsets) const {
    if constexpr (Concurrent) {
      atomic_update_loop(part.words, offsets, handler_distance);
    } else {
      update_loop(part.words, offsets, handler_distance);
    }
  }
};

// --- the two ways to send ---

using indices = std::span<const std::uint64_t>;

template <bool Concurrent, class Locate>
void send_in_loop(const darc<block<Concurrent>>& table, Locate locate, indices list) {
  for (const std::uint64_t index : list) {
    const place_of_word at = locate(index);
    table.send(pe(at.owner), increment<Concurrent>{}, at.offset);
  }
}

template <bool Concurrent, class Locate>
void send_batch(const darc<block<Concurrent>>& table, Locate locate, indices list) {
  table.send_each(increment<Concurrent>{}, list, [locate](std::uint64_t index) {
    const place_of_word at = locate(index);
    return routed<std::uint32_t>{at.owner, at.offset};
  });
}

// The share of a thread that is not the main one: it lets handlers run between batches.
template <class Send>
task<> send_share(world& w, indices share, std::uint64_t batch, const Send& send) {
  for (; !share.empty(); share = share.subspan(std::min<std::size_t>(batch, share.size()))) {
    send(share.first(std::min<std::size_t>(batch, share.size())));
    co_await w.yield();
  }
}

// Increment at every index of the list, from all threads of this PE, and wait for all PEs.
template <class Send>
double update_seconds(world& w, indices list, std::uint64_t main_batch, std::uint64_t batch,
                      const Send& send) {
  w.barrier().get();
  const stopwatch watch;
  std::vector<spawned<>> others;
  for (unsigned thread = 1; thread < w.threads(); ++thread) {
    others.push_back(w.spawn(send_share(w, share_of(list, thread, w.threads()), batch, send)));
  }
  indices mine = share_of(list, 0, w.threads());
  while (!mine.empty()) {
    const std::size_t now = std::min<std::size_t>(main_batch, mine.size());
    send(mine.first(now));
    mine = mine.subspan(now);
  }
  for (spawned<>& other : others) other.get();
  w.quiesce().get();
  return watch.seconds();
}

// --- checking ---

// What a pass over all lists does to one PE's block.
struct expected {
  std::uint64_t count = 0;
  std::uint64_t weight = 0;  // sum of weight_of() over the increments
};

std::uint64_t weight_of(std::uint64_t index) { return index * 0x9e3779b97f4a7c15U; }

struct expect {
  void operator()(expected& here, std::uint64_t count, std::uint64_t weight) const {
    here.count += count;
    here.weight += weight;
  }
};

// Owners by search, to be independent of the way that is measured.
expected expected_here(world& w, const block_layout& layout, indices list) {
  std::vector<std::uint64_t> ends;
  for (std::uint32_t k = 0; k < w.size(); ++k) ends.push_back(layout.first(k) + layout.size(k));
  std::vector<expected> of(w.size());
  for (const std::uint64_t index : list) {
    const auto owner = std::upper_bound(ends.begin(), ends.end(), index) - ends.begin();
    expected& there = of[static_cast<std::size_t>(owner)];
    ++there.count;
    there.weight += weight_of(index);
  }
  const darc<expected> sums = darc<expected>::create(w).get();
  for (std::uint32_t k = 0; k < w.size(); ++k) {
    sums.send(w.at(k), expect{}, of[k].count, of[k].weight);
  }
  w.quiesce().get();
  return *sums;
}

// --- a table of one size ---

struct row {
  std::string name;
  samples seconds = {};
};

template <bool Concurrent, class Locate>
void measure(world& w, const settings& set, const block_layout& layout, Locate locate,
             report* out) {
  const std::uint32_t me = w.me().index();
  const auto table = darc<block<Concurrent>>::create(w, layout.size(me)).get();
  const std::uint64_t table_words = layout.first(w.size() - 1) + layout.size(w.size() - 1);
  const std::uint64_t own_updates_count = set.updates / w.size();
  const memory list_memory(own_updates_count * sizeof(std::uint64_t), sharing::private_memory);
  const auto list = list_memory.as<std::uint64_t>(own_updates_count);
  std::mt19937_64 random(me + 1);
  std::uniform_int_distribution<std::uint64_t> any_word(0, table_words - 1);
  std::generate(list.begin(), list.end(), [&] { return any_word(random); });
  const expected messages = expected_here(w, layout, list);
  own_part limit(w, access::update, table->words, list);

  const bool lose_one = set.common.sabotage && me == 0;
  const indices worked = indices(list).first(list.size() - (lose_one ? 1 : 0));
  std::vector<row> rows;
  if (set.mode != "batch") rows.push_back({"loop"});
  if (set.mode != "loop") rows.push_back({"batch"});
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) {
      r.seconds.add(r.name == "loop"
                        ? update_seconds(w, worked, worked.size(), set.batch,
                                         [&](indices now) { send_in_loop(table, locate, now); })
                        : update_seconds(w, worked, set.batch, set.batch,
                                         [&](indices now) { send_batch(table, locate, now); }));
    }
    limit.repetition();
    if (k == 0) limit.forget();
  }

  limit.agree([&w](const std::vector<double>& seconds) { return slowest(w, seconds); });

  const std::uint64_t passes = rows.size() * (set.common.repetitions + 1);
  expected bare;  // what a pass of the limit does here
  limit.for_each_access([&](std::size_t k) {
    ++bare.count;
    bare.weight += weight_of(layout.first(me) + k);
  });
  expected found;
  for (std::size_t k = 0; k < table->words.size(); ++k) {
    found.count += table->words[k];
    found.weight += table->words[k] * weight_of(layout.first(me) + k);
  }
  const std::uint64_t bare_passes = limit.loop().passes();
  const bool right =
      on_all(w, found.count == passes * messages.count + bare_passes * bare.count &&
                    found.weight == passes * messages.weight + bare_passes * bare.weight);
  const std::string pages = page_kind(table->words.data(), table->words.size_bytes());
  for (const row& each : rows) {
    const std::vector<double> seconds = slowest(w, each.seconds.counted());
    if (out == nullptr) continue;
    result r = job_result(w, "am_histogram/" + each.name, set.common);
    r.operations = static_cast<double>(own_updates_count) * w.size();
    r.seconds = summarise(seconds);
    r.unit = "updates/s";
    r.verified = right;
    r.bound = {"update_own_part", r.operations / limit.loop().seconds().median};
    r.parameters = {{"table_words", static_cast<std::int64_t>(table_words)},
                    {"pages", pages},
                    {"updates_per_pe", static_cast<std::int64_t>(own_updates_count)},
                    {"owner", std::string(layout.is_shift() ? "shift" : "multiplication")},
                    {"offset_bytes", std::int64_t{4}},
                    {"prefetch", std::int64_t{handler_distance}},
                    {"limit_prefetch", static_cast<std::int64_t>(limit.loop().distance())}};
    if (each.name == "batch") {
      r.parameters.emplace_back("batch_items", static_cast<std::int64_t>(set.batch));
    }
    out->add(std::move(r));
  }
}

template <bool Concurrent>
void measure_table(world& w, const settings& set, std::uint64_t words, report* out) {
  const block_layout layout(words, w.size());
  if (layout.is_shift()) {
    measure<Concurrent>(w, set, layout, layout.shifted(), out);
  } else {
    measure<Concurrent>(w, set, layout, layout.multiplied(), out);
  }
}

void require_sensible(const world& w, const settings& set) {
  const std::uint64_t pes = w.size();
  for (const std::uint64_t words : set.tables) {
    if (words < pes * pes || words < pes * w.threads() || words / pes >= 0xffffffffU) {
      throw std::invalid_argument(
          fmt::format("--table {}: {} PEs need {} words or more, and less than 2^32 each",
                      words, pes, std::max(pes * pes, pes * w.threads())));
    }
  }
  if (set.updates / pes < w.threads()) {
    throw std::invalid_argument(
        fmt::format("--updates {}: choose {} or more", set.updates, pes * w.threads()));
  }
}

void measure_tables(world& w, const settings& set, report* out) {
  require_sensible(w, set);
  for (const std::uint64_t words : set.tables) {
    if (w.threads() > 1) {
      measure_table<true>(w, set, words, out);
    } else {
      measure_table<false>(w, set, words, out);
    }
  }
}

constexpr const char* problem =
    "Add 1 at random places of a table that lies in blocks on all PEs. Each PE has a list of\n"
    "random indices of the whole table, finds the owner of each, and sends it a message with "
    "the\n"
    "offset; a handler of the owner takes them by the run and adds. Mode `loop` is one send "
    "for\n"
    "each index in a plain loop; mode `batch` hands the list over in batches. With more than "
    "one\n"
    "thread (LAMELLAR_THREADS) each sends its share and the handlers add with atomic\n"
    "instructions.";
constexpr const char* metric =
    "updates per second, all PEs together, from the first index to the end of quiesce, which "
    "is\n"
    "inside. The limit is the same number of updates without messages: each PE in its own "
    "part\n"
    "of the same table, with the best of the prefetch distances 0, 8, 16, 32 and 64.";

int main(int argc, char** argv) {
  settings set;
  command_line command("am_histogram", problem, metric);
  allow_powers(*command.parser()
                    .add_option("--table", set.tables, "Sizes of the table in words, all PEs")
                    ->delimiter(',')
                    ->capture_default_str());
  command.add_size("--updates", set.updates, "Updates in a repetition, all PEs together");
  command.add_size("--batch", set.batch, "Indices that are handed over at once in mode batch");
  command.parser()
      .add_option("--mode", set.mode, "loop, batch or both")
      ->capture_default_str()
      ->check(CLI::IsMember({"loop", "batch", "both"}));
  return run_benchmark(command, argc, argv, set, measure_tables);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
