// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/algorithms.hpp>
#include <lamellar/containers.hpp>
#include <lamellar/lamellae.hpp>
#include <lamellar/substrate.hpp>

// All of Lamellar for C++, for users. Our own sources include single headers.
