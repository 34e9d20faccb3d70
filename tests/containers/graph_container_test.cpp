// SPDX-License-Identifier: BSD-3-Clause
// What all containers do, on a graph: its items are edges.
#include <cstdint>
#include <lamellar/containers/graph.hpp>
#include <utility>

#include "common_behaviour.hpp"

using namespace lamellar;

namespace {

// The samples are pairs of numbers below 3100.
struct edges : graph<> {
  using item_type = std::pair<vertex_id, vertex_id>;
  edges() = default;
  explicit edges(graph<> g) : graph<>{std::move(g)} {}
  static task<edges> create(detail::located_team of) {
    auto making = graph<>::create(std::move(of), 3100);
    co_return edges{co_await making};
  }
  template <class F>
  void local_for_each(F&& f) const {
    graph<>::local_for_each([&](const edge& each) { f(item_type{each.from, each.to}); });
  }
  void add_item(const item_type& item) const { add_edge(item.first, item.second); }
};

static_assert(distributed_container<graph<>>);
static_assert(distributed_container<graph<double, float>>);

}  // namespace

TEST_CASE("a graph is a container of edges") {
  lamellar::testing::check_common_behaviour<edges>();
}

TEST_CASE("a frozen graph is saved, and restored to any number of PEs") {
  lamellar::testing::on_pes([](world& w) -> task<> {
    auto making_directory = lamellar::testing::shared_directory::create(w);
    const lamellar::testing::shared_directory files = co_await making_directory;
    using weighted = graph<no_data, double>;
    auto making = weighted::create(w, 40);
    const weighted g = co_await making;
    for (const vertex_id v : g.local_vertices())
      g.add_edge(v, (v * 7 + 3) % 40, 0.5 * double(v));
    co_await g.freeze();
    auto saving = checkpoint(g, files / "graph");
    CHECK(co_await saving == 40);
    auto making_other = weighted::create(w, 40);
    const weighted other = co_await making_other;
    auto restoring = restore(other, files / "graph");
    CHECK(co_await restoring == 40);
    co_await other.freeze();
    for (const vertex_id v : other.local_vertices()) {
      REQUIRE(other.neighbours(v).size() == 1);
      CHECK(other.neighbours(v)[0] == weighted::neighbour{(v * 7 + 3) % 40, 0.5 * double(v)});
    }
    co_await w.barrier();
  });
}
