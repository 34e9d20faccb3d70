// SPDX-License-Identifier: BSD-3-Clause
// Built twice, with a handler more in one of them than in the other: misuse_test.py runs both
// in one job.
#include <cstdio>
#include <lamellar/substrate/run.hpp>

using namespace lamellar;

namespace {

struct in_both {
  int operator()(int a) const { return a + 1; }
};
#if defined(PROGRAM_A)
struct only_in_a {
  int operator()(int a) const { return in_both{}(a); }
};
using own = only_in_a;
#else
struct only_in_b {
  int operator()(int a) const { return in_both{}(a); }
};
using own = only_in_b;
#endif

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, [](world& w) {
    const pe next = w.at((w.me().index() + 1) % w.size());
    if (w.call(next, in_both{}, 1).get() + w.call(next, own{}, 1).get() == 4)
      std::puts("agreed");
  });
}
