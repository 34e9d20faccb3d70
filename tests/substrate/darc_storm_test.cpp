// SPDX-License-Identifier: BSD-3-Clause
// Handles travel in cycles through all PEs, by themselves and inside other values, in messages
// and in results, while nobody else may hold one: no object is destroyed early, none is left
// over. TEST_CLONES is the number of clones that travel in each test, over all PEs.
#include <atomic>
#include <cstdlib>
#include <lamellar/substrate/local_rw_darc.hpp>
#include <lamellar/substrate/world.hpp>
#include <map>
#include <optional>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::seeded;
using lamellar::testing::work_divisor;

namespace {

std::atomic<int> made{0};
std::atomic<int> destroyed{0};

/// Knows when it is used after its end, as far as memory tells.
struct part {
  part() { ++made; }
  part(const part&) = delete;
  part& operator=(const part&) = delete;
  ~part() {
    intact = 0;
    ++destroyed;
  }
  std::uint64_t intact = 0x600d;
  std::atomic<std::uint64_t> visits{0};
};

std::uint64_t clones() {
  const char* text = std::getenv("TEST_CLONES");
  return (text != nullptr ? std::strtoull(text, nullptr, 10) : 40000) / work_divisor;
}

void visit(const darc<part>& one) {
  if (one->intact != 0x600d) throw std::runtime_error("a part was used after its end");
  ++one->visits;
}

pe after(const context& at) { return pe{(at.me().index() + 1) % at.size()}; }

struct bundle {
  std::vector<darc<part>> some;
  std::map<int, darc<part>> named;
  std::optional<darc<part>> perhaps;
};

/// Alone, with a quiesce at any moment.
struct hop {
  void operator()(context& at, const darc<part>& got, std::uint32_t left) const {
    visit(got);
    if (left != 0) at.world().send(after(at), hop{}, got, left - 1);
  }
};

/// Nested, and through calls: the result brings the handles back.
struct hop_nested {
  task<bundle> operator()(context at, bundle got, std::uint32_t left) const {
    for (const darc<part>& one : got.some) visit(one);
    visit(got.named.at(3));
    visit(*got.perhaps);
    if (left == 0) co_return got;
    auto next = at.world().call(after(at), hop_nested{}, got, left - 1);
    got = {};  // only the message holds them now
    co_return co_await next;
  }
};

/// Addressed to the object that it carries along.
struct hop_inside {
  task<> operator()(context at, darc<part> self, std::uint32_t left) const {
    visit(self);
    co_await at.world().yield();
    if (left != 0) self.send(after(at), hop_inside{}, left - 1);
  }
};

void check_all_gone(world& w, const char* when) {
  w.quiesce().get();
  w.quiesce().get();
  w.barrier().get();
  INFO(when);
  CHECK(made == destroyed);
  w.barrier().get();
}

}  // namespace

TEST_CASE("handles hop alone through all PEs, while everybody quiesces") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t hops = 50;
    const std::uint64_t rounds = clones() / hops / w.size() / 4 + 1;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      auto object = co_await darc<part>::create(w);
      for (int k = 0; k < 4; ++k) w.send(w.me(), hop{}, object, hops);
      object = {};
      if (round % 3 == 0) co_await w.quiesce();
      if (round % 100 == 99) w.wait_all();
    }
    check_all_gone(w, "after hops");
  });
}

TEST_CASE("handles hop inside other values and come back in results") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t hops = 10;
    const std::uint64_t rounds = clones() / hops / w.size() / 10 + 1;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      bundle all;
      for (int k = 0; k < 2; ++k) all.some.push_back(co_await darc<part>::create(w));
      all.named[3] = all.some[0];
      all.perhaps = all.some[1];
      auto back = w.call(w.me(), hop_nested{}, all, hops);
      auto dropped = w.call(w.me(), hop_nested{}, all, hops);
      (void)dropped;
      all = {};
      if (round % 2 == 0) co_await w.quiesce();
      const bundle got = co_await back;
      visit(got.some[1]);
    }
    check_all_gone(w, "after nested hops");
  });
}

TEST_CASE("handlers of an object hold it, hop by hop") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t hops = 50;
    const std::uint64_t rounds = clones() / hops / w.size() / 4 + 1;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      auto object = co_await darc<part>::create(w);
      for (int k = 0; k < 4; ++k) object.send(w.me(), hop_inside{}, hops);
      object = {};
      if (round % 3 == 0) co_await w.quiesce();
    }
    check_all_gone(w, "after hops inside");
  });
}

TEST_CASE("a bag of handles that are shuffled among the PEs at random") {
  on_pes([](world& w) -> task<> {
    struct bag {
      std::vector<darc<part>> held;
    };
    struct pass_on {
      void operator()(bag& mine, const darc<part>& got) const {
        visit(got);
        mine.held.push_back(got);
      }
    };
    auto random = seeded(w, 99);
    const auto bags = co_await darc<bag>::create(w);
    const std::uint64_t rounds = clones() / 100 / w.size() + 1;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      if (round % 10 == 0) {
        auto fresh = co_await darc<part>::create(w);
        bags.exclusive([&](bag& mine) { mine.held.push_back(fresh); });
      }
      for (int k = 0; k < 100; ++k) {
        std::vector<darc<part>> out;
        bags.exclusive([&](bag& mine) {
          if (mine.held.empty()) return;
          std::swap(mine.held[random() % mine.held.size()], mine.held.back());
          out.push_back(std::move(mine.held.back()));
          mine.held.pop_back();
        });
        if (out.empty()) continue;
        const pe to = w.at(static_cast<std::uint32_t>(random() % w.size()));
        if (random() % 16 != 0) bags.send(to, pass_on{}, out[0]);  // or it is the end of it
        if (random() % 17 == 0) bags.send(w.me(), pass_on{}, out[0]);
      }
      if (round % 7 == 0) co_await w.quiesce();
    }
    co_await w.quiesce();
    bags->held.clear();
    check_all_gone(w, "after the shuffle");
  });
}
