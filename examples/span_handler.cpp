// SPDX-License-Identifier: BSD-3-Clause
// A span handler gets all like records of a buffer at once, so it can prefetch and vectorise.
// The program sends one record at a time; the runtime gathers them.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <numeric>

// This PE's part of a table of counters: element i lives on PE i % size, at i / size.
struct counters {
  explicit counters(std::size_t count) : value(count) {}
  std::vector<std::uint64_t> value;
};

struct increment {
  // Counts up every place in the row, fetching those ahead while it works.
  void operator()(counters& mine, std::span<const std::uint32_t> places) const {
    constexpr std::size_t ahead = 16;
    for (std::size_t k = 0; k < places.size(); ++k) {
      if (k + ahead < places.size()) {
        __builtin_prefetch(address(mine, places[k + ahead]), 1);
      }
      ++mine.value[places[k]];
    }
  }

  // What a record will touch: the runtime fetches it for records that stay on their PE.
  static const void* address(const counters& mine, std::uint32_t place) {
    return &mine.value[place];
  }
};

// The elements that PE `pe` counts up: any list would do that others can compute too.
std::vector<std::uint32_t> choices_of(std::uint32_t pe, std::uint32_t elements) {
  std::vector<std::uint32_t> all(100'000);
  std::uint64_t state = pe + 1;
  for (std::uint32_t& each : all) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    each = static_cast<std::uint32_t>(state >> 33) % elements;
  }
  return all;
}

lamellar::task<int> body(lamellar::world& world) {
  const std::uint32_t pes = world.size();
  const std::uint32_t elements = 10'000 * pes;
  const auto table = co_await lamellar::darc<counters>::create(world, std::size_t{10'000});
  const std::vector<std::uint32_t> choices = choices_of(world.me().index(), elements);

  // One record at a time...
  for (const std::uint32_t i : choices) {
    table.send(world.at(i % pes), increment{}, i / pes);
  }
  // ... or a whole list, whose items a function sorts out. The same, and faster.
  table.send_each(increment{}, std::span{choices}, [pes](std::uint32_t i) {
    return lamellar::routed<std::uint32_t>{i % pes, i / pes};
  });
  co_await world.quiesce();

  std::vector<std::uint64_t> expected(10'000);
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    for (const std::uint32_t i : choices_of(pe, elements)) {
      expected[i / pes] += i % pes == world.me().index() ? 2 : 0;
    }
  }
  if (world.me().index() == 0) {
    fmt::print("PE 0 counted {}\n",
               std::accumulate(table->value.begin(), table->value.end(), std::uint64_t{0}));
  }
  co_return table->value == expected ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
