// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/substrate/error.hpp>
#include <utility>

namespace lamellar {

remote_error::remote_error(std::uint32_t pe, std::string handler, const std::string& text,
                           std::uint64_t count)
    : error{fmt::format("handler {} threw on PE {}: {}{}", handler, pe, text,
                        count > 1 ? fmt::format(" (the first of {} failures)", count) : "")},
      pe_{pe},
      handler_{std::move(handler)},
      count_{count} {}

}  // namespace lamellar
