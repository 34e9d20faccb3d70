// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/lamellae/arena.hpp>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/providers.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <lamellar/lamellae/simulation.hpp>

// Everything that the layer lamellae offers: how bytes move between PEs; for users.
// Our own sources include single headers.
