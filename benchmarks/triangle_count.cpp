// SPDX-License-Identifier: BSD-3-Clause
//
// triangle_count: how fast do all PEs count the triangles of a graph? Beside it stands one
// thread that counts those of all of it.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <lamellar/algorithms/triangle_count.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/edge_rows.hpp"
#include "support/matrix_benchmark.hpp"
#include "support/star_product.hpp"

namespace lamellar::benchmark {
namespace {

struct settings : matrix_settings {
  std::vector<std::string> graphs{"kronecker", "flat"};
  std::vector<std::uint64_t> stars{3, 4, 5, 9, 16};
  unsigned loops = 1;
};

using edge = edge_rows::edge;
using vertex = edge_rows::vertex;

/// By one thread: each edge is kept at its end of smaller degree, and lists of neighbours are
/// compared.
std::uint64_t serial_triangles(const edge_rows& rows) {
  const auto before = [&](vertex a, vertex b) {
    return std::pair{rows.row(a).size(), a} < std::pair{rows.row(b).size(), b};
  };
  std::vector<std::uint64_t> begins{0};
  std::vector<vertex> kept;
  for (vertex v = 0; v < rows.vertices(); ++v) {
    for (const vertex u : rows.row(v)) {
      if (before(v, u)) kept.push_back(u);
    }
    std::sort(kept.begin() + static_cast<std::ptrdiff_t>(begins.back()), kept.end());
    begins.push_back(kept.size());
  }
  std::uint64_t found = 0;
  for (std::size_t v = 0; v < rows.vertices(); ++v) {
    for (std::uint64_t k = begins[v]; k < begins[v + 1]; ++k) {
      std::uint64_t a = begins[v];
      std::uint64_t b = begins[kept[k]];
      while (a < begins[v + 1] && b < begins[kept[k] + std::size_t{1}]) {
        const vertex x = kept[a];
        const vertex y = kept[b];
        found += static_cast<std::uint64_t>(x == y);
        a += static_cast<std::uint64_t>(x <= y);
        b += static_cast<std::uint64_t>(y <= x);
      }
    }
  }
  return found;
}

class triangles {
 public:
  /// `for_lesser(v, f)`: f(u) of the neighbours u < v of v. `known`: the triangles, if that is
  /// known.
  template <class ForLesser>
  triangles(world& w, std::uint64_t vertices, const ForLesser& for_lesser, bool sabotage,
            std::optional<std::uint64_t> known)
      : world_{w}, known_{known}, graph_{graph<>::create(w, vertices).get()} {
    for (const vertex_id v : graph_.local_vertices()) {
      if (sabotage && w.me() == pe(0)) break;  // its edges are missing
      for_lesser(v, [&](vertex_id u) { graph_.add_edge_both(v, u); });
    }
    graph_.freeze().get();
    if (w.me() != pe(0)) return;
    std::vector<edge> edges;
    for (vertex_id v = 0; v < vertices; ++v) {
      for_lesser(v, [&](vertex_id u) {
        edges.emplace_back(static_cast<vertex>(v), static_cast<vertex>(u));
      });
    }
    rows_ = edge_rows{vertices, edges, true};
  }

  double serially() {
    std::uint64_t found = 0;
    const double seconds = seconds_on_first(world_, [&] { found = serial_triangles(rows_); });
    expected_ = broadcast(world_, found).get();
    right_ = right_ && (!known_ || expected_ == *known_);
    return seconds;
  }
  double together() {
    std::uint64_t found = 0;
    const double seconds =
        seconds_together(world_, [&] { found = triangle_count(graph_).get(); });
    right_ = right_ && found == expected_;
    return seconds;
  }

  bool right() const { return right_; }
  std::uint64_t edges() const { return rows_.edges() / 2; }  // on PE 0
  std::uint64_t count() const { return expected_; }

 private:
  world& world_;
  std::optional<std::uint64_t> known_;
  graph<> graph_;
  edge_rows rows_;  // on PE 0
  std::uint64_t expected_ = 0;
  bool right_ = true;
};

void measure_graph(world& w, const settings& set, report* out, const std::string& name,
                   triangles work, std::vector<parameter> parameters) {
  measure_turns(
      w, set.common, out, "triangle_count/" + name, "serial_triangles", work, [&](result& r) {
        r.operations = static_cast<double>(work.edges());
        r.unit = "edges/s";
        r.parameters = std::move(parameters);
        r.parameters.emplace_back("triangles", static_cast<std::int64_t>(work.count()));
        r.parameters.emplace_back("bale_seconds", r.seconds.median);
      });
}

void measure(world& w, const settings& set, report* out) {
  set.check(w);
  for (const std::string& name : set.graphs) {
    if (name == "kronecker") {
      const star_product product{set.stars, static_cast<star_product::loop>(set.loops)};
      measure_graph(w, set, out, name,
                    triangles{w, product.vertices(),
                              [&](std::uint64_t v, auto f) { product.for_lesser(v, f); },
                              set.common.sabotage, product.triangles()},
                    {{"stars", fmt::format("{}", fmt::join(set.stars, ","))},
                     {"loops", static_cast<std::int64_t>(set.loops)}});
    } else {
      // An edge leads to each entry above the diagonal; those of a column are those of a row.
      const flat_matrix flat{set.rows * w.size(), 2 * static_cast<double>(set.per_row), 1};
      measure_graph(w, set, out, name,
                    triangles{w, flat.size(),
                              [&](std::uint64_t v, auto f) {
                                flat.for_row(
                                    flat.size() - 1 - v,
                                    [&](std::uint64_t column) { f(flat.size() - 1 - column); },
                                    flat.size() - v);
                              },
                              set.common.sabotage, std::nullopt},
                    {{"rows", static_cast<std::int64_t>(set.rows)},
                     {"per_row", static_cast<std::int64_t>(set.per_row)}});
    }
  }
}

constexpr const char* problem =
    "bale's triangles: the triangles of a graph. Row `kronecker`: a product of stars, whose\n"
    "number is known; `flat`: a random graph in which all edges are equally likely.";
constexpr const char* metric =
    "edges per second, all PEs together, each counted once; bale_seconds is what bale prints.\n"
    "The graph is built before. The limit is one thread of PE 0, in 32-bit rows. Its number\n"
    "is compared with the known one, and the PEs' with its.";

int main(int argc, char** argv) {
  settings set{{{}, 20'000, 30}};
  command_line command("triangle_count", problem, metric);
  set.add_to(command);
  CLI::App& parser = command.parser();
  parser.add_option("--graph", set.graphs, "kronecker, flat")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"kronecker", "flat"}));
  parser.add_option("--stars", set.stars, "Leaves of each star")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 16));
  parser.add_option("--loops", set.loops, "A loop at no vertex of a star, its centre, a leaf")
      ->capture_default_str()
      ->check(CLI::Range(0, 2));
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
