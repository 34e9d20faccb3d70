// SPDX-License-Identifier: BSD-3-Clause
// Closures that travel by value, as handlers.
#include <lamellar/substrate/by_value.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {
struct log_book {
  std::uint64_t sum = 0;
};
}  // namespace

TEST_CASE("a closure wrapped by by_value travels with what it captured") {
  on_pes([](world& w) -> task<> {
    auto books = co_await darc<log_book>::create(w);
    const pe next = next_of(w);
    std::uint64_t base = 10 * (w.me().index() + 1);
    double factor = 2.5;
    const auto f = by_value([base, factor](context& at, std::uint64_t k) {
      return static_cast<double>(base + k + at.me().index()) * factor;
    });
    CHECK(w.call(next, f, 3).get() == static_cast<double>(base + 3 + next.index()) * 2.5);
    const auto add = by_value([base](log_book& book) { book.sum += base; });
    for (int k = 0; k < 10; ++k) books.send(next, add);
    const auto nothing = by_value([](int a) { return a + 1; });
    CHECK(co_await w.call(next, nothing, 1) == 2);
    co_await w.quiesce();
    const std::uint32_t before = (w.me().index() + w.size() - 1) % w.size();
    CHECK(books->sum == 10 * 10 * (before + 1));
  });
}

TEST_CASE("a coroutine handler's closure lives until the coroutine has ended") {
  on_pes([](world& w) -> task<> {
    std::uint64_t number = 77 + w.me().index();
    auto f = by_value([number](context at, int rounds) -> task<std::uint64_t> {
      for (int k = 0; k < rounds; ++k) co_await at.world().call(at.origin(), [] {});
      co_return number;
    });
    CHECK(co_await w.call(next_of(w), f, 10) == number);
    CHECK(co_await w.call(w.me(), f, 0) == number);
  });
}
