// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/scan.hpp>
#include <lamellar/algorithms/select.hpp>
#include <lamellar/algorithms/shuffle.hpp>
#include <lamellar/algorithms/sort.hpp>

// Everything that the layer algorithms offers: what all PEs do together; for users.
// Our own sources include single headers.
