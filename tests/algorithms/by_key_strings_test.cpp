// SPDX-License-Identifier: BSD-3-Clause
// Strings by keys that are strings: joined in order.
#include <functional>
#include <lamellar/containers/array.hpp>
#include <string>

#include "by_key.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

TEST_CASE("strings by strings: order is kept, though nothing commutes") {
  on_pes([](world& w) {
    check_by_key<unsafe_array<std::string>, atomic_array<std::string>>(w, std::plus<>{});
  });
}
