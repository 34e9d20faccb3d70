// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// The command line of lamellar-run: its own options end where the program's name begins.
namespace lamellar::run {

struct options {
  std::uint32_t pes = 0;
  std::string lamella;        ///< empty: as the environment says
  std::uint32_t threads = 0;  ///< 0: as the environment says
  std::uint32_t hosts = 0;    ///< to pretend that the PEs are on; 0: as the environment says
  bool label = false;
  bool help = false;
  bool version = false;
  std::vector<std::string> command;  ///< the program and its arguments
};

/// Throws: config_error that says what to write instead.
options parse(int argc, char** argv);

extern const char* const help_text;

}  // namespace lamellar::run
