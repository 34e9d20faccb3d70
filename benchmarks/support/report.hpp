// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "machine.hpp"
#include "options.hpp"
#include "timing.hpp"

// How a benchmark tells its results: first what it ran on, then a table for people, and with
// `--json` one line for each result, last. A report is held by one PE; the others take part in
// the measurements only.
//
// Thread-safety: one thread at a time.

namespace lamellar::benchmark {

/// A named fact about a run, as it goes into `parameters` of the JSON line.
using parameter = std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>;

/// The rate that bounds a result, measured in the same run.
struct limit {
  std::string name;
  double rate = 0;
};

/// One measured quantity. Rates are per second and totals over all PEs.
struct result {
  std::string name;
  std::string lamella;
  unsigned pes = 1;
  unsigned threads = 1;  // of each PE
  std::vector<parameter> parameters;
  double operations = 0;  // in one repetition, over all PEs
  summary seconds;        // of one repetition
  std::string unit;       // of `rate`
  unsigned repetitions = 0;
  bool verified = false;
  limit bound;

  double rate() const { return operations / seconds.median; }
  double fraction_of_limit() const { return rate() / bound.rate; }
};

class report {
 public:
  /// Begin: look whether the machine is idle, and print what is measured and on what.
  ///
  /// Throws: std::runtime_error if it is not idle and the options require it.
  report(std::string name, const options& common);

  /// State a fact about all results (pages, pinning, sizes), for people.
  void state(const std::string& what, const std::string& value);

  /// Add a result and print its line of the table.
  void add(result r);

  /// End: print warnings, then the JSON lines if asked for.
  ///
  /// Returns: the exit code of the program, 0 if every answer was right and there was one.
  int finish();

 private:
  std::string json_line(const result& r) const;

  std::string name_;
  options common_;
  load_watch watch_;
  std::vector<std::string> warnings_;
  std::vector<result> results_;
};

/// Return the result of a limit: it is bounded by itself.
result as_its_own_limit(result r);

}  // namespace lamellar::benchmark
