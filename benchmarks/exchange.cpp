// SPDX-License-Identifier: BSD-3-Clause
//
// exchange: what does it cost to bring items of all PEs to random destinations? Once as a
// stream into a sink that stores them, once with each item at its place in an array. What
// bounds both is memcpy of as many bytes by all PEs at once; beside it stands a partition of
// the same items that stays on its PE.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/job.hpp"
#include "support/limits.hpp"
#include "support/options.hpp"
#include "support/pages.hpp"
#include "support/report.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t items = 1U << 24;  // in a repetition, over all PEs
  std::string form = "both";
  std::vector<std::uint64_t> sizes{8, 16};  // bytes of an item
};

/// A key, which decides where the item goes, and what it brings along.
template <std::size_t Words>
struct item {
  std::uint64_t words[Words];
};

template <class Item>
std::uint32_t owner_of(const Item& which, std::uint64_t pes) {
  return static_cast<std::uint32_t>((which.words[0] >> 32) * pes >> 32);
}

// --- checking ---

/// What one PE sends to another one; `order` depends on the order as well.
struct account {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  std::uint64_t order = 0;

  template <class Item>
  void add(const Item& what) {
    ++count;
    std::uint64_t mixed = 0;
    for (const std::uint64_t word : what.words) mixed = (mixed ^ word) * 0x9e3779b97f4a7c15U;
    sum += mixed;
    order = order * 0xbf58476d1ce4e5b9U + mixed;
  }
};

/// What each PE sends here, by source.
template <class Item>
std::vector<account> expected_here(world& w, std::span<const Item> items) {
  std::vector<account> to(w.size());
  for (const Item& each : items) to[owner_of(each, w.size())].add(each);
  return all_to_all(w, to).get();
}

// --- the two forms ---

/// Room for what a PE gets, that a sink fills.
template <class Item>
struct store {
  std::span<Item> room;
  std::size_t used = 0;
  bool overrun = false;

  void operator()(std::span<const Item> row) {
    if (row.size() > room.size() - used) {
      overrun = true;
      return;
    }
    std::memcpy(room.data() + used, row.data(), row.size_bytes());
    used += row.size();
  }
};

template <class Item>
class exchanges {
 public:
  exchanges(world& w, std::uint64_t items, bool lose_one)
      : world_(w),
        memory_(items * sizeof(Item), sharing::private_memory),
        items_(memory_.as<Item>(items)),
        sent_(items_.first(items - (lose_one ? 1 : 0))) {
    std::mt19937_64 random(w.me().index() + 1);
    for (Item& each : items_) {
      for (std::uint64_t& word : each.words) word = random();
    }
    expected_ = expected_here<Item>(w, items_);
    for (const account& each : expected_) total_ += each.count;
    room_ = std::make_unique<memory>(std::max(total_, items) * sizeof(Item),
                                     sharing::private_memory);
  }

  double stream() {
    store<Item> into{room_->as<Item>(total_)};
    world_.barrier().get();
    const stopwatch watch;
    exchange(world_, sent_, route(), [&into](std::span<const Item> row) { into(row); }).get();
    const double seconds = watch.seconds();
    account wanted;
    account found;
    for (const account& each : expected_) {
      wanted.count += each.count;
      wanted.sum += each.sum;
    }
    for (const Item& each : into.room.first(into.used)) found.add(each);
    right_ = right_ && !into.overrun && found.count == wanted.count && found.sum == wanted.sum;
    return seconds;
  }

  double place() {
    world_.barrier().get();
    const stopwatch watch;
    exchanged_items<Item> got = exchange_placed(world_, sent_, route()).get();
    const double seconds = watch.seconds();
    for (std::uint32_t p = 0; p < world_.size(); ++p) {
      account found;
      for (const Item& each : got.from(team_position{p})) found.add(each);
      right_ = right_ && found.count == expected_[p].count && found.order == expected_[p].order;
    }
    pages_ = page_kind(got.data(), got.size() * sizeof(Item));
    return seconds;
  }

  /// Every PE copies its items.
  double copy() {
    const auto together = [this] { world_.barrier().get(); };
    const auto bytes =
        std::span<std::byte>{static_cast<std::byte*>(room_->data()), room_->size_bytes()};
    return copy_seconds(std::as_bytes(items_), bytes, 1, together);
  }

  /// Every PE sorts its items by owner, into memory of its own.
  double partition() {
    const std::uint64_t pes = world_.size();
    const std::span<Item> to = room_->as<Item>(items_.size());
    world_.barrier().get();
    const stopwatch watch;
    std::vector<std::uint64_t> next(pes + 1);
    for (const Item& each : items_) ++next[owner_of(each, pes) + 1];
    for (std::size_t k = 1; k < next.size(); ++k) next[k] += next[k - 1];
    for (const Item& each : items_) to[next[owner_of(each, pes)]++] = each;
    world_.barrier().get();
    return watch.seconds();
  }

  bool right() const { return right_; }
  const std::string& result_pages() const { return pages_; }

 private:
  auto route() const {
    return [pes = std::uint64_t{world_.size()}](const Item& which) {
      return team_position{owner_of(which, pes)};
    };
  }

  world& world_;
  memory memory_;
  std::span<Item> items_;
  std::span<const Item> sent_;
  std::vector<account> expected_;
  std::uint64_t total_ = 0;  // items that come here
  std::unique_ptr<memory> room_;
  std::string pages_ = "none";
  bool right_ = true;
};

struct row {
  std::string name;
  std::vector<double> samples;
};

template <std::size_t Words>
void measure(world& w, const settings& set, report* out) {
  const std::uint64_t own = set.items / w.size();
  exchanges<item<Words>> work(w, own, set.common.sabotage && w.me().index() == 0);
  std::vector<row> rows;
  if (set.form != "placed") rows.push_back({"stream", {}});
  if (set.form != "stream") rows.push_back({"placed", {}});
  std::vector<double> copies;
  std::vector<double> partitions;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) {
      const double seconds = r.name == "stream" ? work.stream() : work.place();
      if (k != 0) r.samples.push_back(seconds);
    }
    const double copied = work.copy();
    const double partitioned = work.partition();
    if (k == 0) continue;
    copies.push_back(copied);
    partitions.push_back(partitioned);
  }
  for (row& r : rows) r.samples = slowest(w, r.samples);
  copies = slowest(w, copies);
  partitions = slowest(w, partitions);
  const bool right = on_all(w, work.right());
  w.quiesce().get();
  if (out == nullptr) return;

  for (const row& each : rows) {
    result r = job_result(w, "exchange/" + each.name, set.common);
    r.operations = static_cast<double>(own) * w.size();
    r.seconds = summarise(each.samples);
    r.unit = "items/s";
    r.verified = right;
    r.bound = {"memcpy", r.operations / summarise(copies).median};
    const auto bytes = static_cast<double>(sizeof(item<Words>));
    r.parameters = {
        {"item_bytes", static_cast<std::int64_t>(sizeof(item<Words>))},
        {"items_per_pe", static_cast<std::int64_t>(own)},
        {"mapped", w.able().mapped},
        {"gigabytes_per_second", r.rate() * bytes / 1e9},
        {"of_local_partition", r.rate() * summarise(partitions).median / r.operations}};
    if (each.name == "placed") r.parameters.emplace_back("pages", work.result_pages());
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "Each PE has a list of items with random keys; the key says which PE an item goes to.\n"
    "  stream  exchange(): a sink stores the items, as they come\n"
    "  placed  exchange_placed(): they are counted, and each lands at its place in an array,\n"
    "          whose memory is obtained and given back each time\n"
    "Items of 8 bytes are a key, of 16 bytes a key and a value. LAMELLAR_MAPPED=0 places by\n"
    "messages.";
constexpr const char* metric =
    "items per second, all PEs together, from the first item until all PEs have theirs; the\n"
    "parameter `gigabytes_per_second` is the same in bytes. The limit is memcpy of the items\n"
    "by all PEs at once; `of_local_partition` is the fraction of the rate of a counting sort\n"
    "by destination in which each PE keeps what it has.";

int main(int argc, char** argv) {
  settings set;
  command_line command("exchange", problem, metric);
  command.add_size("--items", set.items, "Items in a repetition, all PEs together");
  command.parser()
      .add_option("--form", set.form, "stream, placed or both")
      ->capture_default_str()
      ->check(CLI::IsMember({"stream", "placed", "both"}));
  command.parser()
      .add_option("--bytes", set.sizes, "Bytes of an item: 8, 16")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::uint64_t>{8, 16}));
  if (!command.parse(argc, argv)) return command.exit_code();
  set.common = command.common();
  return run_job(argc, argv, "exchange", set.common, [&set](world& w, report* out) {
    if (set.items < w.size()) {
      throw std::invalid_argument(
          fmt::format("--items {}: choose {} or more", set.items, w.size()));
    }
    for (const std::uint64_t bytes : set.sizes) {
      if (bytes == 8) {
        measure<1>(w, set, out);
      } else {
        measure<2>(w, set, out);
      }
    }
  });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
