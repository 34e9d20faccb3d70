// SPDX-License-Identifier: BSD-3-Clause
//
// disjoint_set: what does it cost to find the connected components of a graph whose edges all
// PEs have? Beside it stands a union-find of the whole graph by one thread.

#include <fmt/core.h>

#include <cstdint>
#include <lamellar/containers/disjoint_set.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/job.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/rmat.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t scale = 18;
  std::uint64_t edge_factor = 16;
  std::vector<std::string> modes{"batch"};
};

using vertex = rmat_graph::vertex;
using edge = rmat_graph::edge;

/// The least vertex of each component, by one thread: Rem's algorithm with splicing, the
/// fastest known, and a pass over the vertices.
std::vector<vertex> serial_components(std::size_t vertices, std::span<const edge> edges) {
  std::vector<vertex> parent(vertices);
  std::iota(parent.begin(), parent.end(), vertex{0});
  for (auto [a, b] : edges) {
    while (parent[a] != parent[b]) {
      if (parent[a] < parent[b]) std::swap(a, b);
      const vertex above = parent[a];
      parent[a] = parent[b];
      if (above == a) break;
      a = above;
    }
  }
  for (vertex& each : parent) each = parent[each];
  return parent;
}

/// An edge that alone connects one of its ends: without it the components are others.
std::uint64_t bridge_of(const rmat_graph& graph) {
  std::vector<std::uint32_t> degree(graph.vertices());
  for (std::uint64_t k = 0; k < graph.edges(); ++k) {
    const auto [a, b] = graph.at(k);
    if (a != b) ++degree[a], ++degree[b];
  }
  for (std::uint64_t k = 0; k < graph.edges(); ++k) {
    const auto [a, b] = graph.at(k);
    if (a != b && (degree[a] == 1 || degree[b] == 1)) return k;
  }
  throw std::invalid_argument("no vertex of this graph has one edge; take a larger --scale");
}

class components {
 public:
  components(world& w, const settings& set)
      : world_{w},
        graph_{static_cast<unsigned>(set.scale), set.edge_factor << set.scale, 1},
        own_{graph_.share(w.me().index(), w.size())},
        sets_{disjoint_set<vertex>::create(w, graph_.vertices()).get()} {
    if (w.me() == pe(0)) all_ = graph_.share(0, 1);
    if (set.common.sabotage) {
      const std::uint64_t lost = bridge_of(graph_);
      const std::uint64_t first = graph_.edges() * w.me().index() / w.size();
      if (lost >= first && lost - first < own_.size()) own_[lost - first] = {0, 0};
    }
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

  double together(bool by_lists) {
    world_.barrier().get();
    const stopwatch watch;
    clear(sets_).get();
    if (by_lists) {
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

  bool right() const { return right_; }
  std::uint64_t edges() const { return graph_.edges(); }
  std::size_t count() const { return sets_.count().get(); }

 private:
  world& world_;
  rmat_graph graph_;
  std::vector<edge> own_;
  std::vector<edge> all_;  // on PE 0
  disjoint_set<vertex> sets_;
  std::vector<vertex> expected_;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  components work{w, set};
  for (const std::string& mode : set.modes) {
    samples together;
    samples serially;
    for (unsigned k = 0; k <= set.common.repetitions; ++k) {
      serially.add(work.serially());
      together.add(work.together(mode == "batch"));
    }
    const auto seconds = slowest(w, together.counted());
    const std::size_t count = work.count();
    const bool right = on_all(w, work.right());
    if (out != nullptr) {
      result r = job_result(w, "disjoint_set/" + mode, set.common);
      r.operations = static_cast<double>(work.edges());
      r.seconds = summarise(seconds);
      r.unit = "edges/s";
      r.verified = right;
      r.bound = {"serial_union_find", r.operations / serially.median()};
      r.parameters = {{"scale", static_cast<std::int64_t>(set.scale)},
                      {"edge_factor", static_cast<std::int64_t>(set.edge_factor)},
                      {"sets", static_cast<std::int64_t>(count)}};
      out->add(std::move(r));
    }
    w.barrier().get();
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
  command.add_size("--scale", set.scale, "Binary logarithm of the number of vertices");
  command.add_size("--edge-factor", set.edge_factor, "Edges for each vertex");
  command.parser()
      .add_option("--mode", set.modes, "batch, loop")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"batch", "loop"}));
  return run_benchmark(
      command, argc, argv, set, [](world& w, const settings& given, report* out) {
        if (given.scale > 28) {
          throw std::invalid_argument(
              fmt::format("--scale {}: 1 to 28, PE 0 holds all edges", given.scale));
        }
        measure(w, given, out);
      });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
