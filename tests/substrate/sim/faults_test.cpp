// SPDX-License-Identifier: BSD-3-Clause
// The proof that simulated jobs find mistakes: the runtime is built with five of them, and for
// each some seed out of two hundred must bring it to light, in a program that knows its own
// right answers. Without a mistake no seed may. Every run is a process of its own, since a
// mistake leaves nothing behind that could be trusted.
#include "faults.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/run.hpp>
#include <lamellar/substrate/world.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace lamellar;

namespace {

constexpr std::uint32_t pes = 4;
constexpr std::uint64_t most_seeds = 200;
constexpr unsigned patience_s = 60;  // of a child: real time, which it ought not to need

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string{"wrong: "} + what);
}

// ---- answers: calls whose handlers wait for others end in another order than they began ----

std::uint64_t twice(std::uint64_t k) { return 2 * k; }

struct slow_answer {
  task<std::uint64_t> operator()(context at, std::uint64_t k) const {
    std::uint64_t doubled = 2 * k;
    if (k % 3 != 0) {
      doubled = co_await at.world().call(
          at.world().at(static_cast<std::uint32_t>(k % at.size())),
          [](std::uint64_t n) { return twice(n); }, k);
    }
    co_return doubled + 1;
  }
};

task<> check_answers(world& w, std::mt19937_64& random) {
  std::vector<reply<std::uint64_t>> replies;
  std::vector<std::uint64_t> asked;
  for (int n = 0; n < 40; ++n) {
    asked.push_back(random() % 1000);
    replies.push_back(
        w.call(w.at(static_cast<std::uint32_t>(random() % pes)), slow_answer{}, asked.back()));
  }
  for (std::size_t n = 0; n < replies.size(); ++n) {
    const std::uint64_t answer = co_await replies[n];
    require(answer == 2 * asked[n] + 1, "an answer");
  }
}

// ---- a coroutine of the body that goes on sending ----

task<> check_chains(world& w) {
  const pe next = w.at((w.me().index() + 1) % pes);
  const pe after = w.at((w.me().index() + 2) % pes);
  auto first = w.call(after, slow_answer{}, std::uint64_t{3});
  auto open = w.call(next, slow_answer{}, std::uint64_t{1});
  require(co_await first == 7, "the answer to a first call");
  // While a call to the same PE is unanswered this one waits for others in its buffer.
  require(co_await w.call(next, slow_answer{}, std::uint64_t{6}) == 13, "that of a second one");
  require(co_await open == 3, "that of the call in between");
}

// ---- trees of messages, which a quiesce must follow to their ends ----

struct leaves {
  std::uint64_t here = 0;
  std::uint64_t seen = 0;
};

struct grow {
  void operator()(context& at, leaves& mine, darc<leaves> all, std::uint32_t depth,
                  std::uint64_t path) const {
    ++mine.here;
    if (depth == 0) return;
    for (std::uint64_t branch = 0; branch < 2; ++branch) {
      const std::uint64_t mixed = (path * 2 + branch + 1) * 0x9e3779b97f4a7c15u;
      all.send(at.world().at(static_cast<std::uint32_t>((mixed >> 40) % pes)), grow{}, all,
               depth - 1, mixed);
    }
  }
};

task<> check_trees(world& w, std::mt19937_64& random) {
  const auto all = co_await darc<leaves>::create(w);
  std::uint64_t expected = 0;
  for (int round = 0; round < 4; ++round) {
    const std::uint32_t depth = 1 + static_cast<std::uint32_t>(round);
    if (w.me().index() == static_cast<std::uint32_t>(round) % pes) {
      all.send(w.at(static_cast<std::uint32_t>(random() % pes)), grow{}, all, depth, random());
    }
    expected += (std::uint64_t{2} << depth) - 1;
    co_await w.quiesce();
    all.local().seen = all.local().here;
    co_await w.barrier();
    const auto counts = co_await all.call_all([](leaves& mine) { return mine.seen; });
    std::uint64_t sum = 0;
    for (const std::uint64_t each : counts) sum += each;
    require(sum == expected, "the messages that a quiesce has waited for");
    co_await w.barrier();
  }
}

// ---- a handle that is nowhere but in a message for a while ----

struct counter {
  std::uint64_t count = 0;
};
struct keeper {
  darc<counter> kept;
};

task<> check_handles(world& w) {
  const auto keepers = co_await darc<keeper>::create(w);
  for (std::uint32_t round = 0; round < 3; ++round) {
    const std::uint32_t giver = round % pes;
    const std::uint32_t taker = (round + 1) % pes;
    {
      const auto object = co_await darc<counter>::create(w);
      if (w.me().index() == giver) {
        keepers.send(
            w.at(taker), [](keeper& mine, darc<counter> given) { mine.kept = given; }, object);
      }
    }
    co_await w.quiesce();
    const darc<counter> kept = std::move(keepers.local().kept);
    require(bool{kept} == (w.me().index() == taker), "who keeps the handle");
    if (kept) {
      kept.send_all([](counter& mine) { ++mine.count; });
      w.wait_all();
      require(kept.local().count == 1, "an object that is kept");
    }
    co_await w.quiesce();
  }
}

task<> workload(world& w, std::uint64_t seed) {
  std::mt19937_64 random{seed * pes + w.me().index()};
  co_await check_answers(w, random);
  co_await check_chains(w);
  co_await check_trees(w, random);
  co_await check_handles(w);
}

/// Run the workload under `seed` in a process of its own. Empty: all was well; otherwise what
/// was said last, or how it ended.
std::string trouble(detail::fault which, std::uint64_t seed) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::fflush(stdout);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    alarm(patience_s);
    detail::injected = which;
    lamellae::settings s;
    s.lamella = "sim";
    s.pes = pes;
    s.sim.seed = seed;
    s.hang_s = 0.02;  // of virtual time
    _exit(launch(s, [seed](world& w) { return workload(w, seed); }));
  }
  close(ends[1]);
  std::string said;
  char some[4096];
  for (ssize_t n = 0; (n = read(ends[0], some, sizeof some)) > 0;) {
    said.append(some, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const bool hangs = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
  CHECK_MESSAGE(!hangs, "seed ", seed, " ran on in real time");
  said.resize(said.find('\n') == std::string::npos ? said.size() : said.find('\n'));
  return said.empty() ? "it crashed" : said;
}

void must_be_found(const char* name, detail::fault which) {
  for (std::uint64_t seed = 1; seed <= most_seeds; ++seed) {
    const std::string text = trouble(which, seed);
    if (text.empty()) continue;
    std::printf("%s: found by seed %d: %s\n", name, static_cast<int>(seed), text.c_str());
    return;
  }
  FAIL_CHECK(name, " was not found by any of ", most_seeds, " seeds");
}

}  // namespace

TEST_CASE("without a mistake in the runtime no seed finds any") {
  for (std::uint64_t seed = 1; seed <= most_seeds; ++seed) {
    const std::string text = trouble(detail::fault::none, seed);
    CHECK_MESSAGE(text.empty(), "seed ", seed, ": ", text);
  }
}

TEST_CASE("a lost count is found") { must_be_found("lost count", detail::fault::lost_count); }
TEST_CASE("an early free is found") { must_be_found("early free", detail::fault::early_free); }
TEST_CASE("a missing flush is found") {
  must_be_found("missing flush", detail::fault::missing_flush);
}
TEST_CASE("mixed-up replies are found") {
  must_be_found("reply mix-up", detail::fault::reply_mix_up);
}
TEST_CASE("an epoch that leaks is found") {
  must_be_found("epoch leak", detail::fault::epoch_leak);
}
