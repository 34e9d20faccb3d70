// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cereal/types/string.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <string>
#include <utility>

#include "../../support/scratch_directory.hpp"

// What tests of files that all PEs read and write share.
namespace lamellar::testing {

/// One directory for all PEs, as long as PE 0 has it.
class shared_directory {
 public:
  explicit shared_directory(world& w) : world_{w} {
    if (w.me() == pe(0)) own_ = std::make_unique<scratch_directory>();
    prefix_ = broadcast(w, own_ ? *own_ / "" : std::string{}).get();
  }
  ~shared_directory() { world_.barrier().get(); }

  std::string operator/(const std::string& name) const { return prefix_ + name; }
  /// The file, on all PEs once it is written.
  std::string write(const std::string& name, const std::string& bytes) const {
    if (own_) own_->write(name, bytes);
    world_.barrier().get();
    return *this / name;
  }

 private:
  world& world_;
  std::unique_ptr<scratch_directory> own_;
  std::string prefix_;
};

/// Whether `work` throws an error on this PE whose text has `words`.
template <class Work>
bool refused(Work work, const char* words) {
  try {
    std::move(work).get();
  } catch (const error& e) {
    return std::string{e.what()}.find(words) != std::string::npos;
  }
  return false;
}

}  // namespace lamellar::testing
