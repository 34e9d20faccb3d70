// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

// The command line that all benchmarks have in common. `--help` explains the problem, the
// parameters and the metric; a size may be written 2^24.
//
// Thread-safety: made, parsed and read by the main thread before a job starts; constant
// afterwards.

namespace lamellar::benchmark {

/// What every benchmark can be told.
struct options {
  unsigned repetitions = 7;
  bool json = false;
  bool sabotage = false;
  bool require_idle = false;
};

/// A benchmark's command line: its text, the common options, and its own.
class command_line {
 public:
  /// Name the program and describe it. `problem` says what is computed, `metric` what is
  /// counted.
  command_line(std::string name, const std::string& problem, const std::string& metric);

  /// Add a whole number that may be written 2^k, `least` or more. `value` holds the default.
  void add_size(const std::string& flag, std::uint64_t& value, const std::string& text,
                std::uint64_t least = 1);

  /// Return the parser, for options of other kinds.
  CLI::App& parser() { return app_; }

  /// Read the arguments. Return true to go on; false to leave main() with exit_code(), after
  /// `--help` or an error has been printed.
  bool parse(int argc, char** argv);

  const std::string& name() const { return app_.get_name(); }
  int exit_code() const { return exit_code_; }
  const options& common() const { return common_; }

 private:
  CLI::App app_;
  options common_;
  int exit_code_ = 0;
};

/// Let the values of `option` be written 2^k, each.
void allow_powers(CLI::Option& option);

}  // namespace lamellar::benchmark
