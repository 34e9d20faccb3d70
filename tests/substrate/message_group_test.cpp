// SPDX-License-Identifier: BSD-3-Clause
// Groups of messages: results in the order of insertion, what is shared travels once per PE.
#include <atomic>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/message_group.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "counters.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::add_to;
using lamellar::testing::counter;
using lamellar::testing::every_second;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;
using lamellar::testing::one_of_its_own;
using lamellar::testing::work_divisor;

namespace {

/// Counts how often it is read from a message on this PE, into a darc that it carries.
struct counted_copy {
  darc<counter> arrivals;
  std::vector<std::uint64_t> table;

  template <class Archive>
  void save(Archive& to) const {
    to(arrivals, table);
  }
  template <class Archive>
  void load(Archive& from) {
    from(arrivals, table);
    if (arrivals) ++arrivals->value;
  }
};

struct look_up {
  counted_copy shared;
  std::uint64_t operator()(context& at, std::uint32_t index) const {
    return shared.table[index] * 100 + at.me().index();
  }
};

struct describe {
  std::string operator()(context& at, std::string_view what, bool loud) const {
    return std::string{what} + (loud ? "!" : "?") + std::to_string(at.me().index());
  }
};

struct ask_the_next {
  std::uint32_t factor;
  task<std::uint32_t> operator()(context at, std::uint32_t k) const {
    const pe next{(at.me().index() + 1) % at.size()};
    auto there = at.world().call(next, [](context& c) { return c.me().index(); });
    co_return factor* k + co_await there;
  }
};

struct is_even {
  bool operator()(int k) const { return k % 2 == 0; }
};

}  // namespace

TEST_CASE("results come in the order of insertion, one or one per PE") {
  on_pes([](world& w) -> task<> {
    message_group<describe> group{w};
    CHECK(group.add(next_of(w), "one", true) == 0);
    CHECK(group.add_all("two", false) == 1);
    CHECK(group.add(w.me(), std::string{"three"}, false) == 2);
    CHECK(group.size() == 3);
    const auto results = co_await group.run();
    REQUIRE(results.size() == 3);
    CHECK(results.at(0) == "one!" + std::to_string(next_of(w).index()));
    CHECK(!results.is_for_all(0));
    CHECK(results.is_for_all(1));
    const std::vector<std::string> all = results.all(1);
    REQUIRE(all.size() == w.size());
    for (std::uint32_t pe = 0; pe < w.size(); ++pe)
      CHECK(all[pe] == "two?" + std::to_string(pe));
    CHECK(results.at(2) == "three?" + std::to_string(w.me().index()));
    CHECK(group.size() == 0);
    CHECK((co_await group.run()).size() == 0);
  });
}

TEST_CASE("members are shared: they travel once to each PE, however many messages there are") {
  on_pes([](world& w) -> task<> {
    const auto arrivals = co_await one_of_its_own<counter>(w);
    std::vector<std::uint64_t> table(5000);
    for (std::size_t k = 0; k < table.size(); ++k) table[k] = 3 * k;
    message_group group{w, look_up{{arrivals, table}}};
    const std::uint32_t many = 20000 / work_divisor;
    for (std::uint32_t k = 0; k < many; ++k) group.add(w.at(k % w.size()), k % 5000);
    const auto results = co_await group.run();
    bool right = results.size() == many;
    for (std::uint32_t k = 0; k < many; ++k) {
      right = right && results.at(k) == 3 * (k % 5000) * 100 + k % w.size();
    }
    CHECK(right);
    for (const std::uint64_t each :
         arrivals.call_all([](counter& c) { return c.value.load(); }).get()) {
      CHECK(each == 1);
    }
    co_await w.quiesce();
  });
}

TEST_CASE("coroutines, bools and nothing at all as results") {
  on_pes([](world& w) -> task<> {
    message_group group{w, ask_the_next{10}};
    for (std::uint32_t k = 0; k < 300; ++k) group.add(w.at(k % w.size()), k);
    const auto results = co_await group.run();
    bool right = true;
    for (std::uint32_t k = 0; k < 300; ++k) {
      right = right && results.at(k) == 10 * k + (k % w.size() + 1) % w.size();
    }
    CHECK(right);

    message_group<is_even> even{w};
    for (int k = 0; k < 10; ++k) even.add(next_of(w), k);
    even.add_all(4);
    const auto bits = co_await even.run();
    CHECK(bits.at(4));
    CHECK(!bits.at(5));
    CHECK(bits.all(10) == std::vector<bool>(w.size(), true));

    const auto total = co_await darc<counter>::create(w);
    message_group silent{w, add_to{}};
    for (std::uint64_t k = 1; k <= 10; ++k) silent.add_all(total, k);
    co_await silent.run();
    co_await w.quiesce();
    CHECK(total->value == 55 * w.size());
  });
}

TEST_CASE("messages of any kind, without results") {
  on_pes([](world& w) -> task<> {
    const auto total = co_await darc<counter>::create(w);
    message_group group{w};
    for (std::uint64_t k = 0; k < 100; ++k) {
      group.add(next_of(w), add_to{}, total, k);
      std::string text(k, 'x');
      group.add(
          next_of(w),
          [](const darc<counter>& to, std::string_view s) { to->value += s.size(); }, total,
          std::string_view{text});  // the view ends with this round
    }
    group.add_all(
        [](darc<counter> to) -> task<int> {
          co_await to.where().yield();
          to->value += 1000;
          co_return 1;
        },
        total);
    CHECK(group.size() == 200 + w.size());
    co_await group.run();
    CHECK(group.size() == 0);
    co_await w.quiesce();
    CHECK(total->value == 2 * 4950 + 1000 * w.size());
  });
}

TEST_CASE("one that throws does not keep the others from running") {
  on_pes([](world& w) -> task<> {
    const auto total = co_await darc<counter>::create(w);
    struct picky {
      int operator()(const darc<counter>& to, int k) const {
        if (k == 13) throw std::runtime_error("not 13");
        ++to->value;
        return k;
      }
    };
    message_group<picky> group{w};
    for (int k = 0; k < 20; ++k) group.add(next_of(w), total, k);
    try {
      (void)co_await group.run();
      CHECK(false);
    } catch (const remote_error& e) {
      const std::string text = e.what();
      CHECK(text.find("not 13") != std::string::npos);
      CHECK(text.find("message 13") != std::string::npos);
      CHECK(e.pe() == next_of(w).index());
    }
    co_await w.quiesce();
    CHECK(total->value == 19);
  });
}

TEST_CASE(
    "a group of a team: results by position, whoever asks, what is shared once a member") {
  on_pes([](world& w) -> task<> {
    const team t = co_await every_second(w);
    const auto arrivals = co_await one_of_its_own<counter>(w);
    message_group group{t, look_up{{arrivals, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}}};
    for (std::uint32_t k = 0; k < 10 * t.size(); ++k) {
      CHECK(group.add(team_position{k % t.size()}, k / t.size()) == k);
    }
    const std::size_t everywhere = group.add_all(7u);
    const std::size_t by_pe = group.add(t.at(team_position{0}), 8u);
    const auto results = co_await group.run();
    for (std::uint32_t k = 0; k < 10 * t.size(); ++k) {
      CHECK(results.at(k) == k / t.size() * 100 + t.at(team_position{k % t.size()}).index());
    }
    const std::vector<std::uint64_t> all = results.all(everywhere);
    REQUIRE(all.size() == t.size());
    for (std::uint32_t k = 0; k < t.size(); ++k) {
      CHECK(all[k] == 700 + t.at(team_position{k}).index());
    }
    CHECK(results.at(by_pe) == 800 + w.size() - 1);
    const std::vector<std::uint64_t> copies =
        co_await arrivals.call_all([](counter& c) { return c.value.load(); });
    for (std::uint32_t p = 0; p < w.size(); ++p) CHECK(copies[p] == t.contains(w.at(p)));

    // Coroutines, and the team gone before they run.
    task<group_results<std::uint32_t>> later = [&] {
      team passing = t;
      message_group asking{std::move(passing), ask_the_next{10}};
      asking.add_all(3u);
      return asking.run();
    }();
    const std::vector<std::uint32_t> asked = (co_await later).all(0);
    for (std::uint32_t k = 0; k < t.size(); ++k) {
      CHECK(asked[k] == 30 + (t.at(team_position{k}).index() + 1) % w.size());
    }
    co_await w.quiesce();
  });
}

TEST_CASE("a group of a team for messages of any kind") {
  on_pes([](world& w) -> task<> {
    const team t = co_await every_second(w);
    const auto total = co_await darc<counter>::create(w);
    message_group group{t};
    group.add(team_position{t.size() - 1}, add_to{}, total, std::uint64_t{1000});
    group.add_all(add_to{}, total, std::uint64_t{1});
    CHECK(group.size() == 1 + t.size());
    co_await group.run();
    co_await w.quiesce();
    const bool last = t.at(team_position{t.size() - 1}) == w.me();
    CHECK(total->value == w.size() * (t.is_member() + (last ? 1000u : 0u)));
  });
}
