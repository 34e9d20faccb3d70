// SPDX-License-Identifier: BSD-3-Clause
// Sorts of ranges of every layout and access, of views and of a container that is not the
// library's; stable sorts, sorts of keys with values, and of indices; orders of one's own.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/containers/array.hpp>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

/// As a user would write it: a vector on each PE, as long as it likes.
template <class T>
class bag {
 public:
  using value_type = T;
  bag(world& w, std::size_t mine) : members_{w}, own_{std::make_shared<std::vector<T>>(mine)} {
    sizes_ = all_gather(members_, mine).get();
  }
  const team& members() const { return members_; }
  std::size_t size() const {
    std::size_t sum = 0;
    for (const std::size_t each : sizes_) sum += each;
    return sum;
  }
  std::size_t size_at(team_position part) const { return sizes_[part.index()]; }
  std::span<T> local() const { return *own_; }

 private:
  team members_;
  std::shared_ptr<std::vector<T>> own_;
  std::vector<std::size_t> sizes_;
};
static_assert(writable_range<bag<int>> && !indexed_range<bag<int>>);
static_assert(indexed_range<atomic_array<int>> && writable_range<global_lock_array<int>>);
static_assert(distributed_range<read_only_array<int>> && !writable_range<read_only_array<int>>);

template <class T>
std::vector<T> numbers_of(const std::string& input, std::size_t n) {
  std::vector<T> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = element<T>(input, i, n);
  return all;
}

template <class R>
void check_sort(const R& a, const std::string& input) {
  using T = element_of<R>;
  std::vector<T> expected = numbers_of<T>(input, a.size());
  fill(a, [&](std::size_t i) { return element<T>(input, i, a.size()); });
  std::sort(expected.begin(), expected.end());
  sort(a).get();
  CAPTURE(input);
  CHECK(everything(a) == expected);
  CHECK(is_sorted(a).get());
}

template <class Array, class... How>
void check_array(world& w, How... how) {
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n, how...).get();
    for (const char* const input : {"uniform", "few"}) check_sort(a, input);
  }
}

/// A key that many have, and where it was.
struct numbered {
  std::uint16_t key;
  std::uint32_t place;
  auto operator<=>(const numbered&) const = default;
};
numbered numbered_at(std::size_t i) {
  const auto place = static_cast<std::uint32_t>(i);
  return {static_cast<std::uint16_t>(place * 40503U >> 3 & 7U), place};
}

template <class Array>
void check_stable(world& w) {
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n).get();
    std::vector<numbered> expected(n);
    for (std::size_t i = 0; i < n; ++i) expected[i] = numbered_at(i);
    const auto shuffled = expected;
    fill(a, [](std::size_t i) { return numbered_at(i); });
    std::stable_sort(expected.begin(), expected.end(),
                     [](const numbered& x, const numbered& y) { return x.key < y.key; });
    stable_sort(a, std::less<>{}, &numbered::key).get();
    CHECK(everything(a) == expected);
    // By comparisons.
    expected = shuffled;
    const auto by_parity = [](const numbered& x, const numbered& y) {
      return x.key % 2 > y.key % 2;
    };
    fill(a, [](std::size_t i) { return numbered_at(i); });
    std::stable_sort(expected.begin(), expected.end(), by_parity);
    stable_sort(a, by_parity).get();
    CHECK(everything(a) == expected);
    // Strings, with a projection.
    const auto name = [](const numbered& x) { return std::to_string(x.key); };
    fill(a, [](std::size_t i) { return numbered_at(i); });
    expected = shuffled;
    std::stable_sort(expected.begin(), expected.end(),
                     [&](const numbered& x, const numbered& y) { return name(x) > name(y); });
    stable_sort(a, std::greater<>{}, name).get();
    CHECK(everything(a) == expected);
  }
}

template <class Layout>
void check_by_key(world& w) {
  for (const std::size_t n : sizes(w)) {
    const auto keys = unsafe_array<std::uint64_t, Layout>::create(w, n).get();
    const auto values = local_lock_array<std::string, Layout>::create(w, n).get();
    for (const char* const input : {"uniform", "few"}) {
      std::vector<std::pair<std::uint64_t, std::string>> expected(n);
      for (std::size_t i = 0; i < n; ++i) {
        expected[i] = {element<std::uint64_t>(input, i, n), std::to_string(i)};
      }
      fill(keys, [&](std::size_t i) { return expected[i].first; });
      fill(values, [&](std::size_t i) { return expected[i].second; });
      sort_by_key(keys, values).get();
      const auto got_keys = everything(keys);
      const auto got_values = everything(values);
      std::vector<std::pair<std::uint64_t, std::string>> got(n);
      for (std::size_t i = 0; i < n; ++i) got[i] = {got_keys[i], got_values[i]};
      CHECK(std::is_sorted(got_keys.begin(), got_keys.end()));
      if (std::same_as<Layout, layout::block>) {
        std::stable_sort(expected.begin(), expected.end(),
                         [](const auto& x, const auto& y) { return x.first < y.first; });
      } else {
        std::sort(expected.begin(), expected.end());
        std::sort(got.begin(), got.end());
      }
      CHECK(got == expected);
    }
  }
}

template <class Array>
void check_argsort(world& w) {
  using T = typename Array::value_type;
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n).get();
    for (const char* const input : {"uniform", "few"}) {
      const std::vector<T> all = numbers_of<T>(input, n);
      fill(a, [&](std::size_t i) { return all[i]; });
      std::vector<std::uint64_t> expected(n);
      for (std::size_t i = 0; i < n; ++i) expected[i] = i;
      std::stable_sort(expected.begin(), expected.end(),
                       [&](std::uint64_t i, std::uint64_t j) { return all[j] < all[i]; });
      CHECK(everything(argsort(a, std::greater<>{}).get()) == expected);
      CHECK(everything(a) == all);
    }
  }
}

}  // namespace

TEST_CASE("layouts and accesses") {
  on_pes([](world& w) {
    using u64 = std::uint64_t;
    check_array<unsafe_array<u64, layout::cyclic>>(w);
    check_array<unsafe_array<u64, layout::block_cyclic>>(w, std::size_t{5});
    check_array<atomic_array<u64>>(w);
    check_array<atomic_array<u64, layout::cyclic>>(w);
    check_array<local_lock_array<u64>>(w);
    check_array<global_lock_array<u64>>(w);
    check_array<global_lock_array<std::string, layout::block_cyclic>>(w, std::size_t{3});
    check_array<local_lock_array<std::string, layout::cyclic>>(w);
  });
}

TEST_CASE("a view is sorted, and what is beside it stays") {
  on_pes([](world& w) {
    const auto check = [&](const auto& a) {
      fill(a, [](std::size_t i) { return 10000 - i; });
      sort(a.sub_array(100, 601)).get();
      std::vector<std::uint64_t> expected(1000);
      for (std::size_t i = 0; i < 1000; ++i) expected[i] = 10000 - i;
      std::sort(expected.begin() + 100, expected.begin() + 701);
      CHECK(everything(a) == expected);
    };
    check(unsafe_array<std::uint64_t>::create(w, 1000).get());
    check(unsafe_array<std::uint64_t, layout::cyclic>::create(w, 1000).get());
    check(unsafe_array<std::uint64_t, layout::block_cyclic>::create(w, 1000, 7U).get());
  });
}

TEST_CASE("a container of one's own, with segments of very different sizes") {
  on_pes([](world& w) {
    for (const std::string& input : inputs) {
      for (const bool last_has_most : {false, true}) {
        const std::size_t me = w.me().index();
        const std::size_t mine = last_has_most ? me * 317 : me == 0 ? 900 : me % 2 * 13;
        check_sort(bag<std::uint64_t>{w, mine}, input);
        check_sort(bag<std::string>{w, mine}, input);
      }
    }
  });
}

TEST_CASE("a stable sort keeps equal elements in the order of their indices") {
  on_pes([](world& w) {
    check_stable<unsafe_array<numbered>>(w);
    check_stable<unsafe_array<numbered, layout::cyclic>>(w);
  });
}

TEST_CASE("values go with their keys") {
  on_pes([](world& w) {
    check_by_key<layout::block>(w);
    check_by_key<layout::cyclic>(w);
  });
}

TEST_CASE("indices in sorted order") {
  on_pes([](world& w) {
    check_argsort<unsafe_array<std::uint32_t>>(w);
    check_argsort<atomic_array<double>>(w);
    check_argsort<local_lock_array<std::string>>(w);
    check_argsort<unsafe_array<std::uint64_t, layout::cyclic>>(w);

    auto a = unsafe_array<std::int32_t>::create(w, 100).get();
    fill(a, [](std::size_t i) { return 100 - static_cast<std::int32_t>(i); });
    const read_only_array<std::int32_t> fixed = std::move(a).into_read_only().get();
    const auto places = everything(argsort(fixed).get());
    CHECK(places.front() == 99);
    CHECK(places.back() == 0);
    CHECK(is_sorted(fixed, std::greater<>{}).get());
  });
}

TEST_CASE_TEMPLATE("NaNs come after all numbers, and -0.0 before 0.0", T, float, double,
                   long double) {
  on_pes([](world& w) {
    using limits = std::numeric_limits<T>;
    const T nan = limits::quiet_NaN();
    const std::vector<T> in_order{
        -limits::infinity(), limits::lowest(),   T(-1), T(-0.0), T(0.0), limits::min(), T(1),
        limits::max(),       limits::infinity(), nan,   -nan};
    const std::size_t n = 11;
    const auto a = unsafe_array<T>::create(w, n * 40).get();
    const auto check = [&](auto compare, bool turned) {
      fill(a, [&](std::size_t i) { return in_order[i * 7 % n]; });
      CHECK(!is_sorted(a, compare).get());
      sort(a, compare).get();
      const std::vector<T> all = everything(a);
      bool right = true;
      for (std::size_t i = 0; i < all.size(); ++i) {
        const T wanted = in_order[(turned ? all.size() - 1 - i : i) / 40];
        right = right && std::signbit(all[i]) == std::signbit(wanted) &&
                (std::isnan(wanted) ? std::isnan(all[i]) : all[i] == wanted);
      }
      CHECK(right);
      CHECK(is_sorted(a, compare).get());
    };
    check(std::less<>{}, false);
    check(std::greater<>{}, true);
  });
}

TEST_CASE("elements are exchanged in equal shares, whatever they are") {
  on_pes([](world& w) {
    const std::size_t each = 5000;
    const auto a = unsafe_array<std::uint64_t>::create(w, each * w.size()).get();
    for (const std::string& input : inputs) {
      fill(a, [&](std::size_t i) { return element<std::uint64_t>(input, i, a.size()); });
      const lamellar::detail::sort_order<std::uint64_t, std::less<>, std::identity> order;
      const auto got =
          lamellar::detail::bring_in_order(w, a.local(), order, w.me().index(),
                                           lamellar::detail::tie_by_place{}, segment_begins(a),
                                           lamellar::detail::travels_alone{})
              .get();
      CAPTURE(input);
      CHECK(got.size() == each);
    }
  });
}

TEST_CASE("strings that begin alike, end in zeros, or are empty") {
  on_pes([](world& w) {
    const std::string zeros("\0\0\0\0\0\0\0\0\0\0", 10);
    const auto text = [&](std::size_t i) {
      const std::string path = "/a/common/beginning/that/is/long/";
      return i % 5 == 0   ? zeros.substr(0, i % 10)
             : i % 5 == 1 ? path + std::to_string(i * 7919 % 1000)
             : i % 5 == 2 ? path.substr(0, i % 33)
             : i % 5 == 3 ? std::string(1, static_cast<char>(i)) + zeros.substr(0, i % 7)
                          : std::string(i % 60, '\xff');
    };
    const auto a = unsafe_array<std::string>::create(w, 4001).get();
    std::vector<std::string> expected(4001);
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = text(i);
    std::sort(expected.begin(), expected.end());
    fill(a, text);
    sort(a).get();
    CHECK(everything(a) == expected);
    fill(a, text);
    sort(a, std::greater<>{}).get();
    std::reverse(expected.begin(), expected.end());
    CHECK(everything(a) == expected);
  });
}

TEST_CASE("many elements, sorted by digits in memory and by several threads") {
  on_pes([](world& w) {
    const std::size_t n = 600'000 / work_divisor;
    const auto a = unsafe_array<entry>::create(w, n).get();
    for (const std::string& input : inputs) {
      std::vector<entry> expected = numbers_of<entry>(input, n);
      fill(a, [&](std::size_t i) { return expected[i]; });
      std::sort(expected.begin(), expected.end());
      sort(a, std::less<>{}, &entry::key).get();
      const auto local = a.local();
      CAPTURE(input);
      CHECK(std::equal(local.begin(), local.end(),
                       expected.begin() +
                           static_cast<std::ptrdiff_t>(local.empty() ? 0 : a.global_index(0))));
    }
  });
}
