// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rdma/fabric.h>

#include <cstddef>
#include <cstdint>

// What a fabric gives to the provider as the context of an operation, and finds again in the
// completion. Some providers keep notes of their own in the first bytes.
namespace lamellar::lamellae {

struct operation {
  enum class kind : std::uint8_t { message, receive, transfer };
  explicit operation(kind of) : what{of} {}
  fi_context2 context{};  ///< the provider's
  kind what;
};
static_assert(offsetof(operation, context) == 0);

}  // namespace lamellar::lamellae
