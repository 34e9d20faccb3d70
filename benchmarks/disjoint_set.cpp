// SPDX-License-Identifier: BSD-3-Clause
//
// disjoint_set: what does it cost to find the connected components of a graph whose edges all
// PEs have? Beside it stands a union-find of the whole graph by one thread.

#include <cstdint>
#include <lamellar/containers/disjoint_set.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/graph_benchmark.hpp"
#include "support/serial_components.hpp"

namespace lamellar::benchmark {
namespace {

struct settings : graph_settings {
  std::vector<std::string> modes{"batch"};
};

using vertex = rmat_graph::vertex;
using edge = rmat_graph::edge;

class components {
 public:
  components(world& w, const settings& set)
      : world_{w},
        graph_{set.graph()},
        own_{graph_.share(w.me().index(), w.size())},
        sets_{disjoint_set<vertex>::create(w, graph_.vertices()).get()} {
    if (w.me() == pe(0)) all_ = graph_.share(0, 1);
    if (set.common.sabotage) lose_edge(w, graph_, lonely_edge(graph_).first, own_);
  }

  /// PE 0 alone.
  double serially() {
    double seconds = 0;
    world_.barrier().get();
    if (world_.me() == pe(0)) {
      const stopwatch watch;
      expected_ = serial_components(graph_.vertices(), all_);
      seconds = watch.seconds();
    }
    expected_ = broadcast(world_, std::move(expected_)).get();
    return seconds;
  }

  double together() {
    world_.barrier().get();
    const stopwatch watch;
    clear(sets_).get();
    if (by_lists_) {
      sets_.unite(own_);
    } else {
      for (const auto& [a, b] : own_) sets_.unite(a, b);
    }
    sets_.compress().get();
    world_.barrier().get();
    const double seconds = watch.seconds();
    for (std::size_t k = 0; k < sets_.local_size(); ++k) {
      right_ = right_ && sets_.local()[k] == expected_[sets_.local_first() + k];
    }
    return seconds;
  }

  /// From now on.
  void use_lists(bool by_lists) { by_lists_ = by_lists; }
  bool right() const { return right_; }
  std::uint64_t edges() const { return graph_.edges(); }
  /// Sets of the answer.
  std::int64_t count() const {
    std::int64_t sets = 0;
    for (std::size_t v = 0; v < expected_.size(); ++v) sets += expected_[v] == v;
    return sets;
  }

 private:
  world& world_;
  rmat_graph graph_;
  std::vector<edge> own_;
  std::vector<edge> all_;  // on PE 0
  disjoint_set<vertex> sets_;
  std::vector<vertex> expected_;
  bool by_lists_ = true;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  set.check();
  components work{w, set};
  for (const std::string& mode : set.modes) {
    work.use_lists(mode == "batch");
    measure_by_turns(w, set, out, "disjoint_set/" + mode, "serial_union_find", work,
                     [&](result& r) {
                       r.operations = static_cast<double>(work.edges());
                       r.parameters.emplace_back("sets", work.count());
                     });
  }
}

constexpr const char* problem =
    "The connected components of an R-MAT graph of 2^scale vertices and edge-factor times as\n"
    "many edges, with the probabilities of Graph 500. Each PE has an equal share of the "
    "edges;\n"
    "at the end each vertex knows the least vertex of its component. Row `batch` unites a "
    "list\n"
    "of edges, row `loop` one after the other.";
constexpr const char* metric =
    "edges per second, all PEs together, from single vertices on; compress() is inside. The\n"
    "limit is a union-find of the whole graph by one thread of PE 0 (Rem's algorithm with\n"
    "splicing), while the others wait. Every answer is compared with it, vertex by vertex.";

int main(int argc, char** argv) {
  settings set;
  command_line command("disjoint_set", problem, metric);
  set.add_to(command);
  command.parser()
      .add_option("--mode", set.modes, "batch, loop")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"batch", "loop"}));
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
