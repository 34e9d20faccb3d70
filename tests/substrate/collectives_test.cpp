// SPDX-License-Identifier: BSD-3-Clause
// Collectives against what a single PE would compute, for plain values and for others.
#include <fmt/format.h>

#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

/// Not commutative: the order shows.
const auto join = [](std::string a, const std::string& b) { return std::move(a) + b; };

std::string word_of(std::uint32_t pe) { return fmt::format("<{}>", pe); }

std::string words_until(std::uint32_t end) {
  std::string all;
  for (std::uint32_t p = 0; p < end; ++p) all += word_of(p);
  return all;
}

}  // namespace

TEST_CASE("broadcast brings the root's value to all, from every root") {
  on_pes([](world& w) -> task<> {
    for (std::uint32_t root = 0; root < w.size(); ++root) {
      const std::uint32_t mine = w.me().index() * 10;
      CHECK(co_await broadcast(w, mine, team_position{root}) == root * 10);
      const std::string word = word_of(w.me().index());
      CHECK(co_await broadcast(w, word, team_position{root}) == word_of(root));
    }
  });
}

TEST_CASE("reductions keep the order of PEs") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t n = w.size();
    const std::uint32_t me = w.me().index();
    const std::string word = word_of(me);
    CHECK(co_await all_reduce(w, word, join) == words_until(n));
    CHECK(co_await all_reduce(w, std::uint64_t{me}) == std::uint64_t{n} * (n - 1) / 2);
    for (std::uint32_t root = 0; root < n; ++root) {
      const std::string whole = co_await reduce(w, word, join, team_position{root});
      if (me == root) CHECK(whole == words_until(n));
    }
  });
}

TEST_CASE("scans keep the order of PEs") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t me = w.me().index();
    const std::string word = word_of(me);
    const std::string start = "start";
    CHECK(co_await inclusive_scan(w, word, join) == words_until(me + 1));
    CHECK(co_await exclusive_scan(w, word, start, join) ==
          fmt::format("start{}", words_until(me)));
    CHECK(co_await exclusive_scan(w, 1u, 0u) == me);
  });
}

TEST_CASE("gather, all_gather, scatter and all_to_all bring values in the order of PEs") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t n = w.size();
    const std::uint32_t me = w.me().index();
    std::vector<std::string> words;
    for (std::uint32_t p = 0; p < n; ++p) words.push_back(word_of(p));
    const std::string word = word_of(me);
    CHECK(co_await all_gather(w, word) == words);
    for (std::uint32_t root = 0; root < n; ++root) {
      const std::vector<std::string> got = co_await gather(w, word, team_position{root});
      CHECK(got == (me == root ? words : std::vector<std::string>{}));
      std::vector<std::string> given;
      if (me == root) given = words;
      CHECK(co_await scatter(w, given, team_position{root}) == word);
    }
    // As many numbers for each PE as its number and mine say; none for PE 0 from PE 0.
    std::vector<std::vector<std::uint32_t>> out(n);
    for (std::uint32_t p = 0; p < n; ++p) out[p].assign(p + me, me);
    const std::vector<std::vector<std::uint32_t>> in = co_await all_to_all(w, out);
    CHECK(in.size() == n);
    for (std::uint32_t p = 0; p < n; ++p) {
      CHECK(in[p] == std::vector<std::uint32_t>(p + me, p));
    }
  });
}

TEST_CASE("sums of floating-point numbers are the same in every run") {
  on_pes([](world& w) -> task<> {
    std::mt19937_64 random{w.me().index()};
    std::vector<double> values(100);
    for (double& v : values)
      v = std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 100));
    std::vector<double> sums;
    for (int run = 0; run < 20; ++run) {
      for (std::size_t k = 0; k < values.size(); ++k) {
        const double sum = co_await all_reduce(w, values[k]);
        if (run == 0) {
          sums.push_back(sum);
        } else {
          CHECK(sum == sums[k]);
        }
      }
    }
    // And on all PEs.
    for (std::size_t k = 0; k < values.size(); ++k) {
      CHECK(co_await broadcast(w, sums[k]) == sums[k]);
    }
  });
}

TEST_CASE("values may be larger than a buffer, and of any type that travels") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t me = w.me().index();
    const std::vector<std::uint64_t> many(100'000, me + 1);
    const auto add_all = [](std::vector<std::uint64_t> a, const std::vector<std::uint64_t>& b) {
      for (std::size_t k = 0; k < a.size(); ++k) a[k] += b[k];
      return a;
    };
    const std::vector<std::uint64_t> sums = co_await all_reduce(w, many, add_all);
    CHECK(sums == std::vector<std::uint64_t>(100'000, w.size() * (w.size() + 1) / 2));

    std::map<std::string, int> mine{{word_of(me), 1}, {"all", 1}};
    const auto merge = [](std::map<std::string, int> a, const std::map<std::string, int>& b) {
      for (const auto& [word, count] : b) a[word] += count;
      return a;
    };
    const std::map<std::string, int> counts = co_await all_reduce(w, mine, merge);
    CHECK(counts.size() == w.size() + 1);
    CHECK(counts.at("all") == static_cast<int>(w.size()));
  });
}

TEST_CASE("a handle arrives in a collective as in a message") {
  on_pes([](world& w) -> task<> {
    darc<std::uint64_t> counts;
    darc<std::uint64_t> own = co_await darc<std::uint64_t>::create(w, 0u);
    if (w.me().index() == 0) counts = own;
    counts = co_await broadcast(w, counts);
    counts.send(next_of(w), [](std::uint64_t& n) { ++n; });
    co_await w.quiesce();
    CHECK(*own == 1);
  });
}

TEST_CASE("collectives of one team keep the order in which they were started") {
  on_pes([](world& w) -> task<> {
    std::vector<task<std::uint32_t>> sums;
    for (std::uint32_t k = 0; k < 40; ++k) {
      sums.push_back(all_reduce(w, k));
      sums.back().start();
    }
    for (std::uint32_t k = 40; k > 0; --k) {
      CHECK(co_await std::move(sums[k - 1]) == (k - 1) * w.size());
    }
    // And by blocking.
    CHECK(all_reduce(w, 1u).get() == w.size());
  });
}
