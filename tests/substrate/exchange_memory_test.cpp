// SPDX-License-Identifier: BSD-3-Clause
// What exchanges need of a symmetric heap of 16 MiB, and what they do when it is not enough.
#include <cstdint>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

constexpr std::size_t mib_of_words = (1u << 20) / sizeof(std::uint64_t);

/// Every PE sends its words to the last one.
task<exchanged_items<std::uint64_t>> all_to_last(world& w,
                                                 const std::vector<std::uint64_t>& words) {
  const team_position last{w.size() - 1};
  const auto route = [last](std::uint64_t) { return last; };
  return exchange_placed(w, words, route);
}

}  // namespace

TEST_CASE("the result's memory is given back with it, without a quiesce") {
  on_pes([](world& w) {
    const std::size_t before = w.heap().in_use;
    const std::vector<std::uint64_t> words(5 * mib_of_words / w.size(), w.me().index());
    const bool is_last = w.me().index() + 1 == w.size();
    // Together these are more than the heap may grow to.
    for (int round = 0; round < 6; ++round) {
      const auto got = all_to_last(w, words).get();
      CHECK(got.size() == (is_last ? words.size() * w.size() : 0));
      if (is_last) CHECK(w.heap().in_use >= before + got.size() * sizeof(std::uint64_t));
    }
    CHECK(w.heap().in_use == before);
  });
}

TEST_CASE("if one PE has no room for what it gets, all throw the same") {
  on_pes([](world& w) {
    const std::size_t before = w.heap().in_use;
    const std::vector<std::uint64_t> words(20 * mib_of_words / w.size(), 1);
    std::string said;
    try {
      all_to_last(w, words).get();
    } catch (const out_of_memory& e) {
      said = e.what();
    }
    INFO(said);
    CHECK(said.find("PE " + std::to_string(w.size() - 1) + ":") != std::string::npos);
    CHECK(said.find("exchange_placed") != std::string::npos);
    CHECK(said.find("LAMELLAR_HEAP_SIZE") != std::string::npos);
    CHECK(w.heap().in_use == before);
    // Streaming needs no memory for the result.
    std::size_t came = 0;
    const team_position last{w.size() - 1};
    const auto route = [last](std::uint64_t) { return last; };
    const auto sink = [&came](std::span<const std::uint64_t> row) { came += row.size(); };
    exchange(w, words, route, sink).get();
    CHECK(came == (w.me().index() + 1 == w.size() ? words.size() * w.size() : 0));
    CHECK(w.heap().in_use == before);
  });
}
