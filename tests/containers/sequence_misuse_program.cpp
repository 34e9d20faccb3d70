// SPDX-License-Identifier: BSD-3-Clause
// Breaks one rule of disjoint sets, bags, vectors, channels, graphs or matrices, as the first
// argument says; sequence_misuse_test.py runs it and reads what is said.
#include <cstdio>
#include <functional>
#include <lamellar/containers/bag.hpp>
#include <lamellar/containers/channel.hpp>
#include <lamellar/containers/disjoint_set.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/containers/sparse_matrix.hpp>
#include <lamellar/containers/vector.hpp>
#include <lamellar/substrate/run.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace lamellar;

namespace {

const std::map<std::string, std::function<void(world&)>> cases{
    {"unite",
     [](world& w) {
       const auto sets = disjoint_set<std::uint32_t>::create(w, 10).get();
       sets.unite(3, 10);
     }},
    {"unite_list",
     [](world& w) {
       const auto sets = disjoint_set<std::uint32_t>::create(w, 10).get();
       const std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs{{1, 2}, {11, 3}};
       sets.unite(pairs);
     }},
    {"unite_and",
     [](world& w) {
       const auto sets = disjoint_set<std::uint32_t>::create(w, 10).get();
       sets.unite_and(12, 1, [](std::uint32_t, std::uint32_t) {});
     }},
    {"ids", [](world& w) { disjoint_set<std::uint8_t>::create(w, 257).get(); }},
    {"sizes",
     [](world& w) { disjoint_set<std::uint32_t>::create(w, 10 + w.me().index()).get(); }},
    {"not_frozen",
     [](world& w) {
       const auto items = bag<int>::create(w).get();
       std::printf("%zu\n", items.size());
     }},
    {"frozen",
     [](world& w) {
       const auto items = lamellar::vector<int>::create(w).get();
       items.balance().get();
       items.push_back(4);
     }},
    {"index",
     [](world& w) {
       const auto items = lamellar::vector<int>::create(w).get();
       items.push_back(4);
       items.freeze().get();
       items.at(2).get();
     }},
    {"no_vertex",
     [](world& w) {
       const auto g = graph<>::create(w, 8).get();
       g.add_edge(7, 8);
     }},
    {"no_vertex_in_list",
     [](world& w) {
       const auto g = graph<>::create(w, 8).get();
       const std::vector<graph_edge<>> edges{{1, 2}, {9, 3}};
       g.add_edges(edges);
     }},
    {"edge_too_late",
     [](world& w) {
       const auto g = graph<>::create(w, 8).get();
       g.freeze().get();
       g.add_edge_both(1, 2);
     }},
    {"visit_too_early",
     [](world& w) {
       const auto g = graph<>::create(w, 8).get();
       g.visit(3, [](const graph<>::vertex& v) { return v.id; }).get();
     }},
    {"degree_too_early",
     [](world& w) {
       const auto g = graph<>::create(w, 8).get();
       g.degree(3).get();
     }},
    {"elsewhere",
     [](world& w) {
       const auto g = graph<int>::create(w, 8).get();
       g.data(w.me().index() == 0 ? 7 : 0) = 4;
     }},
    {"other_vertices", [](world& w) { graph<>::create(w, 10 + w.me().index()).get(); }},
    {"no_column",
     [](world& w) {
       const auto a = sparse_matrix<double>::create(w, 4, 6).get();
       a.add(3, 6, 0.5);
     }},
    {"row_too_early",
     [](world& w) {
       const auto a = sparse_matrix<double>::create(w, 4, 6).get();
       a.row(w.me().index() * 2);
     }},
    {"row_elsewhere",
     [](world& w) {
       const auto a = sparse_matrix<double>::create(w, 4, 6).get();
       a.assemble().get();
       a.row(2 - 2 * w.me().index());
     }},
    {"vector_part",
     [](world& w) {
       const auto a = sparse_matrix<double>::create(w, 4, 6).get();
       a.assemble().get();
       std::vector<double> x(6);
       std::vector<double> y(2);
       a.multiply(x, y).get();
     }},
    {"capacity", [](world& w) { channel<int>::create(w, 0).get(); }},
};

}  // namespace

int main(int argc, char** argv) {
  const auto found = cases.find(argc > 1 ? argv[1] : "");
  if (found == cases.end()) {
    std::puts("which case?");
    return 2;
  }
  return run(argc, argv, [&](world& w) { found->second(w); });
}
