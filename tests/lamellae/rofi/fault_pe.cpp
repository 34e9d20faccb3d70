// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/run.hpp>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/team.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fabric/fabric.hpp"

// PEs to which faults happen: fault_pe WHAT [VICTIM [FILE]]. Every PE says "ready PE PROCESS"
// when all have met. Then, until the test does something about it:
//
//   barrier, send, call, put, get   all but the victim wait in a barrier, or use the victim
//   work                            all count on all, until FILE is there; say whether it came
//   out memory                          the victim makes regions until there is no memory
//   refuse                          the victim's network refuses to register memory
//   idle                            nothing, until FILE is there
namespace {

using lamellar::world;

constexpr std::size_t elements = 1 << 16;
constexpr std::uint64_t messages_a_round = 1000;

struct orders {
  std::string_view what = "idle";
  std::uint32_t victim = 1;
  std::string file;
};

struct take {
  std::uint64_t operator()(std::uint64_t n) const { return n + 1; }
};

struct add {
  void operator()(std::uint64_t& to, std::uint64_t by) const { to += by; }
};

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

void poll_for_ever(world& w) {
  for (;;) w.poll();
}

/// Whether FILE is there: PE 0 looks, all learn it.
bool is_over(const lamellar::team& all, const orders& mine) {
  const int there = all.where().me().index() == 0 && std::filesystem::exists(mine.file) ? 1 : 0;
  return lamellar::all_reduce(all, there).get() != 0;
}

int work(world& w, const lamellar::team& all, const orders& mine) {
  const auto counter = lamellar::darc<std::uint64_t>::create(w, 0u).get();
  std::uint64_t rounds = 0;
  do {
    ++rounds;
    for (std::uint64_t k = 0; k < messages_a_round; ++k) counter.send_all(add{}, k);
    w.quiesce().get();
  } while (!is_over(all, mine));
  const std::uint64_t of_a_round = messages_a_round * (messages_a_round - 1) / 2;
  const bool right = counter.local() == rounds * of_a_round * w.size();
  say(right ? "the answer is right" : "the answer is wrong");
  w.quiesce().get();
  return right ? EXIT_SUCCESS : EXIT_FAILURE;
}

void make_regions(world& w, std::size_t count) {
  std::vector<lamellar::shared_memory_region<std::uint64_t>> kept;
  for (std::size_t k = 0; k < count; ++k) {
    kept.push_back(
        lamellar::shared_memory_region<std::uint64_t>::create(w, std::size_t{1} << 21).get());
    for (std::uint64_t& each : kept.back().local()) each = k;
  }
}

int be(world& w, const orders& mine) {
  const lamellar::team all{w};
  const bool is_victim = w.me().index() == mine.victim;
  const lamellar::pe victim = w.at(mine.victim < w.size() ? mine.victim : 0);
  const auto region = lamellar::shared_memory_region<std::uint64_t>::create(w, elements).get();
  w.barrier().get();
  say("ready " + std::to_string(w.me().index()) + " " + std::to_string(getpid()));

  if (mine.what == "work") return work(w, all, mine);
  if (mine.what == "idle") {
    while (!is_over(all, mine)) {
    }
    return EXIT_SUCCESS;
  }
  if (mine.what == "memory" || mine.what == "refuse") {
    if (is_victim && mine.what == "refuse") {
      lamellar::lamellae::fabric::refuse_registration_after(0);
    }
    make_regions(w, mine.what == "memory" ? 1000 : 1);
    return EXIT_SUCCESS;
  }
  if (is_victim) poll_for_ever(w);
  if (mine.what == "barrier") w.barrier().get();
  std::vector<std::uint64_t> values(elements);
  for (;;) {
    if (mine.what == "send") {
      for (std::uint64_t k = 0; k < messages_a_round; ++k) w.send(victim, take{}, k);
      w.wait_all();
    }
    if (mine.what == "call") w.call(victim, take{}, std::uint64_t{1}).get();
    if (mine.what == "put") region.put(victim, 0, std::span<const std::uint64_t>{values}).get();
    if (mine.what == "get") region.get(victim, 0, std::span<std::uint64_t>{values}).get();
  }
}

}  // namespace

int main(int argc, char** argv) {
  orders mine;
  if (argc > 1) mine.what = argv[1];
  if (argc > 2) mine.victim = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
  if (argc > 3) mine.file = argv[3];
  return lamellar::run(argc, argv, [&mine](world& w) { return be(w, mine); });
}
