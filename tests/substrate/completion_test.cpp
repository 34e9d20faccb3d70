// SPDX-License-Identifier: BSD-3-Clause
// What has happened when wait_all, quiesce and barrier have returned.
#include <array>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;
using lamellar::testing::seeded;
using lamellar::testing::work_divisor;

namespace {

struct board {
  std::array<std::uint64_t, 64> from{};  // by origin
  std::uint64_t total = 0;
};

struct mark {
  void operator()(context& at, board& b, std::uint64_t value) const {
    b.from[at.origin().index() % 64] = value;
  }
};
struct read_mark {
  std::uint64_t operator()(board& b, std::uint32_t of) const { return b.from[of % 64]; }
};

/// Counts, and passes the seed on to as many PEs as the seed says; the number of all messages
/// of a tree can be told from its seed alone.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccd;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53;
  return x ^ x >> 33;
}
std::uint32_t children_of(std::uint64_t seed, std::uint32_t depth) {
  return depth == 0 ? 0 : static_cast<std::uint32_t>(mix(seed) % 4);
}
std::uint64_t child(std::uint64_t seed, std::uint32_t k) {
  return mix(seed + 1000003 * (k + 1));
}

std::uint64_t messages_in(std::uint64_t seed, std::uint32_t depth) {
  std::uint64_t all = 1;
  for (std::uint32_t k = 0; k < children_of(seed, depth); ++k) {
    all += messages_in(child(seed, k), depth - 1);
  }
  return all;
}

struct grow {
  void operator()(context& at, const darc<board>& boards, std::uint64_t seed,
                  std::uint32_t depth) const {
    boards.send(at.me(), [](board& b) { ++b.total; });
    for (std::uint32_t k = 0; k < children_of(seed, depth); ++k) {
      const std::uint64_t next = child(seed, k);
      boards.send(at.world().at(static_cast<std::uint32_t>(next % at.size())), grow{}, next,
                  depth - 1);
    }
  }
};

struct grow_later {
  task<> operator()(context at, darc<board> boards, std::uint64_t seed,
                    std::uint32_t depth) const {
    co_await at.world().call(at.world().at(static_cast<std::uint32_t>(seed % at.size())),
                             [] {});
    boards.send(at.me(), [](board& b) { ++b.total; });
    for (std::uint32_t k = 0; k < children_of(seed, depth); ++k) {
      const std::uint64_t next = child(seed, k);
      boards.send(at.world().at(static_cast<std::uint32_t>(next % at.size())), grow_later{},
                  next, depth - 1);
    }
  }
};

}  // namespace

TEST_CASE("after wait_all the handlers of all own messages have run") {
  on_pes([](world& w) -> task<> {
    auto boards = co_await darc<board>::create(w);
    const std::uint32_t me = w.me().index();
    for (std::uint64_t round = 1; round <= 300; ++round) {
      boards.send_all(mark{}, round);
      w.wait_all();
      const auto to = static_cast<std::uint32_t>(round) % w.size();
      CHECK(boards.call(w.at(to), read_mark{}, me).get() == round);
    }
  });
}

TEST_CASE("wait_all covers handlers that suspend") {
  on_pes([](world& w) -> task<> {
    auto boards = co_await darc<board>::create(w);
    struct mark_later {
      task<> operator()(context at, darc<board> b, std::uint64_t value) const {
        for (int k = 0; k < 5; ++k) {
          co_await at.world().call(at.world().at((at.me().index() + 1) % at.size()), [] {});
        }
        const std::uint32_t origin = at.origin().index();
        co_await b.call(
            at.me(),
            [](board& here, std::uint32_t from, std::uint64_t v) { here.from[from % 64] = v; },
            origin, value);
      }
    };
    for (std::uint64_t round = 1; round <= 50; ++round) {
      boards.send_all(mark_later{}, round);
      w.wait_all();
      for (const std::uint64_t got : boards.call_all(read_mark{}, w.me().index()).get()) {
        CHECK(got == round);
      }
    }
  });
}

TEST_CASE("wait_all covers spawned tasks and what they send") {
  on_pes([](world& w) -> task<> {
    auto boards = co_await darc<board>::create(w);
    const auto work = [](world& of, darc<board> b, std::uint64_t value) -> task<> {
      co_await of.yield();
      co_await of.call(next_of(of), [] {});
      b.send_all(mark{}, value);
    };
    for (std::uint64_t round = 1; round <= 50; ++round) {
      (void)w.spawn(work(w, boards, round));
      w.wait_all();
      for (const std::uint64_t got : boards.call_all(read_mark{}, w.me().index()).get()) {
        CHECK(got == round);
      }
    }
  });
}

TEST_CASE("wait_all does not wait for other PEs") {
  on_pes([](world& w) -> task<> {
    // PE 0 waits alone; the others answer from a barrier.
    if (w.me().index() == 0) {
      for (int k = 0; k < 20; ++k) {
        w.send_all([] {});
        w.wait_all();
      }
    }
    co_await w.barrier();
  });
}

TEST_CASE("quiesce covers chains of messages over all PEs") {
  on_pes([](world& w) -> task<> {
    auto boards = co_await darc<board>::create(w);
    (void)seeded(w, 1234);
    std::uint64_t expected = 0;
    for (std::uint64_t tree = 0; tree < 40 / work_divisor; ++tree) {
      for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
        const std::uint64_t seed = mix(1234 + tree * 64 + pe);
        const auto depth = static_cast<std::uint32_t>(4 + tree % 8);
        if (pe == w.me().index()) boards.send(next_of(w), grow{}, seed, depth);
        expected += messages_in(seed, depth);
      }
      co_await w.quiesce();
      std::uint64_t all = 0;
      for (const std::uint64_t one :
           co_await boards.call_all([](board& b) { return b.total; })) {
        all += one;
      }
      CHECK(all == expected);
      co_await w.barrier();
    }
  });
}

TEST_CASE("quiesce covers coroutine handlers that go on after their message") {
  on_pes([](world& w) -> task<> {
    auto boards = co_await darc<board>::create(w);
    std::uint64_t expected = 0;
    for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
      for (std::uint64_t tree = 0; tree < 10; ++tree) {
        const std::uint64_t seed = mix(77 + tree * 64 + pe);
        if (pe == w.me().index()) boards.send(next_of(w), grow_later{}, seed, 8u);
        expected += messages_in(seed, 8);
      }
    }
    co_await w.quiesce();
    std::uint64_t all = 0;
    for (const std::uint64_t one : co_await boards.call_all([](board& b) { return b.total; })) {
      all += one;
    }
    CHECK(all == expected);
  });
}

TEST_CASE("many quiesces in a row, with random traffic between them") {
  on_pes([](world& w) -> task<> {
    auto boards = co_await darc<board>::create(w);
    auto random = seeded(w, 99);
    std::uint64_t sent = 0;
    for (int round = 0; round < 300 / work_divisor; ++round) {
      const std::uint64_t messages = random() % 3 == 0 ? random() % 200 : random() % 3;
      for (std::uint64_t k = 0; k < messages; ++k) {
        const auto to = static_cast<std::uint32_t>(random() % w.size());
        switch (random() % 3) {
          case 0:
            boards.send(w.at(to), [](board& b) { ++b.total; });
            break;
          case 1:
            (void)boards.call(w.at(to), [](board& b) { return ++b.total; });
            break;
          default:
            boards.send(
                w.at(to),
                [](context& at, const darc<board>& b, std::uint32_t on) {
                  b.send(at.world().at(on), [](board& there) { ++there.total; });
                },
                static_cast<std::uint32_t>(random() % w.size()));
        }
      }
      sent += messages;
      co_await w.quiesce();
      // Nothing moves any more: all see one sum.
      if (round % 20 == 0) {
        std::uint64_t all = 0;
        for (const std::uint64_t one :
             co_await boards.call_all([](board& b) { return b.total; })) {
          all += one;
        }
        auto sums = co_await darc<std::uint64_t>::create(w, std::uint64_t{0});
        sums.send_all([](std::uint64_t& sum, std::uint64_t more) { sum += more; }, sent);
        co_await w.quiesce();
        CHECK(all == *sums);
      }
    }
    for (int k = 0; k < 2000 / work_divisor; ++k) co_await w.quiesce();
    for (int k = 0; k < 2000 / work_divisor; ++k) co_await w.barrier();
  });
}

TEST_CASE("a barrier orders direct stores") {
  on_pes([](world& w) -> task<> {
    if (!w.able().mapped || w.lamella() != "local") co_return;
    static std::array<std::uint64_t, 64> cells;  // plain: the barrier alone makes this right
    bool right = true;
    for (std::uint64_t round = 1; round <= 2000 / work_divisor; ++round) {
      cells[w.me().index()] = round;
      co_await w.barrier();
      for (std::uint32_t pe = 0; pe < w.size(); ++pe) right = right && cells[pe] == round;
      co_await w.barrier();
    }
    CHECK(right);
  });
}

TEST_CASE("a PE that does not reach the barrier holds the others back") {
  on_pes([](world& w) -> task<> {
    auto arrived = co_await darc<std::uint64_t>::create(w, std::uint64_t{0});
    for (int round = 0; round < 100; ++round) {
      // Everybody tells everybody before the barrier; a barrier does not order messages, so
      // wait.
      arrived.send_all([](std::uint64_t& n) { ++n; });
      w.wait_all();
      co_await w.barrier();
      CHECK(*arrived == static_cast<std::uint64_t>(round + 1) * w.size());
      co_await w.barrier();
    }
  });
}

TEST_CASE("a body may leave early while others still send to it") {
  on_pes([](world& w) -> task<> {
    auto boards = co_await darc<board>::create(w);
    if (w.me().index() == 0) co_return;
    for (int k = 0; k < 1000; ++k) {
      boards.send(w.at(0), [](board& b) { ++b.total; });
      CHECK(co_await w.call(
                w.at(0), [](int a) { return a; }, k) == k);
    }
  });
}
