// SPDX-License-Identifier: BSD-3-Clause
//
// over_network: how much of the network does the library leave to its users? Calls, messages,
// puts, gets and a histogram between PE 0 and the last PE, each beside what libfabric's own
// calls do on the same cores in the same run.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/index_list.hpp"
#include "support/job.hpp"
#include "support/limits.hpp"
#include "support/options.hpp"
#include "support/own_part.hpp"
#include "support/pages.hpp"
#include "support/raw_fabric.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t round_trips = 2000;                 // in a repetition
  std::uint64_t messages = std::uint64_t{1} << 22;  // of 8 bytes, from each of the two PEs
  std::uint64_t volume = std::uint64_t{1} << 26;    // bytes put and got
  std::uint64_t table = std::uint64_t{1} << 24;     // words of the histogram, over all PEs
  std::uint64_t updates = std::uint64_t{1} << 22;   // over all PEs
};

// A row beside its limit: seconds that the library takes, and that the network alone does.
struct row {
  std::string name;
  double operations;
  std::string unit;
  std::function<double()> once;
  std::function<double()> bare;
  samples seconds = {};
  samples limit = {};
};

// --- messages ---

struct successor {
  std::uint64_t operator()(context&, std::uint64_t value) const { return value + 1; }
};

struct tally_of_messages {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
};

struct note {
  void operator()(tally_of_messages& here, std::uint64_t value) const {
    ++here.count;
    here.sum += value;
  }
};

class measurement {
 public:
  measurement(world& w, const settings& set)
      : world_{w},
        set_{set},
        raw_{w},
        last_{pe(w.size() - 1)},
        tallies_{darc<tally_of_messages>::create(w).get()},
        region_{shared_memory_region<std::byte>::create(w, raw_fabric::window << 20).get()},
        memory_(raw_fabric::window << 20),
        counts_{atomic_array<std::uint64_t>::create(w, set.table).get()},
        list_memory_{set.updates / w.size() * sizeof(std::uint64_t), sharing::private_memory},
        list_{list_memory_.as<std::uint64_t>(set.updates / w.size())} {
    fill_list(list_, set.table, "uniform", 1.0, 1 + w.me().index());
    own_ = std::make_unique<own_part>(w, access::atomic_update, counts_.part()->own(), list_);
  }

  std::vector<row> rows() {
    std::vector<row> all;
    all.push_back({"call", static_cast<double>(set_.round_trips), "round trips/s",
                   [this] { return calls(); },
                   [this] { return raw_.round_trips(64, set_.round_trips); }});
    // A message of 16 KiB holds as many words as fit; the network cannot carry more.
    const std::uint64_t buffers = set_.messages * 8 / raw_fabric::longest_message;
    all.push_back(
        {"send_both_ways", 2.0 * static_cast<double>(set_.messages), "messages/s",
         [this] { return sends(); },
         [this, buffers] { return raw_.stream(raw_fabric::longest_message, buffers, true); }});
    for (const std::uint64_t bytes : {std::uint64_t{1} << 16, std::uint64_t{1} << 20}) {
      const std::uint64_t count = std::max<std::uint64_t>(2, set_.volume / bytes);
      const auto volume = static_cast<double>(count * bytes);
      const std::string size = std::to_string(bytes);
      all.push_back({"put_" + size, volume, "bytes/s",
                     [=, this] { return transfers(bytes, count, &measurement::put); },
                     [=, this] { return raw_.puts(bytes, count); }});
      all.push_back({"put_from_" + size, volume, "bytes/s",
                     [=, this] { return transfers(bytes, count, &measurement::put_from); },
                     [=, this] { return raw_.puts(bytes, count); }});
      all.push_back({"get_" + size, volume, "bytes/s",
                     [=, this] { return transfers(bytes, count, &measurement::get); },
                     [=, this] { return raw_.gets(bytes, count); }});
    }
    all.push_back({"histogram", static_cast<double>(list_.size() * world_.size()), "updates/s",
                   [this] { return histogram(); }, [this] { return histogram_limit(); }});
    return all;
  }

  bool right() const { return right_ && raw_.right(); }
  void forget() { own_->forget(); }
  /// Of the histogram's words, all of them local, with the best prefetch distance. Collective.
  double local_seconds() {
    own_->agree([this](const std::vector<double>& mine) { return slowest(world_, mine); });
    return own_->loop().seconds().median;
  }

 private:
  bool is_first() const { return world_.me() == pe(0); }
  bool is_of_the_two() const { return is_first() || world_.me() == last_; }

  // All wait before and after; the others serve.
  template <class F>
  double timed(F work) {
    world_.barrier().get();
    const stopwatch watch;
    work();
    world_.quiesce().get();
    return watch.seconds();
  }

  double calls() {
    world_.barrier().get();
    const stopwatch watch;
    if (is_first()) {
      const std::uint64_t lost = set_.common.sabotage ? 1 : 0;
      std::uint64_t value = 0;
      for (std::uint64_t k = lost; k < set_.round_trips; ++k) {
        value = world_.call(last_, successor{}, value).get();
      }
      right_ = right_ && value == set_.round_trips;
    }
    const double seconds = watch.seconds();
    world_.barrier().get();
    return seconds;
  }

  double sends() {
    const std::uint64_t lost = set_.common.sabotage && is_first() ? 1 : 0;
    const double seconds = timed([&] {
      if (!is_of_the_two()) return;
      const pe to = is_first() ? last_ : pe(0);
      for (std::uint64_t k = lost; k < set_.messages; ++k) tallies_.send(to, note{}, k);
    });
    sent_ += set_.messages;
    if (is_of_the_two()) right_ = right_ && tallies_->count == sent_;
    return seconds;
  }

  using transfer_kind = completion<> (measurement::*)(std::uint64_t, std::uint64_t);
  std::span<std::byte> piece(std::uint64_t at, std::uint64_t bytes) {
    return std::span{memory_}.subspan(at * bytes, bytes);
  }
  completion<> put(std::uint64_t at, std::uint64_t bytes) {
    return region_.put(last_, at * bytes, std::span<const std::byte>{piece(at, bytes)});
  }
  completion<> put_from(std::uint64_t at, std::uint64_t bytes) {
    return region_.put_from(last_, at * bytes, std::span<const std::byte>{piece(at, bytes)});
  }
  completion<> get(std::uint64_t at, std::uint64_t bytes) {
    return region_.get(last_, at * bytes, piece(at, bytes));
  }

  // As many under way as the raw loop has.
  double transfers(std::uint64_t bytes, std::uint64_t count, transfer_kind kind) {
    const bool reads = kind == &measurement::get;
    ++round_;
    const auto mark = static_cast<std::byte>(round_);
    if (is_first()) std::fill(memory_.begin(), memory_.end(), reads ? std::byte{0} : mark);
    if (world_.me() == last_ && reads) std::fill(region_.begin(), region_.end(), mark);
    world_.barrier().get();
    const stopwatch watch;
    if (is_first()) {
      std::deque<completion<>> under_way;
      for (std::uint64_t k = set_.common.sabotage ? 1 : 0; k < count; ++k) {
        if (under_way.size() == raw_fabric::window) {
          under_way.front().get();
          under_way.pop_front();
        }
        under_way.push_back((this->*kind)(k % raw_fabric::window, bytes));
      }
      for (completion<>& one : under_way) one.get();
    }
    const double seconds = watch.seconds();
    world_.barrier().get();
    const std::uint64_t used = std::min<std::uint64_t>(count, raw_fabric::window) * bytes;
    const auto all_marked = [&](const std::byte* from) {
      return std::all_of(from, from + used, [mark](std::byte each) { return each == mark; });
    };
    if (is_first() && reads) right_ = right_ && all_marked(memory_.data());
    if (world_.me() == last_ && !reads) right_ = right_ && all_marked(region_.begin());
    return seconds;
  }

  // --- the histogram: what the local parts can do, and the words that go to other PEs ---

  double histogram() {
    const std::uint64_t before = total();
    const std::span<const std::uint64_t> list = list_;
    const auto worked = list.first(list.size() - (set_.common.sabotage && is_first() ? 1 : 0));
    constexpr std::size_t batch = std::size_t{1} << 14;
    const double seconds = timed([&] {
      for (std::size_t at = 0; at < worked.size(); at += batch) {
        counts_.add(worked.subspan(at, std::min(batch, worked.size() - at)), 1);
      }
    });
    const std::uint64_t counted = total() - before;  // collective, also where an error is known
    right_ = right_ && counted == list_.size() * world_.size();
    return seconds;
  }

  std::uint64_t total() {
    std::uint64_t mine = 0;
    for (const std::uint64_t each : counts_.part()->own()) mine += each;
    return all_reduce(world_, mine, std::plus<>{}).get();
  }

  /// Of the words that go to other PEs; what the local updates take is local_seconds().
  double histogram_limit() {
    own_->repetition();
    const double remote_bytes = 8.0 * static_cast<double>(list_.size()) * (world_.size() - 1) /
                                static_cast<double>(world_.size());
    const auto messages = std::max<std::uint64_t>(
        2, static_cast<std::uint64_t>(remote_bytes) / raw_fabric::longest_message);
    return raw_.stream(raw_fabric::longest_message, messages, true);
  }

  world& world_;
  const settings& set_;
  raw_fabric raw_;
  pe last_;
  darc<tally_of_messages> tallies_;
  shared_memory_region<std::byte> region_;
  std::vector<std::byte> memory_;
  atomic_array<std::uint64_t> counts_;
  memory list_memory_;
  std::span<std::uint64_t> list_;
  std::unique_ptr<own_part> own_;
  std::uint64_t sent_ = 0;
  unsigned round_ = 0;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  measurement all{w, set};
  std::vector<row> rows = all.rows();
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) {
      r.seconds.add(r.once());
      r.limit.add(r.bare());
    }
    if (k == 0) all.forget();
  }
  const double local = all.local_seconds();
  const bool right = on_all(w, all.right());
  if (out == nullptr) return;
  for (const row& each : rows) {
    result r = job_result(w, "over_network/" + each.name, set.common);
    r.operations = each.operations;
    r.seconds = summarise(each.seconds.counted());
    r.unit = each.unit;
    r.verified = right;
    const double seconds = each.limit.median() + (each.name == "histogram" ? local : 0);
    r.bound = {"libfabric", each.operations / seconds};
    if (each.name == "call") {
      r.parameters = {{"microseconds", 1e6 / r.rate()},
                      {"bare_microseconds", 1e6 / r.bound.rate},
                      {"times_bare", 1 / r.fraction_of_limit()}};
    }
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "PE 0 and the last PE, which should be on different hosts (lamellar-run --hosts 2), use "
    "the\n"
    "library and, beside it, the network by libfabric's own calls.\n"
    "  call                 a number there and its successor back\n"
    "  send_both_ways       messages of 8 bytes from each of the two to the other\n"
    "  put, put_from, get   of a memory region, 16 under way at once\n"
    "  histogram            an atomic array of all PEs, counted by batches";
constexpr const char* metric =
    "round trips, messages, bytes, updates per second. The limits: a round trip of 64 bytes;\n"
    "messages of 16 KiB full of words, both ways; puts and gets of the same size; for the\n"
    "histogram the time of local updates of as many words, on all PEs at once, and that of "
    "the\n"
    "words for other PEs as messages of 16 KiB, both ways.";

int main(int argc, char** argv) {
  settings set;
  command_line command("over_network", problem, metric);
  command.add_size("--round-trips", set.round_trips, "Round trips in a repetition", 2);
  command.add_size("--messages", set.messages, "Messages of 8 bytes from each PE", 8192);
  command.add_size("--volume", set.volume, "Bytes put and got", 1 << 21);
  command.add_size("--table", set.table, "Words of the histogram, all PEs together");
  command.add_size("--updates", set.updates, "Updates of the histogram, all PEs together");
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
