// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/action.hpp>
#include <lamellar/containers/detail/compressed_rows.hpp>
#include <lamellar/containers/detail/growing_row.hpp>
#include <lamellar/containers/detail/random_numbers.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/team.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// One PE's part of a graph: the data of a block of vertices, and the edges that begin at them.
// Until the graph is frozen edges lie as they came; then in rows, one for each vertex.
//
// Thread-safety: edges are put in under the lock; with one thread per PE it costs nothing.
// Handlers run one at a time. The body looks at a part when nothing is under way.
namespace lamellar {

/// The number of a vertex: 0 to n - 1.
using vertex_id = std::uint64_t;

/// For a graph whose vertices, or edges, carry nothing.
struct no_data {
  friend bool operator==(const no_data&, const no_data&) = default;
};

/// An edge, from one vertex to another.
template <class EdgeData = no_data>
struct graph_edge {
  vertex_id from;
  vertex_id to;
  [[no_unique_address]] EdgeData data{};

  friend bool operator==(const graph_edge&, const graph_edge&) = default;
};

/// The same at the vertex from which it goes.
template <class EdgeData = no_data>
struct graph_neighbour {
  vertex_id to;
  [[no_unique_address]] EdgeData data{};

  friend bool operator==(const graph_neighbour&, const graph_neighbour&) = default;
};

/// A vertex as its owner sees it.
template <class VertexData, class EdgeData>
struct graph_vertex {
  vertex_id id;
  VertexData& data;
  std::span<const graph_neighbour<EdgeData>> neighbours;  ///< in the order of their numbers

  std::size_t degree() const { return neighbours.size(); }
};

/// What freeze() leaves out.
struct graph_cleaning {
  bool duplicates = false;  ///< of edges between the same vertices all but one
  bool loops = false;       ///< edges from a vertex to itself
};

namespace detail {

template <class V, class E>
class graph_part {
 public:
  using edge = graph_edge<E>;
  using neighbour = graph_neighbour<E>;

  graph_part(team members, layout::block how)
      : members_{std::move(members)},
        layout_{how},
        me_{members_.position().index()},
        first_{how.first(me_)},
        data_(part_size(how, me_)),
        edges_{members_.where().threads() > 1} {
    for (std::uint32_t k = 0; k < members_.size(); ++k) {
      pes_.push_back(members_.at(team_position{k}).index());
    }
  }

  const team& members() const { return members_; }
  const layout::block& layout() const { return layout_; }
  std::uint32_t me() const { return me_; }
  /// The PE that owns a vertex.
  std::uint32_t owner(vertex_id v) const { return pes_[layout_.owner(v)]; }
  bool is_here(vertex_id v) const { return v - first_ < data_.size(); }
  vertex_id first() const { return first_; }
  std::span<V> data() { return data_; }
  bool frozen() const { return frozen_; }
  const compressed_rows<neighbour>& rows() const { return rows_; }
  /// A vertex that is here. Requires: frozen().
  graph_vertex<V, E> vertex(vertex_id v) {
    return {v, data_[v - first_], std::as_const(rows_).row(v - first_)};
  }
  std::size_t edges_here() const { return frozen_ ? rows_.size() : edges_.size(); }
  std::size_t bytes() const {
    return sizeof(*this) + data_.capacity() * sizeof(V) + edges_.bytes() + rows_.bytes();
  }

  void put(edge one) { edges_.push(std::move(one)); }
  void put(std::span<const edge> some) { edges_.append(some); }
  /// f of each edge that is here now; f may put in more, which is not looked at.
  template <class F>
  void for_each(F& f) const {
    if (!frozen_) {
      edges_.for_each(f);
      return;
    }
    for (std::size_t k = 0; k < rows_.rows(); ++k) {
      for (const neighbour& each : rows_.row(k)) {
        f(edge{first_ + k, each.to, each.data});
      }
    }
  }
  void clear() {
    edges_.clear();
    rows_.clear();
    frozen_ = false;
    std::fill(data_.begin(), data_.end(), V{});
  }

  // ---- by the body, with nothing under way ----
  void freeze(graph_cleaning without);
  void thaw() {
    std::vector<edge> all;
    all.reserve(rows_.size());
    const auto keep = [&all](edge each) { all.push_back(std::move(each)); };
    for_each(keep);
    rows_.clear();
    edges_.put(std::move(all));
    frozen_ = false;
  }
  /// What all members have. The edges lie both ways if `turned`, summed over all, is 0: a
  /// number of each edge, less one of the edge turned round.
  std::uint64_t turned() const;
  void know(std::uint64_t edges, bool both_ways) {
    all_edges_ = edges;
    both_ways_ = both_ways;
  }
  std::uint64_t all_edges() const { return all_edges_; }
  bool both_ways() const { return both_ways_; }

 private:
  team members_;
  layout::block layout_;
  std::uint32_t me_;
  vertex_id first_;
  std::vector<std::uint32_t> pes_;
  std::vector<V> data_;              // by handlers of the vertex, and by the body
  growing_row<edge> edges_;          // empty while frozen
  compressed_rows<neighbour> rows_;  // by the body; empty unless frozen
  bool frozen_ = false;              // by the body, when nothing is under way
  std::uint64_t all_edges_ = 0;      // the same
  bool both_ways_ = false;           // the same
};

template <class V, class E>
void graph_part<V, E>::freeze(graph_cleaning without) {
  if (frozen_) {
    thaw();
  }
  rows_.build(
      data_.size(), edges_.take(), [this](const edge& each) { return each.from - first_; },
      [](edge each) {
        return neighbour{each.to, std::move(each.data)};
      });
  const auto before = [](const neighbour& a, const neighbour& b) {
    if constexpr (std::totally_ordered<E>) {  // so that it is the same in every run
      return a.to != b.to ? a.to < b.to : a.data < b.data;
    } else {
      return a.to < b.to;
    }
  };
  rows_.tidy_rows([&](std::size_t k, std::span<neighbour> row) {
    std::sort(row.begin(), row.end(), before);
    auto end = row.end();
    if (without.duplicates) {
      end = std::unique(row.begin(), end,
                        [](const neighbour& a, const neighbour& b) { return a.to == b.to; });
    }
    if (without.loops) {
      end = std::remove_if(row.begin(), end,
                           [&](const neighbour& each) { return each.to == first_ + k; });
    }
    return static_cast<std::size_t>(end - row.begin());
  });
  frozen_ = true;
}

template <class V, class E>
std::uint64_t graph_part<V, E>::turned() const {
  const auto number = [](std::uint64_t a, std::uint64_t b) {
    return mixed_bits(a * counter_step + b);
  };
  std::uint64_t sum = 0;
  for (std::size_t k = 0; k < rows_.rows(); ++k) {
    for (const neighbour& each : rows_.row(k)) {
      sum += number(first_ + k, each.to) - number(each.to, first_ + k);
    }
  }
  return sum;
}

// ---- messages -------------------------------------------------------------------------------

template <class V, class E>
struct put_edges {
  void operator()(graph_part<V, E>& mine, std::span<const graph_edge<E>> edges) const {
    mine.put(edges);
  }
};
template <class V, class E>
struct put_edge {
  void operator()(graph_part<V, E>& mine, const graph_edge<E>& edge) const { mine.put(edge); }
};
/// Edges that are bytes are read where they arrive.
template <class V, class E>
using edge_putter = std::conditional_t<bitwise<E>, put_edges<V, E>, put_edge<V, E>>;

// ---- checkpoints ----------------------------------------------------------------------------

/// As the end of an edge: none, this is the vertex.
inline constexpr vertex_id vertex_itself = ~vertex_id{0};

/// What a checkpoint of a graph is made of: an edge; or the data of vertex `from`, if `to` is
/// vertex_itself.
template <class V, class E>
struct graph_record {
  vertex_id from;
  vertex_id to;
  [[no_unique_address]] V vertex;
  [[no_unique_address]] E edge;
  template <class Archive>
  void serialize(Archive& by) requires(!bitwise<V> || !bitwise<E>) {
    by(from, to);
    if (to == vertex_itself) {
      by(vertex);
    } else {
      by(edge);
    }
  }
};

/// What its kind is called.
template <class V>
std::string kind_of_graph() {
  return std::same_as<V, no_data> ? "graph" : "graph_with_vertex_data";
}

template <class V, class E>
struct put_vertex {
  void operator()(graph_part<V, E>& mine, const graph_record<V, E>& one) const {
    mine.data()[one.from - mine.first()] = one.vertex;
  }
};

/// A user's function for a vertex, with its further arguments, as it travels.
template <class F, class... Args>
struct vertex_call {
  vertex_id v;
  [[no_unique_address]] F f;
  [[no_unique_address]] operands<Args...> args;
  template <class Archive>
  void serialize(Archive& by) requires(!bitwise<F> || (!bitwise<Args> || ...)) {
    by(v, f, args);
  }
};
template <class V, class E, class F, class... Args>
struct run_at_vertex {
  auto operator()(graph_part<V, E>& mine, const vertex_call<F, Args...>& call) const {
    return call.args.pass_to(call.f, mine.vertex(call.v));
  }
};
template <class V, class E, class F, class... Args>
struct run_and_forget {
  void operator()(graph_part<V, E>& mine, const vertex_call<F, Args...>& call) const {
    call.args.pass_to(call.f, mine.vertex(call.v));
  }
};

/// The same for an edge, at the vertex to which it goes.
template <class E, class F, class... Args>
struct edge_call {
  graph_edge<E> edge;
  [[no_unique_address]] F f;
  [[no_unique_address]] operands<Args...> args;
  template <class Archive>
  void serialize(Archive& by) requires(!bitwise<E> || !bitwise<F> || (!bitwise<Args> || ...)) {
    by(edge.from, edge.to, edge.data, f, args);
  }
};
template <class V, class E, class F, class... Args>
struct run_at_end {
  void operator()(graph_part<V, E>& mine, const edge_call<E, F, Args...>& call) const {
    call.args.pass_to(call.f, mine.vertex(call.edge.to), call.edge);
  }
};
template <class V, class E, class F, class... Args>
struct run_at_neighbours {
  void operator()(context&, const darc<graph_part<V, E>>& graph,
                  const vertex_call<F, Args...>& call) const {
    graph_part<V, E>& mine = *graph;
    for (const graph_neighbour<E>& each : mine.vertex(call.v).neighbours) {
      const edge_call<E, F, Args...> next{{call.v, each.to, each.data}, call.f, call.args};
      graph.send(pe{mine.owner(each.to)}, run_at_end<V, E, F, Args...>{}, next);
    }
  }
};

}  // namespace detail
}  // namespace lamellar
