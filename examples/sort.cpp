// SPDX-License-Identifier: BSD-3-Clause
// Sorting what all PEs have together: numbers, records by a member, values with their keys, and
// a container of one's own.
#include <fmt/format.h>

#include <functional>
#include <lamellar/lamellar.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct measurement {
  double value;
  std::uint64_t sensor;
};

/// Words of each PE, as many as it has read: any type that says what is where can be sorted.
class word_list {
 public:
  using value_type = std::string;
  word_list(lamellar::team members, std::vector<std::size_t> sizes,
            std::vector<std::string> own)
      : members_{std::move(members)},
        sizes_{std::move(sizes)},
        own_{std::make_shared<std::vector<std::string>>(std::move(own))} {}

  const lamellar::team& members() const { return members_; }
  std::size_t size() const {
    std::size_t all = 0;
    for (const std::size_t each : sizes_) all += each;
    return all;
  }
  std::size_t size_at(lamellar::team_position part) const { return sizes_[part.index()]; }
  std::span<std::string> local() const { return *own_; }

 private:
  lamellar::team members_;
  std::vector<std::size_t> sizes_;
  std::shared_ptr<std::vector<std::string>> own_;  // a handle: copies mean the same words
};

lamellar::task<int> body(lamellar::world& world) {
  const std::size_t n = 100'000;
  const bool first = world.me().index() == 0;

  // Records by a member, greatest first. Each PE keeps as many as it had.
  const auto all = co_await lamellar::unsafe_array<measurement>::create(world, n);
  lamellar::local_elements(all).enumerate().for_each([&](std::size_t k, measurement& m) {
    const std::uint64_t i = all.global_index(k);
    m = {static_cast<double>(i * 7919 % n) / 4, i};
  });
  co_await lamellar::sort(all, std::greater<>{}, &measurement::value);
  const bool sorted = co_await lamellar::is_sorted(all, std::greater<>{}, &measurement::value);
  const measurement greatest = co_await all.at(0);

  // Where each number belongs, without moving it; the layout may be any.
  const auto numbers =
      co_await lamellar::atomic_array<std::uint32_t, lamellar::layout::cyclic>::create(world,
                                                                                       n);
  co_await lamellar::all_elements(numbers).enumerate().for_each(
      [n](std::size_t i, auto&& x) { x = static_cast<std::uint32_t>(n - i); });
  const auto places = co_await lamellar::argsort(numbers);
  const std::uint64_t place_of_least = co_await places.at(0);

  // Words of which each PE has another number.
  const std::size_t mine = 3 + world.me().index();
  const auto sizes = co_await lamellar::all_gather(world, mine);
  std::vector<std::string> own;
  for (std::size_t k = 0; k < mine; ++k) own.push_back(fmt::format("word {}", (mine * k) % 10));
  const word_list words{world, sizes, std::move(own)};
  co_await lamellar::sort(words);
  const bool words_sorted = co_await lamellar::is_sorted(words);

  const bool right = sorted && greatest.value == static_cast<double>(n - 1) / 4 &&
                     place_of_least == n - 1 && words_sorted && words.local().size() == mine;
  if (first) {
    fmt::print(
        "the greatest of {} is {}, the least number is at {}, the first word is \"{}\"\n", n,
        greatest.value, place_of_least, words.local()[0]);
  }
  co_await world.barrier();
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
