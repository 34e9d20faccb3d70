// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/lamellae/error.hpp>
#include <string>

// The exceptions that messages add to those of the lowest layer. All derive from `error`, so
// one catch clause sees everything that the library throws. These are the cases in which the
// world outside said no; misuse of the interface is not thrown, it ends the job with a message.
// Exceptions are values: copy them freely, from any thread.

namespace lamellar {

/// A record that arrived does not decode: it is cut off, has bytes left over, or holds an
/// impossible length.
class corrupt_message : public error {
 public:
  using error::error;
};

/// A handler has thrown on another PE.
class remote_error : public error {
 public:
  /// Describe an exception with text `text`, thrown by handler `handler` on PE `pe`: the first
  /// of `count`.
  remote_error(std::uint32_t pe, std::string handler, const std::string& text,
               std::uint64_t count = 1);

  /// The number of the PE on which the handler ran.
  [[nodiscard]] std::uint32_t pe() const noexcept { return pe_; }

  /// The name of the handler, readable.
  [[nodiscard]] const std::string& handler() const noexcept { return handler_; }

  /// How many failures this one stands for.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  std::uint32_t pe_;
  std::string handler_;
  std::uint64_t count_;
};

/// An object cannot be converted: somewhere other handles or guards of it are left.
class still_referenced : public error {
 public:
  using error::error;
};

}  // namespace lamellar
