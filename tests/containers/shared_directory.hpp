// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <string>
#include <utility>

#include "scratch_directory.hpp"

// A fresh directory for the files of all PEs of a test, made by the first PE and removed by it
// when its directory goes. Let all PEs be done with it before that: end with a barrier.
namespace lamellar::testing {

class shared_directory {
 public:
  /// Collective.
  static task<shared_directory> create(world& w) {
    shared_directory made;
    std::string path;
    if (w.me().index() == 0) {
      made.own_ = std::make_unique<scratch_directory>();
      path = *made.own_ / "";
    }
    auto telling = broadcast(w, std::move(path));
    made.path_ = co_await telling;
    co_return made;
  }

  std::string operator/(const std::string& name) const { return path_ + name; }

 private:
  std::unique_ptr<scratch_directory> own_;
  std::string path_;
};

}  // namespace lamellar::testing
