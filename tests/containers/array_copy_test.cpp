// SPDX-License-Identifier: BSD-3-Clause
// Copies between arrays of all layouts and accesses, of teams and of views; other layouts and
// other lengths.
#include <fmt/format.h>

#include <algorithm>
#include <lamellar/containers/array_copy.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

using number = std::uint32_t;

/// Let each element tell its index. Collective.
template <class Array>
task<> number_elements(Array given) {
  const Array a = std::move(given);  // not kept by a task that has ended
  const std::uint32_t parts = a.members().size();
  const std::uint32_t me = a.members().position().index();
  const std::size_t begin = a.size() * me / parts;
  const std::size_t end = a.size() * (me + 1) / parts;
  std::vector<number> values(end - begin);
  std::iota(values.begin(), values.end(), static_cast<number>(begin + 1));
  co_await a.put(begin, values);
  auto all_there = a.members().barrier();
  co_await all_there;
}

template <class Array>
task<bool> is_numbered(Array given, std::size_t from = 0) {
  const Array a = std::move(given);
  std::vector<number> got(a.size());
  co_await a.get(0, got);
  for (std::size_t k = 0; k < got.size(); ++k) {
    if (got[k] != from + k + 1) co_return false;
  }
  co_return true;
}

template <class From, class To>
task<> copy_and_check(world& w, From from, To to) {
  auto numbering = number_elements(from);
  co_await numbering;
  auto copying = copy(from, to);
  co_await copying;
  auto checking = is_numbered(to);
  CHECK(co_await checking);
  co_await w.barrier();
}

const std::vector<std::size_t> sizes{0, 1, 3, 1001};

}  // namespace

TEST_CASE_TEMPLATE("a copy has the same elements, by all pairs of layouts", From, layout::block,
                   layout::cyclic, layout::block_cyclic) {
  on_pes([](world& w) -> task<> {
    for (const std::size_t n : sizes) {
      auto m0 = atomic_array<number, From>::create(w, n);
      const auto from = co_await m0;
      auto m1 = atomic_array<number>::create(w, n);
      auto c1 = copy_and_check(w, from, co_await m1);
      co_await c1;
      auto m2 = atomic_array<number, layout::cyclic>::create(w, n);
      auto c2 = copy_and_check(w, from, co_await m2);
      co_await c2;
      auto m3 = atomic_array<number, layout::block_cyclic>::create(w, n);
      auto c3 = copy_and_check(w, from, co_await m3);
      co_await c3;
      auto m4 = atomic_array<number, layout::block_cyclic>::create(w, n, std::size_t{5});
      auto c4 = copy_and_check(w, from, co_await m4);
      co_await c4;
    }
  });
}

TEST_CASE_TEMPLATE("a copy has the same elements, by all accesses", To, access::unsafe,
                   access::local_lock, access::global_lock) {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 503;
    auto m0 = unsafe_array<number>::create(w, n);
    const auto plain = co_await m0;
    auto m1 = local_lock_array<number, layout::cyclic>::create(w, n);
    const auto guarded = co_await m1;
    auto m2 = array<number, layout::cyclic, To>::create(w, n);
    const auto to = co_await m2;
    auto c1 = copy_and_check(w, plain, to);
    co_await c1;
    auto c2 = copy_and_check(w, guarded, to);
    co_await c2;
  });
}

TEST_CASE("many pieces") {
  on_pes([](world& w) -> task<> {
    const std::size_t n = 2000003 / lamellar::testing::work_divisor;
    auto m0 = atomic_array<number>::create(w, n);
    const auto from = co_await m0;
    auto m1 = atomic_array<number, layout::cyclic>::create(w, n);
    const auto to = co_await m1;
    auto c1 = copy_and_check(w, from, to);
    co_await c1;
    auto c2 = copy_and_check(w, to, from);
    co_await c2;
  });
}

TEST_CASE("views, also of one array") {
  on_pes([](world& w) -> task<> {
    auto m0 = atomic_array<number, layout::cyclic>::create(w, 100);
    const auto a = co_await m0;
    auto numbering = number_elements(a.sub_array(0, 40));
    co_await numbering;
    auto copying = copy(a.sub_array(5, 30), a.sub_array(51, 30));
    co_await copying;
    auto checking = is_numbered(a.sub_array(51, 30), 5);
    CHECK(co_await checking);
    CHECK(co_await a.at(50) == 0);
    CHECK(co_await a.at(81) == 0);
    co_await w.barrier();
  });
}

TEST_CASE("between the world and a team, both ways") {
  on_pes([](world& w) -> task<> {
    const team all{w};
    auto splitting = all.split(w.me().index() % 2, w.size() - w.me().index());
    const team mine = co_await splitting;
    auto m0 = atomic_array<number, layout::cyclic>::create(w, 333);
    const auto whole = co_await m0;
    auto numbering = number_elements(whole);
    co_await numbering;
    auto m1 = atomic_array<number, layout::block_cyclic>::create(mine, 333, std::size_t{4});
    const auto part = co_await m1;
    auto down = copy(whole, part);
    co_await down;
    auto checking = is_numbered(part);
    CHECK(co_await checking);
    auto m2 = atomic_array<number, layout::cyclic>::create(w, 333);
    const auto other = co_await m2;
    if (w.me().index() % 2 == 0) {
      auto up = copy(part, other);
      co_await up;
    }
    co_await w.barrier();
    auto checking_again = is_numbered(other);
    CHECK(co_await checking_again);
    co_await w.barrier();
  });
}

TEST_CASE("another layout") {
  on_pes([](world& w) -> task<> {
    auto m0 = atomic_array<number>::create(w, 1000);
    auto a = co_await m0;
    auto numbering = number_elements(a);
    co_await numbering;
    auto r1 = redistribute<layout::cyclic>(a);
    const auto dealt = co_await r1;
    auto checking = is_numbered(dealt);
    CHECK(co_await checking);
    CHECK(dealt.owner(1 % dealt.size()).index() == 1 % w.size());
    auto fixing = std::move(a).into_read_only();
    const auto fixed = co_await fixing;
    auto r2 = redistribute<layout::block_cyclic>(fixed, std::size_t{10});
    const read_only_array<number, layout::block_cyclic> blocks = co_await r2;
    CHECK(blocks.layout().block() == 10);
    auto checking_again = is_numbered(blocks);
    CHECK(co_await checking_again);
    co_await w.barrier();
  });
}

TEST_CASE_TEMPLATE("resized arrays keep their elements, new ones are zero", Access,
                   access::atomic, access::global_lock) {
  on_pes([](world& w) -> task<> {
    for (const auto& [before, after] : std::vector<std::pair<std::size_t, std::size_t>>{
             {0, 10}, {10, 0}, {100, 101}, {1000, 37}, {3, 5000}}) {
      auto making = array<number, layout::block, Access>::create(w, before);
      auto a = co_await making;
      auto numbering = number_elements(a);
      co_await numbering;
      auto resizing = resize(std::move(a), after);
      const auto b = co_await resizing;
      CHECK(!a);
      CHECK(b.size() == after);
      std::vector<number> got(after);
      co_await b.get(0, got);
      for (std::size_t i = 0; i < after; ++i) CHECK(got[i] == (i < before ? i + 1 : 0));
      co_await w.barrier();
    }
  });
}

TEST_CASE("whoever holds an array keeps it from being resized") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<number>::create(w, 10);
    auto a = co_await making;
    a.store(3, 7);
    {
      const auto other = w.me() == pe{0} ? a.sub_array(0, 1) : atomic_array<number>{};
      bool refused = false;
      auto resizing = resize(std::move(a), 20);
      try {
        co_await resizing;
      } catch (const still_referenced& e) {
        refused = std::string(e.what()).find("PE 0") != std::string::npos;
      }
      CHECK(refused);
      CHECK(co_await a.at(3) == 7);
      co_await w.barrier();
    }
    auto resizing = resize(std::move(a), 20);
    const auto b = co_await resizing;
    CHECK(co_await b.at(3) == 7);
    co_await w.barrier();
  });
}

TEST_CASE("elements that own memory are copied and resized") {
  on_pes([](world& w) -> task<> {
    auto making = atomic_array<std::string>::create(w, 30);
    auto a = co_await making;
    for (std::size_t i = 0; i < 30; ++i) {
      if (a.owner(i) == w.me()) a.store(i, fmt::format("element {} of the words", i));
    }
    co_await w.quiesce();
    auto r1 = redistribute<layout::cyclic>(a);
    const auto dealt = co_await r1;
    CHECK(co_await dealt.at(17) == "element 17 of the words");
    auto resizing = resize(std::move(a), 40);
    const auto b = co_await resizing;
    CHECK(co_await b.at(29) == "element 29 of the words");
    CHECK(co_await b.at(30) == "");
    co_await w.barrier();
  });
}
