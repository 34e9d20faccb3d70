// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <lamellar/substrate/world.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "options.hpp"

// What benchmarks of random access to arrays can be told, and what it means for a job.
//
// Thread-safety: as plain values.
namespace lamellar::benchmark {

struct random_access {
  options common;
  std::vector<std::uint64_t> tables{1U << 24, 1U << 27};  // words, over all PEs
  std::vector<unsigned> bits;                             // the same as powers of two
  std::uint64_t operations = 1U << 24;                    // in a repetition, over all PEs
  std::uint64_t batch = 1U << 14;                         // places handed over at once
  std::vector<std::string> inputs{"uniform"};
  std::vector<std::string> access;
  std::string layout = "block";
  std::string parameters;  // of another suite
  double zipf = 1.0;

  /// Add the options. `operations_flag` names the operations; `kinds` are those of access.
  void add_to(command_line& command, const std::string& operations_flag,
              const std::vector<std::string>& kinds) {
    allow_powers(*command.parser()
                      .add_option("--table", tables, "Sizes of the array in words, all PEs")
                      ->delimiter(',')
                      ->capture_default_str());
    command.parser()
        .add_option("--table-bits", bits, "The same as powers of two: 24,27")
        ->delimiter(',')
        ->check(CLI::Range(1, 40));
    command.add_size(operations_flag, operations, "In a repetition, all PEs together");
    command.add_size("--batch", batch, "Places that are handed over at once");
    command.parser()
        .add_option("--input", inputs, "uniform, zipf, one (all to one place)")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::IsMember({"uniform", "zipf", "one"}));
    command.parser()
        .add_option("--zipf", zipf, "The exponent of input zipf")
        ->capture_default_str();
    command.parser()
        .add_option("--access", access, "Kinds of access")
        ->delimiter(',')
        ->capture_default_str()
        ->check(CLI::IsMember(kinds));
    command.parser()
        .add_option("--layout", layout, "block, cyclic, block_cyclic")
        ->capture_default_str()
        ->check(CLI::IsMember({"block", "cyclic", "block_cyclic"}));
    command.parser()
        .add_option("--parameters", parameters, "those of bale or lamellar, for each PE")
        ->check(CLI::IsMember({"bale", "lamellar"}));
  }

  /// The same for a job, with every table given in words.
  ///
  /// Throws: std::invalid_argument, if it has too few words or operations for the job.
  random_access for_job(const world& w) const {
    random_access mine = *this;
    if (!bits.empty()) {
      mine.tables.clear();
      for (const unsigned each : bits) mine.tables.push_back(std::uint64_t{1} << each);
    }
    if (parameters == "bale") {
      mine.tables = {std::uint64_t{10000} * w.size()};
      mine.operations = std::uint64_t{5000000} * w.size();
    } else if (parameters == "lamellar") {
      mine.tables = {std::uint64_t{100000000} * w.size()};
      mine.operations = std::uint64_t{1000} * w.size();
      mine.layout = "cyclic";
    }
    const std::uint64_t least = std::uint64_t{w.size()} * w.threads();
    for (const std::uint64_t words : mine.tables) {
      if (words < least) {
        throw std::invalid_argument(
            fmt::format("--table {}: {} PEs with {} threads need {} words", words, w.size(),
                        w.threads(), least));
      }
    }
    if (mine.operations < least) {
      throw std::invalid_argument(
          fmt::format("{} operations: choose {} or more", mine.operations, least));
    }
    return mine;
  }
};

}  // namespace lamellar::benchmark
