// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/lamellae/error.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "endpoint.hpp"
#include "fabric.hpp"

// What a fabric needs of a provider, and which one it takes: those that a user has named, or
// the fastest kind of network that there is. Threads: any.
namespace lamellar::lamellae {

/// A request to libfabric for all that a fabric needs.
provider_info what_is_needed();
/// The attributes of all that fit `hints`, in libfabric's order.
std::vector<provider_info> ask(const fi_info* hints);

/// Why not to touch a provider at all, since trying it would end the process; mostly empty.
std::string_view known_fault(std::string_view provider);

/// All that can do what is needed, those that are taken without being named first and the best
/// of them at the front.
std::vector<provider_info> able_providers();
/// How good a network this kind of provider is for; smaller is better.
int rank_of(std::string_view provider);
inline constexpr int only_if_named = 2;

/// Those of able_providers() that `choice` allows, in their order; not empty.
///
/// Throws: config_error, as fabric::fabric().
std::vector<provider_info> fitting_providers(const fabric_choice& choice);

/// What to throw when all that fit were tried in vain; `tried` says what happened.
config_error refusal(const fabric_choice& choice, std::string_view what);

/// Whether a user who writes `wanted` means `provider`: tcp means tcp;ofi_rxm too.
bool names_provider(std::string_view wanted, std::string_view provider);

}  // namespace lamellar::lamellae
