// SPDX-License-Identifier: BSD-3-Clause
// Local work that runs beside the body, and groups of messages and tasks that are waited for by
// themselves. With LAMELLAR_THREADS=2 or more the work of a PE is done by all its threads.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <memory>
#include <vector>

using lamellar::context;
using lamellar::task;

// Counts the primes in [first, end), in pieces that run beside each other; a handler may have a
// group of its own.
struct count_primes {
  static std::uint64_t in_piece(std::uint64_t first, std::uint64_t end) {
    std::uint64_t count = 0;
    for (std::uint64_t n = std::max<std::uint64_t>(first, 2); n < end; ++n) {
      bool prime = true;
      for (std::uint64_t d = 2; d * d <= n && prime; ++d) {
        prime = n % d != 0;
      }
      count += prime;
    }
    return count;
  }

  task<std::uint64_t> operator()(context at, std::uint64_t first, std::uint64_t end) const {
    std::vector<lamellar::spawned<std::uint64_t>> pieces;
    for (std::uint64_t k = first; k < end; k += 1000) {
      // Nothing travels: a callable for this PE may hold pointers, and what only moves.
      auto range =
          std::make_unique<std::pair<std::uint64_t, std::uint64_t>>(k, std::min(k + 1000, end));
      pieces.push_back(at.world().run_here(
          [](std::unique_ptr<std::pair<std::uint64_t, std::uint64_t>> piece) {
            return in_piece(piece->first, piece->second);
          },
          std::move(range)));
    }
    std::uint64_t count = 0;
    for (auto& piece : pieces) {
      count += co_await piece;
    }
    co_return count;
  }
};

task<int> body(lamellar::world& world) {
  const std::uint32_t pes = world.size();
  constexpr std::uint64_t limit = 40000;
  const auto other_work = world.spawn([](lamellar::world& at) -> task<> {
    for (int k = 0; k < 100; ++k) {
      co_await at.yield();
    }
  }(world));

  // PE 0 gives each PE a part, and waits for these calls alone: not for the other work.
  std::uint64_t primes = 0;
  if (world.me().index() == 0) {
    lamellar::task_group group{world};
    std::vector<lamellar::reply<std::uint64_t>> parts;
    for (std::uint32_t pe = 0; pe < pes; ++pe) {
      parts.push_back(
          group.call(world.at(pe), count_primes{}, limit * pe / pes, limit * (pe + 1) / pes));
    }
    group.send_all([] {});
    co_await group.done();  // the coroutine handlers have ended, everywhere
    for (auto& part : parts) {
      primes += part.get();
    }
    fmt::print("{} primes below {}, counted by {} PEs of {} threads\n", primes, limit, pes,
               world.threads());
  }
  co_await world.quiesce();  // and this waits for everything
  const bool right = other_work.ready() && (world.me().index() != 0 || primes == 4203);
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
