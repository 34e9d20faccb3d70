// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/containers/sparse_matrix.hpp>

// What the members of a sparse matrix do together. Included by sparse_matrix.hpp.
namespace lamellar {

template <transferable T>
task<sparse_matrix<T>> sparse_matrix<T>::create_on(detail::located_team of, std::uint64_t rows,
                                                   std::uint64_t columns) {
  auto asking = all_gather(of, rows);
  detail::check_equal_sizes(of, "sparse_matrix::create: rows", co_await asking);
  auto asking_again = all_gather(of, columns);
  detail::check_equal_sizes(of, "sparse_matrix::create: columns", co_await asking_again);
  const std::uint32_t size = of.value.size();
  auto making = darc<part_type>::create(of, of.value, layout::block{rows, size},
                                        layout::block{columns, size});
  co_return sparse_matrix{co_await making};
}

template <transferable T>
template <class V, class E, class Value>
task<sparse_matrix<T>> sparse_matrix<T>::of_graph(graph<V, E> g, Value value,
                                                  std::source_location at) {
  if (!g.frozen()) [[unlikely]] {
    detail::graph_not_frozen(g.members(), "sparse_matrix::from_graph", at);
  }
  auto making = create_on({g.members(), at}, g.vertices(), g.vertices());
  sparse_matrix made = co_await making;
  for (const vertex_id v : g.local_vertices()) {
    for (const auto& each : g.neighbours(v)) {
      made.part().put(entry{v, each.to, static_cast<T>(value(each.data))});
    }
  }
  auto assembling = assemble_all(made, std::plus<>{}, at);
  co_await assembling;
  co_return made;
}

template <transferable T>
template <class Op>
task<> sparse_matrix<T>::assemble_all(sparse_matrix of, Op op, std::source_location at) {
  const detail::located_team members{of.members(), at};
  auto settling = members.value.quiesce(at);
  co_await settling;
  of.part().build(std::move(op));
  auto counting = all_reduce(members, std::uint64_t{of.part().rows().size()});
  const std::uint64_t entries = co_await counting;
  of.part().finish(entries);
}

/// Which columns of others each member has elements in: found when it is needed first.
template <transferable T>
task<> sparse_matrix<T>::find_columns(sparse_matrix of, std::source_location at) {
  if (of.part().has_slots()) co_return;
  auto finding =
      detail::halo::create({of.members(), at}, of.column_layout(), of.part().ghosts());
  detail::halo columns = co_await finding;
  of.part().find_slots(std::move(columns));
}

template <transferable T>
task<> sparse_matrix<T>::multiply_all(sparse_matrix of, std::span<const T> x, std::span<T> y,
                                      std::source_location at) {
  part_type& mine = of.part();
  of.check_assembled("multiply", at);
  of.check_length("multiply: x", x.size(), mine.columns_here(), at);
  of.check_length("multiply: y", y.size(), mine.rows_here(), at);
  auto settling = of.members().quiesce(at);
  co_await settling;
  auto finding = find_columns(of, at);
  co_await finding;
  std::vector<T> values(x.begin(), x.end());
  values.resize(mine.columns().slots());
  auto bringing = mine.columns().bring(std::span{values});
  co_await bringing;
  const std::uint64_t* slot = mine.slots().data();
  for (std::size_t i = 0; i < y.size(); ++i) {
    T sum{};
    for (const element& each : mine.rows().row(i)) {
      sum += each.value * values[*slot++];
    }
    y[i] = std::move(sum);
  }
}

template <transferable T>
template <class Plus, class Times>
task<std::vector<vector_entry<T>>> sparse_matrix<T>::left_product(
    sparse_matrix of, std::vector<vector_entry<T>> x, Plus plus, Times times,
    std::source_location at) {
  using item = vector_entry<T>;
  of.check_assembled("multiply_left", at);
  const detail::located_team members{of.members(), at};
  auto settling = members.value.quiesce(at);
  co_await settling;
  std::vector<item> leaving;
  for (const item& by : x) {
    for (const element& each : of.row(by.index, at)) {
      leaving.push_back({each.column, times(by.value, each.value)});
    }
  }
  const auto join = [&plus](std::vector<item>& some) {
    some.erase(some.begin() + static_cast<std::ptrdiff_t>(
                                  detail::join_equal(std::span{some}, &item::index, plus)),
               some.end());
  };
  join(leaving);
  const layout::block& columns = of.column_layout();
  auto moving = exchange_placed(members, leaving, [&columns](const item& each) {
    return team_position{static_cast<std::uint32_t>(columns.owner(each.index))};
  });
  auto arrived = co_await moving;
  std::vector<item> found(std::make_move_iterator(arrived.begin()),
                          std::make_move_iterator(arrived.end()));
  join(found);
  co_return found;
}

template <transferable T>
task<sparse_matrix<T>> sparse_matrix<T>::transpose_all(sparse_matrix of,
                                                       std::source_location at) {
  of.check_assembled("transpose", at);
  auto making = create_on({of.members(), at}, of.columns(), of.rows());
  sparse_matrix made = co_await making;
  const part_type& mine = of.part();
  for (const std::uint64_t i : of.local_rows()) {
    for (const element& each : mine.rows().row(i - mine.first())) {
      made.put({each.column, i, each.value});
    }
  }
  auto assembling = assemble_all(
      made, [](T first, const T&) { return first; }, at);
  co_await assembling;
  co_return made;
}

template <transferable T>
task<sparse_matrix<T>> sparse_matrix<T>::permute_all(sparse_matrix of,
                                                     std::span<const std::uint64_t> row_to,
                                                     std::span<const std::uint64_t> column_to,
                                                     std::source_location at) {
  const part_type& mine = of.part();
  of.check_assembled("permute", at);
  of.check_length("permute: rows", row_to.size(), mine.rows_here(), at);
  of.check_length("permute: columns", column_to.size(), mine.columns_here(), at);
  auto making = create_on({of.members(), at}, of.rows(), of.columns());
  sparse_matrix made = co_await making;
  auto finding = find_columns(of, at);
  co_await finding;
  std::vector<std::uint64_t> columns(column_to.begin(), column_to.end());
  columns.resize(mine.columns().slots());
  auto bringing = mine.columns().bring(std::span{columns});
  co_await bringing;
  const std::uint64_t* slot = mine.slots().data();
  for (std::size_t k = 0; k < row_to.size(); ++k) {
    for (const element& each : mine.rows().row(k)) {
      made.add(row_to[k], columns[*slot++], each.value, at);
    }
  }
  auto assembling = assemble_all(made, std::plus<>{}, at);
  co_await assembling;
  co_return made;
}

}  // namespace lamellar
