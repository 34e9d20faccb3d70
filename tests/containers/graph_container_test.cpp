// SPDX-License-Identifier: BSD-3-Clause
// What all containers do, on a graph: its items are edges.
#include <cereal/types/string.hpp>
#include <cstdint>
#include <lamellar/containers/graph.hpp>
#include <string>
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

TEST_CASE_TEMPLATE("a graph is saved with the data of its vertices", V, std::uint32_t,
                   std::string) {
  lamellar::testing::on_pes([](world& w) -> task<> {
    auto making_directory = lamellar::testing::shared_directory::create(w);
    const lamellar::testing::shared_directory files = co_await making_directory;
    const std::string path = files / "graph";
    using labelled = graph<V, std::uint16_t>;
    constexpr std::uint64_t vertices = 61;
    const team all{w};
    auto first = all.block(0, 1);
    const team one = co_await first;
    for (const team& savers : {one, all}) {
      if (savers.is_member()) {
        auto making = labelled::create(savers, vertices);
        const labelled g = co_await making;
        for (const vertex_id v : g.local_vertices()) {
          g.data(v) = lamellar::testing::sample<V>(v);
          g.add_edge(v, v * 5 % vertices, static_cast<std::uint16_t>(v));
        }
        co_await g.freeze();
        auto saving = checkpoint(g, path);
        CHECK(co_await saving == vertices);
        CHECK(inspect_checkpoint(path).items() == 2 * vertices);
      }
      co_await w.barrier();
      auto making = labelled::create(w, vertices + 2);
      const labelled g = co_await making;
      for (V& each : g.local_data()) each = lamellar::testing::sample<V>(1000);
      auto restoring = restore(g, path);
      CHECK(co_await restoring == vertices);
      co_await g.freeze();
      for (const vertex_id v : g.local_vertices()) {
        CHECK(g.data(v) == lamellar::testing::sample<V>(v < vertices ? v : 1000));
        REQUIRE(g.neighbours(v).size() == (v < vertices ? 1 : 0));
        if (v < vertices) {
          CHECK(g.neighbours(v)[0].to == v * 5 % vertices);
          CHECK(g.neighbours(v)[0].data == v);
        }
      }

      auto making_small = labelled::create(w, vertices - 1);
      const labelled small = co_await making_small;
      auto making_other = graph<no_data, std::uint16_t>::create(w, vertices);
      const auto without = co_await making_other;
      auto failing = restore(small, path);
      auto failing_too = restore(without, path);
      std::string text;
      try {
        co_await failing;
      } catch (const checkpoint_error& e) {
        text = e.what();
      }
      CHECK(text.find("has vertex 60") != std::string::npos);
      try {
        co_await failing_too;
      } catch (const checkpoint_error& e) {
        text = e.what();
      }
      CHECK(text.find("holds a graph_with_vertex_data") != std::string::npos);
      co_await w.barrier();
    }
  });
}
