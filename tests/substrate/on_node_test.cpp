// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/substrate/kokkos_view.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace on_node = lamellar::on_node;

namespace {

// No element, one, fewer and more than a chunk, lengths that no number of threads divides.
const std::size_t lengths[] = {0, 1, 2, 511, 1024, 1025, 4099, 100'003};

std::vector<on_node::execution> executions() {
  return {on_node::execution{}, on_node::execution::threaded(1),
          on_node::execution::threaded(2), on_node::execution::threaded(7)};
}

/// Run `f` for every way to run a loop and every length, on this thread and on another.
template <class F>
void for_all(F f) {
  const auto here = [&f] {
    for (const auto& how : executions()) {
      for (const std::size_t n : lengths) {
        CAPTURE(how.threads());
        CAPTURE(n);
        f(how, n);
      }
    }
  };
  here();
  std::thread{here}.join();
}

/// Joining is associative and not commutative, so this shows the order.
struct interval {
  std::size_t begin, end;
  bool broken;
};
interval join(interval a, interval b) {
  return {a.begin, b.end, a.broken || b.broken || a.end != b.begin};
}

}  // namespace

TEST_CASE("every index is visited once") {
  for_all([](const on_node::execution& how, std::size_t n) {
    std::vector<std::atomic<int>> visits(n);
    on_node::for_each(how, n, [&](std::size_t i) { ++visits[i]; });
    for (const auto& count : visits) {
      REQUIRE(count == 1);
    }
  });
}

TEST_CASE("ranges are not empty and cover everything") {
  for_all([](const on_node::execution& how, std::size_t n) {
    std::atomic<std::size_t> covered{0};
    std::atomic<std::size_t> ranges{0};
    on_node::for_each_range(how, n, [&](std::size_t begin, std::size_t end) {
      ranges += begin < end ? 1 : 1000;
      covered += end - begin;
    });
    CHECK(covered == n);
    CHECK(ranges <= how.threads());
  });
}

TEST_CASE("a reduction keeps the order of its elements") {
  for_all([](const on_node::execution& how, std::size_t n) {
    const interval all = on_node::reduce(
        how, n, interval{0, 0, false},
        [](std::size_t i) {
          return interval{i, i + 1, false};
        },
        join);
    CHECK(all.begin == 0);
    CHECK(all.end == n);
    CHECK_FALSE(all.broken);
  });
}

TEST_CASE("a sum of floating-point numbers does not depend on the threads") {
  for (const std::size_t n : {std::size_t{3}, std::size_t{5000}, std::size_t{3'000'017}}) {
    const auto sum = [n](const on_node::execution& how) {
      return on_node::reduce(
          how, n, 0.0, [](std::size_t i) { return 1.0 / static_cast<double>(i + 1); },
          std::plus<>{});
    };
    const double alone = sum(on_node::execution{});
    CHECK(alone > 1.0);
    for (const auto& how : executions()) CHECK(sum(how) == alone);
  }
}

TEST_CASE("blocks without anything are left out of a reduction") {
  for_all([](const on_node::execution& how, std::size_t n) {
    const auto odd = [](std::size_t begin, std::size_t) {
      return begin % 3 == 0 ? std::optional{interval{begin, begin + 1, false}} : std::nullopt;
    };
    std::size_t blocks = 0;
    const auto count = [&](const interval& a, const interval& b) {
      CHECK(a.begin < b.begin);
      ++blocks;
      return b;
    };
    const auto last = on_node::reduce_blocks<interval>(how, n, odd, count);
    CHECK(last.has_value() == (n != 0));
    if (n > 100'000) CHECK(blocks > 5);
    CHECK_FALSE(on_node::reduce_blocks<int>(
                    how, n, [](std::size_t, std::size_t) { return std::optional<int>{}; },
                    std::plus<>{})
                    .has_value());
  });
}

TEST_CASE("each thread is called once") {
  for (const auto& how : executions()) {
    std::vector<std::atomic<int>> calls(how.threads());
    on_node::for_each_thread(how, [&](std::size_t thread) { ++calls[thread]; });
    CHECK(calls[0] == 1);
    for (const auto& each : calls) CHECK(each <= 1);
  }
}

TEST_CASE("an exclusive scan is the sums of all elements before each, in place too") {
  for_all([](const on_node::execution& how, std::size_t n) {
    std::vector<std::uint64_t> values(n);
    on_node::for_each(how, n, [&](std::size_t i) { values[i] = i * i % 97; });
    std::vector<std::uint64_t> expected(n);
    std::exclusive_scan(values.begin(), values.end(), expected.begin(), std::uint64_t{5});
    const std::uint64_t total = std::accumulate(values.begin(), values.end(), std::uint64_t{5});

    std::vector<std::uint64_t> sums(n);
    CHECK(on_node::exclusive_scan<std::uint64_t>(how, values, sums, 5) == total);
    CHECK(sums == expected);
    CHECK(on_node::exclusive_scan<std::uint64_t>(how, values, values, 5) == total);
    CHECK(values == expected);
  });
}

TEST_CASE("a scan with an operation that does not commute keeps the order") {
  for (const auto& how : executions()) {
    std::vector<interval> values(5000);
    on_node::for_each(how, values.size(), [&](std::size_t i) {
      values[i] = {i, i + 1, false};
    });
    on_node::exclusive_scan<interval>(how, values, values, {0, 0, false}, join);
    for (std::size_t i = 0; i < values.size(); ++i) {
      REQUIRE(values[i].end == i);
      REQUIRE_FALSE(values[i].broken);
    }
  }
}

TEST_CASE("fill sets every element") {
  for_all([](const on_node::execution& how, std::size_t n) {
    std::vector<std::string> values(n);
    on_node::fill<std::string>(how, values, "x");
    CHECK(values == std::vector<std::string>(n, "x"));
  });
}

TEST_CASE("an exception leaves the loop, and the next loop works") {
  for (const auto& how : executions()) {
    const auto fails_late = [](std::size_t i) {
      if (i == 99'999) {
        throw std::runtime_error{"late"};
      }
    };
    CHECK_THROWS_WITH_AS(on_node::for_each(how, 100'000, fails_late), "late",
                         std::runtime_error);
    CHECK(on_node::reduce(
              how, 100'000, std::size_t{0}, [](std::size_t) { return std::size_t{1}; },
              std::plus<>{}) == 100'000);
  }
}

TEST_CASE("a loop within a loop, and loops of several threads at once, are complete") {
  const auto how = on_node::execution::threaded(2);
  const auto count = [&how](std::size_t n) {
    return on_node::reduce(
        how, n, std::size_t{0}, [](std::size_t) { return std::size_t{1}; }, std::plus<>{});
  };
  std::atomic<std::size_t> total{0};
  const auto nested = [&] {
    on_node::for_each_range(how, 4000, [&](std::size_t begin, std::size_t end) {
      total += (end - begin) * count(2000);
    });
  };
  nested();
  std::thread other{nested};
  nested();
  other.join();
  CHECK(total == std::size_t{3} * 4000 * 2000);
}

TEST_CASE("with a threaded Kokkos a loop really runs on several threads") {
  on_node::start(2);
  const auto width =
      static_cast<std::size_t>(Kokkos::DefaultHostExecutionSpace().concurrency());
  std::atomic<std::size_t> ranges{0};
  on_node::for_each_range(on_node::execution::threaded(2), 100'000,
                          [&](std::size_t, std::size_t) { ++ranges; });
  CHECK(ranges == (width < 2 ? 1 : 2));
}

TEST_CASE("Kokkos sees the elements that a span sees") {
  on_node::start(2);
  std::vector<double> values(1000, 1.5);
  const lamellar::local_view<double> view = lamellar::as_view(std::span{values});
  CHECK(view.data() == values.data());
  CHECK(view.extent(0) == values.size());
  using all = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
  Kokkos::parallel_for(all(0, 1000), [view](int i) { view(i) *= 2; });
  Kokkos::fence();
  CHECK(values == std::vector<double>(1000, 3.0));
}
