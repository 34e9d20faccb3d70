// SPDX-License-Identifier: BSD-3-Clause
// Work queues: every item is processed once, whoever has it; orders against serial queues.
#include <algorithm>
#include <atomic>
#include <cereal/types/string.hpp>
#include <cstdint>
#include <deque>
#include <lamellar/containers/work_queue.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

/// Odd numbers are urgent.
struct odd_first {
  std::size_t operator()(std::uint64_t item) const { return 1 - item % 2; }
  std::size_t operator()(const std::string& item) const { return item.size() % 3; }
};
using by_buckets = work_order::priority<odd_first>;

/// What this PE has processed; functions may overlap.
template <class T>
class log_of {
 public:
  void add(const T& item) {
    const std::lock_guard held{lock_};
    items_.push_back(item);
  }
  const std::vector<T>& items() const { return items_; }

 private:
  std::mutex lock_;
  std::vector<T> items_;
};

/// What all PEs have processed, in order of values.
template <class T>
task<std::vector<T>> together(world& w, const log_of<T>& mine) {
  auto gathering = all_gather(w, mine.items());
  std::vector<T> all;
  for (const std::vector<T>& some : co_await gathering) {
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  co_return all;
}

}  // namespace

TEST_CASE_TEMPLATE("all nodes of a tree are processed once, whoever has its root", Order,
                   work_order::fifo, work_order::lifo, by_buckets) {
  on_pes([](world& w) -> task<> {
    auto making = work_queue<std::uint64_t, Order>::create(w);
    const auto queue = co_await making;
    for (const std::uint64_t nodes : {0, 1, 2, 50, 3000}) {
      log_of<std::uint64_t> log;
      if (nodes != 0 && w.me().index() + 1 == w.size()) queue.push(1);
      // Node k has the children 2k and 2k + 1.
      const auto node = [&](std::uint64_t k, more_work<std::uint64_t, Order>& more) {
        log.add(k);
        if (2 * k <= nodes) more.push(2 * k);
        if (2 * k + 1 <= nodes) more.push(2 * k + 1);
      };
      auto processing = queue.process(node);
      CHECK(co_await processing == log.items().size());
      CHECK(queue.local_size() == 0);
      auto gathering = together(w, log);
      const std::vector<std::uint64_t> all = co_await gathering;
      CHECK(all.size() == nodes);
      for (std::size_t k = 0; k < all.size(); ++k) CHECK(all[k] == k + 1);
    }
  });
}

TEST_CASE("one PE alone follows the order") {
  on_pes([](world& w) -> task<> {
    auto splitting = team{w}.split(w.me().index());
    const team alone = co_await splitting;
    constexpr std::uint64_t nodes = 700;
    const auto run = [&](auto order, auto model) -> task<> {
      auto making = work_queue<std::uint64_t, decltype(order)>::create(alone);
      const auto queue = co_await making;
      log_of<std::uint64_t> log;
      queue.push(1);
      auto processing = queue.process([&](std::uint64_t k, auto& more) {
        log.add(k);
        for (const std::uint64_t child : {2 * k, 2 * k + 1}) {
          if (child <= nodes) more.push(child);
        }
      });
      co_await processing;
      std::vector<std::uint64_t> expected;
      for (model.push(1); !model.empty();) {
        expected.push_back(model.next());
        for (const std::uint64_t child : {2 * expected.back(), 2 * expected.back() + 1}) {
          if (child <= nodes) model.push(child);
        }
      }
      CHECK(log.items().size() == nodes);
      if (w.threads() == 1) CHECK(log.items() == expected);
    };
    struct first_in {
      std::deque<std::uint64_t> items;
      bool empty() const { return items.empty(); }
      void push(std::uint64_t k) { items.push_back(k); }
      std::uint64_t next() {
        const std::uint64_t k = items.front();
        items.pop_front();
        return k;
      }
    };
    struct last_in : first_in {
      std::uint64_t next() {
        const std::uint64_t k = items.back();
        items.pop_back();
        return k;
      }
    };
    struct buckets {
      first_in of[2];
      bool empty() const { return of[0].empty() && of[1].empty(); }
      void push(std::uint64_t k) { of[odd_first{}(k)].push(k); }
      std::uint64_t next() { return of[of[0].empty() ? 1 : 0].next(); }
    };
    // Numbers of buckets may be as large as they like.
    struct largest_first {
      std::size_t operator()(std::uint64_t item) const { return ~item; }
    };
    struct by_size : std::set<std::uint64_t> {
      void push(std::uint64_t k) { insert(k); }
      std::uint64_t next() { return extract(std::prev(end())).value(); }
    };
    auto first = run(work_order::fifo{}, first_in{});
    co_await first;
    auto second = run(work_order::lifo{}, last_in{});
    co_await second;
    auto third = run(by_buckets{}, buckets{});
    co_await third;
    auto fourth = run(work_order::priority<largest_first>{}, by_size{});
    co_await fourth;
    co_await w.barrier();
  });
}

TEST_CASE("a PE without items is given some") {
  struct workers {
    std::vector<bool> seen;
    std::atomic<std::size_t> count{0};
  };
  on_pes([](world& w) -> task<> {
    auto telling = darc<workers>::create(w);
    const auto known = co_await telling;
    known->seen.resize(w.size());
    co_await w.barrier();
    auto making = work_queue<std::uint32_t, work_order::lifo>::create(w);
    const auto queue = co_await making;
    if (w.me().index() == 0) {
      for (std::uint32_t k = 0; k < 64; ++k) queue.push(k);
    }
    // PE 0 has the same work again and again until all PEs have had some.
    std::atomic<bool> has_told = false;
    const auto work = [&](std::uint32_t item,
                          more_work<std::uint32_t, work_order::lifo>& more) {
      if (!has_told.exchange(true)) {
        known.send(w.at(0), [](context& at, workers& all) {
          if (!all.seen[at.origin().index()]) {
            all.seen[at.origin().index()] = true;
            ++all.count;
          }
        });
      }
      if (w.me().index() == 0 && known->count < w.size()) {
        more.push(item);
        if (queue.local_size() < 64) more.push(item);
      }
    };
    auto processing = queue.process(work);
    const std::uint64_t mine = co_await processing;
    CHECK(mine > 0);
    co_await w.barrier();
  });
}

TEST_CASE_TEMPLATE("strings, equal items, and items for others", Order, work_order::fifo,
                   by_buckets) {
  on_pes([](world& w) -> task<> {
    auto making = work_queue<std::string, Order>::create(w);
    const auto queue = co_await making;
    log_of<std::string> log;
    for (int k = 0; k < 40; ++k) {
      queue.push("the same");
      queue.push(testing::next_of(w), std::string(static_cast<std::size_t>(k), 'x'));
    }
    co_await w.barrier();  // not a quiesce: some are under way still
    const auto work = [&](const std::string& item, more_work<std::string, Order>& more) {
      log.add(item);
      if (item == "the same") more.push(testing::next_of(w), "another one");
    };
    auto processing = queue.process(work);
    co_await processing;
    auto gathering = together(w, log);
    const std::vector<std::string> all = co_await gathering;
    std::vector<std::string> expected;
    for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
      for (int k = 0; k < 40; ++k) {
        expected.push_back("the same");
        expected.push_back("another one");
        expected.push_back(std::string(static_cast<std::size_t>(k), 'x'));
      }
    }
    std::sort(expected.begin(), expected.end());
    CHECK(all == expected);
  });
}

TEST_CASE("what a function throws comes out on all PEs, when all else is processed") {
  on_pes([](world& w) -> task<> {
    auto making = work_queue<std::uint32_t>::create(w);
    const auto queue = co_await making;
    for (int round = 0; round < 2; ++round) {
      if (w.me().index() == 0) {
        for (std::uint32_t k = 0; k < 100; ++k) queue.push(k);
      }
      log_of<std::uint32_t> log;
      auto processing = queue.process([&](std::uint32_t item) {
        log.add(item);
        if (item == 7) throw std::runtime_error("no sevens");
      });
      bool thrown = false;
      try {
        co_await processing;
      } catch (const remote_error& e) {
        thrown = std::string_view{e.what()}.find("no sevens") != std::string_view::npos;
      }
      CHECK(thrown);
      auto gathering = together(w, log);
      CHECK((co_await gathering).size() == 100);
    }
  });
}

TEST_CASE("a queue of some PEs, whose handle travels") {
  on_pes([](world& w) -> task<> {
    auto splitting = team{w}.split(w.me().index() % 2);
    const team half = co_await splitting;
    auto making = work_queue<std::uint32_t>::create(half);
    const auto queue = co_await making;
    half.send(
        team_position{0}, [](const work_queue<std::uint32_t>& q) { q.push(3); }, queue);
    std::atomic<std::uint32_t> sum = 0;
    co_await half.quiesce();
    auto processing = queue.process([&](std::uint32_t item) { sum += item; });
    co_await processing;
    auto adding = all_reduce(half, sum.load());
    CHECK(co_await adding == 3 * half.size());
    co_await w.quiesce();
  });
}
