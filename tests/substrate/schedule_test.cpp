// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <lamellar/substrate/schedule.hpp>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace lamellar;

namespace {

const std::vector<schedule> schedules{schedule{},          schedule::even(),
                                      schedule::dynamic(), schedule::guided(),
                                      schedule::guided(7), schedule::chunked(10)};

std::vector<std::pair<std::size_t, std::size_t>> ranges_of(std::uint32_t threads, std::size_t n,
                                                           const schedule& by) {
  std::mutex lock;  // guards ranges
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  on_node::for_each_range(on_node::execution::threaded(threads), n, by,
                          [&](std::size_t begin, std::size_t end) {
                            const std::scoped_lock hold{lock};
                            ranges.emplace_back(begin, end);
                          });
  return ranges;
}

}  // namespace

TEST_CASE("every element is in one range, under every schedule") {
  for (const schedule& by : schedules) {
    for (const std::uint32_t threads : {1u, 2u, 5u}) {
      for (const std::size_t n : {0, 1, 2, 9, 10, 11, 1000, 5003}) {
        std::vector<int> visits(n);
        for (const auto& [begin, end] : ranges_of(threads, n, by)) {
          CHECK(begin < end);
          for (std::size_t i = begin; i < end; ++i) ++visits.at(i);
        }
        CHECK(visits == std::vector<int>(n, 1));
      }
    }
  }
}

TEST_CASE("ranges are as long as the schedule says") {
  const std::size_t n = 5003;
  CHECK(ranges_of(2, n, schedule::even()).size() <= 2);
  CHECK(ranges_of(2, n, schedule::dynamic()).size() == n);
  CHECK(ranges_of(2, n, schedule::chunked(10)).size() == 501);
  std::size_t longest = 0;
  std::size_t shortest = n;
  for (const auto& [begin, end] : ranges_of(2, n, schedule::guided(3))) {
    longest = std::max(longest, end - begin);
    shortest = std::min(shortest, end == n ? shortest : end - begin);
  }
  CHECK(longest == n / 4);
  CHECK(shortest == 3);
}

TEST_CASE("an exception leaves a loop of any schedule") {
  for (const schedule& by : schedules) {
    const auto fails = [](std::size_t begin, std::size_t end) {
      if (begin <= 900 && 900 < end) throw std::runtime_error{"here"};
    };
    const auto how = on_node::execution::threaded(2);
    CHECK_THROWS_WITH_AS(on_node::for_each_range(how, 5000, by, fails), "here",
                         std::runtime_error);
  }
}
