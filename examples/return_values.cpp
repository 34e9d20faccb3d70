// SPDX-License-Identifier: BSD-3-Clause
// Bringing answers back: a call is under way as soon as it is made, so several of them take one
// round trip, not several.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <numeric>

using lamellar::context;

lamellar::task<int> body(lamellar::world& world) {
  const lamellar::pe next = world.at((world.me().index() + 1) % world.size());

  // One answer: waited for with get(), or with co_await in a coroutine.
  const auto add = [](int a, int b) { return a + b; };
  const int five = world.call(next, add, 2, 3).get();
  const int nine = co_await world.call(next, add, 4, 5);

  // Answers may be anything that has a value. The text is read where it arrived.
  const auto greet = [](context& at, std::string_view name) {
    return fmt::format("{} from PE {}", name, at.me().index());
  };
  const std::string greeting = co_await world.call(next, greet, "greetings");

  // Two calls of different kinds, one wait.
  const auto squares = [](std::uint64_t n) {
    std::vector<std::uint64_t> all(n);
    std::iota(all.begin(), all.end(), 1);
    for (std::uint64_t& each : all) each *= each;
    return all;
  };
  const auto [row, seven] =
      co_await lamellar::when_all(world.call(next, squares, 4u), world.call(next, add, 3, 4));

  // A hundred calls, one wait.
  std::vector<lamellar::reply<int>> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(world.call(next, add, i, i));
  }
  const std::vector<int> doubled = co_await lamellar::when_all(std::move(many));

  // The same question to every PE; the answers stand in the order of the PEs.
  const auto who = [](context& at) { return at.me().index(); };
  const std::vector<std::uint32_t> everybody = co_await world.call_all(who);

  if (world.me().index() == 0) {
    fmt::print("{}, {}, {}, {} {}, {}, {} PEs\n", five, nine, greeting, row.back(), seven,
               doubled.back(), everybody.size());
  }
  bool right = five == 5 && nine == 9 && seven == 7 && doubled[99] == 198;
  right = right && greeting == fmt::format("greetings from PE {}", next.index());
  right = right && row == std::vector<std::uint64_t>{1, 4, 9, 16};
  for (std::uint32_t pe = 0; pe < world.size(); ++pe) {
    right = right && everybody[pe] == pe;
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
