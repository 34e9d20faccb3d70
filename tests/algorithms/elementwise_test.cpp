// SPDX-License-Identifier: BSD-3-Clause
// Loops over each element alone, and values made of all, against the standard library's.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/elementwise.hpp>
#include <lamellar/algorithms/reduce.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/error.hpp>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

using u64 = std::uint64_t;

/// Changes an element; of strings and numbers.
struct changed {
  template <class T>
  T operator()(const T& x) const {
    return static_cast<T>(x + x);
  }
};

template <class R>
void check_each(const R& a, const R& b, const std::string& input) {
  using T = element_of<R>;
  const std::size_t n = a.size();
  CAPTURE(n);
  CAPTURE(input);
  std::vector<T> all(n);
  lamellar::generate(a, [&](u64 i) { return element<T>(input, i, n); }).get();
  for (std::size_t i = 0; i < n; ++i) all[i] = element<T>(input, i, n);
  CHECK(everything(a) == all);

  lamellar::transform(a, b, changed{}).get();
  std::vector<T> twice(n);
  std::transform(all.begin(), all.end(), twice.begin(), changed{});
  CHECK(everything(b) == twice);
  CHECK(everything(a) == all);

  lamellar::transform(a, b, b, [](const T& x, const T& y) { return x < y ? x : y; }).get();
  for (std::size_t i = 0; i < n; ++i) twice[i] = all[i] < twice[i] ? all[i] : twice[i];
  CHECK(everything(b) == twice);

  lamellar::transform(a, a, changed{}).get();  // in place
  lamellar::for_each(a, [](T& x) { x = changed{}(x); }).get();
  for (T& x : all) x = changed{}(changed{}(x));
  CHECK(everything(a) == all);

  const auto small = [](const T& x) { return x < make<T>(u64{1} << 62); };
  CHECK(lamellar::count_if(a, small).get() ==
        static_cast<u64>(std::count_if(all.begin(), all.end(), small)));
  if (n != 0) {
    CHECK(lamellar::count(a, all[n / 2]).get() ==
          static_cast<u64>(std::count(all.begin(), all.end(), all[n / 2])));
  }

  lamellar::fill(a, make<T>(3)).get();
  CHECK(everything(a) == std::vector<T>(n, make<T>(3)));
}

template <class Array>
void check_sizes(world& w) {
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n).get();
    const Array b = Array::create(w, n).get();
    for (const char* input : {"uniform", "equal"}) check_each(a, b, input);
  }
}

}  // namespace

TEST_CASE("elements one by one, in arrays of every access and layout") {
  on_pes([](world& w) {
    check_sizes<unsafe_array<u64>>(w);
    check_sizes<local_lock_array<double, layout::cyclic>>(w);
    check_sizes<global_lock_array<std::string>>(w);
  });
}

TEST_CASE("segments of any sizes") {
  on_pes([](world& w) {
    // 7, 0, 9, 2, ... elements.
    const std::size_t mine = w.me().index() % 2 == 1 ? 0 : 7 + 2 * w.me().index();
    const auto a = segments<u64>::create(w, std::vector<u64>(mine)).get();
    const auto b = segments<u64>::create(w, std::vector<u64>(mine)).get();
    check_each(a, b, "uniform");
    lamellar::iota(a, 100).get();
    std::vector<u64> expected(a.size());
    std::iota(expected.begin(), expected.end(), u64{100});
    CHECK(everything(a) == expected);
    const auto even = balance(a).get();
    CHECK(everything(even) == expected);
    for (std::uint32_t k = 0; k < w.size(); ++k) {
      CHECK(even.size_at(team_position{k}) ==
            a.size() / w.size() + (k < a.size() % w.size() ? 1 : 0));
    }
  });
}

TEST_CASE("reductions by any associative operation") {
  on_pes([](world& w) {
    for (const std::size_t n : sizes(w)) {
      CAPTURE(n);
      const auto a = atomic_array<std::uint32_t>::create(w, n).get();
      lamellar::generate(a, [](u64 i) { return static_cast<std::uint32_t>(~i); }).get();
      const auto all = everything(a);
      // In a wider type than the elements have.
      const u64 sum = std::accumulate(all.begin(), all.end(), u64{5});
      CHECK(lamellar::reduce(a, u64{5}, std::plus<>{}).get() == sum);
      const auto square = [](u64 x) { return x * x; };
      CHECK(lamellar::transform_reduce(a, u64{1}, std::plus<>{}, square).get() ==
            std::transform_reduce(all.begin(), all.end(), u64{1}, std::plus<>{}, square));
      CHECK(lamellar::transform_reduce(a, a, u64{1}, std::plus<>{}, std::multiplies<u64>{})
                .get() ==
            std::transform_reduce(all.begin(), all.end(), u64{1}, std::plus<>{}, square));
      // Order is kept, though nothing commutes.
      const auto text = unsafe_array<std::string>::create(w, n).get();
      lamellar::generate(text, [](u64 i) { return std::to_string(i % 10); }).get();
      std::string joined = "begin:";
      for (std::size_t i = 0; i < n; ++i) joined += std::to_string(i % 10);
      CHECK(lamellar::reduce(text, std::string{"begin:"}, std::plus<>{}).get() == joined);
    }
  });
}

TEST_CASE("what one PE's function throws comes out on all") {
  on_pes([](world& w) {
    const auto a = unsafe_array<u64>::create(w, 100).get();
    lamellar::iota(a).get();
    const auto fails_at_the_end = [](u64& x) {
      if (x == 99) throw std::runtime_error{"not this one"};
    };
    try {
      lamellar::for_each(a, fails_at_the_end).get();
      FAIL("nothing was thrown");
    } catch (const remote_error& e) {
      CHECK(w.me().index() + 1 != w.size());
      CHECK(e.pe() + 1 == w.size());
      CHECK(std::string{e.what()}.find("not this one") != std::string::npos);
      CHECK(std::string{e.what()}.find("for_each") != std::string::npos);
    } catch (const std::runtime_error& e) {
      CHECK(w.me().index() + 1 == w.size());
    }
    CHECK(lamellar::reduce(a, u64{0}, std::plus<>{}).get() == 4950);  // all is as before
  });
}
