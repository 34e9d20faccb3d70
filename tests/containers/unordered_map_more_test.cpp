// SPDX-License-Identifier: BSD-3-Clause
// What a map promises beside its contents: looking up text, errors, functions that send, what
// for_each sees, messages, merging, teams, and travelling handles.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/containers/unordered_map.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keyed_input.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::progress_until;

namespace {

using number = std::uint64_t;
using numbers = unordered_map<number, number>;

struct point {
  std::int32_t x = 0;
  std::int32_t y = 0;
  bool operator==(const point&) const = default;
};
/// As bad as a hash can be, and still right.
struct same_for_all {
  std::size_t operator()(const point&) const { return 1; }
};

struct chars_of {
  std::size_t operator()(const std::string& text) const { return text.size(); }
};
/// Text with the same letters is the same, whatever their case.
struct folded {
  static std::string of(const std::string& text) {
    std::string lower = text;
    for (char& c : lower) c = static_cast<char>(c | 0x20);
    return lower;
  }
  bool operator()(const std::string& a, const std::string& b) const { return of(a) == of(b); }
};

task<std::uint64_t> count(numbers map) {
  auto counting = size(map);
  co_return co_await counting;
}

}  // namespace

TEST_CASE("text is looked up as a view, a literal or a string") {
  on_pes([](world& w) -> task<> {
    auto making = unordered_map<std::string, std::string>::create(w);
    const auto map = co_await making;
    const std::string_view view{"Lovelace"};
    map.insert("Ada", "Lovelace");
    co_await w.quiesce();
    CHECK(co_await map.contains("Ada"));
    CHECK(co_await map.contains(std::string_view{"Adam"}.substr(0, 3)));
    CHECK(co_await map.find(std::string{"Ada"}) == std::optional<std::string>{view});
    CHECK(map.owner("Ada") == map.owner(std::string{"Ada"}));
    co_await w.barrier();
  });
}

TEST_CASE("a hash and a comparison of one's own") {
  on_pes([](world& w) -> task<> {
    auto making = unordered_map<point, number, same_for_all>::create(w);
    const auto map = co_await making;
    for (std::int32_t k = 0; k < 100; ++k) {
      map.update(point{k, -k}, [](number& value) { ++value; });
    }
    co_await w.quiesce();
    CHECK(co_await map.at(point{7, -7}) == w.size());
    CHECK(!co_await map.contains(point{7, 7}));
    auto making_text = unordered_map<std::string, number, chars_of, folded>::create(w);
    const auto text = co_await making_text;
    text.update("abc", [](number& value) { ++value; });
    text.update("ABC", [](number& value) { ++value; });
    text.update("xyz", [](number& value) { ++value; });
    co_await w.quiesce();
    CHECK(co_await text.at("Abc") == 2 * w.size());
    auto counting = size(text);
    CHECK(co_await counting == 2);
  });
}

TEST_CASE("at() of a key that is not there throws, and the others are answered") {
  on_pes([](world& w) -> task<> {
    auto making = numbers::create(w);
    const auto map = co_await making;
    map.insert(1, 11);
    co_await w.quiesce();
    auto there = map.at(1);
    auto missing = map.at(2);
    auto again = map.at(1);
    CHECK(there.get() == 11);
    CHECK_THROWS_AS(missing.get(), no_such_key);
    CHECK(again.get() == 11);
    co_await w.barrier();
  });
}

TEST_CASE(
    "a function of an element may take its key and the context, carry a state, and send") {
  on_pes([](world& w) -> task<> {
    auto making = numbers::create(w);
    const auto map = co_await making;
    auto making_other = numbers::create(w);
    const auto other = co_await making_other;
    struct forward {
      void operator()(context& at, const number& key, number& value, numbers to) const {
        value = at.me().index();
        to.update(key, [](number& n) { ++n; });
      }
    };
    struct multiply {  // its state travels
      number factor;
      number operator()(number& value) const { return value *= factor; }
    };
    for (number k = 0; k < 100; ++k) map.update(k, forward{}, other);
    co_await w.quiesce();
    CHECK(co_await map.at(5) == map.owner(5).index());
    CHECK(co_await other.at(5) == w.size());
    co_await w.barrier();
    if (w.me().index() == 0) {
      CHECK(co_await other.visit(number{5}, multiply{3}) == w.size() * 3);
    }
    co_await w.barrier();
  });
}

TEST_CASE("for_each sees each item once, while the same map is written to from all sides") {
  on_pes([](world& w) -> task<> {
    auto making = numbers::create(w);
    const auto map = co_await making;
    constexpr number n = 5000;
    for (number k = w.me().index(); k < n; k += w.size()) map.insert(k, 0);
    co_await w.quiesce();
    std::map<number, int> seen;
    auto looking = for_each(map, [&](const number& key, number& value) {
      ++seen[key];
      ++value;
      map.insert(key + n, 1);                               // the tables grow meanwhile
      map.update(n - 1 - key, [](number& v) { v += 10; });  // in the one that is looked at, too
    });
    co_await looking;
    co_await w.quiesce();
    number old = 0;
    for (const auto& [key, times] : seen) {
      CHECK(times == 1);
      old += key < n;
    }
    auto counting = all_reduce(w, old);
    CHECK(co_await counting == n);
    auto sizing = count(map);
    CHECK(co_await sizing >= 2 * n);
    CHECK(co_await map.at(17) == 11);
    co_await w.barrier();
  });
}

TEST_CASE("keys that repeat are asked for once, and questions share messages") {
  on_pes([](world& w) -> task<> {
    auto making = numbers::create(w);
    const auto map = co_await making;
    for (number k = w.me().index(); k < 1000; k += w.size()) map.insert(k, k + 1);
    co_await w.quiesce();
    std::vector<number> keys;
    for (number k = 0; k < 20'000; ++k) keys.push_back(k % 10);
    const auto records = [&] {
      std::uint64_t sum = 0;
      for (const auto& each : w.statistics().handlers) {
        if (each.name.find("map_find") != std::string::npos) sum += each.records;
      }
      return sum;
    };
    const std::uint64_t before = records();
    auto finding = map.find_many(keys);
    const auto found = co_await finding;
    for (std::size_t k = 0; k < keys.size(); ++k) CHECK(found[k] == keys[k] + 1);
    co_await w.quiesce();
    // At most one message from each PE; statistics are all zero unless they are switched on.
    CHECK(records() - before <= w.size());
  });
}

TEST_CASE("answers are right where the search for repeated keys ends within a list") {
  on_pes([](world& w) -> task<> {
    auto making = numbers::create(w);
    const auto map = co_await making;
    for (number k = w.me().index(); k < 6000; k += w.size()) map.insert(k, k + 1);
    co_await w.quiesce();
    // A few repeat before the search ends, all of them afterwards; some are not there.
    std::vector<number> keys;
    for (number k = 0; k < 6100; ++k) keys.push_back(k < 100 ? k % 90 : k);
    for (number k = 0; k < 100'000; ++k) keys.push_back(k * 7 % 6100);
    auto finding = map.find_many(keys);
    const auto found = co_await finding;
    std::size_t wrong = 0;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const bool right = keys[k] < 6000 ? found[k] == keys[k] + 1 : !found[k].has_value();
      wrong += right ? 0 : 1;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("maps of the same team are merged without a message") {
  on_pes([](world& w) -> task<> {
    auto making = numbers::create(w);
    const auto map = co_await making;
    auto making_other = numbers::create(w);
    const auto other = co_await making_other;
    if (w.me().index() == 0) {
      for (number k = 0; k < 100; ++k) map.insert(k, 1);
      for (number k = 50; k < 150; ++k) other.insert(k, 2);
    }
    auto merging = map.merge(other);
    co_await merging;
    auto sizing = count(map);
    CHECK(co_await sizing == 150);
    auto sizing_other = count(other);
    CHECK(co_await sizing_other == 100);
    CHECK(co_await map.at(70) == 1);
    CHECK(co_await map.at(120) == 2);
    co_await w.barrier();
  });
}

TEST_CASE("a handle travels, and tells and asks where it arrives") {
  on_pes([](world& w) -> task<> {
    auto making = numbers::create(w);
    const auto map = co_await making;
    struct count_arrival {
      task<number> operator()(context at, numbers there) const {
        there.update(at.me().index(), [](number& value) { ++value; });
        const std::optional<number> some = co_await there.find(1000);
        co_return some.value_or(77);
      }
    };
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      auto asking = w.call(w.at(to), count_arrival{}, map);
      CHECK(co_await asking == 77);
    }
    co_await w.quiesce();
    for (std::uint32_t k = 0; k < w.size(); ++k) CHECK(co_await map.at(k) == w.size());
    co_await w.barrier();
  });
}

TEST_CASE("many coroutines ask at a time") {
  on_pes([](world& w) -> task<> {
    auto making = numbers::create(w);
    const auto map = co_await making;
    for (number k = w.me().index(); k < 3000; k += w.size()) map.insert(k, k * k);
    co_await w.quiesce();
    const auto ask = [](numbers of, number first) -> task<number> {
      number right = 0;
      for (number k = first; k < 3000; k += 300) right += co_await of.find(k) == k * k;
      co_return right;
    };
    std::vector<spawned<number>> all;
    for (number k = 0; k < 300; ++k) all.push_back(w.spawn(ask(map, k)));
    number right = 0;
    for (auto& each : all) right += co_await each;
    CHECK(right == 3000);
    co_await w.barrier();
  });
}
