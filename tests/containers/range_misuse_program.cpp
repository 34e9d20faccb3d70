// SPDX-License-Identifier: BSD-3-Clause
// Breaks one rule of arrays, as the first argument says; range_misuse_test.py runs it and reads
// what is said.
#include <cstdio>
#include <functional>
#include <lamellar/containers/array_2d.hpp>
#include <lamellar/containers/array_copy.hpp>
#include <lamellar/substrate/run.hpp>
#include <map>
#include <string>
#include <vector>

using namespace lamellar;

namespace {

std::vector<int> some(std::size_t n) { return std::vector<int>(n); }

const std::map<std::string, std::function<void(world&)>> cases{
    {"put",
     [](world& w) {
       const auto a = atomic_array<int>::create(w, 10).get();
       a.put(7, some(4)).get();
     }},
    {"get",
     [](world& w) {
       const auto a = unsafe_array<int, layout::cyclic>::create(w, 10).get();
       auto into = some(1);
       a.get(11, into).get();
     }},
    {"view",
     [](world& w) {
       const auto a = local_lock_array<int>::create(w, 10).get();
       auto into = some(3);
       a.sub_array(2, 2).get(0, into).get();
     }},
    {"gather",
     [](world& w) {
       const auto a = atomic_array<int>::create(w, 10).get();
       auto into = some(3);
       a.gather_into(std::vector<int>{1, 2}, into).get();
     }},
    {"dropped_get",
     [](world& w) {
       const auto a = local_lock_array<int>::create(w, 10).get();
       if (w.me() == pe{0}) {
         auto into = some(10);
         static_cast<void>(a.get(0, into));
       }
       w.barrier().get();
     }},
    {"copy",
     [](world& w) {
       const auto a = atomic_array<int>::create(w, 10).get();
       const auto b = atomic_array<int>::create(w, 11).get();
       copy(a, b).get();
     }},
    {"resize_view",
     [](world& w) {
       const auto a = atomic_array<int>::create(w, 10).get();
       resize(a.sub_array(0, 5), 6).get();
     }},
    {"rectangle",
     [](world& w) {
       const auto m = array_2d<int>::create(w, 10, 10).get();
       auto into = some(12);
       m.get_tile(8, 0, 3, 4, into).get();
     }},
    {"tiles",
     [](world& w) {
       array_2d<int>::create(w, 10, 10, by_tiles{0, 4}).get();
     }},
};

}  // namespace

int main(int argc, char** argv) {
  const auto found = cases.find(argc > 1 ? argv[1] : "");
  if (found == cases.end()) {
    std::puts("which case?");
    return 2;
  }
  return run(argc, argv, [&](world& w) { found->second(w); });
}
