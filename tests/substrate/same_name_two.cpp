// SPDX-License-Identifier: BSD-3-Clause
// The other of two files with functions of the same names, whose lambdas have the same names
// too.
#include "same_name.hpp"

static int ask(lamellar::world& w, lamellar::pe to) {
  return w
      .call(
          to, [](int a) { return a + 2; }, 10)
      .get();
}

namespace same_name {
int ask_two(lamellar::world& w, lamellar::pe to) { return ask(w, to); }
}  // namespace same_name
