// SPDX-License-Identifier: BSD-3-Clause
// Messages that send messages. A handler that waits for the ones it has sent is a coroutine;
// while it waits its PE does other work, so the depth is limited by nothing but memory.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <string>

using lamellar::context;
using lamellar::task;

// Each handler calls the next PE and puts its own number before what comes back.
struct ring {
  task<std::string> operator()(context at, std::uint32_t left) const {
    std::string text = std::to_string(at.me().index());
    if (left != 0) {
      const lamellar::pe next = at.world().at((at.me().index() + 1) % at.size());
      const std::string others = co_await at.world().call(next, ring{}, left - 1);
      text = fmt::format("{} {}", text, others);
    }
    co_return text;
  }
};

// Splits the work in two until it is small: one half stays here, the other goes to the PE in
// the middle of those that are left for it.
struct sum_of_squares {
  task<std::uint64_t> operator()(context at, std::uint64_t first, std::uint64_t end,
                                 std::uint32_t pes) const {
    if (end - first <= 1000) {
      std::uint64_t sum = 0;
      for (std::uint64_t n = first; n < end; ++n) {
        sum += n * n;
      }
      co_return sum;
    }
    lamellar::world& world = at.world();
    const std::uint64_t middle = first + (end - first) / 2;
    const std::uint32_t there = (at.me().index() + pes / 2) % world.size();
    auto right = world.call(world.at(there), sum_of_squares{}, middle, end, pes - pes / 2);
    auto left = world.call(world.me(), sum_of_squares{}, first, middle, pes / 2);
    const std::uint64_t sum = co_await left;
    co_return sum + co_await right;
  }
};

// Not a coroutine: nobody waits. quiesce() waits for all of them, however deep.
struct spread {
  void operator()(context& at, const lamellar::darc<std::uint64_t>& count,
                  std::uint32_t depth) const {
    count.send(at.world().at(0), [](std::uint64_t& total) { ++total; });
    if (depth != 0) {
      at.world().send_all(spread{}, count, depth - 1);
    }
  }
};

task<int> body(lamellar::world& world) {
  const std::uint32_t pes = world.size();
  const std::string path = co_await world.call(world.at(0), ring{}, 2 * pes);

  constexpr std::uint64_t n = 100000;
  const std::uint64_t sum =
      co_await world.call(world.me(), sum_of_squares{}, std::uint64_t{0}, n, pes);

  const auto count = co_await lamellar::darc<std::uint64_t>::create(world, std::uint64_t{0});
  if (world.me().index() == 0) {
    world.send(world.me(), spread{}, count, 3u);
  }
  co_await world.quiesce();

  const bool right = sum == (n - 1) * n * (2 * n - 1) / 6;
  if (world.me().index() == 0) {
    const std::uint64_t expected = 1 + pes + pes * pes + pes * pes * pes;
    fmt::print("twice around: {}\nsum of squares: {}\nspread: {} messages\n", path, sum,
               *count);
    co_return right&&* count == expected ? 0 : 1;
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
