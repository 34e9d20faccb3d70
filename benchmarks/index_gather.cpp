// SPDX-License-Identifier: BSD-3-Clause
//
// index_gather: what does it cost to fetch elements of a distributed array from random places?
// Each PE has a list of places of the whole array and wants the elements in the order of the
// list. What bounds it is the same number of loads with no array: every PE from its own part of
// the same memory, with the best of several prefetch distances.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <lamellar/containers/array.hpp>
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

struct settings : random_access {
  std::vector<std::string> modes{"batch"};
};

using places = std::span<const std::uint64_t>;
using values = std::span<std::uint64_t>;

// --- the kernel, as a user writes it ---

template <class Array>
void gather(const Array& from, places list, values into) {
  from.gather_into(list, into).get();
}

template <class Array>
void gather_in_loop(const Array& from, places list, values into) {
  for (std::size_t k = 0; k < list.size(); ++k) into[k] = from.load(list[k]).get();
}

// --- timing ---

template <class Gather>
void gather_share(places list, values into, std::uint64_t batch, const Gather& get) {
  while (!list.empty()) {
    const std::size_t now = std::min<std::size_t>(batch, list.size());
    get(list.first(now), into.first(now));
    list = list.subspan(now);
    into = into.subspan(now);
  }
}

template <class Gather>
double seconds_of(world& w, places list, values into, std::uint64_t batch, const Gather& get) {
  w.barrier().get();
  const stopwatch watch;
  // One PE's threads share the list; what they ask for may meet in the same messages.
  on_all_threads(w, [&](unsigned thread) {
    gather_share(share_of(list, thread, w.threads()), share_of(into, thread, w.threads()),
                 batch, get);
  });
  w.barrier().get();
  return watch.seconds();
}

// --- an array of one size, with one input ---

std::uint64_t value_at(std::uint64_t place) { return place * 0x9e3779b97f4a7c15U + 1; }

struct row {
  std::string name;
  std::vector<double> samples = {};
};

template <class To, class Layout>
auto with_access(array<std::uint64_t, Layout, lamellar::access::unsafe>&& a) {
  if constexpr (std::same_as<To, lamellar::access::atomic>) {
    return std::move(a).into_atomic().get();
  } else if constexpr (std::same_as<To, lamellar::access::local_lock>) {
    return std::move(a).into_local_lock().get();
  } else if constexpr (std::same_as<To, lamellar::access::global_lock>) {
    return std::move(a).into_global_lock().get();
  } else if constexpr (std::same_as<To, lamellar::access::read_only>) {
    return std::move(a).into_read_only().get();
  } else {
    return std::move(a);
  }
}

template <class Access, class Layout>
void measure(world& w, const settings& set, std::uint64_t words, const std::string& input,
             report* out) {
  auto filled = array<std::uint64_t, Layout, lamellar::access::unsafe>::create(w, words).get();
  for (std::size_t k = 0; k < filled.local_size(); ++k) {
    filled.local()[k] = value_at(filled.global_index(k));
  }
  const std::span<std::uint64_t> own = filled.local();
  const auto table = with_access<Access, Layout>(std::move(filled));

  const std::uint64_t per_pe = set.operations / w.size();
  const memory list_memory(per_pe * sizeof(std::uint64_t), sharing::private_memory);
  const memory value_memory(per_pe * sizeof(std::uint64_t), sharing::private_memory);
  const auto list = list_memory.as<std::uint64_t>(per_pe);
  const auto got = value_memory.as<std::uint64_t>(per_pe);
  fill_list(list, words, input, set.zipf, 1 + w.me().index());
  own_part limit(w, benchmark::access::gather, own, list, got);

  const bool lose_one = set.common.sabotage && w.me() == pe(0);
  const places worked = places(list).first(list.size() - (lose_one ? 1 : 0));
  std::vector<row> rows;
  for (const std::string& mode : set.modes) rows.push_back({mode});
  bool right = true;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) {
      std::fill(got.begin(), got.end(), 0);
      r.samples.push_back(
          r.name == "batch"
              ? seconds_of(w, worked, got, set.batch,
                           [&](places from, values into) { gather(table, from, into); })
              : seconds_of(w, worked, got, set.batch, [&](places from, values into) {
                  gather_in_loop(table, from, into);
                }));
      for (std::size_t j = 0; j < list.size(); ++j)
        right = right && got[j] == value_at(list[j]);
    }
    limit.repetition();
    if (k != 0) continue;
    for (row& r : rows) r.samples.clear();
    limit.forget();
  }
  const auto agreed = [&w](const std::vector<double>& seconds) { return slowest(w, seconds); };
  for (row& r : rows) r.samples = agreed(r.samples);
  limit.agree(agreed);
  right = on_all(w, right);
  if (out == nullptr) return;
  const std::string pages = page_kind(own.data(), own.size_bytes());
  for (const row& each : rows) {
    result r = job_result(
        w, fmt::format("index_gather/{}/{}/{}", Access::name, input, each.name), set.common);
    r.operations = static_cast<double>(per_pe) * w.size();
    r.seconds = summarise(each.samples);
    r.unit = "elements/s";
    r.verified = right;
    r.bound = {"gather_own_part", r.operations / limit.loop().seconds().median};
    r.parameters = {{"table_words", static_cast<std::int64_t>(words)},
                    {"layout", std::string(Layout::name)},
                    {"pages", pages},
                    {"requests_per_pe", static_cast<std::int64_t>(per_pe)},
                    {"in_place", table.part()->all_reached()},
                    {"bale_gigabytes_per_second", 16e-9 * r.rate()},
                    {"limit_prefetch", static_cast<std::int64_t>(limit.loop().distance())}};
    if (input == "zipf") r.parameters.emplace_back("zipf", set.zipf);
    if (each.name == "batch") {
      r.parameters.emplace_back("batch_places", static_cast<std::int64_t>(set.batch));
    }
    out->add(std::move(r));
  }
}

template <class Access>
void measure_layout(world& w, const settings& set, std::uint64_t words,
                    const std::string& input, report* out) {
  if (set.layout == "cyclic") {
    measure<Access, layout::cyclic>(w, set, words, input, out);
  } else if (set.layout == "block_cyclic") {
    measure<Access, layout::block_cyclic>(w, set, words, input, out);
  } else {
    measure<Access, layout::block>(w, set, words, input, out);
  }
}

void measure_access(world& w, const settings& set, std::uint64_t words,
                    const std::string& input, const std::string& kind, report* out) {
  if (kind == "read_only")
    measure_layout<lamellar::access::read_only>(w, set, words, input, out);
  if (kind == "unsafe") measure_layout<lamellar::access::unsafe>(w, set, words, input, out);
  if (kind == "atomic") measure_layout<lamellar::access::atomic>(w, set, words, input, out);
  if (kind == "local_lock") {
    measure_layout<lamellar::access::local_lock>(w, set, words, input, out);
  }
  if (kind == "global_lock") {
    measure_layout<lamellar::access::global_lock>(w, set, words, input, out);
  }
}

constexpr const char* problem =
    "Fetch the elements at random places of an array that lies on all PEs, in the order of a\n"
    "list that each PE has. Mode `batch` hands the list over in batches,\n"
    "table.gather_into(places, values); mode `loop` is one load(place).get() after the other. "
    "With\n"
    "LAMELLAR_MAPPED=0 the owners are asked, through messages. --parameters bale: 10000 words "
    "and\n"
    "5000000 requests a PE.";
constexpr const char* metric =
    "elements per second, all PEs together, finding the owners inside. The limit is the same\n"
    "number of loads with no array: each PE from its own part of the same memory, with the "
    "best "
    "of\n"
    "the prefetch distances 0, 8, 16, 32 and 64, its list being this one modulo the part's "
    "size.";

int main(int argc, char** argv) {
  settings set;
  set.access = {"read_only"};
  command_line command("index_gather", problem, metric);
  set.add_to(command, "--requests",
             {"read_only", "unsafe", "atomic", "local_lock", "global_lock"});
  command.parser()
      .add_option("--mode", set.modes, "batch, loop")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"batch", "loop"}));
  return run_benchmark(command, argc, argv, set,
                       [](world& w, const settings& given, report* out) {
                         const settings mine{given.for_job(w), given.modes};
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
