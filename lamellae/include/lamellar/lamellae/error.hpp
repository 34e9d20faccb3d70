// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdexcept>

// The exceptions of the lowest layer; those above derive from the same base.
namespace lamellar {

/// Base of everything that this library throws.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A LAMELLAR_* variable or a setting is wrong; the text names it and says what to write.
class config_error : public error {
 public:
  using error::error;
};

/// The job's memory budget or the system's memory does not suffice; the text names the variable
/// to raise.
class out_of_memory : public error {
 public:
  using error::error;
};

}  // namespace lamellar
