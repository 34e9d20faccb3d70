// SPDX-License-Identifier: BSD-3-Clause
// Graphs against a map of vertices to their edges that each PE fills by itself.
#include <algorithm>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <cstdint>
#include <lamellar/containers/graph.hpp>
#include <lamellar/containers/id_map.hpp>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

template <class E>
E data_of(std::uint64_t k) {
  if constexpr (std::same_as<E, std::string>) {
    return std::string(k % 50, 'x') + std::to_string(k % 7);
  } else if constexpr (std::same_as<E, no_data>) {
    return {};
  } else {
    return static_cast<E>(k % 11);
  }
}

template <class E>
std::vector<graph_edge<E>> edges_of(std::uint32_t pe, std::uint64_t n, std::size_t count) {
  std::mt19937_64 random{pe * 7919 + n};
  std::vector<graph_edge<E>> all;
  for (std::size_t k = 0; k < count && n != 0; ++k) {
    const std::uint64_t from = random() % n;
    all.push_back({from, random() % 3 == 0 ? from : random() % n, data_of<E>(random())});
  }
  return all;
}

template <class E>
using rows = std::map<vertex_id, std::vector<graph_neighbour<E>>>;

/// What is there when every PE has put in its edges, with duplicates and loops.
template <class E>
rows<E> model_of(std::uint32_t pes, std::uint64_t n, std::size_t count) {
  rows<E> model;
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    for (const auto& each : edges_of<E>(pe, n, count)) {
      model[each.from].push_back({each.to, each.data});
    }
  }
  for (auto& [from, row] : model) {
    std::sort(row.begin(), row.end(), [](const auto& a, const auto& b) {
      if constexpr (std::totally_ordered<E>) {
        return a.to != b.to ? a.to < b.to : a.data < b.data;
      } else {
        return a.to < b.to;
      }
    });
  }
  return model;
}

template <class E>
rows<E> cleaned(rows<E> model) {
  for (auto& [from, row] : model) {
    row.erase(std::unique(row.begin(), row.end(),
                          [](const auto& a, const auto& b) { return a.to == b.to; }),
              row.end());
    std::erase_if(row, [v = from](const auto& each) { return each.to == v; });
  }
  return model;
}

template <class G, class E>
void check_rows(const G& g, const rows<E>& model) {
  std::uint64_t all = 0;
  for (const auto& [from, row] : model) all += row.size();
  CHECK(g.edges() == all);
  std::uint64_t here = 0;
  for (const vertex_id v : g.local_vertices()) {
    const auto found = model.find(v);
    const auto expected =
        found == model.end() ? std::vector<graph_neighbour<E>>{} : found->second;
    const auto row = g.neighbours(v);
    CHECK(std::equal(row.begin(), row.end(), expected.begin(), expected.end()));
    CHECK(g.owner(v) == g.where().me());
    here += row.size();
  }
  CHECK(g.local_size() == here);
}

}  // namespace

TEST_CASE_TEMPLATE("the frozen edges are those of a serial graph", E, no_data, std::uint32_t,
                   std::string) {
  on_pes([](world& w) -> task<> {
    for (const std::uint64_t n : {0, 1, 2, 5, 300}) {
      const std::size_t count = 2 * n;
      CAPTURE(n);
      auto making = graph<no_data, E>::create(w, n);
      const auto g = co_await making;
      CHECK(g.vertices() == n);
      CHECK(!g.frozen());
      const auto mine = edges_of<E>(w.me().index(), n, count);
      for (const auto& each : mine) g.add_edge(each.from, each.to, each.data);
      auto freezing = g.freeze();
      co_await freezing;
      const rows<E> model = model_of<E>(w.size(), n, count);
      check_rows(g, model);
      auto thawing = g.thaw();
      co_await thawing;
      auto cleaning = g.freeze({.duplicates = true, .loops = true});
      co_await cleaning;
      check_rows(g, cleaned(model));
      // Another handle, and edges by the list.
      auto making_other = graph<no_data, E>::create(w, n);
      const auto other = co_await making_other;
      other.add_edges(mine);
      auto freezing_other = other.freeze();
      co_await freezing_other;
      check_rows(other, model);
      co_await w.barrier();
    }
  });
}

TEST_CASE("edges lie both ways if they are put in so, and else are seen not to") {
  on_pes([](world& w) -> task<> {
    constexpr std::uint64_t n = 50;
    auto making = graph<>::create(w, n);
    const auto g = co_await making;
    for (const auto& each : edges_of<no_data>(w.me().index(), n, 60)) {
      g.add_edge_both(each.from, each.to);
    }
    co_await g.freeze();
    CHECK(g.both_ways());
    co_await g.thaw();
    if (w.me().index() == w.size() - 1) g.add_edge(3, 4);
    co_await g.freeze();
    CHECK(!g.both_ways());
    co_await g.thaw();
    if (w.me().index() == 0) g.add_edge(4, 3);
    co_await g.freeze();
    CHECK(g.both_ways());
    co_await w.barrier();
  });
}

TEST_CASE("vertices are visited where they lie, and so are their neighbours") {
  on_pes([](world& w) -> task<> {
    using vertices = graph<std::uint64_t, std::uint32_t>;
    constexpr std::uint64_t n = 97;
    auto making = vertices::create(w, n);
    const vertices g = co_await making;
    g.add_edges(edges_of<std::uint32_t>(w.me().index(), n, 200));
    co_await g.freeze();
    const auto model = model_of<std::uint32_t>(w.size(), n, 200);
    for (const auto& [v, row] : model) {
      CHECK(co_await g.degree(v) == row.size());
      auto summing = g.visit(
          v,
          [](const vertices::vertex& here, std::uint64_t start) {
            for (const auto& each : here.neighbours) start += each.data;
            return start;
          },
          std::uint64_t{5});
      std::uint64_t sum = 5;
      for (const auto& each : row) sum += each.data;
      CHECK(co_await summing == sum);
    }
    co_await w.barrier();
    // Each vertex tells its neighbours; every edge adds its weight where it ends.
    for (const vertex_id v : g.local_vertices()) {
      g.visit_neighbours(
          v,
          [](const vertices::vertex& here, const vertices::edge& by, std::uint64_t times) {
            if (by.to == here.id) here.data += times * by.data;
          },
          std::uint64_t{3});
    }
    co_await w.quiesce();
    std::map<vertex_id, std::uint64_t> got;
    for (const auto& [v, row] : model) {
      for (const auto& each : row) got[each.to] += 3 * std::uint64_t{each.data};
    }
    for (const vertex_id v : g.local_vertices()) CHECK(g.data(v) == got[v]);
    co_await w.barrier();
    // All PEs update one vertex; then a loop over all of them.
    g.update(n - 1, [](const vertices::vertex& here) { here.data = 1000; });
    co_await w.quiesce();
    std::uint64_t seen = 0;
    auto looping = g.for_each_vertex([&](const vertices::vertex& here) {
      ++seen;
      CHECK(here.data == (here.id == n - 1 ? 1000 : got[here.id]));
    });
    co_await looping;
    CHECK(seen == g.local_data().size());
    bool thrown = false;
    auto failing =
        g.for_each_vertex([](const vertices::vertex&) { throw std::runtime_error("no more"); });
    try {
      co_await failing;
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    CHECK(thrown);
  });
}

namespace {

using ring = graph<std::string, no_data>;

/// Leaves its mark, and goes on to the next vertex.
struct go_round {
  void operator()(const ring::vertex& here, const ring& g, const std::string& mark,
                  std::uint64_t steps) const {
    here.data += mark;
    if (steps != 0) g.update(here.neighbours[0].to, go_round{}, g, mark, steps - 1);
  }
};

}  // namespace

TEST_CASE("what runs at a vertex takes what travels, the graph too, and sends on") {
  on_pes([](world& w) -> task<> {
    constexpr std::uint64_t n = 23;
    auto making = ring::create(w, n);
    const ring g = co_await making;
    for (const vertex_id v : g.local_vertices()) g.add_edge(v, (v + 5) % n);
    co_await g.freeze();
    if (w.me().index() == 0) g.update(7, go_round{}, g, std::string{"ab"}, 2 * n - 1);
    co_await w.quiesce();
    for (const std::string& each : g.local_data()) CHECK(each == "abab");
    const auto text = [](const ring::vertex& here, const std::string& end) {
      return here.data + end;
    };
    auto asking = g.visit(3, text, std::string{"!"});
    CHECK(co_await asking == "abab!");
    co_await w.barrier();
    auto telling = g.visit(n - 1, [](const ring::vertex& here) { here.data.clear(); });
    co_await telling;
    co_await w.barrier();
    if (g.is_local(n - 1)) CHECK(g.data(n - 1).empty());
    co_await w.barrier();
  });
}

TEST_CASE("vertices of other names get numbers from an id_map") {
  on_pes([](world& w) -> task<> {
    // Everybody knows the next one, and the last one the first.
    const std::vector<std::string> names{"Ada", "Grace", "Edsger", "Barbara", "Alan"};
    auto naming = id_map<std::string>::create(w);
    const auto ids = co_await naming;
    std::vector<graph_edge<>> edges;
    for (std::size_t k = w.me().index(); k < names.size(); k += w.size()) {
      const std::uint64_t from = co_await ids.intern(names[k]);
      const std::uint64_t to = co_await ids.intern(names[(k + 1) % names.size()]);
      edges.push_back({from, to});
    }
    co_await ids.freeze();
    for (auto& each : edges) each = {ids.frozen_id(each.from), ids.frozen_id(each.to)};
    auto making = graph<>::create(w, ids.ids());
    const auto g = co_await making;
    g.add_edges(edges);
    co_await g.freeze();
    CHECK(g.edges() == names.size());
    const auto ada = co_await ids.find("Ada");
    auto asking =
        g.visit(*ada, [](const graph<>::vertex& here) { return here.neighbours[0].to; });
    const auto knows = co_await ids.name(co_await asking);
    CHECK(knows == "Grace");
    co_await w.barrier();
  });
}
