// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/containers/array.hpp>
#include <string>
#include <vector>

// What an array's access or its elements do not allow.

inline void what_arrays_do(const lamellar::read_only_array<int>& fixed,
                           const lamellar::atomic_array<double>& numbers,
                           const lamellar::atomic_array<bool>& flags,
                           const lamellar::local_lock_array<int>& guarded,
                           const lamellar::atomic_array<std::string>& words) {
  (void)fixed.load(0).get();
  numbers.add(0, 1.5);
  flags.bit_or(0, true);
  guarded.add(0, 1);
  words.store(0, std::string{"x"});
#ifdef ADD_TO_READ_ONLY
  fixed.add(0, 1);
#endif
#ifdef STORE_TO_READ_ONLY
  fixed.store(0, 1);
#endif
#ifdef PUT_TO_READ_ONLY
  fixed.put(0, 1).get();
#endif
#ifdef SHIFT_OF_DOUBLE
  numbers.shl(0, 1.0);
#endif
#ifdef BITS_OF_DOUBLE
  numbers.bit_and(0, 1.0);
#endif
#ifdef SUM_OF_BOOL
  flags.add(0, true);
#endif
#ifdef PRODUCT_OF_STRINGS
  words.mul(0, std::string{"x"});
#endif
#ifdef LOCAL_WITHOUT_GUARD
  (void)guarded.local();
#endif
#ifdef TEXT_AS_NUMBER
  numbers.add(0, "one");
#endif
}
