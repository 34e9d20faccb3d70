// SPDX-License-Identifier: BSD-3-Clause
// Sparse matrices against a map of places to values that each PE fills by itself.
#include <algorithm>
#include <cereal/types/string.hpp>
#include <cstdint>
#include <functional>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/containers/sparse_matrix.hpp>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pes.hpp"
#include "shared_directory.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

static_assert(distributed_container<sparse_matrix<double>>);

using places = std::pair<std::uint64_t, std::uint64_t>;
template <class T>
using model = std::map<places, T>;

struct shape {
  std::uint64_t rows;
  std::uint64_t columns;
  std::size_t entries;  // of each PE
};
const shape shapes[] = {{0, 0, 0},    {1, 1, 3},   {0, 5, 0},   {3, 2, 4},    {40, 40, 0},
                        {40, 40, 70}, {90, 7, 60}, {7, 90, 60}, {64, 64, 500}};

template <class T>
T value_of(std::uint64_t k) {
  if constexpr (std::same_as<T, std::string>) {
    return std::string(1 + k % 3, static_cast<char>('a' + k % 26));
  } else {
    return static_cast<T>(k % 19) - static_cast<T>(7);
  }
}

template <class T>
std::vector<matrix_entry<T>> entries_of(std::uint32_t pe, const shape& of) {
  std::mt19937_64 random{pe * 104729 + of.entries};
  std::vector<matrix_entry<T>> all;
  for (std::size_t k = 0; k < of.entries; ++k) {
    const std::uint64_t i = random() % of.rows;
    const std::uint64_t j = random() % of.columns;
    all.push_back({i, j, value_of<T>(random())});
  }
  return all;
}

/// Entries of one place joined by op, in the order of their values.
template <class T, class Op>
model<T> model_of(std::uint32_t pes, const shape& of, Op op) {
  std::map<places, std::vector<T>> lists;
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    for (const auto& [i, j, v] : entries_of<T>(pe, of)) lists[{i, j}].push_back(v);
  }
  model<T> joined;
  for (auto& [place, list] : lists) {
    std::sort(list.begin(), list.end());
    joined[place] = std::accumulate(list.begin() + 1, list.end(), list[0], op);
  }
  return joined;
}

template <class T>
void check_entries(const sparse_matrix<T>& a, const model<T>& expected) {
  CHECK(a.entries() == expected.size());
  for (const std::uint64_t i : a.local_rows()) {
    std::vector<matrix_element<T>> row;
    for (auto at = expected.lower_bound({i, 0}); at != expected.end() && at->first.first == i;
         ++at) {
      row.push_back({at->first.second, at->second});
    }
    const auto found = a.row(i);
    CHECK(std::equal(found.begin(), found.end(), row.begin(), row.end()));
  }
}

template <class T>
task<sparse_matrix<T>> make(world& w, const shape& of) {
  auto making = sparse_matrix<T>::create(w, of.rows, of.columns);
  const sparse_matrix<T> a = co_await making;
  for (const auto& [i, j, v] : entries_of<T>(w.me().index(), of)) a.add(i, j, v);
  auto assembling = a.assemble();
  co_await assembling;
  co_return a;
}

}  // namespace

TEST_CASE_TEMPLATE("entries of one place become one", T, std::int64_t, std::string) {
  on_pes([](world& w) -> task<> {
    for (const shape& of : shapes) {
      CAPTURE(of.rows);
      CAPTURE(of.entries);
      auto making = make<T>(w, of);
      const sparse_matrix<T> a = co_await making;
      check_entries(a, model_of<T>(w.size(), of, std::plus<>{}));
      // By another operation, and from a list.
      auto making_other = sparse_matrix<T>::create(w, of.rows, of.columns);
      const sparse_matrix<T> largest = co_await making_other;
      largest.add(entries_of<T>(w.me().index(), of));
      const auto larger = [](const T& x, const T& y) { return std::max(x, y); };
      auto assembling = largest.assemble(larger);
      co_await assembling;
      check_entries(largest, model_of<T>(w.size(), of, larger));
      auto turning = a.transpose();
      const sparse_matrix<T> turned = co_await turning;
      model<T> expected;
      for (const auto& [at, v] : model_of<T>(w.size(), of, std::plus<>{})) {
        expected[{at.second, at.first}] = v;
      }
      check_entries(turned, expected);
      CHECK(turned.rows() == of.columns);
      co_await w.barrier();
    }
  });
}

TEST_CASE("what is added later counts after the next assemble") {
  on_pes([](world& w) -> task<> {
    const shape of{30, 20, 50};
    auto making = make<std::int64_t>(w, of);
    const auto a = co_await making;
    auto expected = model_of<std::int64_t>(w.size(), of, std::plus<>{});
    a.add(29, 19, 1000);
    co_await w.quiesce();
    check_entries(a, expected);
    auto again = a.assemble();
    co_await again;
    expected[{29, 19}] += 1000 * w.size();
    check_entries(a, expected);
    co_await w.barrier();
    // Saved, and restored.
    auto making_directory = lamellar::testing::shared_directory::create(w);
    const lamellar::testing::shared_directory files = co_await making_directory;
    auto saving = checkpoint(a, files / "matrix");
    CHECK(co_await saving == expected.size());
    auto clearing = clear(a);
    co_await clearing;
    auto restoring = restore(a, files / "matrix");
    CHECK(co_await restoring == expected.size());
    auto assembling = a.assemble();
    co_await assembling;
    check_entries(a, expected);
    co_await w.barrier();
  });
}

TEST_CASE("products are those of a dense matrix") {
  on_pes([](world& w) -> task<> {
    for (const shape& of : shapes) {
      CAPTURE(of.rows);
      CAPTURE(of.entries);
      auto making = make<std::int64_t>(w, of);
      const auto a = co_await making;
      const auto entries = model_of<std::int64_t>(w.size(), of, std::plus<>{});
      auto making_x = unsafe_array<std::int64_t>::create(w, of.columns);
      const auto x = co_await making_x;
      auto making_y = unsafe_array<std::int64_t>::create(w, of.rows);
      const auto y = co_await making_y;
      for (std::size_t k = 0; k < x.local().size(); ++k) {
        x.local()[k] = static_cast<std::int64_t>(x.global_index(k) * 3 + 1);
      }
      auto multiplying = a.multiply(x.local(), y.local());
      co_await multiplying;
      std::vector<std::int64_t> expected(of.rows);
      for (const auto& [at, v] : entries) {
        expected[at.first] += v * static_cast<std::int64_t>(at.second * 3 + 1);
      }
      for (std::size_t k = 0; k < y.local().size(); ++k) {
        CHECK(y.local()[k] == expected[y.global_index(k)]);
      }
      // A sparse vector from the left: every third row.
      std::vector<vector_entry<std::int64_t>> some;
      for (const std::uint64_t i : a.local_rows()) {
        if (i % 3 == 0) some.push_back({i, static_cast<std::int64_t>(i) - 5});
      }
      auto from_left = a.multiply_left(some);
      const auto found = co_await from_left;
      std::vector<vector_entry<std::int64_t>> wanted;
      std::map<std::uint64_t, std::int64_t> sums;
      for (const auto& [at, v] : entries) {
        if (at.first % 3 == 0) {
          sums[at.second] += v * (static_cast<std::int64_t>(at.first) - 5);
        }
      }
      for (const auto& [j, sum] : sums) {
        if (a.column_layout().owner(j) == w.me().index()) wanted.push_back({j, sum});
      }
      CHECK(found == wanted);
      co_await w.barrier();
    }
  });
}

TEST_CASE("rows and columns go where a permutation says") {
  on_pes([](world& w) -> task<> {
    const shape of{60, 45, 80};
    auto making = make<std::int64_t>(w, of);
    const auto a = co_await making;
    const auto to_row = [&](std::uint64_t i) { return (i * 7 + 11) % of.rows; };
    const auto to_column = [&](std::uint64_t j) { return of.columns - 1 - j; };
    std::vector<std::uint64_t> row_to;
    for (const std::uint64_t i : a.local_rows()) row_to.push_back(to_row(i));
    std::vector<std::uint64_t> column_to;
    const std::size_t first = a.column_layout().first(w.me().index());
    for (std::size_t k = 0; k < part_size(a.column_layout(), w.me().index()); ++k) {
      column_to.push_back(to_column(first + k));
    }
    auto permuting = a.permute(row_to, column_to);
    const auto permuted = co_await permuting;
    model<std::int64_t> expected;
    for (const auto& [at, v] : model_of<std::int64_t>(w.size(), of, std::plus<>{})) {
      expected[{to_row(at.first), to_column(at.second)}] = v;
    }
    check_entries(permuted, expected);
    co_await w.barrier();
  });
}

TEST_CASE("a graph has a matrix") {
  on_pes([](world& w) -> task<> {
    const shape of{50, 50, 90};
    using weighted = graph<no_data, std::int64_t>;
    auto making = weighted::create(w, of.rows);
    const weighted g = co_await making;
    for (const auto& [i, j, v] : entries_of<std::int64_t>(w.me().index(), of)) {
      g.add_edge(i, j, v);
    }
    co_await g.freeze();
    auto turning = sparse_matrix<std::int64_t>::from_graph(g);
    check_entries(co_await turning, model_of<std::int64_t>(w.size(), of, std::plus<>{}));
    auto counting = sparse_matrix<std::int64_t>::from_graph(g, [](auto) { return 1; });
    const auto a = co_await counting;
    std::vector<std::int64_t> ones(a.local_rows().size(), 1);
    std::vector<std::int64_t> degrees(ones.size());
    auto multiplying = a.multiply(ones, degrees);
    co_await multiplying;
    for (const vertex_id v : g.local_vertices()) {
      CHECK(degrees[v - *g.local_vertices().begin()] ==
            static_cast<std::int64_t>(g.neighbours(v).size()));
    }
    co_await w.barrier();
  });
}
