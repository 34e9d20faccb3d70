// SPDX-License-Identifier: BSD-3-Clause
// Teams: who is in them, what they can do, and that they do not get in each other's way.
#include <algorithm>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/team.hpp>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "counted.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::alive;
using lamellar::testing::counted;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

// Positions and PEs do not mix.
static_assert(!std::is_convertible_v<pe, team_position>);
static_assert(!std::is_convertible_v<team_position, pe>);
static_assert(!std::is_constructible_v<pe, team_position>);
static_assert(!std::is_constructible_v<team_position, pe>);
static_assert(transferable<team>);

namespace {

std::vector<std::uint32_t> pes_of(const team& t) {
  std::vector<std::uint32_t> pes;
  for (std::uint32_t k = 0; k < t.size(); ++k) pes.push_back(t.at(team_position{k}).index());
  return pes;
}

/// Goes to and fro between PEs 0 and 1, and counts in the end.
struct hop {
  void operator()(context& at, const darc<std::uint64_t>& counts, std::uint32_t left) const {
    if (left == 0) {
      counts.send(at.me(), [](std::uint64_t& n) { ++n; });
    } else {
      at.world().send(pe{1 - at.me().index()}, hop{}, counts, left - 1);
    }
  }
};

/// What holds for every team, and everything it can do.
task<> check_team(world& w, team t, std::vector<std::uint32_t> expected) {
  CHECK(pes_of(t) == expected);
  CHECK(t.size() == expected.size());
  for (std::uint32_t p = 0; p < w.size(); ++p) {
    const auto found = std::find(expected.begin(), expected.end(), p);
    CHECK(t.contains(w.at(p)) == (found != expected.end()));
    if (found != expected.end()) {
      CHECK(t.position_of(w.at(p))->index() == found - expected.begin());
    }
  }
  CHECK(t.is_member() == t.contains(w.me()));

  // Messages, also from PEs that are no members.
  const std::vector<std::uint32_t> who =
      co_await t.call_all([](context& at) { return at.me().index(); });
  CHECK(who == expected);
  const team_position last{t.size() - 1};
  const pe answered = pe{co_await t.call(last, [](context& at) { return at.me().index(); })};
  CHECK(answered == t.at(last));
  if (!t.is_member()) co_return;

  CHECK(t.at(t.position()) == w.me());
  co_await t.barrier();
  const std::uint32_t me = t.position().index();
  CHECK(co_await all_reduce(t, me + 1) == t.size() * (t.size() + 1) / 2);

  // Objects of the team.
  auto counts = co_await darc<std::uint64_t>::create(t, me);
  CHECK(*counts == me);
  co_await t.barrier();
  counts.send_all([](std::uint64_t& n) { n += 100; });
  counts.send(t.at(team_position{(me + 1) % t.size()}), [](std::uint64_t& n) { n += 1000; });
  co_await t.quiesce();
  CHECK(*counts == me + 100 * t.size() + 1000);
  const std::vector<std::uint64_t> all =
      co_await counts.call_all([](const std::uint64_t& n) { return n; });
  for (std::uint32_t k = 0; k < t.size(); ++k) CHECK(all[k] == k + 100 * t.size() + 1000);
}

}  // namespace

TEST_CASE("the world is a team of all PEs") {
  on_pes([](world& w) -> task<> {
    std::vector<std::uint32_t> all;
    for (std::uint32_t p = 0; p < w.size(); ++p) all.push_back(p);
    const team t = w;
    CHECK(t.position().index() == w.me().index());
    co_await check_team(w, t, all);
  });
}

TEST_CASE("blocks, strides and lists of PEs, in any order") {
  on_pes([](world& w) -> task<> {
    const team all = w;
    const std::uint32_t n = w.size();
    const std::uint32_t half = std::max(1u, n / 2);
    std::vector<std::uint32_t> front;
    std::vector<std::uint32_t> back;
    std::vector<std::uint32_t> even;
    std::vector<std::uint32_t> reversed;
    for (std::uint32_t p = 0; p < half; ++p) front.push_back(p);
    for (std::uint32_t p = n - half; p < n; ++p) back.push_back(p);
    for (std::uint32_t p = 0; p < n; p += 2) even.push_back(p);
    for (std::uint32_t p = n; p > 0; --p) reversed.push_back(p - 1);
    const team first = co_await all.block(0, half);
    const team last = co_await all.block(n - half, half);
    const team evens = co_await all.strided(0, 2, (n + 1) / 2);
    std::vector<team_position> order;
    for (const std::uint32_t p : reversed) order.emplace_back(p);
    const team turned = co_await all.subteam(order);
    co_await check_team(w, first, front);
    co_await check_team(w, last, back);
    co_await check_team(w, evens, even);
    co_await check_team(w, turned, reversed);
    CHECK(first == first);
    CHECK_FALSE(first == last);
  });
}

TEST_CASE("a split gives each colour its team, ordered by key") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t me = w.me().index();
    const team mine = co_await team{w}.split(me % 2, w.size() - me);
    std::vector<std::uint32_t> expected;
    for (std::uint32_t p = w.size(); p > 0; --p) {
      if ((p - 1) % 2 == me % 2) expected.push_back(p - 1);
    }
    co_await check_team(w, mine, expected);

    std::optional<std::uint32_t> colour;
    if (me == 0) colour = 7;
    const team lonely = co_await team{w}.split(colour);
    CHECK(static_cast<bool>(lonely) == (me == 0));
    const std::vector<std::uint32_t> first{0};
    if (lonely) co_await check_team(w, lonely, first);
  });
}

TEST_CASE("PEs of one host are a team") {
  on_pes([](world& w) -> task<> {
    const team here = co_await team{w}.by_host();
    // Pretended hosts share the cores of one.
    CHECK(here.size() <= w.able().pes_on_host);
    CHECK(here.is_member());
  });
}

TEST_CASE("random teams of random teams") {
  on_pes([](world& w) -> task<> {
    std::mt19937 random{12345};  // the same on all PEs
    for (int round = 0; round < 10; ++round) {
      team t = w;
      std::vector<std::uint32_t> pes = pes_of(t);
      while (t.is_member() && pes.size() > 1) {
        std::vector<std::uint32_t> positions(pes.size());
        for (std::uint32_t k = 0; k < pes.size(); ++k) positions[k] = k;
        std::shuffle(positions.begin(), positions.end(), random);
        positions.resize(pes.size() - 1);
        std::vector<team_position> members;
        std::vector<std::uint32_t> next;
        for (const std::uint32_t k : positions) {
          members.emplace_back(k);
          next.push_back(pes[k]);
        }
        t = co_await t.subteam(members);
        pes = next;
        co_await check_team(w, t, pes);
      }
      random.seed(static_cast<std::uint32_t>(round));
    }
  });
}

TEST_CASE("teams are independent: their collectives may run in any order, and side by side") {
  on_pes([](world& w) -> task<> {
    if (w.size() < 2) co_return;
    const std::uint32_t me = w.me().index();
    const team all = w;
    const team front = co_await all.block(0, w.size() - 1);
    const team back = co_await all.block(1, w.size() - 1);
    for (int k = 0; k < 50; ++k) {
      // PEs in the middle are in both, and start them in different orders.
      std::vector<spawned<std::uint32_t>> sums;
      const bool turned = (me + static_cast<std::uint32_t>(k)) % 2 == 1;
      task<std::uint32_t> one =
          front.is_member() ? all_reduce(front, me) : task<std::uint32_t>{};
      task<std::uint32_t> two = back.is_member() ? all_reduce(back, me) : task<std::uint32_t>{};
      if (turned) std::swap(one, two);
      if (one.valid()) one.start();
      if (two.valid()) two.start();
      std::uint32_t total = 0;
      if (one.valid()) total += co_await std::move(one);
      if (two.valid()) total += co_await std::move(two);
      const std::uint32_t n = w.size();
      const std::uint32_t of_front = (n - 1) * (n - 2) / 2;
      const std::uint32_t of_back = n * (n - 1) / 2;
      CHECK(total == (front.is_member() ? of_front : 0) + (back.is_member() ? of_back : 0));
    }
  });
}

TEST_CASE("quiesce of a team waits for messages that handlers pass on between its members") {
  on_pes([](world& w) -> task<> {
    if (w.size() < 3) co_return;
    const team t = co_await team{w}.block(0, 2);
    if (!t.is_member()) co_return;
    auto counts = co_await darc<std::uint64_t>::create(t, 0u);
    for (std::uint32_t round = 1; round <= 20; ++round) {
      for (int k = 0; k < 10; ++k) {
        t.send(team_position{1 - t.position().index()}, hop{}, counts, 7u);
      }
      co_await t.quiesce();
      CHECK(co_await all_reduce(t, *counts) == 20u * round);
    }
  });
}

TEST_CASE(
    "what handlers of a team's messages throw comes out of its quiesce, on every member") {
  on_pes([](world& w) -> task<> {
    const team t = co_await team{w}.block(0, std::max(1u, w.size() / 2));
    if (!t.is_member()) co_return;
    if (t.position().index() == 0) {
      for (int k = 0; k < 3; ++k) {
        t.send(team_position{t.size() - 1}, [] { throw std::runtime_error{"no such thing"}; });
      }
    }
    std::string text;
    try {
      co_await t.quiesce();
    } catch (const remote_error& e) {
      text = e.what();
    }
    CHECK(text.find("no such thing") != std::string::npos);
    CHECK(text.find("3 failures") != std::string::npos);
    co_await t.quiesce();
  });
}

TEST_CASE("a team travels to the PEs of its parent") {
  on_pes([](world& w) -> task<> {
    const team t = co_await team{w}.block(0, 1);
    const bool same = co_await w.call(
        next_of(w), [](const team& got) { return got.size() == 1 && got.contains(pe{0}); }, t);
    CHECK(same);
    const team all = w;
    const std::uint32_t size = co_await w.call(
        next_of(w), [](const team& got) { return got.size(); }, all);
    CHECK(size == w.size());
  });
}

TEST_CASE("objects of a team go when their last handle has gone, though others know nothing") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t most = std::max(1u, w.size() / 2);
    for (int round = 0; round < 5; ++round) {
      co_await w.quiesce();
      co_await w.barrier();
      CHECK(alive.load() == 0);
      co_await w.barrier();
      team t = co_await team{w}.block(0, most);
      if (t.is_member()) {
        auto d = co_await darc<counted>::create(t);
        CHECK(alive.load() > 0);
        co_await t.barrier();
      }
      t = {};
    }
  });
}

TEST_CASE("a handle of a team's object may not go to a PE outside") {
  on_pes([](world& w) -> task<> {
    if (w.size() < 2) co_return;
    const team t = co_await team{w}.block(0, 1);
    std::string text;
    if (t.is_member()) {
      auto d = co_await darc<int>::create(t, 1);
      w.send(
          w.at(1), [](const darc<int>&) {}, d);
      try {
        w.wait_all();
      } catch (const remote_error& e) {
        text = e.what();
      }
      CHECK(text.find("does not exist") != std::string::npos);
    }
  });
}

TEST_CASE("a handle of a team of which a PE has no part is refused there, and named") {
  on_pes([](world& w) -> task<> {
    if (w.size() < 2) co_return;
    std::optional<std::uint32_t> colour;
    if (w.me().index() == 0) colour = 1;
    const team lonely = co_await team{w}.split(colour);  // only PE 0 knows of it
    if (lonely) {
      w.send(
          w.at(1), [](const team& got) { (void)got.size(); }, lonely);
      std::string text;
      try {
        w.wait_all();
      } catch (const remote_error& e) {
        text = e.what();
        CHECK(e.pe() == 1);
      }
      CHECK(text.find("does not exist") != std::string::npos);
    }
    co_await w.quiesce();
  });
}

TEST_CASE("an answer that nobody has read yet keeps the team in it, and no longer") {
  on_pes([](world& w) -> task<> {
    const detail::object_table& objects = detail::engine_of(w).objects();
    for (int k = 0; k < 2; ++k) co_await w.quiesce();
    const std::size_t before = objects.all().size();
    co_await w.barrier();
    team t = co_await team{w}.block(0, 1);
    const auto give_back = [](const team& got) { return got; };
    auto unread = w.call(next_of(w), give_back, t);
    auto never_read = w.call(next_of(w), give_back, t);
    t = {};
    for (int k = 0; k < 3; ++k) co_await w.quiesce();
    CHECK(objects.all().size() == before + 1);
    {
      const team kept = unread.get();
      CHECK(kept.size() == 1);
      CHECK(kept.at(team_position{0}) == w.at(0));
    }
    for (int k = 0; k < 2; ++k) co_await w.quiesce();
    CHECK(objects.all().size() == before + 1);
    co_await w.barrier();
    never_read = {};
    for (int k = 0; k < 2; ++k) co_await w.quiesce();
    CHECK(objects.all().size() == before);
    co_await w.barrier();
  });
}
