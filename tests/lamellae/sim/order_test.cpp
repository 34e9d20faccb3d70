// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <lamellar/lamellae/error.hpp>
#include <set>
#include <string>
#include <vector>

#include "../../support/scratch_directory.hpp"
#include "simulated.hpp"

using namespace lamellar::testing;

namespace {

/// Everybody sends to everybody, in both classes; returns in which order PE 0 got what.
std::vector<std::uint32_t> exchange_all(const settings& s, std::uint32_t each) {
  std::vector<std::uint32_t> order;
  run(s, [&](lamella& pe) {
    std::uint32_t left = 2 * each * (pe.size() - 1);
    const auto take = [&](const in_buffer& in) {
      if (pe.me() == 0) {
        order.push_back(in.from * 2000 + static_cast<std::uint32_t>(in.kind) * 1000 + in.flags);
      }
      pe.release(in, true, false);
      --left;
    };
    std::vector<in_buffer> some(16);
    const auto poll = [&] {
      const std::uint32_t count = pe.poll(some, true);
      for (std::uint32_t k = 0; k < count; ++k) take(some[k]);
      if (count == 0) pe.idle();
    };
    for (std::uint16_t k = 0; k < each; ++k) {
      for (std::uint32_t to = 0; to < pe.size(); ++to) {
        if (to == pe.me()) continue;
        for (const traffic kind : {traffic::body, traffic::handler}) {
          while (!pe.acquire(to, kind)) poll();
          send(pe, to, 64, k, kind);
        }
      }
    }
    while (left != 0) poll();
  });
  return order;
}

}  // namespace

TEST_CASE("a channel keeps its order under every seed, other orders differ") {
  std::set<std::vector<std::uint32_t>> orders;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto order = exchange_all(simulated(3, seed), 5);
    REQUIRE(order.size() == 20);
    for (std::uint32_t channel = 2; channel < 6; ++channel) {
      std::vector<std::uint32_t> numbers;
      std::copy_if(order.begin(), order.end(), std::back_inserter(numbers),
                   [&](std::uint32_t each) { return each / 1000 == channel; });
      CHECK(numbers.size() == 5);
      CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    }
    orders.insert(order);
  }
  CHECK(orders.size() > 20);
}

TEST_CASE("with all chances switched off a seed changes little but who goes first") {
  settings s = simulated(3, 0);
  const auto orderly = exchange_all(s, 5);
  CHECK(exchange_all(s, 5) == orderly);
}

TEST_CASE("one seed gives one run, to the byte; another gives another") {
  const scratch_directory files;
  const auto trace_of = [&](std::uint64_t seed) {
    settings s = simulated(4, seed);
    s.sim.trace = files / "trace";
    exchange_all(s, 20);
    return content_of(s.sim.trace);
  };
  std::set<std::string> traces;
  for (std::uint64_t seed = 0; seed <= 10; ++seed) {
    const std::string first = trace_of(seed);
    CHECK(first.size() > 10'000);
    CHECK(first == trace_of(seed));
    CHECK(first.find("0x") == std::string::npos);
    traces.insert(first);
  }
  CHECK(traces.size() == 11);
}

TEST_CASE("seeds differ in the size and number of buffers, and in that alone without SPLIT") {
  std::set<std::pair<std::uint32_t, std::uint32_t>> shapes;
  std::set<std::pair<std::uint32_t, std::uint32_t>> unsplit;
  for (std::uint64_t seed = 0; seed <= 40; ++seed) {
    settings s = simulated(1, seed);
    const auto note = [&](auto& into) {
      run(s, [&](lamella& pe) {
        into.insert({pe.able().buffer_bytes, pe.able().channel_depth});
      });
    };
    note(shapes);
    s.sim.split = false;
    note(unsplit);
  }
  CHECK(shapes.size() == 9);
  CHECK(unsplit.size() == 1);
}

TEST_CASE("what is read after its release is nonsense") {
#ifndef __SANITIZE_ADDRESS__
  run(simulated(2, 1), [](lamella& pe) {
    if (pe.me() == 0) send(pe, 1, 256, 7);
    if (pe.me() == 0) return;
    const in_buffer in = receive(pe);
    CHECK(in.data[100] == std::byte{7});
    pe.release(in, true, false);
    CHECK(in.data[100] == std::byte{0xdd});
  });
#endif
}

TEST_CASE("what a simulated job cannot be is refused") {
  settings s = simulated(2, 1);
  s.threads = 2;
  CHECK_THROWS_WITH_AS(open_job(s), doctest::Contains("LAMELLAR_THREADS=2"),
                       lamellar::config_error);
  s = simulated(5000, 1);
  CHECK_THROWS_WITH_AS(open_job(s), doctest::Contains("LAMELLAR_PES=5000"),
                       lamellar::config_error);
  s = simulated(2, 1);
  s.sim.kill_pe = 2;
  CHECK_THROWS_WITH_AS(open_job(s), doctest::Contains("LAMELLAR_SIM_KILL=2@0"),
                       lamellar::config_error);
  s = simulated(2, 1);
  s.sim.trace = "/nowhere/at/all";
  CHECK_THROWS_WITH_AS(open_job(s), doctest::Contains("LAMELLAR_SIM_TRACE=/nowhere/at/all"),
                       lamellar::config_error);
}

TEST_CASE("the command that repeats a run can be given to a shell") {
  settings s = simulated(3, 17);
  s.sim.delay = false;
  s.sim.kill_pe = 1;
  s.sim.kill_step = 99;
  const std::string command = open_job(s).replay;
  CHECK(command.rfind("LAMELLAR_LAMELLA=sim LAMELLAR_PES=3 LAMELLAR_SIM_SEED=17 "
                      "LAMELLAR_SIM_DELAY=0 LAMELLAR_SIM_KILL=1@99 ",
                      0) == 0);
  CHECK(command.find("test_lamellae_sim_order") != std::string::npos);
}

TEST_CASE("a PE may read the clock until it is later") {
  std::uint64_t waited = 0;
  run(simulated(2, 1), [&](lamella& pe) {
    const std::uint64_t start = pe.now_ns();
    while (pe.now_ns() < start + 10'000) {
    }
    waited += pe.now_ns() - start;
  });
  CHECK(waited >= 20'000);
  CHECK(waited < 21'000);
}
