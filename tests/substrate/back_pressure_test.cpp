// SPDX-License-Identifier: BSD-3-Clause
// All PEs send faster than they handle: memory stays bounded, nothing is lost, nobody waits for
// ever. TEST_MESSAGES is the number of messages of a run, over all PEs.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>
#include <string>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;
using lamellar::testing::resident_bytes;
using lamellar::testing::work_divisor;

namespace {

constexpr std::uint64_t mib = 1 << 20;

std::uint64_t messages_per_pe(const world& w) {
  const char* const given = std::getenv("TEST_MESSAGES");
  return std::max<std::uint64_t>(
      1, (given != nullptr ? std::stoull(given) : 2000000 / work_divisor) / w.size());
}

/// Memory that a process may take beside what it had: the rings of all pairs, the spill marks,
/// and room for the allocator.
std::uint64_t bound(const world& w) {
  const std::uint64_t pes_here = w.able().pes_in_process;
  const std::uint64_t rings = std::uint64_t{w.size()} * w.size() * 2 * 8 * 8192;
  return rings + pes_here * 32 * mib + 64 * mib;
}

struct tally {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
};
struct add {
  void operator()(tally& t, std::uint64_t value) const {
    ++t.count;
    t.sum += value;
  }
};

/// Each message goes on `hops` times, by handlers.
struct forward {
  void operator()(context& at, const darc<tally>& tallies, std::uint32_t hops) const {
    if (hops == 0) {
      tallies.send(at.me(), add{}, 1);
    } else {
      tallies.send(at.world().at((at.me().index() + hops) % at.size()), forward{}, hops - 1);
    }
  }
};

template <class Flood>
void check_bounded(world& w, Flood flood) {
  auto tallies = darc<tally>::create(w).get();
  w.quiesce().get();
  const std::uint64_t before = resident_bytes();
  w.barrier().get();
  const std::uint64_t expected = flood(tallies);
  const std::uint64_t most = resident_bytes();
  w.quiesce().get();
  const std::uint64_t after = std::max(most, resident_bytes());
  if (lamellar::testing::measures_memory) CHECK(after < before + bound(w));
  std::uint64_t all = 0;
  for (const std::uint64_t one : tallies.call_all([](tally& t) { return t.count; }).get()) {
    all += one;
  }
  CHECK(all == expected * w.size());
}

}  // namespace

TEST_CASE("all PEs flood each other with no waits") {
  on_pes([](world& w) {
    check_bounded(w, [&w](const darc<tally>& tallies) {
      const std::uint64_t n = messages_per_pe(w);
      for (std::uint64_t k = 0; k < n; ++k) {
        tallies.send(w.at(static_cast<std::uint32_t>(k % w.size())), add{}, k);
      }
      return n;
    });
  });
}

TEST_CASE("all PEs flood one") {
  on_pes([](world& w) {
    check_bounded(w, [&w](const darc<tally>& tallies) {
      const std::uint64_t n = messages_per_pe(w) / 2;
      for (std::uint64_t k = 0; k < n; ++k) tallies.send(w.at(0), add{}, k);
      return n;
    });
  });
}

TEST_CASE("all PEs flood each other through forwarding handlers") {
  on_pes([](world& w) {
    check_bounded(w, [&w](const darc<tally>& tallies) {
      const std::uint64_t n = messages_per_pe(w) / 5;
      for (std::uint64_t k = 0; k < n; ++k) {
        tallies.send(w.at(static_cast<std::uint32_t>(k % w.size())), forward{}, 3u);
      }
      return n;
    });
  });
}

TEST_CASE("all PEs flood each other by calls whose answers nobody wants") {
  on_pes([](world& w) {
    check_bounded(w, [&w](const darc<tally>& tallies) {
      const std::uint64_t n = messages_per_pe(w) / 5;
      for (std::uint64_t k = 0; k < n; ++k) {
        (void)tallies.call(w.at(static_cast<std::uint32_t>(k % w.size())), add{}, k);
      }
      return n;
    });
  });
}

TEST_CASE("all PEs flood each other with messages larger than a buffer") {
  on_pes([](world& w) {
    check_bounded(w, [&w](const darc<tally>& tallies) {
      const std::uint64_t n = 200;
      const std::string large(100000, 'x');
      for (std::uint64_t k = 0; k < n; ++k) {
        tallies.send(
            w.at(static_cast<std::uint32_t>(k % w.size())),
            [](tally& t, std::string_view text) { t.count += text.size() == 100000; }, large);
      }
      return n;
    });
  });
}

TEST_CASE("coroutine handlers that wait are held back") {
  on_pes([](world& w) {
    auto tallies = darc<tally>::create(w).get();
    struct later {
      task<> operator()(context at, darc<tally> book) const {
        co_await at.world().call(at.origin(), [] {});
        book.send(at.me(), add{}, 1);
      }
    };
    const std::uint64_t before = resident_bytes();
    const std::uint64_t n = messages_per_pe(w) / 2;
    for (std::uint64_t k = 0; k < n; ++k) {
      tallies.send(w.at(static_cast<std::uint32_t>(k % w.size())), later{});
    }
    if (lamellar::testing::measures_memory) {
      // A coroutine, its call's reply and what completes it take less than 1 KiB.
      CHECK(resident_bytes() < before + bound(w) + std::uint64_t{w.size()} * 100 * mib);
    }
    w.quiesce().get();
    std::uint64_t all = 0;
    for (const std::uint64_t one : tallies.call_all([](tally& t) { return t.count; }).get()) {
      all += one;
    }
    CHECK(all == n * w.size());
  });
}

TEST_CASE("many coroutine handlers may wait for what a body sends") {
  on_pes([](world& w) {
    struct gate {
      std::atomic<bool> open{false};  // coroutine handlers of an object may overlap
      std::atomic<std::uint64_t> passed{0};
    };
    auto gates = darc<gate>::create(w).get();
    struct pass {
      task<> operator()(context at, darc<gate> by) const {
        while (!by->open) co_await at.world().yield();
        ++by->passed;
      }
    };
    const std::uint64_t n = 40000 / w.size();
    for (std::uint64_t k = 0; k < n; ++k) gates.send(next_of(w), pass{});
    w.flush();
    gates.send(next_of(w), [](gate& g) { g.open = true; });
    w.quiesce().get();
    CHECK(gates->passed == n);
  });
}

TEST_CASE("a deferred scope runs no handlers, and its messages arrive all the same") {
  on_pes([](world& w) {
    auto tallies = darc<tally>::create(w).get();
    w.quiesce().get();
    const std::uint64_t n = 100000 / w.size();
    {
      const deferred_scope deferred = w.defer_handlers();
      // Others may be ahead. With workers, handlers run beside the body.
      const std::uint64_t before = w.threads() == 1 ? tallies->count : 0;
      for (std::uint64_t k = 0; k < n; ++k) tallies.send(w.me(), add{}, k);
      for (std::uint64_t k = 0; k < n; ++k) tallies.send(next_of(w), add{}, k);
      if (w.threads() == 1) CHECK(tallies->count == before);
    }
    w.quiesce().get();
    CHECK(tallies->count == 2 * n);
  });
}

TEST_CASE(
    "a deferred scope that exceeds the budget gets an exception that names the variable") {
  on_pes([](world& w) {
    // Started with LAMELLAR_JOB_BUDGET=64M: 32 MiB, shared by the PEs, may wait.
    auto tallies = darc<tally>::create(w).get();
    w.quiesce().get();
    std::uint64_t sent = 0;
    std::string text;
    {
      const deferred_scope deferred = w.defer_handlers();
      try {
        for (; sent < 20000000; ++sent) tallies.send(w.me(), add{}, 1);
      } catch (const out_of_memory& e) {
        text = e.what();
      }
      if (w.threads() == 1) {
        CHECK(text.find("LAMELLAR_JOB_BUDGET") != std::string::npos);
        CHECK(text.find("PE " + std::to_string(w.me().index())) != std::string::npos);
      }
    }
    w.quiesce().get();
    CHECK(tallies->count == sent);
    w.barrier().get();
    tallies.send(next_of(w), add{}, 1);
    w.quiesce().get();
    CHECK(tallies->count == sent + 1);
  });
}
