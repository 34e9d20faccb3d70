// SPDX-License-Identifier: BSD-3-Clause
// Memory that other PEs read and write without a message of their own: put and get, views,
// remote atomics, and a region of one PE that is handed over.
#include <fmt/format.h>

#include <algorithm>
#include <lamellar/lamellar.hpp>
#include <numeric>
#include <vector>

using lamellar::one_sided_memory_region;
using lamellar::shared_memory_region;

// Every PE has `width` cells of its own and a copy of its neighbours' outermost ones: a halo.
constexpr std::size_t width = 8;

lamellar::task<bool> exchange_halos(lamellar::world& world) {
  const std::uint32_t me = world.me().index();
  const lamellar::pe left = world.at((me + world.size() - 1) % world.size());
  const lamellar::pe right = world.at((me + 1) % world.size());

  // Collective: 1 + width + 1 elements on every PE, all 0.
  const auto cells = co_await shared_memory_region<double>::create(world, width + 2);
  const auto own = cells.sub_region(1, width);  // a view: its element 0 is element 1 of cells
  std::fill(own.begin(), own.end(), me);

  // Each put has a completion. Awaiting it means that the value is there, at the other PE.
  auto to_left = cells.put(left, width + 1, own.at(0));
  auto to_right = cells.put(right, 0, own.at(width - 1));
  co_await to_left;
  co_await to_right;
  co_await world.barrier();  // the neighbours' puts are done as well

  co_return cells.at(0) == left.index() && cells.at(width + 1) == right.index();
}

lamellar::task<bool> read_ranges(lamellar::world& world) {
  const auto numbers = co_await shared_memory_region<std::uint64_t>::create(world, 1000);
  std::iota(numbers.begin(), numbers.end(), 1000 * world.me().index());
  co_await world.barrier();

  std::vector<std::uint64_t> got(10);
  const lamellar::pe last = world.at(world.size() - 1);
  co_await numbers.get(last, 500, got);                       // a range into own memory
  const std::uint64_t one = co_await numbers.get(last, 999);  // one element
  const std::uint64_t also = numbers.get(last, 999).get();    // the same, blocking
  const std::vector<std::uint64_t> two{7, 8};
  if (world.me().index() == 0) co_await numbers.put_all(3, two);  // to every PE
  co_await world.barrier();

  const std::uint64_t base = 1000 * last.index();
  co_return got[0] == base + 500 && got[9] == base + 509 && one == base + 999 &&
      also == one&& numbers.at(3) == 7 && numbers.at(4) == 8 &&
      numbers.at(5) == 1000 * world.me().index() + 5;
}

// Tickets: each PE draws numbers from one counter, which lies on PE 0.
lamellar::task<bool> draw_tickets(lamellar::world& world) {
  constexpr std::uint64_t draws = 100;
  const auto counter = co_await shared_memory_region<std::uint64_t>::create(world, 2);
  const lamellar::pe home = world.at(0);
  std::uint64_t largest = 0;
  for (std::uint64_t k = 0; k < draws; ++k) {
    largest = co_await counter.fetch_add(home, 0, 1);
  }
  // The largest of all, by compare_exchange.
  std::uint64_t known = co_await counter.load(home, 1);
  while (known < largest) {
    const auto tried = co_await counter.compare_exchange(home, 1, known, largest);
    if (tried) break;
    known = tried.before;
  }
  co_await world.barrier();
  co_return counter.get(home, 0).get() == draws* world.size() &&
      counter.get(home, 1).get() == draws* world.size() - 1;
}

// Instead of sending much data, send the handle of a region: whoever has one may read and write
// the memory, and it lives until nobody has any.
struct sum_up {
  lamellar::task<> operator()(lamellar::context, one_sided_memory_region<double> data,
                              one_sided_memory_region<double> answer) const {
    std::vector<double> values(data.size());
    co_await data.get(0, values);
    co_await answer.put(0, std::accumulate(values.begin(), values.end(), 0.0));
  }
};

lamellar::task<bool> hand_over(lamellar::world& world) {
  const auto data = one_sided_memory_region<double>::create(world, 100000);  // no communication
  const auto answer = one_sided_memory_region<double>::create(world, 1);
  std::fill(data.begin(), data.end(), 0.5);
  const lamellar::pe helper = world.at((world.me().index() + 1) % world.size());
  co_await world.call(helper, sum_up{}, data.sub_region(0, 1000), answer);
  co_return answer.at(0) == 500;
}

lamellar::task<int> body(lamellar::world& world) {
  const bool halos = co_await exchange_halos(world);
  const bool ranges = co_await read_ranges(world);
  const bool tickets = co_await draw_tickets(world);
  const bool handed = co_await hand_over(world);
  co_await world.barrier();  // all handles have gone by now, on all PEs ...
  co_await world.quiesce();  // ... and a quiesce frees what nobody has a handle of
  const lamellar::heap_usage heap = world.heap();
  if (world.me().index() == 0) {
    fmt::print("halos {}, ranges {}, tickets {}, handed over {}\n", halos, ranges, tickets,
               handed);
    fmt::print("at most {} bytes were in use at a time, {} are now\n", heap.most_in_use,
               heap.in_use);
  }
  co_return halos&& ranges&& tickets&& handed&& heap.in_use == 0 ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
