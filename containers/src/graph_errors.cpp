// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/detail/graph_errors.hpp>

namespace lamellar::detail {

void no_such_vertex(const team& members, const char* what, std::uint64_t v,
                    std::uint64_t vertices, std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("graph: {} of vertex {} in a graph of the {} vertices below {}", what, v,
                     vertices, vertices),
         where);
}

void vertex_elsewhere(const team& members, const char* what, std::uint64_t v,
                      std::uint32_t owner, std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("graph: {} of vertex {}, which lies on PE {}; visit() goes there", what, v,
                     owner),
         where);
}

void graph_not_frozen(const team& members, const char* what, std::source_location where) {
  misuse(
      &engine_of(members.where()),
      fmt::format("graph: {} of a graph that may get edges; all its members freeze() it first",
                  what),
      where);
}

void graph_frozen(const team& members, const char* what, std::source_location where) {
  misuse(
      &engine_of(members.where()),
      fmt::format("graph: {} in a graph that is frozen; all its members thaw() it first", what),
      where);
}

void edges_one_way(const team& members, const char* what, std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("{}: an edge of the graph lies one way only; this needs each edge both "
                     "ways, as add_edge_both() puts it in",
                     what),
         where);
}

}  // namespace lamellar::detail
