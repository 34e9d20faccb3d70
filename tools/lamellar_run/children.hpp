// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <vector>

#include "job_memory.hpp"
#include "labels.hpp"
#include "options.hpp"

// Starting the processes of a job, and ending whatever descends from them.
namespace lamellar::run {

/// Start one process for each PE. They die with this one, whatever becomes of it.
///
/// `mask`: the signals that a program expects to be blocked. Result: process numbers by PE.
/// Throws: start_failure, after ending those that were started.
std::vector<pid_t> start_children(const options& chosen, const lamellae::job_memory& memory,
                                  labels* labelled, const sigset_t& mask);

/// The program could not be started; `code` is what a shell would return.
class start_failure : public std::runtime_error {
 public:
  start_failure(int its_code, const std::string& text)
      : std::runtime_error{text}, code{its_code} {}
  int code;
};

/// From now on orphaned descendants become children of this process.
void adopt_orphans();
/// Kill and collect all children that are left, and the orphans that this makes.
void end_descendants();

}  // namespace lamellar::run
