// SPDX-License-Identifier: BSD-3-Clause
//
// histogram: what do random increments of a distributed array cost? Each PE has a list of
// random places of the whole array and adds 1 to each. What bounds it is the same number of
// atomic increments with no array: every PE in its own part of the same memory, with the best
// of several prefetch distances.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <string>
#include <vector>

#include "support/index_list.hpp"
#include "support/job.hpp"
#include "support/limits.hpp"
#include "support/own_part.hpp"
#include "support/pages.hpp"
#include "support/random_access.hpp"
#include "support/report.hpp"

namespace lamellar::benchmark {
namespace {

using places = std::span<const std::uint64_t>;

// --- the kernel, as a user writes it ---

template <class Array>
void count_in_loop(const Array& counts, places list) {
  for (const std::uint64_t place : list) counts.add(place, 1);
}

template <class Array>
void count_in_batches(const Array& counts, places list) {
  counts.add(list, 1);
}

// --- timing ---

// A thread that is not the main one lets handlers run between batches.
template <class Count>
task<> count_share(world& w, places share, std::uint64_t batch, const Count& count) {
  while (!share.empty()) {
    const std::size_t now = std::min<std::size_t>(batch, share.size());
    count(share.first(now));
    share = share.subspan(now);
    co_await w.yield();
  }
}

template <class Count>
double seconds_of(world& w, places list, std::uint64_t batch, const Count& count) {
  w.barrier().get();
  const stopwatch watch;
  std::vector<spawned<>> others;
  for (unsigned thread = 1; thread < w.threads(); ++thread) {
    others.push_back(
        w.spawn(count_share(w, share_of(list, thread, w.threads()), batch, count)));
  }
  places mine = share_of(list, 0, w.threads());
  while (!mine.empty()) {
    const std::size_t now = std::min<std::size_t>(batch, mine.size());
    count(mine.first(now));
    mine = mine.subspan(now);
  }
  for (spawned<>& other : others) other.get();
  w.quiesce().get();
  return watch.seconds();
}

// --- checking ---

std::uint64_t weight_of(std::uint64_t place) { return place * 0x9e3779b97f4a7c15U; }

struct sums {
  std::uint64_t count = 0;
  std::uint64_t weight = 0;
};
struct both {
  sums operator()(const sums& a, const sums& b) const {
    return {a.count + b.count, a.weight + b.weight};
  }
};

// Of everything that has been counted since the array was made.
template <class Array>
sums counted_in(world& w, const Array& counts) {
  sums mine;
  for (std::size_t k = 0; k < counts.local_size(); ++k) {
    const std::uint64_t here = counts.part()->own()[k];
    mine.count += here;
    mine.weight += here * weight_of(counts.global_index(k));
  }
  return all_reduce(w, mine, both{}).get();
}

sums wanted_from(world& w, places list, std::uint64_t passes) {
  sums mine{passes * list.size(), 0};
  for (const std::uint64_t place : list) mine.weight += passes * weight_of(place);
  return all_reduce(w, mine, both{}).get();
}

// --- a table of one size, with one input ---

struct row {
  std::string name;
  bool batch = false;
  std::vector<double> samples = {};
};

template <class Access, class Layout>
void measure(world& w, const random_access& set, std::uint64_t words, const std::string& input,
             report* out) {
  const auto counts = array<std::uint64_t, Layout, Access>::create(w, words).get();
  const std::uint64_t per_pe = set.operations / w.size();
  const memory list_memory(per_pe * sizeof(std::uint64_t), sharing::private_memory);
  const auto list = list_memory.as<std::uint64_t>(per_pe);
  fill_list(list, words, input, set.zipf, 1 + w.me().index());
  // The limit works on the same words and leaves them as they were afterwards: it counts too.
  own_part limit(w, benchmark::access::atomic_update, counts.part()->own(), list);

  // Nothing keeps updates of unsafe elements apart: those of several threads may be lost.
  const bool may_lose =
      std::same_as<Access, lamellar::access::unsafe> && w.size() * w.threads() > 1;
  const bool loses = set.common.sabotage && w.me() == pe(0);
  const places worked =
      places(list).first(list.size() - (loses ? may_lose ? list.size() / 4 : 1 : 0));
  std::vector<row> rows;
  rows.push_back({"loop"});
  rows.push_back({"batch", true});
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) {
      r.samples.push_back(r.batch
                              ? seconds_of(w, worked, set.batch,
                                           [&](places now) { count_in_batches(counts, now); })
                              : seconds_of(w, worked, set.batch,
                                           [&](places now) { count_in_loop(counts, now); }));
    }
    limit.repetition();
    if (k != 0) continue;
    for (row& r : rows) r.samples.clear();
    limit.forget();
  }
  const auto agreed = [&w](const std::vector<double>& seconds) { return slowest(w, seconds); };
  for (row& r : rows) r.samples = agreed(r.samples);
  limit.agree(agreed);

  sums bare;
  limit.for_each_access([&](std::size_t offset) {
    ++bare.count;
    bare.weight += weight_of(counts.global_index(offset));
  });
  bare.count *= limit.loop().passes();
  bare.weight *= limit.loop().passes();
  const sums all_bare = all_reduce(w, bare, both{}).get();
  const sums found = counted_in(w, counts);
  const sums wanted = wanted_from(w, list, rows.size() * (set.common.repetitions + 1));
  const std::uint64_t all_wanted = wanted.count + all_bare.count;
  const bool right =
      may_lose ? found.count <= all_wanted &&
                     (input != "uniform" || found.count >= all_wanted / 100 * 99)
               : found.count == all_wanted && found.weight == wanted.weight + all_bare.weight;
  if (out == nullptr) return;
  const std::string pages =
      page_kind(counts.part()->own().data(), counts.part()->own().size_bytes());
  for (const row& each : rows) {
    result r = job_result(w, fmt::format("histogram/{}/{}/{}", Access::name, input, each.name),
                          set.common);
    r.operations = static_cast<double>(per_pe) * w.size();
    r.seconds = summarise(each.samples);
    r.unit = "updates/s";
    r.verified = right;
    r.bound = {"atomic_update_own_part", r.operations / limit.loop().seconds().median};
    r.parameters = {{"table_words", static_cast<std::int64_t>(words)},
                    {"layout", std::string(Layout::name)},
                    {"pages", pages},
                    {"updates_per_pe", static_cast<std::int64_t>(per_pe)},
                    {"in_place", counts.part()->all_reached()},
                    {"bale_gigabytes_per_second", 8e-9 * r.rate()},
                    {"limit_prefetch", static_cast<std::int64_t>(limit.loop().distance())}};
    if (input == "zipf") r.parameters.emplace_back("zipf", set.zipf);
    if (may_lose) {
      r.parameters.emplace_back("lost", static_cast<std::int64_t>(all_wanted - found.count));
    }
    if (each.batch) {
      r.parameters.emplace_back("batch_places", static_cast<std::int64_t>(set.batch));
    }
    out->add(std::move(r));
  }
}

template <class Access>
void measure_layout(world& w, const random_access& set, std::uint64_t words,
                    const std::string& input, report* out) {
  if (set.layout == "cyclic") {
    measure<Access, layout::cyclic>(w, set, words, input, out);
  } else if (set.layout == "block_cyclic") {
    measure<Access, layout::block_cyclic>(w, set, words, input, out);
  } else {
    measure<Access, layout::block>(w, set, words, input, out);
  }
}

void measure_access(world& w, const random_access& set, std::uint64_t words,
                    const std::string& input, const std::string& kind, report* out) {
  if (kind == "atomic") measure_layout<lamellar::access::atomic>(w, set, words, input, out);
  if (kind == "unsafe") measure_layout<lamellar::access::unsafe>(w, set, words, input, out);
  if (kind == "local_lock") {
    measure_layout<lamellar::access::local_lock>(w, set, words, input, out);
  }
  if (kind == "global_lock") {
    measure_layout<lamellar::access::global_lock>(w, set, words, input, out);
  }
}

constexpr const char* problem =
    "Add 1 at random places of an array that lies on all PEs. Each PE has a list of places of\n"
    "the whole array. Row `loop` is a plain loop of counts.add(place, 1); row `batch` hands "
    "the\n"
    "list over in batches, counts.add(places, 1). With LAMELLAR_MAPPED=0 everything is done by "
    "the\n"
    "owners, through messages. --parameters bale: 10000 words and 5000000 updates a PE;\n"
    "--parameters lamellar: 100000000 words a PE, cyclic, 1000 updates a PE.\n"
    "With access `unsafe` updates may be lost, of uniform input up to 1 %; the row says how "
    "many.";
constexpr const char* metric =
    "updates per second, all PEs together, from the first place to the end of quiesce, which "
    "is\n"
    "inside, as is finding the owners. The limit is the same number of atomic increments with "
    "no\n"
    "array: each PE in its own part of the same memory, with the best of the prefetch "
    "distances "
    "0,\n"
    "8, 16, 32 and 64, its list being this one modulo the part's size.";

int main(int argc, char** argv) {
  random_access set;
  set.access = {"atomic"};
  command_line command("histogram", problem, metric);
  set.add_to(command, "--updates", {"atomic", "unsafe", "local_lock", "global_lock"});
  return run_benchmark(command, argc, argv, set,
                       [](world& w, const random_access& given, report* out) {
                         const random_access mine = given.for_job(w);
                         for (const std::uint64_t words : mine.tables) {
                           for (const std::string& input : mine.inputs) {
                             for (const std::string& kind : mine.access) {
                               measure_access(w, mine, words, input, kind, out);
                             }
                           }
                         }
                       });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
