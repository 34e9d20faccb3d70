// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/algorithms/adjacent_difference.hpp>
#include <lamellar/algorithms/breadth_first_search.hpp>
#include <lamellar/algorithms/connected_components.hpp>
#include <lamellar/algorithms/copy.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/elementwise.hpp>
#include <lamellar/algorithms/equal.hpp>
#include <lamellar/algorithms/exchange_into.hpp>
#include <lamellar/algorithms/explain.hpp>
#include <lamellar/algorithms/extremes.hpp>
#include <lamellar/algorithms/find.hpp>
#include <lamellar/algorithms/histogram.hpp>
#include <lamellar/algorithms/io/csv.hpp>
#include <lamellar/algorithms/io/read.hpp>
#include <lamellar/algorithms/io/write.hpp>
#include <lamellar/algorithms/join.hpp>
#include <lamellar/algorithms/k_core.hpp>
#include <lamellar/algorithms/merge.hpp>
#include <lamellar/algorithms/page_rank.hpp>
#include <lamellar/algorithms/partition.hpp>
#include <lamellar/algorithms/reduce.hpp>
#include <lamellar/algorithms/reduce_by_key.hpp>
#include <lamellar/algorithms/sample.hpp>
#include <lamellar/algorithms/scan.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/algorithms/select.hpp>
#include <lamellar/algorithms/set_operations.hpp>
#include <lamellar/algorithms/shortest_paths.hpp>
#include <lamellar/algorithms/shuffle.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/algorithms/topological_sort.hpp>
#include <lamellar/algorithms/triangle_count.hpp>
#include <lamellar/algorithms/unique.hpp>

// Everything that the layer algorithms offers: what all PEs do together; for users.
// Our own sources include single headers.
