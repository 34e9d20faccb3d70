// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/substrate/pe.hpp>

// What a handler sees of the world that it runs in. A handler may take a `context&` (a
// coroutine handler: a `context`) as its first parameter. Two words; copy it freely.
namespace lamellar {

class world;

namespace detail {
class engine;
}

class context {
 public:
  context(detail::engine& at, std::uint32_t origin) : at_{&at}, origin_{origin} {}

  /// The PE on which the handler runs.
  pe me() const;
  /// The PE that sent the message.
  pe origin() const { return pe{origin_}; }
  /// Number of PEs.
  std::uint32_t size() const;
  /// The world of the PE on which the handler runs: to send and to call from a handler.
  lamellar::world& world() const;

 private:
  detail::engine* at_;
  std::uint32_t origin_;
};

}  // namespace lamellar
