// SPDX-License-Identifier: BSD-3-Clause
// Items of all PEs to where they belong: nothing is lost or doubled, and what is placed keeps
// its order.
#include <algorithm>
#include <array>
#include <atomic>
#include <cereal/types/string.hpp>
#include <compare>
#include <functional>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/when_all.hpp>
#include <list>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::work_divisor;

namespace {

// ---- items: number k of the member at position p, of many types ----

struct tag {
  std::uint32_t source;
  std::uint32_t index;
  std::uint16_t more;
  auto operator<=>(const tag&) const = default;
};
template <std::size_t Words>
struct block {
  std::array<std::uint64_t, Words> words;
  auto operator<=>(const block&) const = default;
};
struct alignas(16) aligned {
  std::uint64_t number;
  auto operator<=>(const aligned&) const = default;
};
struct named {
  std::string name;
  std::vector<std::uint32_t> numbers;
  auto operator<=>(const named&) const = default;
};

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = (a << 32 ^ b) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
  return x ^ (x >> 32);
}

template <class T>
struct make_item;
template <class T>
  requires std::is_arithmetic_v<T>
struct make_item<T> {
  static T of(std::uint32_t p, std::size_t k) { return static_cast<T>(mixed(p, k)); }
};
template <>
struct make_item<tag> {
  static tag of(std::uint32_t p, std::size_t k) {
    return {p, static_cast<std::uint32_t>(k), static_cast<std::uint16_t>(mixed(p, k))};
  }
};
template <std::size_t Words>
struct make_item<block<Words>> {
  static block<Words> of(std::uint32_t p, std::size_t k) {
    block<Words> made;
    for (std::size_t w = 0; w < Words; ++w) made.words[w] = mixed(p, k + w);
    return made;
  }
};
template <>
struct make_item<aligned> {
  static aligned of(std::uint32_t p, std::size_t k) { return {mixed(p, k)}; }
};
template <>
struct make_item<std::string> {
  static std::string of(std::uint32_t p, std::size_t k) {
    // A few are longer than a buffer.
    const std::size_t length = k % 997 == 5 ? 20'000 : mixed(k, p) % 40;
    return std::to_string(p) + ":" + std::to_string(k) + std::string(length, 'x');
  }
};
template <>
struct make_item<named> {
  static named of(std::uint32_t p, std::size_t k) {
    return {std::to_string(mixed(p, k)),
            std::vector<std::uint32_t>(k % 5, static_cast<std::uint32_t>(k))};
  }
};

// ---- who has how many, and where they go ----

struct pattern {
  const char* name;
  std::function<std::size_t(std::uint32_t p, std::uint32_t n)> count;
  std::function<std::uint32_t(std::uint32_t p, std::size_t k, std::uint32_t n)> to;
};

std::uint32_t anywhere(std::uint32_t p, std::size_t k, std::uint32_t n) {
  return static_cast<std::uint32_t>(mixed(p + 77, k) % n);
}

std::vector<pattern> patterns(std::size_t many) {
  const auto all_have = [](std::size_t items) {
    return [items](std::uint32_t, std::uint32_t) { return items; };
  };
  return {
      {"nobody has any", all_have(0), anywhere},
      {"one each", all_have(1), anywhere},
      {"anywhere", all_have(many + 3), anywhere},
      {"only the last has some",
       [many](std::uint32_t p, std::uint32_t n) { return p + 1 == n ? many : 0; }, anywhere},
      {"uneven", [many](std::uint32_t p, std::uint32_t) { return many / (p + 1); }, anywhere},
      {"all to one", all_have(many),
       [](std::uint32_t, std::size_t, std::uint32_t n) { return n / 2; }},
      {"all stay", all_have(many),
       [](std::uint32_t p, std::size_t, std::uint32_t) { return p; }},
      {"all to the next", all_have(many),
       [](std::uint32_t p, std::size_t, std::uint32_t n) { return (p + 1) % n; }},
      {"in turn", all_have(many),
       [](std::uint32_t, std::size_t k, std::uint32_t n) {
         return static_cast<std::uint32_t>(k % n);
       }},
  };
}

template <class T>
std::vector<T> items_of(const pattern& how, std::uint32_t p, std::uint32_t n) {
  std::vector<T> items;
  for (std::size_t k = 0; k < how.count(p, n); ++k) items.push_back(make_item<T>::of(p, k));
  return items;
}

/// What position p sends to position q, in its order.
template <class T>
std::vector<T> sent_by(const pattern& how, std::uint32_t p, std::uint32_t q, std::uint32_t n) {
  std::vector<T> items;
  for (std::size_t k = 0; k < how.count(p, n); ++k) {
    if (how.to(p, k, n) == q) items.push_back(make_item<T>::of(p, k));
  }
  return items;
}

template <class T>
bool same_multiset(std::vector<T> a, std::vector<T> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

// ---- the properties ----

template <class T>
task<> check_streamed(team t, pattern how) {
  const std::uint32_t n = t.size();
  const std::uint32_t me = t.position().index();
  const std::vector<T> items = items_of<T>(how, me, n);
  std::vector<std::vector<T>> got(n);
  std::atomic<int> inside{0};
  bool alone = true;
  bool empty_rows = false;
  const auto route = [&](const T&, std::size_t k) { return team_position{how.to(me, k, n)}; };
  const auto sink = [&](team_position source, std::span<const T> row) {
    alone = alone && inside.fetch_add(1) == 0;
    empty_rows = empty_rows || row.empty();
    std::vector<T>& from = got[source.index()];
    from.insert(from.end(), row.begin(), row.end());
    inside.fetch_sub(1);
  };
  co_await exchange(t, items, route, sink);
  CHECK(alone);
  CHECK(!empty_rows);
  for (std::uint32_t p = 0; p < n; ++p) {
    INFO(how.name << ", from " << p << " of " << n << " to " << me);
    CHECK(same_multiset(got[p], sent_by<T>(how, p, me, n)));
  }
}

template <class T>
task<> check_placed(team t, pattern how) {
  const std::uint32_t n = t.size();
  const std::uint32_t me = t.position().index();
  const std::vector<T> items = items_of<T>(how, me, n);
  const auto route = [&](const T&, std::size_t k) { return team_position{how.to(me, k, n)}; };
  exchanged_items<T> got = co_await exchange_placed(t, items, route);
  REQUIRE(got.sources() == n);
  std::size_t first = 0;
  for (std::uint32_t p = 0; p < n; ++p) {
    INFO(how.name << ", from " << p << " of " << n << " to " << me);
    const std::vector<T> expected = sent_by<T>(how, p, me, n);
    const std::span<T> found = got.from(team_position{p});
    CHECK(got.displacements()[p] == first);
    CHECK(std::equal(found.begin(), found.end(), expected.begin(), expected.end()));
    first += expected.size();
  }
  CHECK(got.size() == first);
}

/// Rows of one to five items, to one member after the other.
template <class T>
task<> check_rows(team t, pattern how) {
  const std::uint32_t n = t.size();
  const std::uint32_t me = t.position().index();
  std::vector<std::vector<T>> to(n);
  std::vector<std::uint64_t> counts(n);
  for (std::uint32_t q = 0; q < n; ++q) {
    to[q] = sent_by<T>(how, me, q, n);
    counts[q] = to[q].size();
  }
  const auto fill = [&](auto& rows) {
    std::vector<std::size_t> done(n);
    for (bool more = true; more;) {
      more = false;
      for (std::uint32_t q = 0; q < n; ++q) {
        const std::size_t row = std::min(1 + (done[q] + q) % 5, to[q].size() - done[q]);
        rows.put(team_position{q}, std::span{to[q]}.subspan(done[q], row));
        done[q] += row;
        more = more || done[q] < to[q].size();
      }
      rows.poll();
    }
  };
  exchanged_items<T> got = co_await exchange_rows<T>(t, counts, fill);
  for (std::uint32_t p = 0; p < n; ++p) {
    INFO(how.name << ", from " << p << " of " << n << " to " << me);
    const std::vector<T> expected = sent_by<T>(how, p, me, n);
    const std::span<T> found = got.from(team_position{p});
    CHECK(std::equal(found.begin(), found.end(), expected.begin(), expected.end()));
  }
}

template <class T>
task<> check_forms(team t, pattern how) {
  co_await check_streamed<T>(t, how);
  co_await check_placed<T>(t, how);
  co_await check_rows<T>(t, how);
}

template <class T>
void check_type(world& w, std::size_t many) {
  many = std::max<std::size_t>(many / work_divisor, 10);
  for (const pattern& how : patterns(many)) check_forms<T>(w, how).get();
}

/// Small enough for simulated jobs, and enough for many buffers.
std::size_t usual(const world& w) { return (w.able().in_turns ? 2'000u : 20'000u) / w.size(); }

const pattern uniform{"uniform", [](std::uint32_t p, std::uint32_t) { return 500 + p; },
                      anywhere};

}  // namespace

TEST_CASE("every item arrives once; placed ones in order of source and place: plain values") {
  on_pes([](world& w) {
    check_type<std::uint8_t>(w, usual(w));
    check_type<std::uint64_t>(w, usual(w));
    check_type<tag>(w, usual(w));
    check_type<block<2>>(w, usual(w));
  });
}

TEST_CASE("the same for large and aligned plain values, larger ones than a buffer too") {
  on_pes([](world& w) {
    check_type<block<20>>(w, usual(w) / 10);
    check_type<block<250>>(w, usual(w) / 50);
    check_type<block<1500>>(w, usual(w) / 200);
    check_type<aligned>(w, usual(w) / 4);
  });
}

TEST_CASE("the same for items that own memory") {
  on_pes([](world& w) {
    check_type<std::string>(w, usual(w) / 4);
    check_type<named>(w, usual(w) / 4);
  });
}

TEST_CASE("teams exchange among themselves, at the same time") {
  on_pes([](world& w) -> task<> {
    const team all{w};
    const std::uint32_t n = w.size();
    std::vector<team_position> backwards;
    for (std::uint32_t k = n; k != 0; --k) backwards.push_back(team_position{k - 1});
    const team reversed = co_await all.subteam(backwards);
    co_await check_forms<tag>(reversed, uniform);
    const team half = co_await all.split(w.me().index() % 2);
    co_await check_forms<tag>(half, uniform);
    co_await check_forms<std::string>(half, uniform);
    const team last = co_await all.block(n - 1, 1);
    if (last.is_member()) co_await check_forms<std::uint64_t>(last, uniform);
  });
}

TEST_CASE(
    "a parcel carries something else than the item, and a sink need not know the source") {
  on_pes([](world& w) {
    // A row of numbers is dealt out by turns: element k goes to PE k % n, at k / n.
    struct element {
      std::uint64_t place;
      double value;
    };
    const std::uint32_t n = w.size();
    const std::size_t each = 1000;
    std::vector<float> own(each);
    const std::size_t first = w.me().index() * each;
    std::iota(own.begin(), own.end(), static_cast<float>(first));
    std::vector<double> dealt(each, -1);
    const auto route = [=](float value, std::size_t k) {
      const std::size_t global = first + k;
      return parcel<element>{team_position{static_cast<std::uint32_t>(global % n)},
                             {global / n, value}};
    };
    exchange(w, own, route, [&dealt](std::span<const element> row) {
      for (const element& e : row) dealt[e.place] = e.value;
    }).get();
    const exchanged_items<element> placed = exchange_placed(w, std::span{own}, route).get();
    CHECK(placed.size() == each);
    for (std::size_t k = 0; k < each; ++k) {
      CHECK(dealt[k] == static_cast<double>(k * n + w.me().index()));
      CHECK(placed[k].place == k);  // in order of sources, which is that of the numbers
      CHECK(placed[k].value == dealt[k]);
    }
  });
}

TEST_CASE(
    "a view is read where it is, and routes that keep no state may ask for the item only") {
  on_pes([](world& w) {
    const std::uint32_t n = w.size();
    const std::array<std::uint32_t, 5> items{0, 1, 2, 3, 4};
    const auto route = [n](std::uint32_t item) { return team_position{item % n}; };
    const auto got = exchange_placed(w, std::span{items}.subspan(1), route).get();
    std::vector<std::uint32_t> expected;
    for (std::uint32_t p = 0; p < n; ++p) {
      for (std::uint32_t item = 1; item < 5; ++item) {
        if (item % n == w.me().index()) expected.push_back(item);
      }
    }
    CHECK(std::equal(got.begin(), got.end(), expected.begin(), expected.end()));
  });
}

TEST_CASE("an exchange waits neither for other tasks nor for messages that wait") {
  on_pes([](world& w) -> task<> {
    std::atomic<bool> over{false};
    const auto until_over = [](world& here, std::atomic<bool>& flag) -> task<> {
      while (!flag) co_await here.yield();
    };
    spawned<> other = w.spawn(until_over(w, over));
    co_await check_forms<std::uint64_t>(w, uniform);
    CHECK(!other.ready());
    over = true;
    co_await other;
  });
}

TEST_CASE("a sink may send") {
  on_pes([](world& w) -> task<> {
    const auto sums = co_await darc<std::uint64_t>::create(w, 0u);
    const std::vector<std::uint64_t> items(1000, w.me().index() + 1);
    const auto route = [&w](std::uint64_t, std::size_t k) {
      return team_position{anywhere(w.me().index(), k, w.size())};
    };
    const auto sink = [&](std::span<const std::uint64_t> row) {
      for (const std::uint64_t item : row) {
        sums.send(
            w.at(0), [](std::uint64_t& sum, std::uint64_t by) { sum += by; }, item);
      }
    };
    co_await exchange(w, items, route, sink);
    co_await w.quiesce();
    const std::uint64_t n = w.size();
    if (w.me().index() == 0) CHECK(*sums == 1000 * n * (n + 1) / 2);
  });
}

// ---- failures ----

namespace {

/// What `work` throws: the same on all PEs, and nothing is left of it.
void check_failure(world& w, std::uint32_t thrown_on, const char* text, task<> work) {
  std::string said;
  try {
    work.get();
  } catch (const remote_error& e) {
    said = e.what();
    CHECK(e.pe() == thrown_on);
    CHECK(e.count() == 1);
  }
  INFO(said);
  CHECK(said.find(text) != std::string::npos);
  w.wait_all();
  w.quiesce().get();
  check_forms<std::uint64_t>(w, uniform).get();
}

task<> placed_and_dropped(
    world& w, const std::vector<std::uint64_t>& items,
    std::function<team_position(const std::uint64_t&, std::size_t)> route) {
  co_await exchange_placed(w, items, route);
}

/// Refuses to be written, or read.
struct unreadable {
  int number = 0;
  std::string more;  // so it does not travel as its bytes
  template <class Archive>
  void save(Archive& to) const {
    if (number == -1) throw std::runtime_error("not to be written");
    to(number);
  }
  template <class Archive>
  void load(Archive& from) {
    from(number);
    if (number == -2) throw std::runtime_error("not to be read");
  }
};

}  // namespace

TEST_CASE("what a sink throws comes out on all PEs, and the exchange ends") {
  on_pes([](world& w) {
    const std::uint32_t last = w.size() - 1;
    const std::vector<std::uint64_t> items(5000, 7);
    const auto route = [&w](std::uint64_t, std::size_t k) {
      return team_position{static_cast<std::uint32_t>(k % w.size())};
    };
    int calls_after = 0;
    bool thrown = false;
    const auto sink = [&](std::span<const std::uint64_t>) {
      if (w.me().index() != last) return;
      calls_after += thrown;
      thrown = true;
      throw std::runtime_error("the sink is full");
    };
    check_failure(w, last, "the sink is full", exchange(w, items, route, sink));
    CHECK(calls_after == 0);
  });
}

TEST_CASE("what a route throws comes out on all PEs, in both forms, early and late") {
  on_pes([](world& w) {
    const std::vector<std::uint64_t> items(5000, 7);
    for (const std::size_t at : {std::size_t{0}, std::size_t{4321}}) {
      const auto route = [&w, at](const std::uint64_t&, std::size_t k) {
        if (w.me().index() == 0 && k == at) throw std::runtime_error("no way");
        return team_position{static_cast<std::uint32_t>(k % w.size())};
      };
      check_failure(w, 0, "no way",
                    exchange(w, items, route, [](std::span<const std::uint64_t>) {}));
      check_failure(w, 0, "no way", placed_and_dropped(w, items, route));
      // In the second pass only.
      std::size_t asked = 0;
      const auto route_later = [&, at](const std::uint64_t& item, std::size_t k) {
        if (++asked <= items.size())
          return team_position{static_cast<std::uint32_t>(k % w.size())};
        return route(item, k);
      };
      check_failure(w, 0, "no way", placed_and_dropped(w, items, route_later));
    }
  });
}

TEST_CASE("what fills rows may throw, and that comes out on all PEs") {
  on_pes([](world& w) {
    const auto fill = [&w](auto&) {
      if (w.me().index() == w.size() - 1) throw std::runtime_error("no rows");
    };
    std::string text;
    try {
      exchange_rows<int>(w, std::vector<std::uint64_t>(w.size()), fill).get();
    } catch (const remote_error& e) {
      text = e.what();
    }
    CHECK(text.find("no rows") != std::string::npos);
  });
}

TEST_CASE("items that cannot be written or read fail on all PEs") {
  on_pes([](world& w) {
    const auto route = [&w](const unreadable&, std::size_t k) {
      return team_position{static_cast<std::uint32_t>(k % w.size())};
    };
    const std::uint32_t n = w.size();
    for (const int bad : {-1, -2}) {
      std::vector<unreadable> items(4 * n);
      // Item n - 1 goes to the last PE.
      if (w.me().index() == 0) items[n - 1].number = bad;
      const std::uint32_t thrown_on = bad == -1 ? 0 : n - 1;
      const char* const text = bad == -1 ? "not to be written" : "not to be read";
      check_failure(w, thrown_on, text,
                    exchange(w, items, route, [](std::span<const unreadable>) {}));
      if (n == 1) continue;  // items that stay are copied
      const auto placed = [](world& here, const std::vector<unreadable>& all,
                             auto where) -> task<> {
        co_await exchange_placed(here, all, where);
      };
      check_failure(w, thrown_on, text, placed(w, items, route));
    }
  });
}

// ---- what compiles ----

namespace {
using to_position = team_position (*)(const int&);
using to_number = int (*)(const int&);
static_assert(item_route<to_position, int>);
static_assert(!item_route<to_number, int>);
static_assert(exchangeable_range<std::vector<int>&>);
static_assert(exchangeable_range<std::span<const int>>);
static_assert(!exchangeable_range<std::vector<int>>);  // it would be gone
static_assert(!exchangeable_range<std::list<int>&>);
static_assert(!item_sink<void (*)(int), int>);
}  // namespace
