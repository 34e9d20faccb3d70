// SPDX-License-Identifier: BSD-3-Clause
// Every index has one place, and every place one index: for all layouts, sizes and numbers of
// parts.
#include <doctest/doctest.h>

#include <lamellar/containers/layout.hpp>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace lamellar;

namespace {

/// All indices of small layouts, a sample and the borders of large ones.
template <class L>
std::vector<std::size_t> indices_of(const L& of) {
  const std::size_t n = of.size();
  std::vector<std::size_t> all;
  if (n <= 3000) {
    for (std::size_t i = 0; i < n; ++i) all.push_back(i);
    return all;
  }
  std::mt19937_64 random{n};
  for (int k = 0; k < 500; ++k) all.push_back(random() % n);
  for (std::uint32_t part = 0; part < std::min(of.parts(), 300u); ++part) {
    if (part_size(of, part) == 0) continue;
    all.push_back(of.index_of({part, 0}));
    all.push_back(of.index_of({part, part_size(of, part) - 1}));
  }
  return all;
}

template <class L>
void check_bijection(const L& of) {
  std::size_t sum = 0;
  for (std::uint32_t part = 0; part < of.parts(); ++part) {
    sum += part_size(of, part);
    REQUIRE(part_size(of, part) <= largest_part(of));
  }
  REQUIRE(sum == of.size());
  std::set<std::pair<std::uint32_t, std::size_t>> seen;
  const std::vector<std::size_t> indices = indices_of(of);
  for (const std::size_t i : indices) {
    const element_place at = of.locate(i);
    REQUIRE(at.part < of.parts());
    REQUIRE(at.offset < part_size(of, at.part));
    REQUIRE(of.index_of(at) == i);
    if (of.size() <= 3000) REQUIRE(seen.emplace(at.part, at.offset).second);
    // What lies before an element on its part has smaller indices.
    REQUIRE(of.before(at.part, i) == at.offset);
    REQUIRE(of.before(at.part, i + 1) == at.offset + 1);
    // A run stays on its part, at consecutive offsets, and ends where that ends.
    const std::size_t run = of.run_length(i);
    REQUIRE(run >= 1);
    REQUIRE(i + run <= of.size());
    const element_place last = of.locate(i + run - 1);
    REQUIRE(last == element_place{at.part, at.offset + run - 1});
    if (i + run < of.size()) REQUIRE(of.locate(i + run).part != at.part);
  }
}

const std::vector<std::size_t> sizes{0,
                                     1,
                                     2,
                                     3,
                                     5,
                                     7,
                                     8,
                                     15,
                                     16,
                                     17,
                                     63,
                                     64,
                                     65,
                                     1000,
                                     1023,
                                     1024,
                                     1025,
                                     2999,
                                     1u << 20,
                                     (1u << 20) + 7,
                                     12345678901234};
const std::vector<std::uint32_t> parts{1, 2, 3, 4, 5, 7, 8, 16, 61, 128, 1000};

}  // namespace

TEST_CASE("block: every index has one place and back") {
  for (const std::size_t n : sizes) {
    for (const std::uint32_t p : parts) check_bijection(layout::block{n, p});
  }
}

TEST_CASE("block: the first n mod P parts have one more, in order") {
  const layout::block of{11, 4};
  CHECK(part_size(of, 0) == 3);
  CHECK(part_size(of, 1) == 3);
  CHECK(part_size(of, 2) == 3);
  CHECK(part_size(of, 3) == 2);
  CHECK(of.locate(3) == element_place{1, 0});
  CHECK(of.locate(10) == element_place{3, 1});
}

TEST_CASE("cyclic: every index has one place and back") {
  for (const std::size_t n : sizes) {
    for (const std::uint32_t p : parts) check_bijection(layout::cyclic{n, p});
  }
  CHECK(layout::cyclic{10, 4}.locate(7) == element_place{3, 1});
}

TEST_CASE("block_cyclic: every index has one place and back") {
  for (const std::size_t n : sizes) {
    for (const std::uint32_t p : parts) {
      for (const std::size_t block : {1u, 2u, 3u, 8u, 64u, 100u}) {
        check_bijection(layout::block_cyclic{n, p, block});
      }
    }
  }
  const layout::block_cyclic of{20, 2, 3};
  CHECK(of.locate(3) == element_place{1, 0});
  CHECK(of.locate(6) == element_place{0, 3});
}

TEST_CASE("division by a constant is exact") {
  std::mt19937_64 random{1};
  for (int k = 0; k < 200000; ++k) {
    const std::size_t by = 1 + random() % (k % 2 == 0 ? 100 : 1u << 30);
    const std::size_t largest = ~std::size_t{0} / by - 1;
    const detail::divider of{by, largest};
    const std::size_t near = random() % (largest / by + 1) * by;
    for (const std::size_t i : {near, near == 0 ? 0 : near - 1, random() % (largest + 1)}) {
      if (i <= largest) REQUIRE(of.quotient(i) == i / by);
    }
  }
}
