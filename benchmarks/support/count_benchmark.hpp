// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/containers/counting_map.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <string>
#include <utility>
#include <vector>

#include "by_turns.hpp"
#include "local_table.hpp"
#include "mixed.hpp"

// Counting what an input has: all PEs do it with a counting_map, each for its own input, and
// one thread of PE 0 for those of all.
//
// An Input is made from the number of a PE; `for_each(f)` gives its keys, or views of them.
//
// Thread-safety: the main thread of each PE.
namespace lamellar::benchmark {

template <class Key, class Input>
class countings {
 public:
  /// `make(k)` is the input of PE k.
  template <class Make>
  countings(world& w, Make make, bool sabotage) : world_{w}, sabotage_{sabotage} {
    own_ = make(w.me().index());
    for (std::uint32_t k = 0; k < w.size() && w.me() == pe(0); ++k) all_.push_back(make(k));
  }

  double serially() {
    local_table<Key> counts;
    const double seconds = seconds_on_first(world_, [&] {
      Key key{};
      for (const Input& each : all_) {
        each.for_each([&](const auto& found) {
          key = found;
          ++counts[key];
        });
      }
    });
    answer expected;
    for (const auto& [key, count] : counts) expected.add(key, count);
    expected_ = broadcast(world_, expected).get();
    return seconds;
  }
  double together() {
    const auto counts = counting_map<Key>::create(world_).get();
    const double seconds = seconds_together(world_, [&] {
      own_.for_each([&](const auto& key) { counts.add(key); });
      world_.quiesce().get();
    });
    if (sabotage_ && world_.me() == pe(0)) counts.add(Key{});
    world_.quiesce().get();
    answer found;
    counts.local_for_each([&](const Key& key, std::uint64_t count) { found.add(key, count); });
    found = all_reduce(world_, found, [](answer a, const answer& b) {
              a.keys += b.keys;
              a.total += b.total;
              a.digest += b.digest;
              return a;
            }).get();
    right_ = right_ && found == expected_;
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t total() const { return expected_.total; }
  std::uint64_t distinct() const { return expected_.keys; }

 private:
  /// What is compared: the digest tells which key has which count, whatever their order.
  struct answer {
    void add(const Key& key, std::uint64_t count) {
      ++keys;
      total += count;
      digest += mixed(hash<Key>{}(key) ^ mixed(count));
    }
    friend bool operator==(const answer&, const answer&) = default;

    std::uint64_t keys = 0;
    std::uint64_t total = 0;
    std::uint64_t digest = 0;
  };

  world& world_;
  bool sabotage_;
  Input own_;
  std::vector<Input> all_;  // on PE 0
  answer expected_;
  bool right_ = true;
};

}  // namespace lamellar::benchmark
