// SPDX-License-Identifier: BSD-3-Clause
// What all containers of items have in common, of those that find items by their keys. A
// further one joins by a line.
#include <lamellar/containers/counting_map.hpp>
#include <lamellar/containers/id_map.hpp>
#include <lamellar/containers/unordered_map.hpp>
#include <lamellar/containers/unordered_multimap.hpp>
#include <lamellar/containers/unordered_multiset.hpp>
#include <lamellar/containers/unordered_set.hpp>
#include <string>

#include "common_behaviour.hpp"

using namespace lamellar;

namespace {

using number = std::uint64_t;
using numbers_map = unordered_map<number, number>;
using text_map = unordered_map<std::string, std::string>;
using numbers_multimap = unordered_multimap<number, std::string>;

}  // namespace

TEST_CASE_TEMPLATE("a container of keys can do what all can", C, numbers_map, text_map,
                   counting_map<std::string>, unordered_set<number>,
                   unordered_multiset<std::string>, numbers_multimap, id_map<std::string>) {
  lamellar::testing::check_common_behaviour<C>();
}
