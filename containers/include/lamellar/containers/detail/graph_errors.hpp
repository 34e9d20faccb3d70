// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/team.hpp>
#include <source_location>

// What graphs and sparse matrices refuse, in words.
namespace lamellar::detail {

/// Ends the job: there is no vertex `v` in a graph of `vertices`.
[[noreturn]] void no_such_vertex(const team& members, const char* what, std::uint64_t v,
                                 std::uint64_t vertices, std::source_location where);
/// Ends the job: what lies at `v` is asked for as if it lay here.
[[noreturn]] void vertex_elsewhere(const team& members, const char* what, std::uint64_t v,
                                   std::uint32_t owner, std::source_location where);
/// Ends the job: a graph must be frozen and is not.
[[noreturn]] void graph_not_frozen(const team& members, const char* what,
                                   std::source_location where);
/// Ends the job: a graph that is frozen gets an edge.
[[noreturn]] void graph_frozen(const team& members, const char* what,
                               std::source_location where);
/// Throws checkpoint_error: a checkpoint has vertex `v`, the graph has not.
[[noreturn]] void graph_too_small(std::uint64_t v, std::uint64_t vertices);
/// Ends the job: an algorithm needs each edge to lie both ways.
[[noreturn]] void edges_one_way(const team& members, const char* what,
                                std::source_location where);

/// Ends the job: there is no place (row, column) in a matrix.
[[noreturn]] void outside_matrix(const team& members, const char* what, std::uint64_t row,
                                 std::uint64_t column, std::uint64_t rows,
                                 std::uint64_t columns, std::source_location where);
/// Ends the job: a row of another PE is asked for as if it lay here.
[[noreturn]] void row_elsewhere(const team& members, std::uint64_t row, std::uint32_t owner,
                                std::source_location where);
/// Ends the job: a matrix must be assembled and is not.
[[noreturn]] void matrix_not_assembled(const team& members, const char* what,
                                       std::source_location where);
/// Ends the job: a PE's part of a vector has not the length of its part of the matrix.
[[noreturn]] void wrong_vector_part(const team& members, const char* what, std::size_t given,
                                    std::size_t wanted, std::source_location where);

}  // namespace lamellar::detail
