// SPDX-License-Identifier: BSD-3-Clause
//
// map_insert_find: what does it cost to put keys into a distributed hash map, and to find them?
// The limit is one thread with the best local table of Debian, boost::unordered_flat_map, that
// does all of it alone; it is not reserved, as the map is not.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <lamellar/containers/unordered_map.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/when_all.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/job.hpp"
#include "support/local_table.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t keys = 1'000'000;  // of each PE
  std::uint64_t batch = 1 << 16;
  std::uint64_t coroutines = 1000;
  std::vector<std::string> types{"u64", "string20"};
  std::vector<std::string> forms{"batch", "loop", "coroutine", "latency"};
};

bool has(const std::vector<std::string>& list, const char* what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

// ---- keys: distinct, in no order, known from their numbers ----

std::uint64_t scrambled(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}
template <class K>
K key_of(std::uint64_t number) {
  if constexpr (std::same_as<K, std::uint64_t>) {
    return scrambled(number + 1);
  } else {
    return fmt::format("{:020}", scrambled(number + 1));
  }
}
std::uint64_t value_of(std::uint64_t number) { return number * 3 + 1; }

template <class K>
class measurement {
  using map_type = unordered_map<K, std::uint64_t>;

 public:
  measurement(world& w, const settings& set, const char* type)
      : world_{w}, set_{set}, type_{type} {
    const std::uint64_t first = set.keys * w.me().index();
    for (std::uint64_t k = 0; k < set.keys; ++k) {
      keys_.push_back(key_of<K>(first + k));
      values_.push_back(value_of(first + k));
    }
    // Found are others than were put in here: those of the next PE.
    const std::uint64_t next = set.keys * ((w.me().index() + 1) % w.size());
    for (std::uint64_t k = 0; k < set.keys; ++k) {
      // Another order than that in which they were put in.
      const std::uint64_t number = next + (k * 999'983) % set.keys;
      wanted_.push_back(key_of<K>(number));
      wanted_sum_ += value_of(number);
    }
  }

  void run(report* out) {
    std::vector<double> batch_in, batch_find, loop_in, coroutine_find, alone_in, alone_find;
    std::vector<double> latency, alone_latency;
    for (unsigned k = 0; k <= set_.common.repetitions; ++k) {
      const bool counts = k != 0;
      const auto keep = [counts](std::vector<double>& to, double seconds) {
        if (counts) to.push_back(seconds);
      };
      if (has(set_.forms, "batch") || has(set_.forms, "coroutine")) {
        const map_type map = map_type::create(world_).get();
        keep(batch_in, seconds_of([&] { insert_in_batches(map); }));
        check_size(map);
        keep(batch_find, seconds_of([&] { find_in_batches(map); }));
        if (has(set_.forms, "coroutine")) {
          keep(coroutine_find, seconds_of([&] { find_in_coroutines(map); }));
        }
        bytes_per_entry_ = statistics_of_bytes(map);
      }
      if (has(set_.forms, "loop")) {
        const map_type map = map_type::create(world_).get();
        keep(loop_in, seconds_of([&] { insert_in_loop(map); }));
        check_size(map);
      }
      if (has(set_.forms, "latency")) {
        const map_type map = map_type::create(world_).get();
        keep(latency, worst_insert(map));
      }
      world_.quiesce().get();
      const auto [in, find, worst] = alone();
      keep(alone_in, in);
      keep(alone_find, find);
      keep(alone_latency, worst);
    }
    right_ = on_all(world_, right_);
    const double all = static_cast<double>(set_.keys) * world_.size();
    const auto one_thread = [&](const std::vector<double>& seconds) {
      return all / summarise(slowest(world_, seconds)).median;
    };
    const double in_limit = one_thread(alone_in);
    const double find_limit = one_thread(alone_find);
    const double latency_limit = 1 / summarise(slowest(world_, alone_latency)).median;
    add(out, "batch", "insert/batch", batch_in, all, "inserts/s", {local_table_name, in_limit});
    add(out, "loop", "insert/loop", loop_in, all, "inserts/s", {local_table_name, in_limit});
    add(out, "batch", "find/batch", batch_find, all, "finds/s", {local_table_name, find_limit});
    add(out, "coroutine", "find/coroutine", coroutine_find, all, "finds/s",
        {"batch_find", batch_find.empty() ? 1 : one_thread(batch_find)});
    add(out, "latency", "insert/worst_latency", latency, 1, "inserts/s",
        {fmt::format("{}_worst_latency", local_table_name), latency_limit});
  }

 private:
  // ---- the kernels, as a user writes them ----

  void insert_in_batches(const map_type& map) {
    for (std::size_t first = 0; first < keys_.size(); first += set_.batch) {
      const std::size_t n = std::min<std::size_t>(set_.batch, keys_.size() - first);
      map.insert(std::span<const K>{keys_.data() + first, n},
                 std::span<const std::uint64_t>{values_.data() + first, n});
    }
    if (set_.common.sabotage && world_.me() == pe(0)) {
      map.insert_or_assign(keys_[0], 4711);
      world_.wait_all();
    }
  }
  void insert_in_loop(const map_type& map) {
    for (std::size_t k = 0; k < keys_.size(); ++k) map.insert(keys_[k], values_[k]);
    if (set_.common.sabotage && world_.me() == pe(0)) map.erase(keys_[0]);
  }
  void find_in_batches(const map_type& map) {
    std::uint64_t sum = 0;
    for (std::size_t first = 0; first < wanted_.size(); first += set_.batch) {
      const std::size_t n = std::min<std::size_t>(set_.batch, wanted_.size() - first);
      for (const auto& value : map.find_many({wanted_.data() + first, n}).get()) {
        sum += value.value_or(0);
      }
    }
    right_ = right_ && sum == wanted_sum_;
  }
  void find_in_coroutines(const map_type& map) {
    std::vector<task<std::uint64_t>> all;
    for (std::uint64_t c = 0; c < set_.coroutines; ++c) all.push_back(find_share(map, c));
    std::uint64_t sum = 0;
    for (const std::uint64_t each : when_all(std::move(all)).get()) sum += each;
    right_ = right_ && sum == wanted_sum_;
  }
  task<std::uint64_t> find_share(map_type map, std::uint64_t share) {
    std::uint64_t sum = 0;
    for (std::uint64_t k = share; k < wanted_.size(); k += set_.coroutines) {
      const std::optional<std::uint64_t> value = co_await map.find(wanted_[k]);
      sum += value.value_or(0);
    }
    co_return sum;
  }
  /// PE 0 waits for each insert; the map grows meanwhile.
  double worst_insert(const map_type& map) {
    double worst = 0;
    world_.barrier().get();
    if (world_.me() == pe(0)) {
      for (std::size_t k = 0; k < keys_.size(); ++k) {
        const stopwatch watch;
        right_ = map.try_emplace(keys_[k], values_[k]).get() && right_;
        worst = std::max(worst, watch.seconds());
      }
      if (set_.common.sabotage) map.erase(keys_[0]);
    }
    world_.quiesce().get();
    const std::uint64_t size = all_reduce(world_, std::uint64_t{map.local_size()}).get();
    right_ = right_ && size == set_.keys;
    return std::max(worst, 1e-9);
  }

  // ---- the same by one thread ----

  struct seconds_alone {
    double in = 1e-9;
    double find = 1e-9;
    double worst = 1e-9;
  };
  seconds_alone alone() {
    seconds_alone result;
    // The keys of all PEs, made beforehand on the one that measures.
    if (world_.me() == pe(0)) {
      std::vector<K> all;
      for (std::uint64_t k = 0; k < set_.keys * world_.size(); ++k) all.push_back(key_of<K>(k));
      {
        local_table<K> table;
        const stopwatch inserting;
        for (std::uint64_t k = 0; k < all.size(); ++k) table.emplace(all[k], value_of(k));
        result.in = inserting.seconds();
        std::vector<K> wanted;
        for (std::uint64_t k = 0; k < all.size(); ++k) {
          wanted.push_back(key_of<K>((k * 999'983) % all.size()));
        }
        std::uint64_t sum = 0;
        const stopwatch finding;
        for (const K& key : wanted) sum += table.find(key)->second;
        result.find = finding.seconds();
        right_ = right_ && sum != 0;
      }
      if (has(set_.forms, "latency")) {
        local_table<K> table;
        for (std::uint64_t k = 0; k < set_.keys; ++k) {
          const stopwatch watch;
          table.emplace(all[k], value_of(k));
          result.worst = std::max(result.worst, watch.seconds());
        }
      }
    }
    world_.barrier().get();
    return result;
  }

  // ---- ----

  template <class Work>
  double seconds_of(const Work& work) {
    world_.barrier().get();
    const stopwatch watch;
    work();
    world_.quiesce().get();
    return watch.seconds();
  }
  void check_size(const map_type& map) {
    const std::uint64_t all = all_reduce(world_, std::uint64_t{map.local_size()}).get();
    right_ = right_ && all == set_.keys * world_.size();
  }
  double statistics_of_bytes(const map_type& map) {
    const auto bytes = all_reduce(world_, std::uint64_t{map.local_bytes()}).get();
    return static_cast<double>(bytes) / static_cast<double>(set_.keys * world_.size());
  }
  void add(report* out, const char* form, const char* name, const std::vector<double>& mine,
           double operations, const char* unit, limit bound) {
    if (mine.empty() || !has(set_.forms, form)) return;
    const std::vector<double> seconds = slowest(world_, mine);
    if (out == nullptr) return;
    result r =
        job_result(world_, fmt::format("map_insert_find/{}/{}", type_, name), set_.common);
    r.operations = operations;
    r.seconds = summarise(seconds);
    r.unit = unit;
    r.verified = right_;
    r.bound = std::move(bound);
    r.parameters = {{"keys_per_pe", static_cast<std::int64_t>(set_.keys)},
                    {"bytes_per_entry", bytes_per_entry_}};
    if (std::string_view{form} == "batch") {
      r.parameters.emplace_back("batch", static_cast<std::int64_t>(set_.batch));
    }
    if (std::string_view{form} == "coroutine") {
      r.parameters.emplace_back("coroutines", static_cast<std::int64_t>(set_.coroutines));
    }
    out->add(std::move(r));
  }

  world& world_;
  const settings& set_;
  const char* type_;
  std::vector<K> keys_;
  std::vector<std::uint64_t> values_;
  std::vector<K> wanted_;
  std::uint64_t wanted_sum_ = 0;
  double bytes_per_entry_ = 0;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  if (has(set.types, "u64")) measurement<std::uint64_t>{w, set, "u64"}.run(out);
  if (has(set.types, "string20")) measurement<std::string>{w, set, "string20"}.run(out);
}

constexpr const char* problem =
    "Put distinct keys into an empty distributed hash map, then find those that another PE "
    "has\n"
    "put in. Row `insert/batch` hands keys and values over in batches, `insert/loop` is a "
    "plain\n"
    "loop of map.insert(key, value), `find/batch` is map.find_many(keys), `find/coroutine` "
    "many\n"
    "coroutines each of which awaits map.find(key) in a loop. Row `insert/worst_latency`: PE "
    "0\n"
    "awaits one insert after the other while the map grows; the longest of them.";
constexpr const char* metric =
    "operations per second, all PEs together, to the end of quiesce, which is inside. The "
    "limit\n"
    "of inserts and batch finds is one thread that does all of them with a\n"
    "boost::unordered_flat_map, not reserved (std::unordered_map, where Boost is older than "
    "1.81);\n"
    "that of coroutines is the batch find; that of the worst latency is the worst single "
    "insert\n"
    "of that table.";

int main(int argc, char** argv) {
  settings set;
  command_line command("map_insert_find", problem, metric);
  command.add_size("--keys", set.keys, "keys of each PE");
  command.add_size("--batch", set.batch, "keys that are put in at a time");
  command.add_size("--coroutines", set.coroutines, "concurrent coroutines of each PE");
  command.parser()
      .add_option("--type", set.types, "types of keys")
      ->delimiter(',')
      ->check(CLI::IsMember({"u64", "string20"}))
      ->capture_default_str();
  command.parser()
      .add_option("--form", set.forms, "forms")
      ->delimiter(',')
      ->check(CLI::IsMember({"batch", "loop", "coroutine", "latency"}))
      ->capture_default_str();
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
