// SPDX-License-Identifier: BSD-3-Clause
// Handlers that get all like records of a run at once.
#include <algorithm>
#include <atomic>
#include <lamellar/substrate/darc.hpp>
#include <numeric>
#include <span>
#include <vector>

#include "counters.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;
using lamellar::testing::seeded;
using lamellar::testing::total_of;

namespace {

struct table {
  explicit table(std::size_t n) : counts(n, 0) {}
  std::vector<std::uint64_t> counts;
  std::uint64_t runs = 0;
  std::uint64_t longest = 0;
};

struct add {
  void operator()(context&, table& t, std::span<const std::uint32_t> indices) const {
    ++t.runs;
    t.longest = std::max<std::uint64_t>(t.longest, indices.size());
    for (const std::uint32_t i : indices) ++t.counts[i];
  }
};

struct without_context {
  void operator()(table& t, std::span<const std::uint32_t> indices) const {
    for (const std::uint32_t i : indices) ++t.counts[i];
  }
};

struct weighted {
  std::uint32_t index;
  std::uint16_t weight;
};
struct add_weighted {
  void operator()(table& t, std::span<const weighted> records) const {
    for (const weighted& r : records) t.counts[r.index] += r.weight;
  }
};

std::atomic<std::uint64_t> addresses_asked{0};
struct add_prefetched : add {
  static const void* address(const table& t, std::uint32_t index) {
    ++addresses_asked;
    return &t.counts[index];
  }
};

struct fetch_add {
  void operator()(context&, table& t, std::span<const std::uint32_t> indices,
                  std::span<std::uint64_t> before) const {
    ++t.runs;
    t.longest = std::max<std::uint64_t>(t.longest, indices.size());
    for (std::size_t k = 0; k < indices.size(); ++k) before[k] = t.counts[indices[k]]++;
  }
};

/// A span handler of the PE alone.
std::atomic<std::uint64_t> world_records{0};
struct count_records {
  void operator()(std::span<const std::uint64_t> values) const {
    world_records += values.size();
  }
};

constexpr std::uint32_t slots = 257;

/// What all PEs together have sent to each slot of PE `me`, if each draws as this one does.
std::vector<std::uint64_t> expected_here(const world& w, std::uint64_t seed, int records) {
  std::vector<std::uint64_t> expected(slots, 0);
  for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
    std::seed_seq mixed{seed, std::uint64_t{pe}};
    std::mt19937_64 random{mixed};
    for (int k = 0; k < records; ++k) {
      const std::uint64_t drawn = random();
      if (drawn % w.size() == w.me().index()) ++expected[drawn / w.size() % slots];
    }
  }
  return expected;
}

}  // namespace

TEST_CASE("every record arrives once, and runs of many records occur") {
  on_pes([](world& w) -> task<> {
    auto tables = co_await darc<table>::create(w, slots);
    constexpr int records = 30000;
    auto random = seeded(w, 21);
    for (int k = 0; k < records; ++k) {
      const std::uint64_t drawn = random();
      tables.send(w.at(static_cast<std::uint32_t>(drawn % w.size())), add{},
                  static_cast<std::uint32_t>(drawn / w.size() % slots));
    }
    co_await w.quiesce();
    CHECK(tables->counts == expected_here(w, 21, records));
    CHECK(tables->longest > 100);
    CHECK(tables->runs < records * w.size() / 50);
  });
}

TEST_CASE("handlers without a context, and of records with several members") {
  on_pes([](world& w) -> task<> {
    auto tables = co_await darc<table>::create(w, slots);
    for (std::uint32_t k = 0; k < 5000; ++k) {
      tables.send(w.at(k % w.size()), without_context{}, k % slots);
      tables.send(w.at(k % w.size()), add_weighted{},
                  weighted{k % slots, static_cast<std::uint16_t>(k % 3)});
    }
    co_await w.quiesce();
    std::uint64_t expected = 0;
    for (std::uint32_t k = 0; k < 5000; ++k) {
      if (k % w.size() == w.me().index()) expected += w.size() * (1 + k % 3);
    }
    CHECK(total_of(tables->counts) == expected);
  });
}

TEST_CASE("a span handler of the PE alone gets every record") {
  on_pes([](world& w) -> task<> {
    co_await w.barrier();
    world_records = 0;
    co_await w.barrier();
    for (std::uint64_t k = 0; k < 3000; ++k) w.send_all(count_records{}, k);
    co_await w.quiesce();
    const bool shared = w.able().pes_in_process == w.size();
    CHECK(world_records == 3000ull * w.size() * (shared ? w.size() : 1));
    co_await w.barrier();
  });
}

TEST_CASE("calls to a span handler are answered record by record") {
  on_pes([](world& w) -> task<> {
    auto tables = co_await darc<table>::create(w, slots);
    constexpr std::uint32_t calls = 2000;
    std::vector<reply<std::uint64_t>> replies;
    for (std::uint32_t k = 0; k < calls; ++k) {
      replies.push_back(tables.call(w.at(k % w.size()), fetch_add{}, k % 7));
    }
    std::vector<std::vector<std::uint64_t>> got(w.size() * 7);
    for (std::uint32_t k = 0; k < calls; ++k) {
      got[k % w.size() * 7 + k % 7].push_back(co_await replies[k]);
    }
    co_await w.quiesce();
    // Of one counter each value is given out once.
    for (auto& values : got) {
      std::sort(values.begin(), values.end());
      CHECK(std::adjacent_find(values.begin(), values.end()) == values.end());
    }
    for (std::uint32_t slot = 0; slot < 7; ++slot) {
      std::uint64_t all = 0;
      for (std::uint32_t k = 0; k < calls; ++k) {
        if (k % 7 == slot && k % w.size() == w.me().index()) all += w.size();
      }
      CHECK(tables->counts[slot] == all);
    }
    // A lone call leaves at once; those behind it, to another PE, leave together.
    if (w.size() > 1) CHECK(tables->longest > 1);
    co_await w.barrier();  // all have read their tables
    CHECK(co_await tables.call(next_of(w), fetch_add{}, 200u) < w.size());
  });
}

TEST_CASE("send_each equals a loop of sends, for any length") {
  on_pes([](world& w) -> task<> {
    auto tables = co_await darc<table>::create(w, slots);
    for (const int records : {0, 1, 7, 255, 256, 257, 20000}) {
      std::fill(tables->counts.begin(), tables->counts.end(), 0);
      co_await w.barrier();
      auto random = seeded(w, 31);
      std::vector<std::uint64_t> drawn(static_cast<std::size_t>(records));
      for (auto& d : drawn) d = random();
      tables.send_each(add{}, std::span<const std::uint64_t>{drawn},
                       [pes = w.size()](std::uint64_t d) {
                         return routed{static_cast<std::uint32_t>(d % pes),
                                       static_cast<std::uint32_t>(d / pes % slots)};
                       });
      co_await w.quiesce();
      CHECK(tables->counts == expected_here(w, 31, records));
    }
  });
}

TEST_CASE("send_each with a hook, and sends between two batches") {
  on_pes([](world& w) -> task<> {
    auto tables = co_await darc<table>::create(w, slots);
    std::vector<std::uint32_t> items(1000);
    std::iota(items.begin(), items.end(), 0u);
    const auto split = [pes = w.size()](std::uint32_t i) { return routed{i % pes, i % slots}; };
    for (int round = 0; round < 10; ++round) {
      tables.send_each(add_prefetched{}, std::span<const std::uint32_t>{items}, split);
      tables.send(next_of(w), add{}, 3u);
      tables.send(w.me(), add_weighted{}, weighted{4, 2});
    }
    co_await w.quiesce();
    std::uint64_t batch = 0;
    for (const std::uint32_t i : items) batch += i % w.size() == w.me().index();
    CHECK(total_of(tables->counts) == 10 * (batch * w.size() + 1 + 2));
  });
}

TEST_CASE("the prefetch hook is asked for what a PE sends") {
  on_pes([](world& w) -> task<> {
    auto tables = co_await darc<table>::create(w, slots);
    co_await w.barrier();
    addresses_asked = 0;
    co_await w.barrier();
    for (std::uint32_t k = 0; k < 500; ++k) tables.send(w.me(), add_prefetched{}, k % slots);
    co_await w.quiesce();
    CHECK(addresses_asked >= 500);
    CHECK(total_of(tables->counts) == 500);
    co_await w.barrier();
  });
}
