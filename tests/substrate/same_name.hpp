// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/world.hpp>

// What the two files with equal names of handlers offer to their test.
namespace same_name {

int ask_one(lamellar::world& w, lamellar::pe to);
int ask_two(lamellar::world& w, lamellar::pe to);

}  // namespace same_name
