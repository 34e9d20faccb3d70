// SPDX-License-Identifier: BSD-3-Clause
// Counts against a model, of keys that come evenly, by Zipf's law, and all on one key; what is
// sent for them, from where they may be added, and what becomes of those that are too large.
#include <algorithm>
#include <cstdint>
#include <lamellar/containers/counting_map.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "keyed_input.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::key_number;
using lamellar::testing::numbers_of;
using lamellar::testing::on_pes;
using lamellar::testing::spread;
using lamellar::testing::spreads;

namespace {

using number = std::uint64_t;

template <class K>
task<> count_and_compare(world& w, const spread& how) {
  auto making = counting_map<K>::create(w);
  const auto counts = co_await making;
  std::map<K, number> model;
  for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
    for (const std::uint32_t step : {1U, 2U, 3U}) {
      for (const number k : numbers_of(how, pe, step)) {
        model[key_number<K>(k)] += step == 2 ? k + 1 : 1;
      }
    }
  }
  for (const number k : numbers_of(how, w.me().index(), 1)) counts.add(key_number<K>(k));
  for (const number k : numbers_of(how, w.me().index(), 2)) counts.add(key_number<K>(k), k + 1);
  std::vector<K> keys;
  for (const number k : numbers_of(how, w.me().index(), 3)) keys.push_back(key_number<K>(k));
  counts.add(keys);

  auto gathering = gather(counts);
  auto items = co_await gathering;
  std::sort(items.begin(), items.end());
  std::vector<std::pair<K, number>> expected(model.begin(), model.end());
  if (w.me().index() == 0) CHECK(items == expected);

  number sum = 0;
  std::map<number, number> spectrum;
  for (const auto& [key, n] : expected) {
    sum += n;
    ++spectrum[n];
  }
  auto adding = counts.total();
  CHECK(co_await adding == sum);
  auto counting = counts.histogram();
  const auto histogram = co_await counting;
  CHECK(std::equal(
      histogram.begin(), histogram.end(), spectrum.begin(), spectrum.end(),
      [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }));
  std::sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  for (const std::size_t k : {std::size_t{0}, std::size_t{1}, std::size_t{10}}) {
    auto best = counts.top_k(k);
    CHECK(co_await best ==
          std::vector<std::pair<K, number>>(
              expected.begin(),
              expected.begin() + static_cast<std::ptrdiff_t>(std::min(k, expected.size()))));
  }
  CHECK(co_await counts.count(key_number<K>(0)) ==
        (model.contains(key_number<K>(0)) ? model[key_number<K>(0)] : 0));
  CHECK(co_await counts.count(key_number<K>(1'000'000)) == 0);
  co_await w.barrier();

  auto erasing = counts.erase_below(3);
  co_await erasing;
  auto sizing = size(counts);
  CHECK(co_await sizing ==
        static_cast<number>(std::count_if(model.begin(), model.end(),
                                          [](const auto& each) { return each.second >= 3; })));
}

/// Records that handlers of counts have had here.
number records_here(const world& w) {
  number sum = 0;
  for (const auto& each : w.statistics().handlers) {
    if (each.name.find("count_key") != std::string::npos) sum += each.records;
  }
  return sum;
}

}  // namespace

TEST_CASE_TEMPLATE("counts are those of a std::map", K, number, std::string) {
  for (const spread& how : spreads()) {
    CAPTURE(how.name);
    on_pes([&how](world& w) { return count_and_compare<K>(w, how); });
  }
}

TEST_CASE("a hot key costs next to nothing to send, and nothing is lost") {
  on_pes([](world& w) -> task<> {
    auto making = counting_map<number>::create(w);
    const auto counts = co_await making;
    constexpr number n = 300'000;
    const number before = records_here(w);
    for (number k = 0; k < n; ++k) counts.add(4711);
    co_await w.quiesce();
    CHECK(co_await counts.count(4711) == n * w.size());
    // One record each time that the cache is looked over; statistics may be switched off.
    CHECK(records_here(w) - before <= 30 * w.size());
    co_await w.barrier();
    // Keys that do not come again are passed on; no count waits for ever.
    for (number k = 0; k < n; ++k) counts.add(k * w.size() + w.me().index());
    w.wait_all();
    co_await w.barrier();
    auto sizing = size(counts);
    CHECK(co_await sizing >= n * w.size());
  });
}

TEST_CASE("handlers, spawned tasks and for_each add, too") {
  on_pes([](world& w) -> task<> {
    auto making = counting_map<std::string>::create(w);
    const auto counts = co_await making;
    struct add_there {
      void operator()(counting_map<std::string> to) const { to.add("from a handler"); }
    };
    for (int k = 0; k < 100; ++k) w.send(w.at(k % w.size()), add_there{}, counts);
    const auto add = [](counting_map<std::string> to) -> task<> {
      for (int k = 0; k < 10; ++k) to.add("from a task");
      co_return;
    };
    std::vector<spawned<>> tasks;
    for (int k = 0; k < 10; ++k) tasks.push_back(w.spawn(add(counts)));
    for (auto& each : tasks) co_await each;
    co_await w.quiesce();
    CHECK(co_await counts.count("from a handler") == 100 * w.size());
    CHECK(co_await counts.count("from a task") == 100 * w.size());
    co_await w.barrier();
    auto looking = for_each(counts, [&](const std::string&, number) { counts.add("seen"); });
    co_await looking;
    co_await w.quiesce();
    CHECK(co_await counts.count("seen") >= 2);
    co_await w.barrier();
  });
}

TEST_CASE("a handle may go while counts wait, and another cache may come between") {
  on_pes([](world& w) -> task<> {
    auto making_map = unordered_map<number, number>::create(w);
    const auto map = co_await making_map;
    {
      auto making = counting_map<number>::create(w);
      const auto dropped = co_await making;
      for (number k = 0; k < 100; ++k) dropped.add(k);
    }
    struct larger {
      number operator()(number a, number b) const { return std::max(a, b); }
    };
    for (number k = 0; k < 1000; ++k) {
      map.reduce(k % 10, 1, std::plus<>{});
      if (k % 100 == 99) map.reduce(100, k, larger{});
    }
    co_await w.quiesce();
    CHECK(co_await map.at(3) == 100 * w.size());
    CHECK(co_await map.at(100) == 999);
    co_await w.barrier();
  });
}

TEST_CASE("a count that is too large is told, and the others are right") {
  on_pes([](world& w) -> task<> {
    auto making = counting_map<number>::create(w);
    const auto counts = co_await making;
    constexpr number half = number{1} << 63;
    if (w.me().index() == 0) {
      for (number k = 0; k < 100; ++k) counts.add(k, 3);
      counts.add(7, half);
      counts.add(7, half);
    }
    bool told = false;
    try {
      co_await w.quiesce();
    } catch (const remote_error& e) {
      told = std::string_view{e.what()}.find("2^64") != std::string_view::npos;
    }
    CHECK(told);
    CHECK(co_await counts.count(7) == std::numeric_limits<number>::max());
    CHECK(co_await counts.count(8) == 3);
    auto adding = counts.total();
    CHECK_THROWS_AS(co_await adding, count_overflow);
    co_await w.barrier();
  });
}
