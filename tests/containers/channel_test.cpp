// SPDX-License-Identifier: BSD-3-Clause
// Channels: nothing is lost or doubled, producers and consumers wait for each other, and ends.
#include <algorithm>
#include <cereal/types/string.hpp>
#include <cstdint>
#include <lamellar/containers/channel.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/spawned.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"
#include "shared_directory.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::shared_directory;

namespace {

template <class T>
T item_of(std::uint64_t pe, std::uint64_t k) {
  if constexpr (std::same_as<T, std::string>) {
    return std::to_string(pe) + ":" + std::to_string(k);
  } else {
    return {pe, k};
  }
}
using number = std::pair<std::uint64_t, std::uint64_t>;

template <class T>
task<std::uint64_t> produce(channel<T> into, std::uint64_t pe, std::uint64_t items) {
  std::uint64_t accepted = 0;
  for (std::uint64_t k = 0; k < items; ++k) {
    auto pushing = into.push(item_of<T>(pe, k));
    accepted += co_await pushing ? 1 : 0;
  }
  co_return accepted;
}

template <class T>
task<std::vector<T>> consume(channel<T> from) {
  std::vector<T> got;
  for (;;) {
    auto popping = from.pop();
    std::optional<T> item = co_await popping;
    if (!item) break;
    got.push_back(*std::move(item));
  }
  co_return got;
}

}  // namespace

TEST_CASE_TEMPLATE("many producers and consumers: each item comes out once", T, number,
                   std::string) {
  on_pes([](world& w) -> task<> {
    constexpr std::uint64_t items = 60;
    for (const std::size_t capacity : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
      auto making = channel<T>::create(w, capacity, team_position{w.size() - 1});
      const channel<T> row = co_await making;
      CHECK(row.capacity() == capacity);
      CHECK(row.host().index() == w.size() - 1);
      const std::uint64_t me = w.me().index();
      // Two consumers and two producers on each PE; the last producer closes.
      auto first = w.spawn(consume(row));
      auto second = w.spawn(consume(row));
      auto third = w.spawn(produce(row, 2 * me, items));
      auto fourth = w.spawn(produce(row, 2 * me + 1, items));
      CHECK(co_await third == items);
      CHECK(co_await fourth == items);
      co_await w.barrier();
      if (me == 0) co_await row.close();
      std::vector<T> got = co_await first;
      const std::vector<T> more = co_await second;
      if constexpr (std::same_as<T, number>) {
        // What one producer has pushed one after the other comes to a consumer in that order.
        for (std::uint64_t pe = 0; pe < 2 * w.size(); ++pe) {
          std::uint64_t next = 0;
          for (const number& each : got) {
            if (each.first == pe) {
              CHECK(each.second >= next);
              next = each.second + 1;
            }
          }
        }
      }
      got.insert(got.end(), more.begin(), more.end());
      auto gathering = all_gather(w, got);
      std::vector<T> all;
      for (const std::vector<T>& some : co_await gathering) {
        all.insert(all.end(), some.begin(), some.end());
      }
      std::sort(all.begin(), all.end());
      std::vector<T> expected;
      for (std::uint64_t pe = 0; pe < 2 * w.size(); ++pe) {
        for (std::uint64_t k = 0; k < items; ++k) expected.push_back(item_of<T>(pe, k));
      }
      std::sort(expected.begin(), expected.end());
      CHECK(all == expected);
    }
  });
}

TEST_CASE("it never holds more than its capacity, and is first in first out") {
  on_pes([](world& w) -> task<> {
    auto making = channel<std::uint32_t>::create(w, 3);
    const auto row = co_await making;
    if (w.me().index() + 1 == w.size()) {
      for (std::uint32_t k = 0; k < 3; ++k) CHECK(co_await row.push(k));
      CHECK(co_await row.size() == 3);
      CHECK_FALSE(co_await row.try_push(99));
      auto waits = row.push(3);
      auto waits_too = row.push(4);
      CHECK(co_await row.size() == 3);
      CHECK_FALSE(waits.ready());
      CHECK(co_await row.pop() == std::optional<std::uint32_t>{0});
      std::vector<std::uint32_t> rest;
      for (int k = 0; k < 4; ++k) rest.push_back(*co_await row.pop());
      CHECK(co_await waits);
      CHECK(co_await waits_too);
      // The two that waited were not ordered.
      CHECK(rest[0] == 1);
      CHECK(rest[1] == 2);
      CHECK(rest[2] + rest[3] == 7);
      CHECK_FALSE((co_await row.try_pop()).has_value());
      auto first = row.pop();
      CHECK(co_await row.try_push(5));
      CHECK(co_await first == std::optional<std::uint32_t>{5});
    }
    co_await w.quiesce();
  });
}

TEST_CASE("closing tells those who wait, and leaves what is in") {
  on_pes([](world& w) -> task<> {
    auto making = channel<std::string>::create(w, 2);
    const auto full = co_await making;
    auto making_other = channel<std::string>::create(w, 2);
    const auto empty = co_await making_other;
    if (w.me().index() == 0) {
      CHECK(co_await full.push("one"));
      CHECK(co_await full.push("two"));
    }
    co_await w.barrier();
    auto refused = full.push("three");
    auto nothing = empty.pop();
    CHECK(co_await full.size() == 2);  // so the push before, or a later one, waits
    co_await w.barrier();
    if (w.me().index() == 0) {
      co_await full.close();
      co_await full.close();
      co_await empty.close();
    }
    CHECK_FALSE(co_await refused);
    CHECK_FALSE((co_await nothing).has_value());
    co_await w.barrier();
    CHECK_FALSE(co_await full.push("four"));
    CHECK_FALSE(co_await full.try_push("five"));
    co_await w.barrier();
    if (w.me().index() + 1 == w.size()) {
      CHECK(co_await full.pop() == std::optional<std::string>{"one"});
      CHECK(co_await full.try_pop() == std::optional<std::string>{"two"});
      CHECK_FALSE((co_await full.pop()).has_value());
      CHECK_FALSE((co_await full.try_pop()).has_value());
    }
    co_await w.quiesce();
  });
}

TEST_CASE("a channel of some PEs, whose handle travels") {
  on_pes([](world& w) -> task<> {
    auto splitting = team{w}.split(w.me().index() % 2);
    const team half = co_await splitting;
    auto making = channel<std::uint32_t>::create(half, 100, team_position{half.size() - 1});
    const auto row = co_await making;
    half.send(
        team_position{0}, [](const channel<std::uint32_t>& c) { static_cast<void>(c.push(7)); },
        row);
    for (std::uint32_t k = 0; k < 1; ++k) CHECK(co_await row.pop() == std::optional{7U});
    co_await half.quiesce();
    CHECK(co_await row.size() == 0);
    co_await w.quiesce();
  });
}

TEST_CASE_TEMPLATE("what was saved comes out in the order in which it went in", T, number,
                   std::string) {
  on_pes([](world& w) -> task<> {
    auto making_directory = shared_directory::create(w);
    const shared_directory files = co_await making_directory;
    constexpr std::uint64_t items = 500;
    // Long ones, so that there are several blocks, which different PEs read.
    const auto item = [](std::uint64_t k) {
      T made = item_of<T>(3, k);
      if constexpr (std::same_as<T, std::string>) made += std::string(10'000, 'x');
      return made;
    };
    const team all{w};
    auto first = all.block(0, 1);
    const team one = co_await first;
    for (const team& savers : {all, one}) {
      if (savers.is_member()) {
        auto making = channel<T>::create(savers, items, team_position{savers.size() - 1});
        const channel<T> row = co_await making;
        if (savers.position().index() == 0) {
          for (std::uint64_t k = 0; k < items; ++k) CHECK(co_await row.push(item(k)));
        }
        auto saving = checkpoint(row, files / "channel");
        CHECK(co_await saving == items);
      }
      co_await w.barrier();
      auto making = channel<T>::create(w, items + 1);
      const channel<T> row = co_await making;
      if (w.me() == pe(0)) CHECK(co_await row.push(item(99)));
      auto restoring = restore(row, files / "channel");
      CHECK(co_await restoring == items);
      if (w.me().index() + 1 == w.size()) {
        CHECK(co_await row.pop() == std::optional<T>{item(99)});
        for (std::uint64_t k = 0; k < items; ++k) {
          CHECK(co_await row.pop() == std::optional<T>{item(k)});
        }
        CHECK(co_await row.size() == 0);
      }
      co_await w.barrier();
      auto making_small = channel<T>::create(w, items - 1);
      const channel<T> small = co_await making_small;
      std::string text;
      auto failing = restore(small, files / "channel");
      try {
        co_await failing;
      } catch (const checkpoint_error& e) {
        text = e.what();
      }
      CHECK(text.find("room for 499") != std::string::npos);
      CHECK(co_await small.size() == 0);
      co_await w.barrier();
    }
  });
}
