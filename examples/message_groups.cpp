// SPDX-License-Identifier: BSD-3-Clause
// A group collects messages and runs them together: what they share travels once to each PE,
// and the results come in the order in which the messages were added.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <string>
#include <vector>

// The members are what all messages of a group share; the parameters come with each message.
struct weigh {
  std::vector<double> weights;
  double operator()(lamellar::context& at, std::uint32_t first, std::uint32_t end) const {
    double sum = at.me().index();
    for (std::uint32_t k = first; k < end; ++k) {
      sum += weights[k];
    }
    return sum;
  }
};

lamellar::task<int> body(lamellar::world& world) {
  const std::uint32_t pes = world.size();
  bool right = true;

  // One callable, with results.
  lamellar::message_group sums{world, weigh{std::vector<double>(1000, 0.5)}};
  for (std::uint32_t k = 0; k < 100; ++k) {
    sums.add(world.at(k % pes), k, k + 10);
  }
  const std::size_t everywhere = sums.add_all(0u, 1000u);
  const auto results = co_await sums.run();
  for (std::uint32_t k = 0; k < 100; ++k) {
    right = right && results.at(k) == 5 + k % pes;
  }
  const std::vector<double> totals = results.all(everywhere);  // one for each PE
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    right = right && totals[pe] == 500 + pe;
  }

  // Callables of any kind, without results. run() returns when their handlers have ended.
  const auto log = co_await lamellar::darc<std::vector<std::string>>::create(world);
  lamellar::message_group mixed{world};
  if (world.me().index() == 0) {
    for (std::uint32_t pe = 0; pe < pes; ++pe) {
      mixed.add(
          world.at(pe),
          [](const lamellar::darc<std::vector<std::string>>& to, std::string_view text) {
            to->push_back(std::string{text});
          },
          log, fmt::format("for PE {}", pe));
    }
    mixed.add_all(
        [](lamellar::context& at, int number) {
          if (number != 42) {
            fmt::print("PE {} got {}\n", at.me().index(), number);
          }
        },
        42);
  }
  co_await mixed.run();
  co_await world.quiesce();
  right = right && log->size() == 1;

  if (world.me().index() == 0) {
    fmt::print("{} results, {} of them one per PE; {}\n", results.size(), 1, log->front());
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
