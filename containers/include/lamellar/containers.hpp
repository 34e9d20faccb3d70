// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/containers/access.hpp>
#include <lamellar/containers/all_elements.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/array_2d.hpp>
#include <lamellar/containers/array_copy.hpp>
#include <lamellar/containers/array_guard.hpp>
#include <lamellar/containers/array_operations.hpp>
#include <lamellar/containers/array_stream.hpp>
#include <lamellar/containers/atomic_span.hpp>
#include <lamellar/containers/bag.hpp>
#include <lamellar/containers/bloom_filter.hpp>
#include <lamellar/containers/channel.hpp>
#include <lamellar/containers/checkpoint.hpp>
#include <lamellar/containers/complex.hpp>
#include <lamellar/containers/count_min.hpp>
#include <lamellar/containers/counting_map.hpp>
#include <lamellar/containers/describe.hpp>
#include <lamellar/containers/disjoint_set.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/containers/hash.hpp>
#include <lamellar/containers/hyperloglog.hpp>
#include <lamellar/containers/id_map.hpp>
#include <lamellar/containers/keyed_reply.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/containers/local_elements.hpp>
#include <lamellar/containers/operations.hpp>
#include <lamellar/containers/pipeline.hpp>
#include <lamellar/containers/quantile.hpp>
#include <lamellar/containers/reductions.hpp>
#include <lamellar/containers/reservoir.hpp>
#include <lamellar/containers/sketch.hpp>
#include <lamellar/containers/sparse_matrix.hpp>
#include <lamellar/containers/unordered_map.hpp>
#include <lamellar/containers/unordered_multimap.hpp>
#include <lamellar/containers/unordered_multiset.hpp>
#include <lamellar/containers/unordered_set.hpp>
#include <lamellar/containers/vector.hpp>
#include <lamellar/containers/work_queue.hpp>

// Everything that the layer containers offers: where an element lives; for users.
// Our own sources include single headers.
