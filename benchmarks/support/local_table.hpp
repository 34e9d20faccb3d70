// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#if __has_include(<boost/unordered/unordered_flat_map.hpp>)
#include <boost/unordered/unordered_flat_map.hpp>
#else
#include <unordered_map>
#endif

#include <cstdint>

// A table of counts for one thread, to compare with: the fastest that there is.
//
// Thread-safety: as a std::unordered_map's.
namespace lamellar::benchmark {

#if __has_include(<boost/unordered/unordered_flat_map.hpp>)
template <class Key>
using local_table = boost::unordered_flat_map<Key, std::uint64_t>;
constexpr const char* local_table_name = "boost_unordered_flat_map_one_thread";
#else
template <class Key>
using local_table = std::unordered_map<Key, std::uint64_t>;
constexpr const char* local_table_name = "std_unordered_map_one_thread";
#endif

}  // namespace lamellar::benchmark
