// SPDX-License-Identifier: BSD-3-Clause
// The connected components of a graph in files of edges. Every PE reads its share of the bytes
// and unites the two ends of each edge in a disjoint set. The answer is the same on any number
// of PEs.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <lamellar/lamellar.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/edge_list.hpp"

constexpr const char* usage =
    R"(Usage: connected_components [--top N] [--skip-bad-lines] [FILE...]
Print how many vertices, edges and connected components the graph in FILEs has, and the N
largest components (10): their size, and their least vertex. Without FILE: a small graph that
the program makes.

A line is an edge: the numbers of two vertices, below 4294967295, between blanks, commas or
semicolons; what follows them, such as a weight, is passed over. Empty lines and lines that begin
with #, % or // are comments. Other lines are bad: they are reported with file and line and the
program fails, unless --skip-bad-lines says to leave them out.
)";

using edge_list::edge;
using edge_list::vertex;

struct component {
  std::uint64_t size;
  vertex least;
  bool operator<(const component& other) const {
    return size != other.size ? size > other.size : least < other.least;
  }
};

int find_components(lamellar::world& world, const std::vector<edge>& mine, std::size_t top) {
  const auto begin = std::chrono::steady_clock::now();
  const std::uint64_t edges = lamellar::all_reduce(world, std::uint64_t{mine.size()}).get();
  const std::uint64_t n = edge_list::count_vertices(world, mine);

  const auto sets = lamellar::disjoint_set<vertex>::create(world, n).get();
  sets.unite(mine);
  sets.compress().get();

  // Which numbers are vertices, and how many of them each representative stands for.
  const auto seen = lamellar::atomic_array<std::uint8_t>::create(world, n).get();
  const auto sizes = lamellar::atomic_array<std::uint64_t>::create(world, n).get();
  for (const auto& [a, b] : mine) {
    seen.store(a, std::uint8_t{1});
    seen.store(b, std::uint8_t{1});
  }
  world.quiesce().get();
  for (std::size_t k = 0; k < sets.local_size(); ++k) {
    if (seen.local()[k].load() != 0) sizes.add(sets.local()[k], 1);
  }
  world.quiesce().get();

  std::uint64_t vertices = 0;
  std::vector<component> found;
  for (std::size_t k = 0; k < sizes.local_size(); ++k) {
    if (const std::uint64_t size = sizes.local()[k].load(); size != 0) {
      vertices += size;
      found.push_back({size, static_cast<vertex>(sizes.global_index(k))});
    }
  }
  const auto components = lamellar::all_reduce(world, std::uint64_t{found.size()}).get();
  vertices = lamellar::all_reduce(world, vertices).get();
  std::sort(found.begin(), found.end());
  found.resize(std::min(top, found.size()));
  std::vector<component> largest;
  for (const auto& some : lamellar::gather(world, found).get()) {
    largest.insert(largest.end(), some.begin(), some.end());
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  if (world.me().index() == 0) {
    std::sort(largest.begin(), largest.end());
    largest.resize(std::min(top, largest.size()));
    for (const component& each : largest) fmt::print("{:10} {}\n", each.size, each.least);
    fmt::print("{} vertices, {} edges, {} components\n", vertices, edges, components);
    fmt::print("PEs: {}  time: {:.3f} s  rate: {:.1f} million edges/s\n", world.size(),
               time.count(), static_cast<double>(edges) / 1e6 / time.count());
  }
  return 0;
}

// Rings of 1, 2, ... 100 vertices.
std::vector<edge> small_graph(lamellar::world& world) {
  std::vector<edge> mine;
  vertex first = 0;
  for (vertex length = 1; length <= 100; first += length, ++length) {
    for (vertex k = 0; k < length; ++k) {
      if ((first + k) % world.size() == world.me().index()) {
        mine.emplace_back(first + k, first + (k + 1) % length);
      }
    }
  }
  return mine;
}

int main(int argc, char** argv) {
  std::size_t top = 10;
  bool skips = false;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--top" && i + 1 < argc) {
      top = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--skip-bad-lines") {
      skips = true;
    } else if (argument.starts_with("-")) {
      fmt::print(argument == "--help" ? stdout : stderr, "{}", usage);
      return argument == "--help" ? 0 : 2;
    } else {
      paths.emplace_back(argument);
    }
  }
  return lamellar::run(argc, argv, [&](lamellar::world& world) {
    if (paths.empty()) return find_components(world, small_graph(world), top);
    const auto mine = edge_list::read(world, paths, "connected_components", skips);
    return mine ? find_components(world, *mine, top) : 1;
  });
}
