// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <poll.h>

#include <cstdint>
#include <string>
#include <vector>

// Puts "[PE k] " before each line that a PE writes. The PEs write into pipes, which are read
// here whenever poll() says so. Lines of different PEs never mix.
namespace lamellar::run {

class labels {
 public:
  /// Throws: config_error when the system has too few descriptors for `pes` PEs.
  explicit labels(std::uint32_t pes);
  ~labels();
  labels(const labels&) = delete;
  labels& operator=(const labels&) = delete;

  /// In the child: make the pipes of `pe` its standard output and error.
  void use_in_child(std::uint32_t pe) const;
  /// In the parent, when all children have been started: drop their ends.
  void close_child_ends();

  void add_to(std::vector<pollfd>& waiting) const;
  /// Pass on what has arrived in those of `ready` that are ours.
  void pass_on(const std::vector<pollfd>& ready);
  /// Pass on what is left, and lines without an end.
  void finish();

 private:
  struct stream {
    int from = -1;  ///< our end
    int child_end = -1;
    int to = -1;  ///< our own standard output or error
    std::string label;
    std::string line;  ///< what has come of a line whose end has not
  };

  void read_some(stream& s);

  std::vector<stream> streams_;  ///< output and error of each PE, in turn
};

}  // namespace lamellar::run
