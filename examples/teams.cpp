// SPDX-License-Identifier: BSD-3-Clause
// A team is an ordered set of PEs. Here the PEs form rows of a grid, then teams of PEs drawn by
// lot, and compute together: collectives of a team concern its members alone.
#include <fmt/format.h>

#include <algorithm>
#include <lamellar/lamellar.hpp>
#include <random>

lamellar::task<int> body(lamellar::world& world) {
  const lamellar::team all = world;  // the world is the team of all its PEs
  const std::uint32_t me = world.me().index();

  // One team for each row of two PEs: those that bring the same colour come together.
  const lamellar::team row = co_await all.split(me / 2);
  const std::uint32_t sum = co_await lamellar::all_reduce(row, me);

  // A message to a member is addressed by its place in the team, not by the number of its PE.
  const lamellar::team_position last{row.size() - 1};
  const std::uint32_t answered_by =
      co_await row.call(last, [](lamellar::context& at) { return at.me().index(); });

  // The PEs in an order drawn by lot, the same on all of them; then the first half of those.
  std::vector<lamellar::team_position> lots(world.size());
  for (std::uint32_t k = 0; k < world.size(); ++k) lots[k] = lamellar::team_position{k};
  std::shuffle(lots.begin(), lots.end(), std::mt19937{4711});
  const lamellar::team drawn = co_await all.subteam(lots);
  const lamellar::team winners = co_await drawn.block(0, (world.size() + 1) / 2);

  // An object of a team has a part on each member and nowhere else.
  std::uint32_t seen = 0;
  if (winners.is_member()) {
    const auto counts = co_await lamellar::darc<std::uint32_t>::create(winners, 0u);
    counts.send_all([](std::uint32_t& count) { ++count; });
    co_await winners.quiesce();  // what members have sent to members is handled
    seen = *counts;
  }

  // Gathered by all PEs, and printed by one.
  const std::vector<std::uint32_t> sums = co_await lamellar::all_gather(world, sum);
  const std::vector<std::uint32_t> counted = co_await lamellar::gather(world, seen);
  if (me == 0) {
    fmt::print("sums of rows: {}\n", fmt::join(sums, " "));
    fmt::print("messages seen by the PEs of a team drawn by lot: {}\n",
               fmt::join(counted, " "));
  }
  const std::uint32_t partner = std::min(me ^ 1u, world.size() - 1);
  const bool right = sum == (partner == me ? me : me + partner) &&
                     answered_by == row.at(last).index() &&
                     seen == (winners.is_member() ? winners.size() : 0);
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
