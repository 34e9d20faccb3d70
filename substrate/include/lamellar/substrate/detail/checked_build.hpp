// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Whether this is a checked build, -DLAMELLAR_CHECKED=ON: costly assertions are on.
namespace lamellar::detail {

#ifdef LAMELLAR_CHECKED
inline constexpr bool checked_build = true;
#else
inline constexpr bool checked_build = false;
#endif

}  // namespace lamellar::detail
