// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/message.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

extern "C" {
extern void* __dso_handle __attribute__((visibility("hidden")));
}

// How all PEs agree on a function without an address ever travelling. Each handler that a
// program can send is a static object that links itself into a list before main; the list is
// sorted by type name and numbered, and PEs compare a digest of names and record sizes when a
// job opens.
//
// Thread-safety: built before main and numbered once, under a lock, when the first world opens;
// constant afterwards.
namespace lamellar::detail {

struct execution;

/// Run the records of one run. `records` is exactly what the header's count and size cover.
using run_function = void (*)(execution& at, const run_header& run,
                              std::span<const std::byte> records);

struct handler_node {
  const char* name;  ///< the mangled name of the handler's type
  run_function run;
  std::size_t record_bytes;  ///< of a fixed record, or variable_record
  const char* object;        ///< the mangled type of the object it is for; "": the PE itself
  const void* module;        ///< which executable or library registered it
  handler_node* next;
  std::uint16_t id;  ///< written once, when the table is numbered
};

/// Link `node` into the list. Runs before main.
void link_handler(handler_node& node);

/// The numbered table.
class handler_table {
 public:
  /// Number the handlers, the first time; later calls return the same table.
  static const handler_table& instance();

  /// The handler numbered `id`, or nullptr.
  const handler_node* find(std::uint16_t id) const {
    const std::size_t k = std::size_t{id} - first_handler;
    return k < nodes_.size() ? nodes_[k] : nullptr;
  }
  std::size_t size() const { return nodes_.size(); }
  /// Of all names and record sizes in order.
  std::uint64_t digest() const { return digest_; }
  /// Readable names in order, one a line; what PEs compare after their digests differ.
  std::string listing() const;
  /// The readable name of a handler.
  static std::string readable(const char* mangled);

 private:
  handler_table();
  std::vector<const handler_node*> nodes_;
  std::uint64_t digest_ = 0;
};

/// One handler: `Handler` has `static void run(...)`, `static constexpr record_bytes`, and the
/// type `object`, void if it is for the PE itself.
template <class Handler>
struct registration : handler_node {
  registration()
      : handler_node{typeid(Handler).name(),
                     &Handler::run,
                     Handler::record_bytes,
                     name_of_object(),
                     &__dso_handle,
                     nullptr,
                     0} {
    link_handler(*this);
  }

 private:
  static const char* name_of_object() {
    if constexpr (std::is_void_v<typename Handler::object>) {
      return "";
    } else {
      return typeid(typename Handler::object).name();
    }
  }
};

/// Exists for every handler that some line of the program can send.
template <class Handler>
inline registration<Handler> registered{};

}  // namespace lamellar::detail
