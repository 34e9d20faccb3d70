// SPDX-License-Identifier: BSD-3-Clause
#include <cstddef>
#include <lamellar/containers/all_elements.hpp>
#include <lamellar/containers/local_elements.hpp>
#include <span>

// What cannot be a pipeline, and what the compiler says then.

inline void what_iterates(lamellar::unsafe_array<int> a,
                          lamellar::unsafe_array<int, lamellar::layout::cyclic> other) {
  const auto odd = [](int x) { return x % 2 == 1; };
  const auto all = lamellar::all_elements(a);
  const auto here = lamellar::local_elements(a);
  here.enumerate().filter([](std::size_t, int x) { return x > 0; }).count();
  here.filter(odd).monotonic().count();
  (void)all.zip(all).count();
#ifdef ENUMERATE_AFTER_FILTER
  (void)all.filter(odd).enumerate().count();
#endif
#ifdef SKIP_AFTER_FILTER
  here.filter(odd).skip(1).count();
#endif
#ifdef ZIP_AFTER_STEP
  (void)all.step_by(2).zip(all).count();
#endif
#ifdef ZIP_OF_OTHER_LAYOUT
  (void)all.zip(lamellar::all_elements(other)).count();
#endif
#ifdef ZIP_OF_OTHER_KIND
  (void)all.zip(here).count();
#endif
#ifdef CHUNKS_AFTER_MAP
  here.map(odd).chunks(10).count();
#endif
}
