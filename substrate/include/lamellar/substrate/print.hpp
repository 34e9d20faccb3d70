// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdio>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <string>

// Printing by many PEs in their order, for a look at what they hold.
namespace lamellar {

/// Print "PE k: text" for every member, in the order of positions; lines of a text that has
/// several each get their own. The first member prints all, so nothing is mixed. Collective.
///
/// Cost: a gather and a barrier. Thread-safety: the body.
task<> print_ordered(detail::located_team of, std::string text, std::FILE* to = stdout);

}  // namespace lamellar
