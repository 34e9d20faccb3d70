// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <lamellar/containers/checkpoint.hpp>
#include <lamellar/containers/detail/graph_errors.hpp>
#include <lamellar/containers/detail/graph_part.hpp>
#include <lamellar/containers/detail/sequence_errors.hpp>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <optional>
#include <ranges>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// graph<VertexData, EdgeData>: the vertices 0, 1, ... n - 1 in blocks, each with data, and
// edges with data at the owner of the vertex from which they go. An id_map gives the vertices
// of any other names such numbers.
//
//   const auto g = co_await graph<double>::create(world, n);
//   for (const auto& [a, b] : mine) g.add_edge_both(a, b);
//   co_await g.freeze();
//   const std::uint64_t degree = co_await g.degree(17);
//
// It gets edges until it is *frozen*: then neighbours lie in order, vertices can be visited,
// and algorithms work on it. thaw() lets it get edges again.
//
// The handle is cheap to copy and travels. The parts go in the first quiesce after the last
// handle.
//
// Thread-safety: handles as values; edges, visits: any thread of the PE; the others: the body.
namespace lamellar {

template <transferable VertexData = no_data, transferable EdgeData = no_data>
class graph {
  static_assert(!std::same_as<VertexData, bool>,
                "graph<bool>: vertex data must have an address; take char, or an enumeration");
  using part_type = detail::graph_part<VertexData, EdgeData>;
  using located_vertex = detail::located_value<vertex_id>;

 public:
  using vertex_data = VertexData;
  using edge_data = EdgeData;
  using edge = graph_edge<EdgeData>;
  using neighbour = graph_neighbour<EdgeData>;
  using vertex = graph_vertex<VertexData, EdgeData>;

  /// No graph; to be assigned to.
  graph() noexcept = default;

  /// Make one of `vertices` without edges, on the PEs of the world or of a team.
  ///
  /// Cost: a barrier and an all_gather. Collective. Misuse: other numbers on other PEs.
  static task<graph> create(detail::located_team of, std::uint64_t vertices) {
    return create_on(std::move(of), vertices);
  }

  // ---- what and where: no communication ----
  explicit operator bool() const { return static_cast<bool>(parts_); }
  const team& members() const { return part().members(); }
  world& where() const { return members().where(); }
  std::uint64_t vertices() const { return part().layout().size(); }
  const layout::block& layout() const { return part().layout(); }
  /// The PE that owns `v`. Requires: v < vertices().
  pe owner(vertex_id v, std::source_location at = std::source_location::current()) const {
    check(v, "owner", at);
    return pe{part().owner(v)};
  }
  bool frozen() const { return part().frozen(); }
  /// Edges of all members. Requires: frozen().
  std::uint64_t edges(std::source_location at = std::source_location::current()) const {
    check_frozen("edges", at);
    return part().all_edges();
  }
  /// Whether each edge lies the other way too, as often. Requires: frozen().
  bool both_ways(std::source_location at = std::source_location::current()) const {
    check_frozen("both_ways", at);
    return part().both_ways();
  }

  // ---- edges; it must not be frozen ----
  /// Put in an edge. Cost: one record to the owner of `from`. Done: when quiesce() has
  /// returned. Not collective. Threads: any. Requires: from, to < vertices().
  void add_edge(vertex_id from, vertex_id to, EdgeData data = {},
                std::source_location at = std::source_location::current()) const;
  /// The edge, and the same from `to` to `from`; one only, if they are the same vertex.
  void add_edge_both(vertex_id from, vertex_id to, EdgeData data = {},
                     std::source_location at = std::source_location::current()) const;
  /// add_edge() of many, faster than one by one.
  void add_edges(std::span<const edge> edges,
                 std::source_location at = std::source_location::current()) const;

  // ---- together: collective; each begins with a quiesce of the team ----
  /// Let the neighbours of each vertex lie in order, and all members know what there is. Of
  /// duplicates the one with the least data stays, or any, if data have no order.
  ///
  /// Cost: a sort of each vertex' neighbours, an all_reduce. Memory: the edges twice meanwhile.
  task<> freeze(graph_cleaning without = {},
                std::source_location at = std::source_location::current()) const {
    return freeze_all(*this, without, at);
  }
  /// Let it get edges again. Cost: one pass over the edges.
  task<> thaw(std::source_location at = std::source_location::current()) const {
    return thaw_all(*this, at);
  }
  /// f(vertex) for each one, on its owner; f may send, not wait. Visits wait meanwhile. Ends
  /// when all have done theirs; what f sent is not waited for. Throws, on every member: there
  /// what f threw, elsewhere a remote_error.
  template <std::invocable<graph_vertex<VertexData, EdgeData>> F>
  task<> for_each_vertex(F f, std::source_location at = std::source_location::current()) const {
    return each_vertex(*this, std::move(f), at);
  }

  // ---- at a vertex, wherever it is; it must be frozen ----
  /// How many edges go from `v`. Cost: a round trip.
  reply<std::uint64_t> degree(vertex_id v,
                              std::source_location at = std::source_location::current()) const {
    check_vertex(v, "degree", at);
    return visit({v, at}, [](const vertex& here) { return std::uint64_t{here.degree()}; });
  }
  /// The result of `f(vertex, args...)` at the owner of `v`, which may change the vertex' data.
  ///
  /// f may send, and must not wait. Cost: a round trip. On one PE one function runs at a time.
  template <class F, class... Args>
  auto visit(located_vertex v, F f, const Args&... args) const {
    check_vertex(v.value, "visit", v.where);
    const detail::vertex_call<F, Args...> call{v.value, std::move(f),
                                               detail::make_operands(args...)};
    return parts_.call(pe{part().owner(v.value)},
                       detail::run_at_vertex<VertexData, EdgeData, F, Args...>{}, call);
  }
  /// The same without a result. Cost: a record. Done: when quiesce() has returned.
  template <class F, class... Args>
  void update(located_vertex v, F f, const Args&... args) const {
    check_vertex(v.value, "update", v.where);
    const detail::vertex_call<F, Args...> call{v.value, std::move(f),
                                               detail::make_operands(args...)};
    parts_.send(pe{part().owner(v.value)},
                detail::run_and_forget<VertexData, EdgeData, F, Args...>{}, call);
  }
  /// `f(vertex, edge, args...)` for each edge from `v`, at the owner of the vertex to which it
  /// goes. Cost: a record to the owner of `v`, and one for each edge. Done: when quiesce() has
  /// returned.
  template <class F, class... Args>
  void visit_neighbours(located_vertex v, F f, const Args&... args) const {
    check_vertex(v.value, "visit_neighbours", v.where);
    const detail::vertex_call<F, Args...> call{v.value, std::move(f),
                                               detail::make_operands(args...)};
    parts_.send(pe{part().owner(v.value)},
                detail::run_at_neighbours<VertexData, EdgeData, F, Args...>{}, call);
  }

  // ---- what is here: no communication ----
  /// The numbers of the vertices that are here.
  auto local_vertices() const {
    const vertex_id first = part().first();
    return std::views::iota(first, first + part().data().size());
  }
  bool is_local(vertex_id v) const { return part().is_here(v); }
  /// The data of these vertices, in order.
  std::span<VertexData> local_data() const { return part().data(); }
  /// The edges of one. Requires: frozen(), is_local(v).
  std::span<const neighbour> neighbours(
      vertex_id v, std::source_location at = std::source_location::current()) const {
    check_frozen("neighbours", at);
    check_local(v, "neighbours", at);
    return part().rows().row(v - part().first());
  }
  /// The data of one. Requires: is_local(v).
  VertexData& data(vertex_id v,
                   std::source_location at = std::source_location::current()) const {
    check_local(v, "data", at);
    return part().data()[v - part().first()];
  }

  // ---- as a distributed_container of edges ----
  using item_type = edge;
  static constexpr std::string_view kind = "graph";
  std::size_t local_size() const { return part().edges_here(); }
  std::size_t local_bytes() const { return part().bytes(); }
  template <class F>
  void local_for_each(F&& f) const {
    part().for_each(f);
  }
  /// No edges, data as they were made, not frozen.
  void local_clear() const { part().clear(); }
  void add_item(const edge& item) const { add_edge(item.from, item.to, item.data); }
  /// What checkpoint() and restore() do: edges, and the data of all vertices, if they have any,
  /// which replace those that are there. Both say how many edges. load() throws
  /// checkpoint_error, if the graph has not so many vertices. Requires, of load(): not
  /// frozen().
  task<std::uint64_t> save(std::string path) const { return save_all(*this, std::move(path)); }
  task<std::uint64_t> load(std::string path) const { return load_all(*this, std::move(path)); }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(parts_);
  }

 private:
  explicit graph(darc<part_type> parts) : parts_{std::move(parts)} {}

  static task<graph> create_on(detail::located_team of, std::uint64_t vertices) {
    auto asking = all_gather(of, vertices);
    detail::check_equal_sizes(of, "graph::create", co_await asking);
    auto making =
        darc<part_type>::create(of, of.value, layout::block{vertices, of.value.size()});
    co_return graph{co_await making};
  }
  static task<> freeze_all(graph of, graph_cleaning without, std::source_location at);
  static task<std::uint64_t> save_all(graph from, std::string path);
  static task<std::uint64_t> load_all(graph into, std::string path);
  static task<> thaw_all(graph of, std::source_location at) {
    auto settling = of.members().quiesce(at);
    co_await settling;
    if (of.frozen()) {
      of.part().thaw();
    }
    auto meeting = of.members().barrier(at);
    co_await meeting;
  }
  template <class F>
  static task<> each_vertex(graph of, F f, std::source_location at) {
    of.check_frozen("for_each_vertex", at);
    auto settling = of.members().quiesce(at);
    co_await settling;
    std::exception_ptr thrown;
    const detail::located_team members{of.members(), at};
    auto done = detail::attempt<std::uint8_t>(members, thrown, [&] {
      of.parts_.exclusive([&](part_type& mine) {
        for (const vertex_id v : of.local_vertices()) {
          f(mine.vertex(v));
        }
      });
      return std::optional<std::uint8_t>{};
    });
    auto ending = detail::end_together(
        members, std::move(done), thrown, [](std::uint8_t a, std::uint8_t) { return a; },
        "a function of for_each_vertex()");
    co_await ending;
  }

  part_type& part() const { return parts_.local(); }
  void check(vertex_id v, const char* what, std::source_location at) const {
    if (v >= vertices()) [[unlikely]] {
      detail::no_such_vertex(members(), what, v, vertices(), at);
    }
  }
  void check_frozen(const char* what, std::source_location at) const {
    if (!frozen()) [[unlikely]] {
      detail::graph_not_frozen(members(), what, at);
    }
  }
  void check_vertex(vertex_id v, const char* what, std::source_location at) const {
    check_frozen(what, at);
    check(v, what, at);
  }
  void check_local(vertex_id v, const char* what, std::source_location at) const {
    check(v, what, at);
    if (!is_local(v)) [[unlikely]] {
      detail::vertex_elsewhere(members(), what, v, part().owner(v), at);
    }
  }
  void check_edge(vertex_id from, vertex_id to, const char* what,
                  std::source_location at) const {
    if (frozen()) [[unlikely]] {
      detail::graph_frozen(members(), what, at);
    }
    check(from, what, at);
    check(to, what, at);
  }
  void put(edge one) const {
    if (part().is_here(one.from)) {
      part().put(std::move(one));
    } else {
      parts_.send(pe{part().owner(one.from)}, detail::edge_putter<VertexData, EdgeData>{}, one);
    }
  }

  darc<part_type> parts_;
};

// ---- detail ---------------------------------------------------------------------------------

template <transferable V, transferable E>
void graph<V, E>::add_edge(vertex_id from, vertex_id to, E data,
                           std::source_location at) const {
  check_edge(from, to, "add_edge", at);
  put({from, to, std::move(data)});
}

template <transferable V, transferable E>
void graph<V, E>::add_edge_both(vertex_id from, vertex_id to, E data,
                                std::source_location at) const {
  check_edge(from, to, "add_edge_both", at);
  put({from, to, data});
  if (from != to) {
    put({to, from, std::move(data)});
  }
}

template <transferable V, transferable E>
void graph<V, E>::add_edges(std::span<const edge> edges, std::source_location at) const {
  parts_.send_each(detail::edge_putter<V, E>{}, edges, [&](const edge& each) {
    check_edge(each.from, each.to, "add_edges", at);
    return routed<edge>{part().owner(each.from), each};
  });
}

template <transferable V, transferable E>
task<> graph<V, E>::freeze_all(graph of, graph_cleaning without, std::source_location at) {
  struct counts {
    std::uint64_t edges;
    std::uint64_t turned;
  };
  auto settling = of.members().quiesce(at);
  co_await settling;
  of.part().freeze(without);
  const counts mine{of.part().edges_here(), of.part().turned()};
  const auto add = [](const counts& a, const counts& b) {
    return counts{a.edges + b.edges, a.turned + b.turned};
  };
  auto counting = all_reduce({of.members(), at}, mine, add);
  const counts all = co_await counting;
  of.part().know(all.edges, all.turned == 0);
}

template <transferable V, transferable E>
task<std::uint64_t> graph<V, E>::save_all(graph from, std::string path) {
  using record = detail::graph_record<V, E>;
  std::uint64_t edges = 0;
  const auto each = [&](const auto& put) {
    if constexpr (!std::same_as<V, no_data>) {
      for (const vertex_id v : from.local_vertices()) {
        put(record{v, detail::vertex_itself, from.data(v), {}});
      }
    }
    from.local_for_each([&](const edge& one) {
      put(record{one.from, one.to, {}, one.data});
      ++edges;
    });
  };
  auto saving =
      save_items<record>(from.members(), std::move(path), detail::kind_of_graph<V>(), each);
  co_await saving;
  auto counting = all_reduce(from.members(), edges);
  co_return co_await counting;
}

template <transferable V, transferable E>
task<std::uint64_t> graph<V, E>::load_all(graph into, std::string path) {
  using record = detail::graph_record<V, E>;
  std::uint64_t edges = 0;
  const auto take = [&](const record& each) {
    const bool is_vertex = each.to == detail::vertex_itself;
    const vertex_id last = is_vertex ? each.from : std::max(each.from, each.to);
    if (last >= into.vertices()) {
      detail::graph_too_small(last, into.vertices());
    }
    if (is_vertex) {
      into.parts_.send(pe{into.part().owner(each.from)}, detail::put_vertex<V, E>{}, each);
    } else {
      into.add_edge(each.from, each.to, each.edge);
      ++edges;
    }
  };
  auto loading =
      load_items<record>(into.members(), std::move(path), detail::kind_of_graph<V>(), take);
  co_await loading;
  auto counting = all_reduce(into.members(), edges);
  co_return co_await counting;
}

}  // namespace lamellar
