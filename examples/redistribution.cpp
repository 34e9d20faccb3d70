// SPDX-License-Identifier: BSD-3-Clause
// Each PE has items, each item a PE where it belongs: exchange() brings them there as a stream,
// exchange_placed() into an array that keeps their order.
#include <fmt/format.h>

#include <algorithm>
#include <lamellar/lamellar.hpp>
#include <map>
#include <string>
#include <vector>

// A measurement of some station. Stations are dealt out to the PEs by turns.
struct measurement {
  std::uint32_t station;
  float value;
};

constexpr std::uint32_t stations = 100;

// The measurements that PE `pe` has read, in the order of time.
std::vector<measurement> read_by(std::uint32_t pe) {
  std::vector<measurement> all(10'000);
  std::uint64_t state = pe + 1;
  for (measurement& each : all) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    each.station = static_cast<std::uint32_t>(state >> 33) % stations;
    each.value = static_cast<float>(state >> 40) / 65536;
  }
  return all;
}

lamellar::task<int> body(lamellar::world& world) {
  using lamellar::team_position;
  const std::uint32_t pes = world.size();
  const std::uint32_t me = world.me().index();
  const std::vector<measurement> read = read_by(me);
  const auto station_owner = [pes](const measurement& m) {
    return team_position{m.station % pes};
  };

  // As a stream: the highest value of each station, wherever it was read.
  std::map<std::uint32_t, float> highest;
  const auto keep_highest = [&highest](std::span<const measurement> row) {
    for (const measurement& m : row) {
      float& so_far = highest[m.station];
      so_far = std::max(so_far, m.value);
    }
  };
  co_await lamellar::exchange(world, read, station_owner, keep_highest);

  // Placed: all measurements of this PE's stations, those of each reader in the order of time.
  const auto mine = co_await lamellar::exchange_placed(world, read, station_owner);

  // A parcel says what travels in place of the item, and a route may ask for the index: each PE
  // tells the next one the numbers of its items.
  const auto number_to_next = [me, pes](const measurement&, std::size_t index) {
    return lamellar::parcel<std::uint64_t>{team_position{(me + 1) % pes}, index};
  };
  const auto numbers = co_await lamellar::exchange_placed(world, read, number_to_next);

  std::map<std::uint32_t, float> expected;
  std::size_t count = 0;
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    for (const measurement& m : read_by(pe)) {
      if (m.station % pes != me) continue;
      ++count;
      expected[m.station] = std::max(expected[m.station], m.value);
    }
  }
  if (me == 0) {
    fmt::print("PE 0 looks after {} stations\n", highest.size());
  }
  const bool in_order = std::is_sorted(numbers.begin(), numbers.end());
  const bool right =
      highest == expected && mine.size() == count && numbers.size() == read.size() && in_order;
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
