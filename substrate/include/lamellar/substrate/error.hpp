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

/// The memory that the job may use for messages is spent. The text names the variable that
/// raises the limit.
class out_of_budget : public out_of_memory {
 public:
  using out_of_memory::out_of_memory;
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

/// A PE has ended, or cannot be reached, while the job still needs it.
class peer_lost : public error {
 public:
  /// Say that PE `pe` is gone, and how that was noticed.
  peer_lost(std::uint32_t pe, const std::string& how);

  /// The number of the PE that is gone.
  [[nodiscard]] std::uint32_t pe() const noexcept { return pe_; }

 private:
  std::uint32_t pe_;
};

}  // namespace lamellar
