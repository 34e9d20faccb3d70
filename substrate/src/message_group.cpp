// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/message_group.hpp>

namespace lamellar::detail {

void wrong_result(std::size_t message, const char* why) {
  misuse(nullptr, fmt::format("the result of a group's message {}, which {}", message, why));
}

void throw_of_group(std::uint32_t message, const std::exception_ptr& thrown) {
  std::string text;
  try {
    std::rethrow_exception(thrown);
  } catch (...) {
    text = text_of_current_exception();
  }
  throw error(fmt::format("message {} of a group's messages to this PE: {}", message, text));
}

}  // namespace lamellar::detail
