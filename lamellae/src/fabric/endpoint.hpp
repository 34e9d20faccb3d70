// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "library.hpp"

// A provider's objects: the endpoint, and what it needs to exist. Opened as the provider's
// attributes ask for, closed in the order in which libfabric wants it.
//
// Thread-safety: none; the fabric's gate.
namespace lamellar::lamellae {

struct free_info {
  void operator()(fi_info* info) const { libfabric().freeinfo(info); }
};
using provider_info = std::unique_ptr<fi_info, free_info>;

/// A provider that said that it can, and could not. Caught where the next one is tried.
class provider_refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The library's words for an error code, whichever sign it has.
std::string reason_of(std::int64_t code);

struct close_object {
  template <class Object>
  void operator()(Object* object) const {
    fi_close(&object->fid);
  }
};
using registration = std::unique_ptr<fid_mr, close_object>;

class endpoint {
 public:
  /// Open what `info` describes, with receive buffers that are given up when less than
  /// `message_bytes` are left. Throws: provider_refused.
  endpoint(provider_info info, std::uint32_t message_bytes);

  fid_ep* ep() const { return ep_.get(); }
  fid_cq* cq() const { return cq_.get(); }
  const fi_info& info() const { return *info_; }
  bool wants(std::uint64_t mr_mode) const {
    return (info_->domain_attr->mr_mode & static_cast<int>(mr_mode)) != 0;
  }

  std::vector<std::byte> address() const;
  /// The provider's names for these addresses, FI_ADDR_NOTAVAIL for an empty one. Throws:
  /// lamellar::error, naming the PE.
  std::vector<fi_addr_t> learn(std::span<const std::vector<std::byte>> addresses);

  /// Register memory. Throws: out_of_memory.
  registration register_memory(std::span<std::byte> memory, std::uint64_t access);

  /// Stop the endpoint: nothing arrives any more, nothing completes.
  void close() noexcept { ep_.reset(); }

  static void refuse_registration_after(std::uint32_t successes);

 private:
  template <class Object>
  using owned = std::unique_ptr<Object, close_object>;

  void set_least_room(std::size_t bytes);

  // Destroyed from the last to the first.
  provider_info info_;
  owned<fid_fabric> fabric_;
  owned<fid_domain> domain_;
  owned<fid_av> av_;
  owned<fid_cq> cq_;
  owned<fid_ep> ep_;
};

}  // namespace lamellar::lamellae
