// SPDX-License-Identifier: BSD-3-Clause
// One of two files with functions of the same names, whose lambdas have the same names too.
#include "same_name.hpp"

static int ask(lamellar::world& w, lamellar::pe to) {
  return w
      .call(
          to, [](int a) { return a + 1; }, 10)
      .get();
}

namespace same_name {
int ask_one(lamellar::world& w, lamellar::pe to) { return ask(w, to); }
}  // namespace same_name
