// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/detail/engine.hpp>

// A part of the library works in the background: while this lives the PE has work under way,
// and wait_all() and quiesce() wait for its end. So nothing goes that it still uses.
//
// Thread-safety: any thread of the PE.
namespace lamellar::detail {

class counted_as_work {
 public:
  explicit counted_as_work(engine& on) : on_{on} { on_.task_spawned(); }
  ~counted_as_work() { on_.task_ended(); }
  counted_as_work(const counted_as_work&) = delete;
  counted_as_work& operator=(const counted_as_work&) = delete;

 private:
  engine& on_;
};

}  // namespace lamellar::detail
