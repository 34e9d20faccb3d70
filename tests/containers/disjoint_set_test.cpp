// SPDX-License-Identifier: BSD-3-Clause
// Disjoint sets against a serial union-find of all pairs of all PEs.
#include <algorithm>
#include <cereal/types/string.hpp>
#include <cstdint>
#include <lamellar/containers/disjoint_set.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/containers/id_map.hpp>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"
#include "shared_directory.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

using pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// The model: the least member of each number's set.
class serial_sets {
 public:
  explicit serial_sets(std::size_t n) : parent_(n) {
    std::iota(parent_.begin(), parent_.end(), std::uint64_t{0});
  }
  std::uint64_t find(std::uint64_t x) const {
    while (parent_[x] != x) x = parent_[x];
    return x;
  }
  bool unite(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t of_a = find(a);
    const std::uint64_t of_b = find(b);
    parent_[std::max(of_a, of_b)] = std::min(of_a, of_b);
    return of_a != of_b;
  }
  std::size_t count() const {
    std::size_t roots = 0;
    for (std::size_t k = 0; k < parent_.size(); ++k) roots += parent_[k] == k;
    return roots;
  }

 private:
  std::vector<std::uint64_t> parent_;
};

struct input {
  const char* name;
  std::size_t n;
  pairs (*make)(std::uint32_t pe, std::uint32_t pes, std::size_t n);
};

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

pairs random_pairs(std::uint32_t pe, std::uint32_t, std::size_t n) {
  pairs all;
  for (std::size_t k = 0; k < n / 3; ++k) {
    all.emplace_back(mixed(2 * k + 1000003 * pe + 1) % n, mixed(2 * k + 1000003 * pe + 2) % n);
  }
  return all;
}
/// 0 - 1 - 2 - ..., dealt out and backwards: the deepest tree.
pairs path(std::uint32_t pe, std::uint32_t pes, std::size_t n) {
  pairs all;
  for (std::size_t k = n - 1; k-- > 0;) {
    if (k % pes == pe) all.emplace_back(k + 1, k);
  }
  return all;
}
pairs star(std::uint32_t pe, std::uint32_t pes, std::size_t n) {
  pairs all;
  for (std::size_t k = pe; k < n; k += pes) all.emplace_back(n / 2, k);
  return all;
}
/// The same pair again and again, on all PEs.
pairs equal(std::uint32_t, std::uint32_t, std::size_t n) { return pairs(40, {n - 1, n / 3}); }
pairs loops(std::uint32_t pe, std::uint32_t, std::size_t n) { return {{pe % n, pe % n}}; }
pairs nothing(std::uint32_t, std::uint32_t, std::size_t) { return {}; }

const input inputs[] = {{"random", 600, random_pairs},
                        {"path", 300, path},
                        {"star", 200, star},
                        {"equal", 50, equal},
                        {"loops", 7, loops},
                        {"few", 3, random_pairs},
                        {"one", 1, loops},
                        {"nothing", 90, nothing},
                        {"empty", 0, nothing}};

serial_sets model_of(const input& in, std::uint32_t pes) {
  serial_sets model{in.n};
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    for (const auto& [a, b] : in.make(pe, pes, in.n)) model.unite(a, b);
  }
  return model;
}

template <class T>
task<> check_against(const disjoint_set<T>& sets, const serial_sets& model) {
  auto counting = sets.count();
  CHECK(co_await counting == model.count());
  for (std::size_t id = 0; id < sets.size(); id += 1 + sets.size() / 16) {
    CHECK(co_await sets.find(static_cast<T>(id)) == model.find(id));
    CHECK(co_await sets.same(static_cast<T>(id), 0) == (model.find(id) == model.find(0)));
  }
  std::vector<T> ids(sets.size());
  std::iota(ids.begin(), ids.end(), T{0});
  const std::vector<T> roots = co_await sets.find(ids);
  for (std::size_t id = 0; id < ids.size(); ++id) CHECK(roots[id] == model.find(id));

  auto compressing = sets.compress();
  co_await compressing;
  for (std::size_t k = 0; k < sets.local_size(); ++k) {
    CHECK(sets.local()[k] == model.find(sets.local_first() + k));
  }
  auto barrier = sets.members().barrier();
  co_await barrier;
}

}  // namespace

TEST_CASE_TEMPLATE("sets are those of a serial union-find, pair by pair and by lists", T,
                   std::uint32_t, std::uint64_t) {
  on_pes([](world& w) -> task<> {
    for (const input& in : inputs) {
      INFO(in.name);
      const serial_sets model = model_of(in, w.size());
      auto making = disjoint_set<T>::create(w, in.n);
      const disjoint_set<T> sets = co_await making;
      CHECK(sets.size() == in.n);
      CHECK(sets.empty() == (in.n == 0));
      const pairs mine = in.make(w.me().index(), w.size(), in.n);
      for (const auto& [a, b] : mine) sets.unite(static_cast<T>(a), static_cast<T>(b));
      co_await check_against(sets, model);

      auto clearing = clear(sets);
      co_await clearing;
      auto counting = sets.count();
      CHECK(co_await counting == in.n);
      std::vector<std::pair<T, T>> list{mine.begin(), mine.end()};
      sets.unite(list);
      co_await check_against(sets, model);
    }
  });
}

TEST_CASE("a forest that forgets says too much, never too little") {
  constexpr std::size_t n = 500;
  for (const std::size_t first : {0, 200, 400}) {
    detail::id_forest<std::uint32_t> forest{n, first, 100, 256};
    forest.reset();
    serial_sets model{n};
    serial_sets told{n};
    std::size_t links = 0;
    for (std::uint64_t k = 0; k < 20000; ++k) {
      const auto a = static_cast<std::uint32_t>(mixed(k) % n);
      const auto b = static_cast<std::uint32_t>(mixed(k / 2 + 12345) % n);
      model.unite(a, b);
      const auto link = forest.join(a, b);
      if (link.is_some()) {
        CHECK(link.larger > link.smaller);
        told.unite(link.larger, link.smaller);
        ++links;
      }
    }
    for (std::size_t id = 0; id < n; ++id) CHECK(told.find(id) == model.find(id));
    CHECK(links > n);  // it has forgotten some
    CHECK(forest.memory() <= 100 * sizeof(std::uint32_t) + 256);
  }
}

TEST_CASE("what comes later is added to what was there") {
  on_pes([](world& w) -> task<> {
    constexpr std::size_t n = 240;
    auto making = disjoint_set<std::uint32_t>::create(w, n);
    const auto sets = co_await making;
    serial_sets model{n};
    for (std::uint64_t round = 0; round < 5; ++round) {
      for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
        for (std::uint64_t k = 0; k < 12; ++k) {
          const std::uint64_t a = mixed(round * 997 + pe * 31 + k) % n;
          const std::uint64_t b = mixed(round * 499 + pe * 17 + k + 5) % n;
          model.unite(a, b);
          if (pe == w.me().index()) {
            sets.unite(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
          }
        }
      }
      co_await check_against(sets, model);
    }
  });
}

namespace {

/// What unite_and() has called, on the PE where it was called.
struct calls {
  pairs seen;
};
struct note {
  void operator()(context& at, std::uint32_t a, std::uint32_t b, const darc<calls>& to,
                  const std::string& tag) const {
    if (tag != "kept") throw std::runtime_error("an argument was lost");
    to.send(
        at.me(), [](calls& c, std::uint32_t x, std::uint32_t y) { c.seen.emplace_back(x, y); },
        a, b);
  }
};

}  // namespace

TEST_CASE("unite_and calls for the pairs of a spanning forest, and for no others") {
  on_pes([](world& w) -> task<> {
    for (const input& in : inputs) {
      INFO(in.name);
      auto making = disjoint_set<std::uint32_t>::create(w, in.n);
      const auto sets = co_await making;
      auto noting = darc<calls>::create(w);
      const auto noted = co_await noting;
      for (const auto& [a, b] : in.make(w.me().index(), w.size(), in.n)) {
        sets.unite_and(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b), note{},
                       noted, std::string{"kept"});
      }
      co_await w.quiesce();
      const serial_sets model = model_of(in, w.size());
      co_await check_against(sets, model);
      auto gathering = all_gather(w, noted->seen);
      const std::vector<pairs> all = co_await gathering;
      serial_sets forest{in.n};
      std::size_t called = 0;
      for (const pairs& some : all) {
        for (const auto& [a, b] : some) {
          CHECK(forest.unite(a, b));
          ++called;
        }
      }
      CHECK(called == in.n - model.count());
    }
  });
}

TEST_CASE("for_each and for_each_set see every number once") {
  on_pes([](world& w) -> task<> {
    for (const input& in : inputs) {
      INFO(in.name);
      const serial_sets model = model_of(in, w.size());
      auto making = disjoint_set<std::uint64_t>::create(w, in.n);
      auto sets = co_await making;
      sets.unite(in.make(w.me().index(), w.size(), in.n));
      std::vector<std::uint64_t> roots(sets.local_size());
      auto compressing = sets.compress();
      co_await compressing;
      auto looping = for_each(sets, [&](const std::pair<std::uint64_t, std::uint64_t>& item) {
        roots[item.first - sets.local_first()] = item.second;
      });
      co_await looping;
      for (std::size_t k = 0; k < roots.size(); ++k) {
        CHECK(roots[k] == model.find(sets.local_first() + k));
      }
      std::map<std::uint64_t, std::vector<std::uint64_t>> groups;
      auto grouping =
          sets.for_each_set([&](std::uint64_t root, std::span<const std::uint64_t> members) {
            CHECK(sets.owner(root) == w.me());
            CHECK(groups.emplace(root, std::vector(members.begin(), members.end())).second);
          });
      co_await grouping;
      std::map<std::uint64_t, std::vector<std::uint64_t>> expected;
      for (std::uint64_t id = 0; id < in.n; ++id) {
        if (sets.owner(model.find(id)) == w.me()) expected[model.find(id)].push_back(id);
      }
      CHECK(groups == expected);
    }
  });
}

TEST_CASE("a pair that follows from others of the same PE costs no message") {
  on_pes([](world& w) -> task<> {
    constexpr std::uint32_t n = 1000;
    auto making = disjoint_set<std::uint32_t>::create(w, n);
    const auto sets = co_await making;
    for (std::uint32_t k = 1; k < n; ++k) sets.unite(k - 1, k);
    co_await w.quiesce();
    const auto before = w.statistics();
    for (std::uint32_t k = 0; k < n; ++k)
      sets.unite(k, static_cast<std::uint32_t>(mixed(k) % n));
    const auto after = w.statistics();
    const auto sent = [](const statistics& s) {
      return s.to_self.messages + s.to_host.messages + s.to_network.messages;
    };
    CHECK(sent(after) == sent(before));
    co_await w.barrier();
  });
}

TEST_CASE("sets of a team, a handle that travels, and swapped handles") {
  on_pes([](world& w) -> task<> {
    auto splitting = team{w}.split(w.me().index() % 2);
    const team half = co_await splitting;
    auto making = disjoint_set<std::uint32_t>::create(half, 100);
    auto sets = co_await making;
    sets.unite(half.position().index(), 99);
    auto counting = sets.count();
    CHECK(co_await counting == 100 - half.size());
    const std::uint32_t root = co_await half.call(
        team_position{0}, [](const disjoint_set<std::uint32_t>& s) { return s.find(99).get(); },
        sets);
    CHECK(root == 0);

    auto other_making = disjoint_set<std::uint32_t>::create(half, 5);
    auto other = co_await other_making;
    std::swap(sets, other);
    CHECK(sets.size() == 5);
    CHECK(other.size() == 100);
    co_await w.quiesce();
  });
}

TEST_CASE("a disjoint set is a container: saved by some PEs, restored by others") {
  static_assert(distributed_container<disjoint_set<std::uint32_t>>);
  on_pes([](world& w) -> task<> {
    auto making_directory = lamellar::testing::shared_directory::create(w);
    const auto files = co_await making_directory;
    auto splitting = team{w}.split(w.me().index() % 2);
    const team half = co_await splitting;
    constexpr std::size_t n = 150;
    auto making_part = disjoint_set<std::uint32_t>::create(half, n);
    const auto part = co_await making_part;
    const bool saves = w.me().index() % 2 == 0;
    serial_sets model{n};
    for (std::uint32_t k = 0; k < 60; ++k) {
      const auto a = static_cast<std::uint32_t>(mixed(k) % n);
      const auto b = static_cast<std::uint32_t>(mixed(k + 777) % n);
      model.unite(a, b);
      if (k % half.size() == half.position().index()) part.unite(a, b);
    }
    if (saves) {
      auto saving = checkpoint(part, files / "sets");
      CHECK(co_await saving == n);
    }
    co_await w.barrier();
    auto making = disjoint_set<std::uint32_t>::create(w, n);
    const auto sets = co_await making;
    auto restoring = restore(sets, files / "sets");
    CHECK(co_await restoring == n);
    co_await check_against(sets, model);
    auto asking = statistics_of(sets);
    const container_statistics what = co_await asking;
    CHECK(what.items == n);
    CHECK(what.bytes >= n * sizeof(std::uint32_t));
    auto describing = describe(sets);
    CHECK((co_await describing).find("disjoint_set") == 0);
  });
}

TEST_CASE("any keys, by their numbers in an id_map") {
  on_pes([](world& w) -> task<> {
    // Words belong together if they begin alike.
    const std::vector<std::string> words{"ash",   "birch", "alder", "beech", "cedar",
                                         "apple", "",      "box",   "ash"};
    auto making_ids = id_map<std::string>::create(w);
    const auto ids = co_await making_ids;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs;
    const std::size_t n = words.size();
    for (std::size_t a = w.me().index(); a < n; a += w.size()) {
      for (std::size_t b = 0; b < n; ++b) {
        if (words[a].substr(0, 1) != words[b].substr(0, 1)) continue;
        const std::uint64_t first = co_await ids.intern(words[a]);
        pairs.emplace_back(first, co_await ids.intern(words[b]));
      }
    }
    auto freezing = ids.freeze();
    co_await freezing;
    for (auto& [a, b] : pairs) a = ids.frozen_id(a), b = ids.frozen_id(b);
    auto counting_ids = size(ids);
    const std::size_t keys = co_await counting_ids;
    CHECK(keys == 8);
    auto making = disjoint_set<std::uint64_t>::create(w, keys);
    const auto sets = co_await making;
    sets.unite(pairs);
    auto counting = sets.count();
    CHECK(co_await counting == 4);
    std::map<std::string, std::uint64_t> roots;
    for (const std::string& word : words) {
      const auto id = co_await ids.find(word);
      const std::uint64_t root = co_await sets.find(*id);
      CHECK(roots.emplace(word.substr(0, 1), root).first->second == root);
    }
    CHECK(roots.size() == 4);
    co_await w.barrier();
  });
}
