// SPDX-License-Identifier: BSD-3-Clause
// How far the vertices of a graph in files of edges are from one of them, and the way to
// another one. The answer is the same on any number of PEs.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <lamellar/lamellar.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/edge_list.hpp"

using graph = lamellar::graph<>;

constexpr const char* usage =
    R"(Usage: bfs [--from V] [--to V] [--directed] [--skip-bad-lines] [FILE...]
Print how many vertices of the graph in FILEs are how many edges away from vertex V of --from (0),
and a shortest way to that of --to. Edges go both ways, unless --directed. Without FILE: a small
graph that the program makes.

A line is an edge: the numbers of two vertices, below 4294967295, between blanks, commas or
semicolons; what follows them, such as a weight, is passed over. Empty lines and lines that begin
with #, % or // are comments. Other lines are bad: they are reported with file and line and the
program fails, unless --skip-bad-lines says to leave them out.
)";

struct settings {
  std::uint64_t from = 0;
  std::optional<std::uint64_t> to;
  bool directed = false;
  bool skips = false;
};

// Parent by parent, each told by its owner.
void print_way(lamellar::world& world, const graph& g, const lamellar::breadth_first_tree& tree,
               const settings& set) {
  std::string way = fmt::format("{}", *set.to);
  for (lamellar::vertex_id at = *set.to; at != set.from;) {
    const auto first = g.is_local(at) ? *g.local_vertices().begin() : 0;
    const auto parent = g.is_local(at) ? tree.parents.local()[at - first] : 0;
    at = broadcast(world, parent, lamellar::team_position{g.owner(at).index()}).get();
    if (at == lamellar::no_vertex) {
      way = fmt::format("no way to {}", *set.to);
      break;
    }
    way = fmt::format("{} {}", at, way);
  }
  if (world.me().index() == 0) fmt::print("{}\n", way);
}

int search(lamellar::world& world, const std::vector<edge_list::edge>& mine,
           const settings& set) {
  const std::uint64_t n = edge_list::count_vertices(world, mine);
  if (set.from >= n || set.to.value_or(0) >= n) {
    if (world.me().index() == 0) {
      fmt::print(stderr, "bfs: this graph has the vertices below {}; see --from, --to\n", n);
    }
    return 1;
  }
  const auto g = graph::create(world, n).get();
  for (const auto& [a, b] : mine) {
    if (set.directed) {
      g.add_edge(a, b);
    } else {
      g.add_edge_both(a, b);
    }
  }
  g.freeze().get();

  const auto begin = std::chrono::steady_clock::now();
  const auto tree = lamellar::breadth_first_search(g, set.from).get();
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  const auto counts =
      lamellar::histogram(tree.levels, tree.depth + std::size_t{1}, [](std::uint32_t level) {
        return level;
      }).get();
  if (world.me().index() == 0) {
    for (std::size_t level = 0; level < counts.size(); ++level) {
      fmt::print("{:6} {}\n", level, counts[level]);
    }
  }
  if (set.to) print_way(world, g, tree, set);
  if (world.me().index() == 0) {
    fmt::print("{} vertices reached, {} edges from them\n", tree.reached, tree.edges);
    fmt::print("PEs: {}  time: {:.3f} s  rate: {:.1f} million edges/s\n", world.size(),
               time.count(), static_cast<double>(tree.edges) / 1e6 / time.count());
  }
  return 0;
}

// A binary tree.
std::vector<edge_list::edge> small_graph(lamellar::world& world) {
  std::vector<edge_list::edge> mine;
  for (edge_list::vertex v = 1; v < 1000; ++v) {
    if (v % world.size() == world.me().index()) mine.emplace_back(v, (v - 1) / 2);
  }
  return mine;
}

int main(int argc, char** argv) {
  settings set;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--from" && i + 1 < argc) {
      set.from = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--to" && i + 1 < argc) {
      set.to = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--directed") {
      set.directed = true;
    } else if (argument == "--skip-bad-lines") {
      set.skips = true;
    } else if (argument.starts_with("-")) {
      fmt::print(argument == "--help" ? stdout : stderr, "{}", usage);
      return argument == "--help" ? 0 : 2;
    } else {
      paths.emplace_back(argument);
    }
  }
  return lamellar::run(argc, argv, [&](lamellar::world& world) {
    if (paths.empty()) return search(world, small_graph(world), set);
    const auto mine = edge_list::read(world, paths, "bfs", set.skips);
    return mine ? search(world, *mine, set) : 1;
  });
}
