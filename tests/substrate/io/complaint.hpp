// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/io/byte_ranges.hpp>
#include <string>

// What tests of reading files ask of an error's text.
namespace lamellar::testing {

/// The text of the file_error that `f` throws; empty when it throws none.
template <class F>
std::string complaint(F f) {
  try {
    f();
  } catch (const io::file_error& error) {
    return error.what();
  }
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace lamellar::testing
