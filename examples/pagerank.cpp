// SPDX-License-Identifier: BSD-3-Clause
// The vertices of a graph in files of edges that are most important by PageRank. Vertices have
// any numbers; an id_map gives each that occurs one below their count.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <lamellar/lamellar.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/edge_list.hpp"

constexpr const char* usage =
    R"(Usage: pagerank [--top N] [--damping D] [--tolerance T] [--skip-bad-lines] [FILE...]
Print the N vertices (10) of the graph in FILEs that have the highest PageRank, with damping D
(0.85), when the sum of changes in a round is at most T (1e-9). Edges go from the first vertex of
a line to the second. Without FILE: a small graph that the program makes.

A line is an edge: the numbers of two vertices, below 4294967295, between blanks, commas or
semicolons; what follows them, such as a weight, is passed over. Empty lines and lines that begin
with #, % or // are comments. Other lines are bad: they are reported with file and line and the
program fails, unless --skip-bad-lines says to leave them out.
)";

struct settings {
  std::size_t top = 10;
  lamellar::page_rank_options how;
  bool skips = false;
};

using ranked = std::pair<double, edge_list::vertex>;
bool is_before(const ranked& a, const ranked& b) {
  return a.first != b.first ? a.first > b.first : a.second < b.second;
}

int rank(lamellar::world& world, const std::vector<edge_list::edge>& mine,
         const settings& set) {
  // The numbers of both ends of each edge.
  const auto ids = lamellar::id_map<edge_list::vertex>::create(world).get();
  std::vector<edge_list::vertex> ends;
  ends.reserve(2 * mine.size());
  for (const auto& [a, b] : mine) {
    ends.push_back(a);
    ends.push_back(b);
  }
  const std::vector<std::uint64_t> numbers = ids.intern(ends).get();
  ids.freeze().get();

  const auto g = lamellar::graph<>::create(world, ids.ids()).get();
  for (std::size_t k = 0; k < numbers.size(); k += 2) {
    g.add_edge(ids.frozen_id(numbers[k]), ids.frozen_id(numbers[k + 1]));
  }
  g.freeze().get();

  const auto begin = std::chrono::steady_clock::now();
  const lamellar::page_ranks found = page_rank(g, set.how).get();
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;

  // The best of all are among the best of each PE.
  std::vector<std::pair<double, std::uint64_t>> best;
  for (const lamellar::vertex_id v : g.local_vertices()) {
    best.emplace_back(found.ranks.local()[best.size()], v);
  }
  const std::size_t some = std::min(set.top, best.size());
  std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(some), best.end(),
                    std::greater<>{});
  std::vector<ranked> named;
  for (std::size_t k = 0; k < some; ++k) {
    named.emplace_back(best[k].first, ids.name(best[k].second).get().value());
  }
  std::vector<ranked> all;
  for (const auto& each : lamellar::gather(world, named).get()) {
    all.insert(all.end(), each.begin(), each.end());
  }
  if (world.me().index() == 0) {
    std::sort(all.begin(), all.end(), is_before);
    all.resize(std::min(set.top, all.size()));
    for (const auto& [value, name] : all) fmt::print("{:.9f} {}\n", value, name);
    fmt::print("{} vertices, {} edges, {} rounds\n", g.vertices(), g.edges(), found.rounds);
    fmt::print("PEs: {}  time: {:.3f} s  rate: {:.1f} million edges/s\n", world.size(),
               time.count(),
               static_cast<double>(g.edges()) * found.rounds / 1e6 / time.count());
  }
  return 0;
}

// Everybody knows those who divide their number.
std::vector<edge_list::edge> small_graph(lamellar::world& world) {
  std::vector<edge_list::edge> mine;
  for (edge_list::vertex v = 1 + world.me().index(); v <= 200; v += world.size()) {
    for (edge_list::vertex d = 1; d < v; ++d) {
      if (v % d == 0) mine.emplace_back(v, d);
    }
  }
  return mine;
}

int main(int argc, char** argv) {
  settings set;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--top" && i + 1 < argc) {
      set.top = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--damping" && i + 1 < argc) {
      set.how.damping = std::strtod(argv[++i], nullptr);
    } else if (argument == "--tolerance" && i + 1 < argc) {
      set.how.tolerance = std::strtod(argv[++i], nullptr);
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
    if (paths.empty()) return rank(world, small_graph(world), set);
    const auto mine = edge_list::read(world, paths, "pagerank", set.skips);
    return mine ? rank(world, *mine, set) : 1;
  });
}
