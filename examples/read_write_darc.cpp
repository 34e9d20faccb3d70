// SPDX-License-Identifier: BSD-3-Clause
// Distributed objects that several may read and one may write. A local_rw_darc has a lock on
// each PE, a global_rw_darc one lock for all of its parts. Access is awaited, and no thread
// waits; it ends with the guard.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <string>
#include <vector>

using lamellar::context;
using lamellar::global_rw_darc;
using lamellar::local_rw_darc;
using lamellar::task;

using history = std::vector<std::string>;

// Handlers get the handle, and await a guard.
struct append {
  task<> operator()(context at, local_rw_darc<history> to, std::string line) const {
    auto lines = co_await to.write();
    co_await at.world().yield();  // others of this PE go on; nobody else gets at the lines
    lines->push_back(std::move(line));
  }
};

// One PE at a time, in the whole job.
task<> in_turn(global_rw_darc<std::uint64_t> object, lamellar::darc<std::uint64_t> count) {
  const lamellar::pe first = count.where().at(0);
  const auto guard = co_await object.write();
  const std::uint64_t before = co_await count.call(first, [](std::uint64_t& n) { return n; });
  const auto set = [](std::uint64_t& n, std::uint64_t value) { n = value; };
  co_await count.call(first, set, before + 1);  // safe only because the others wait
}

task<int> body(lamellar::world& world) {
  const std::uint32_t pes = world.size();
  const auto lines = co_await local_rw_darc<history>::create(world);
  for (int k = 0; k < 10; ++k) {
    lines.send_all(append{}, fmt::format("line {} of PE {}", k, world.me().index()));
  }
  co_await world.quiesce();
  bool right = (co_await lines.read())->size() == 10 * pes;

  auto turn = co_await global_rw_darc<std::uint64_t>::create(world, std::uint64_t{0});
  const auto count = co_await lamellar::darc<std::uint64_t>::create(world, std::uint64_t{0});
  lamellar::task_group steps{world};
  for (int k = 0; k < 10; ++k) {
    (void)steps.spawn(in_turn(turn, count));
  }
  co_await steps.done();
  co_await world.quiesce();

  // All PEs write at once, each to its own part.
  {
    auto mine = co_await turn.collective_write();
    *mine = world.me().index() + 1;
  }

  // Written for good: a plain darc needs no guards. If somebody still held a handle or a guard,
  // all PEs would be told who.
  const auto values = co_await std::move(turn).into_darc();
  const auto all = co_await values.call_all([](std::uint64_t& value) { return value; });
  std::uint64_t sum = 0;
  for (const std::uint64_t one : all) {
    sum += one;
  }
  right = right && sum == std::uint64_t{pes} * (pes + 1) / 2;
  if (world.me().index() == 0) {
    right = right && *count == 10 * pes;
    fmt::print("{} lines on each PE, {} turns, sum {}\n", 10 * pes, *count, sum);
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
