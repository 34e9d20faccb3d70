// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/containers/checkpoint.hpp>
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

void graph_too_small(std::uint64_t v, std::uint64_t vertices) {
  throw checkpoint_error{
      fmt::format("the checkpoint has vertex {}, the graph only the {} below {}; restore it to "
                  "a graph of at least as many vertices as were saved",
                  v, vertices, vertices)};
}

void edges_one_way(const team& members, const char* what, std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("{}: an edge of the graph lies one way only; this needs each edge both "
                     "ways, as add_edge_both() puts it in",
                     what),
         where);
}

void outside_matrix(const team& members, const char* what, std::uint64_t row,
                    std::uint64_t column, std::uint64_t rows, std::uint64_t columns,
                    std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("sparse_matrix: {} at row {}, column {} of a matrix of {} rows and {} "
                     "columns",
                     what, row, column, rows, columns),
         where);
}

void row_elsewhere(const team& members, std::uint64_t row, std::uint32_t owner,
                   std::source_location where) {
  misuse(
      &engine_of(members.where()),
      fmt::format("sparse_matrix: row {} lies on PE {}; local_rows() are those that are here",
                  row, owner),
      where);
}

void matrix_not_assembled(const team& members, const char* what, std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("sparse_matrix: {} before all its members assemble() it", what), where);
}

void wrong_vector_part(const team& members, const char* what, std::size_t given,
                       std::size_t wanted, std::source_location where) {
  misuse(&engine_of(members.where()),
         fmt::format("sparse_matrix: {} of {} elements, where this PE has {}; vectors lie in "
                     "blocks, as those of layout::block",
                     what, given, wanted),
         where);
}

}  // namespace lamellar::detail
