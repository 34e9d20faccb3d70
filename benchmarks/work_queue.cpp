// SPDX-License-Identifier: BSD-3-Clause
//
// work_queue: what does it cost to walk a tree of unknown shape together? All nodes come forth
// on one PE; the others have what they are given. Beside it stands a walk by one thread.

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <lamellar/containers/work_queue.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <string>
#include <vector>

#include "support/job.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"
#include "support/uts.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::vector<std::string> trees{"geometric"};
  std::uint64_t depth = 10;
  std::uint64_t roots = 2000;
};

uts_tree tree_of(const std::string& name, const settings& set) {
  if (name == "geometric") {
    return {uts_tree::shape::geometric, 19, 4.0, static_cast<std::uint32_t>(set.depth), 0, 0};
  }
  return {uts_tree::shape::binomial, 42, static_cast<double>(set.roots), 0, 0.124875, 8};
}

std::uint64_t walk_alone(const uts_tree& tree) {
  std::uint64_t nodes = 0;
  std::vector<uts_node> waiting{tree.root()};
  while (!waiting.empty()) {
    const uts_node node = waiting.back();
    waiting.pop_back();
    ++nodes;
    const std::uint32_t n = tree.children(node);
    for (std::uint32_t k = 0; k < n; ++k) waiting.push_back(uts_tree::child(node, k));
  }
  return nodes;
}

using queue_type = work_queue<uts_node, work_order::lifo>;
using more_type = more_work<uts_node, work_order::lifo>;

class walking {
 public:
  walking(world& w, const settings& set, const std::string& name)
      : world_{w},
        tree_{tree_of(name, set)},
        sabotage_{set.common.sabotage},
        queue_{queue_type::create(w).get()} {}

  double alone() {
    world_.barrier().get();
    if (world_.me() != pe(0)) return broadcast(world_, 0.0).get();
    const stopwatch watch;
    expected_ = walk_alone(tree_);
    return broadcast(world_, watch.seconds()).get();
  }

  double together() {
    std::atomic<bool> loses = sabotage_;
    world_.barrier().get();
    const stopwatch watch;
    if (world_.me() == pe(0)) queue_.push(tree_.root());
    const std::uint64_t mine = queue_
                                   .process([&](const uts_node& node, more_type& more) {
                                     std::uint32_t n = tree_.children(node);
                                     if (loses && n != 0 && loses.exchange(false)) --n;
                                     for (std::uint32_t k = 0; k < n; ++k) {
                                       more.push(uts_tree::child(node, k));
                                     }
                                   })
                                   .get();
    const double seconds = watch.seconds();
    const auto counts = all_gather(world_, mine).get();
    nodes_ = 0;
    most_ = 0;
    for (const std::uint64_t each : counts) {
      nodes_ += each;
      most_ = std::max(most_, each);
    }
    right_ = right_ && (world_.me() != pe(0) || nodes_ == expected_);
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t nodes() const { return expected_; }
  /// Of the last walk: the nodes of the PE that had most, against the mean.
  double imbalance() const {
    return static_cast<double>(most_) * world_.size() / static_cast<double>(nodes_);
  }

 private:
  world& world_;
  uts_tree tree_;
  bool sabotage_;
  queue_type queue_;
  std::uint64_t expected_ = 0;  // on PE 0
  std::uint64_t nodes_ = 0;
  std::uint64_t most_ = 0;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  for (const std::string& name : set.trees) {
    walking work{w, set, name};
    samples together;
    samples alone;
    for (unsigned k = 0; k <= set.common.repetitions; ++k) {
      alone.add(work.alone());
      together.add(work.together());
    }
    const auto seconds = slowest(w, together.counted());
    const bool right = on_all(w, work.right());
    if (out != nullptr) {
      result r = job_result(w, "work_queue/" + name, set.common);
      r.operations = static_cast<double>(work.nodes());
      r.seconds = summarise(seconds);
      r.unit = "nodes/s";
      r.verified = right;
      r.bound = {"serial_on_each_core", r.operations / alone.median() * w.size() * w.threads()};
      r.parameters = {{"nodes", static_cast<std::int64_t>(work.nodes())},
                      {"imbalance", work.imbalance()}};
      out->add(std::move(r));
    }
    w.barrier().get();
  }
}

constexpr const char* problem =
    "Unbalanced tree search (UTS). PE 0 has the root of a tree; a node says how many children\n"
    "it has, and what these are, when it is processed, by SHA-1 as in the original.\n"
    "  geometric  4 children on average down to --depth (10: tree T1, 4130071 nodes)\n"
    "  binomial   --roots nodes, each of which has 8 children with probability 0.124875, and\n"
    "             so on (2000: tree T3, 4112897 nodes, depth 1572)";
constexpr const char* metric =
    "nodes per second, all PEs together. The limit is a walk of the same tree by one thread "
    "of\n"
    "PE 0, with a stack, times the number of threads of all PEs. The number of nodes is\n"
    "compared with that of this walk in every repetition. `imbalance` compares the PE that "
    "has\n"
    "processed most with the mean.";

int main(int argc, char** argv) {
  settings set;
  command_line command("work_queue", problem, metric);
  command.add_size("--depth", set.depth, "Depth of the geometric tree");
  command.add_size("--roots", set.roots, "Children of the binomial tree's root");
  command.parser()
      .add_option("--tree", set.trees, "geometric, binomial")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"geometric", "binomial"}));
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
