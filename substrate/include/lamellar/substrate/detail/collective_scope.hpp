// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <source_location>

// Marks that its PE is in a collective, for what is said about PEs that wait in vain.
//
// Thread-safety: main thread.
namespace lamellar::detail {

class engine;

/// While this lives, its PE is in the collective `what` that began at `where`.
class collective_scope {
 public:
  collective_scope(engine& at, const char* what, std::source_location where);
  ~collective_scope();
  collective_scope(const collective_scope&) = delete;
  collective_scope& operator=(const collective_scope&) = delete;

  const char* what() const { return what_; }
  std::source_location where() const { return where_; }

 private:
  engine& at_;
  const char* what_;
  std::source_location where_;
};

}  // namespace lamellar::detail
