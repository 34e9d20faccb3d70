// SPDX-License-Identifier: BSD-3-Clause
// Breaks one rule of algorithms, as the first argument says; algorithm_misuse_test.py runs it
// and reads what is said.
#include <cstdio>
#include <functional>
#include <lamellar/algorithms/breadth_first_search.hpp>
#include <lamellar/algorithms/copy.hpp>
#include <lamellar/algorithms/elementwise.hpp>
#include <lamellar/algorithms/k_core.hpp>
#include <lamellar/algorithms/scan.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/algorithms/select.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/substrate/run.hpp>
#include <map>
#include <string>
#include <vector>

using namespace lamellar;

namespace {

const std::map<std::string, std::function<void(world&)>> cases{
    {"sizes",
     [](world& w) {
       const auto keys = unsafe_array<int>::create(w, 10).get();
       const auto values = unsafe_array<int>::create(w, 12).get();
       sort_by_key(keys, values).get();
     }},
    {"scan",
     [](world& w) {
       const auto from = unsafe_array<int>::create(w, 10).get();
       const auto to = unsafe_array<int>::create(w, 9).get();
       lamellar::inclusive_scan(from, to).get();
     }},
    {"order",
     [](world& w) {
       const auto from = unsafe_array<int>::create(w, 10).get();
       const auto to = unsafe_array<int, layout::cyclic>::create(w, 10).get();
       lamellar::transform(from, to, std::negate<>{}).get();
     }},
    {"copy",
     [](world& w) {
       const auto from = segments<int>::create(w, std::vector<int>(5)).get();
       const auto to = unsafe_array<int>::create(w, 9).get();
       lamellar::copy(from, to).get();
     }},
    {"rank",
     [](world& w) {
       const auto a = unsafe_array<int>::create(w, 10).get();
       lamellar::nth_element(a, 10).get();
     }},
    {"quantile",
     [](world& w) {
       const auto none = unsafe_array<int>::create(w, 0).get();
       quantiles(none, {0.5}).get();
     }},
    {"not_frozen",
     [](world& w) {
       const auto g = graph<>::create(w, 10).get();
       breadth_first_search(g, 3).get();
     }},
    {"start",
     [](world& w) {
       const auto g = graph<>::create(w, 10).get();
       g.freeze().get();
       breadth_first_search(g, 10).get();
     }},
    {"one_way",
     [](world& w) {
       const auto g = graph<>::create(w, 10).get();
       if (w.me().index() == 1) g.add_edge(3, 4);
       g.freeze().get();
       k_core(g).get();
     }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !cases.contains(argv[1])) {
    std::fprintf(stderr, "algorithm_misuse_program: name a case\n");
    return 2;
  }
  const auto& breaks = cases.at(argv[1]);
  return run(argc, argv, [&breaks](world& w) { breaks(w); });
}
