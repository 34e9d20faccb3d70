// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/detail/graph_errors.hpp>
#include <lamellar/containers/detail/halo.hpp>
#include <lamellar/containers/detail/matrix_part.hpp>
#include <lamellar/containers/detail/sequence_errors.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <ranges>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

// sparse_matrix<T>: the entries of a matrix that are there, by rows in blocks; a vector that
// goes with it lies in blocks too, as a block array does, each PE having a span of its own
// part.
//
//   const auto a = co_await sparse_matrix<double>::create(world, n, n);
//   for (const auto& [i, j, v] : mine) a.add(i, j, v);
//   co_await a.assemble();                         // entries of one place are added up
//   co_await a.multiply(x.local(), y.local());     // y = A x
//
// Entries may be added at any time; what is added counts from the next assemble() on.
//
// The handle is cheap to copy and travels. The parts go in the first quiesce after the last
// handle.
//
// Thread-safety: handles as values; add(): any thread of the PE; the others: the body.
namespace lamellar {

template <transferable T>
class sparse_matrix {
  using part_type = detail::matrix_part<T>;

 public:
  using value_type = T;
  using entry = matrix_entry<T>;
  using element = matrix_element<T>;

  /// No matrix; to be assigned to.
  sparse_matrix() noexcept = default;

  /// Make one without entries, on the PEs of the world or of a team.
  ///
  /// Cost: a barrier and an all_gather. Collective. Misuse: other numbers on other PEs.
  static task<sparse_matrix> create(detail::located_team of, std::uint64_t rows,
                                    std::uint64_t columns) {
    return create_on(std::move(of), rows, columns);
  }
  /// The matrix of a frozen graph: value(edge data) at (from, to), added up where there are
  /// several edges. Collective. Cost: as assemble(); no entry travels.
  template <class V, class E, class Value = std::identity>
  static task<sparse_matrix> from_graph(
      graph<V, E> g, Value value = {},
      std::source_location at = std::source_location::current()) {
    return of_graph(std::move(g), std::move(value), at);
  }

  // ---- what and where: no communication ----
  explicit operator bool() const { return static_cast<bool>(parts_); }
  const team& members() const { return part().members(); }
  std::uint64_t rows() const { return part().by_rows().size(); }
  std::uint64_t columns() const { return part().by_columns().size(); }
  /// How rows lie, and vectors of as many; and the same of columns.
  const layout::block& row_layout() const { return part().by_rows(); }
  const layout::block& column_layout() const { return part().by_columns(); }
  /// Entries of all members when it was assembled. Requires: assembled.
  std::uint64_t entries(std::source_location at = std::source_location::current()) const {
    check_assembled("entries", at);
    return part().all_entries();
  }
  /// The numbers of the rows that are here.
  auto local_rows() const {
    return std::views::iota(part().first(), part().first() + part().rows_here());
  }
  /// The elements of a row, by columns. Requires: assembled, a row that is here.
  std::span<const element> row(
      std::uint64_t i, std::source_location at = std::source_location::current()) const {
    check_assembled("row", at);
    check(i, 0, 1, "row", at);
    if (!part().is_here(i)) [[unlikely]] {
      detail::row_elsewhere(members(), i, part().owner(i), at);
    }
    return part().rows().row(i - part().first());
  }

  // ---- entries ----
  /// Add an entry. Cost: one record to the owner of the row. Done: when quiesce() has returned;
  /// in the rows after assemble(). Not collective. Threads: any.
  void add(std::uint64_t row, std::uint64_t column, T value,
           std::source_location at = std::source_location::current()) const {
    check(row, column, columns(), "add", at);
    put({row, column, std::move(value)});
  }
  /// The same for many, faster than one by one.
  void add(std::span<const entry> entries,
           std::source_location at = std::source_location::current()) const {
    parts_.send_each(detail::entry_putter<T>{}, entries, [&](const entry& each) {
      check(each.row, each.column, columns(), "add", at);
      return routed<entry>{part().owner(each.row), each};
    });
  }

  // ---- together: collective; each begins with a quiesce of the team ----
  /// Bring entries into rows, by columns; those of one place become one by `op`.
  ///
  /// Values that have an order are joined in it, so that it is the same in every run. Cost: a
  /// sort of each row; an all_reduce. Memory: the entries twice meanwhile.
  template <class Op = std::plus<>>
  task<> assemble(Op op = {}, std::source_location at = std::source_location::current()) const {
    return assemble_all(*this, std::move(op), at);
  }
  /// y = A x. `x` and `y` are this PE's parts of vectors in blocks, such as the local() of
  /// block arrays, of columns() and of rows() elements; they must stay until the task has
  /// ended.
  ///
  /// Cost: each element of x once to each PE that has elements in its column; one pass over the
  /// own elements. After assemble() PEs first tell each other in which columns they have some,
  /// and keep 8 bytes for each element. The same in every run, on any number of PEs. Requires:
  /// assembled. Misuse: spans of other lengths.
  task<> multiply(std::span<const T> x, std::span<T> y,
                  std::source_location at = std::source_location::current()) const {
    return multiply_all(*this, x, y, at);
  }
  /// The row vector x times A, where x has few elements: those of this PE's rows, each at most
  /// once. Returns this PE's elements of the result, which has one for each column, in order.
  /// `plus` and `times` may be others than those of numbers.
  ///
  /// Cost: a pass over the rows of x; a record from each PE to each column that they have.
  /// Requires: assembled; plus is associative and commutes. Misuse: a row that is elsewhere.
  template <class Plus = std::plus<>, class Times = std::multiplies<>>
  task<std::vector<vector_entry<T>>> multiply_left(
      std::vector<vector_entry<T>> x, Plus plus = {}, Times times = {},
      std::source_location at = std::source_location::current()) const {
    return left_product(*this, std::move(x), std::move(plus), std::move(times), at);
  }
  /// The matrix with rows and columns exchanged. Cost: each entry travels once; assemble().
  task<sparse_matrix> transpose(
      std::source_location at = std::source_location::current()) const {
    return transpose_all(*this, at);
  }
  /// The matrix in which row i is where row_to says, and column j where column_to says: these
  /// are this PE's parts, as of multiply()'s y and x. Cost: as transpose() and multiply().
  task<sparse_matrix> permute(std::span<const std::uint64_t> row_to,
                              std::span<const std::uint64_t> column_to,
                              std::source_location at = std::source_location::current()) const {
    return permute_all(*this, row_to, column_to, at);
  }

  // ---- as a distributed_container of entries; what is restored is assembled anew ----
  using item_type = entry;
  static constexpr std::string_view kind = "sparse_matrix";
  std::size_t local_size() const { return part().entries_here(); }
  std::size_t local_bytes() const { return part().bytes(); }
  template <class F>
  void local_for_each(F&& f) const {
    part().for_each(f);
  }
  void local_clear() const { part().clear(); }
  void add_item(const entry& item) const { add(item.row, item.column, item.value); }

  // Travelling: the parts' name.
  template <class Archive>
  void serialize(Archive& by) {
    by(parts_);
  }

 private:
  explicit sparse_matrix(darc<part_type> parts) : parts_{std::move(parts)} {}

  static task<sparse_matrix> create_on(detail::located_team of, std::uint64_t rows,
                                       std::uint64_t columns);
  template <class V, class E, class Value>
  static task<sparse_matrix> of_graph(graph<V, E> g, Value value, std::source_location at);
  template <class Op>
  static task<> assemble_all(sparse_matrix of, Op op, std::source_location at);
  static task<> find_columns(sparse_matrix of, std::source_location at);
  static task<> multiply_all(sparse_matrix of, std::span<const T> x, std::span<T> y,
                             std::source_location at);
  template <class Plus, class Times>
  static task<std::vector<vector_entry<T>>> left_product(sparse_matrix of,
                                                         std::vector<vector_entry<T>> x,
                                                         Plus plus, Times times,
                                                         std::source_location at);
  static task<sparse_matrix> transpose_all(sparse_matrix of, std::source_location at);
  static task<sparse_matrix> permute_all(sparse_matrix of,
                                         std::span<const std::uint64_t> row_to,
                                         std::span<const std::uint64_t> column_to,
                                         std::source_location at);

  part_type& part() const { return parts_.local(); }
  void check(std::uint64_t row, std::uint64_t column, std::uint64_t all_columns,
             const char* what, std::source_location at) const {
    if (row >= rows() || column >= all_columns) [[unlikely]] {
      detail::outside_matrix(members(), what, row, column, rows(), columns(), at);
    }
  }
  void check_assembled(const char* what, std::source_location at) const {
    if (!part().assembled()) [[unlikely]] {
      detail::matrix_not_assembled(members(), what, at);
    }
  }
  void check_length(const char* what, std::size_t given, std::size_t wanted,
                    std::source_location at) const {
    if (given != wanted) [[unlikely]] {
      detail::wrong_vector_part(members(), what, given, wanted, at);
    }
  }
  void put(entry one) const {
    if (part().is_here(one.row)) {
      part().put(std::move(one));
    } else {
      parts_.send(pe{part().owner(one.row)}, detail::entry_putter<T>{}, one);
    }
  }

  darc<part_type> parts_;
};

}  // namespace lamellar

#include <lamellar/containers/detail/matrix_together.hpp>
