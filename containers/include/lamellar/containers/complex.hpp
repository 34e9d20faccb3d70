// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <complex>
#include <lamellar/substrate/bitwise.hpp>

// Complex numbers as elements and arguments: they travel as their bytes. A header of its own,
// because <complex> takes long to compile.
template <class T>
inline constexpr bool lamellar::enable_bitwise<std::complex<T>> = lamellar::bitwise<T>;
