// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nlohmann/json.hpp>

// What lamellar-info finds out: this build, this machine, this environment. Gathered as one
// document, so that what is printed for people and for programs cannot differ.
namespace lamellar::info {

/// Throws nothing: what cannot be found out is left out or says why.
nlohmann::ordered_json gather();

}  // namespace lamellar::info
