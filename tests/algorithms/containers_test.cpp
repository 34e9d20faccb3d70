// SPDX-License-Identifier: BSD-3-Clause
// Algorithms on containers other than arrays, and on a type of one's own.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/elementwise.hpp>
#include <lamellar/algorithms/find.hpp>
#include <lamellar/algorithms/reduce.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/algorithms/unique.hpp>
#include <lamellar/containers/bag.hpp>
#include <lamellar/containers/vector.hpp>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

using u64 = std::uint64_t;

/// Numbers in a row, k + 1 of them on the member at position k: what a range must say, and no
/// more.
class staircase {
 public:
  using value_type = u64;
  explicit staircase(const team& members)
      : members_{members},
        own_{std::make_shared<std::vector<u64>>(members.position().index() + 1U)} {}

  const team& members() const { return members_; }
  std::size_t size() const { return members_.size() * (members_.size() + 1U) / 2; }
  std::size_t size_at(team_position part) const { return part.index() + 1U; }
  std::span<u64> local() const { return *own_; }

 private:
  team members_;
  std::shared_ptr<std::vector<u64>> own_;
};
static_assert(writable_range<staircase>);
static_assert(writable_range<lamellar::vector<u64>>);
static_assert(writable_range<bag<std::string>>);

/// Works on any range of numbers.
template <class R>
void check_numbers(const R& range) {
  lamellar::generate(range, [](u64 i) { return i * 7919 % 101 / 2; }).get();
  std::vector<u64> all(range.size());
  for (u64 i = 0; i < all.size(); ++i) all[i] = i * 7919 % 101 / 2;
  CHECK(everything(range) == all);
  CHECK(lamellar::reduce(range, u64{1}, std::plus<>{}).get() ==
        std::accumulate(all.begin(), all.end(), u64{1}));
  if (!all.empty()) {
    const auto first = std::find(all.begin(), all.end(), all.back()) - all.begin();
    CHECK(lamellar::find(range, all.back()).get() == static_cast<u64>(first));
  }
  lamellar::sort(range).get();
  std::sort(all.begin(), all.end());
  CHECK(everything(range) == all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  CHECK(everything(lamellar::unique(range).get()) == all);
}

}  // namespace

TEST_CASE("a range of one's own") {
  on_pes([](world& w) { check_numbers(staircase{w}); });
}

TEST_CASE("a vector that is frozen, of any sizes") {
  on_pes([](world& w) {
    const auto numbers = lamellar::vector<u64>::create(w).get();
    for (u64 k = 0; k < 40 * (w.me().index() % 3); ++k) numbers.push_back(k);
    numbers.freeze().get();
    check_numbers(numbers);
  });
}

TEST_CASE("a bag that is frozen, of strings") {
  on_pes([](world& w) {
    const auto words = bag<std::string>::create(w).get();
    for (u64 k = 0; k < 30; ++k) words.insert(std::to_string(k * k % 37));
    words.freeze().get();
    lamellar::sort(words).get();
    CHECK(lamellar::is_sorted(words).get());
    CHECK(words.size() == 30 * u64{w.size()});
    CHECK(lamellar::count(words, std::string{"9"}).get() % w.size() == 0);
    CHECK(lamellar::any_of(words, [](const std::string& x) { return x == "36"; }).get());
  });
}
