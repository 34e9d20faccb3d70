// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

// A handful of pinned threads or processes that work in step: the participants of the program
// `limits`, which measures without any runtime. Participant 0 is the caller itself, so that
// results need no transport.
//
// Thread-safety: start one team at a time, from the main thread. A process team is forked:
// nothing else may run in the program meanwhile. Children die with their parent, whatever kills
// it.

namespace lamellar::benchmark {

/// What the members of a team share.
struct team_state {
  alignas(128) std::atomic<std::uint32_t> arrived{
      0};  // members add; the last one of a phase clears
  alignas(128) std::atomic<std::uint32_t> phase{
      0};  // the last to arrive steps it (release), all read (acquire)
  alignas(128) std::atomic<std::uint32_t> refusals{
      0};                           // members add in all(), member 0 clears, between phases
  std::atomic<bool> failed{false};  // set by a member that gives up, read while waiting
};

/// One participant's view of its team.
class member {
 public:
  member(team_state& state, std::uint32_t index, std::uint32_t size,
         std::function<bool()> peers_alive);

  std::uint32_t index() const { return index_; }
  std::uint32_t size() const { return size_; }

  /// Return when all members have called. Spins, and yields to others of the same core after a
  /// while.
  ///
  /// Collective. Throws: std::runtime_error if a member has failed.
  void together();

  /// Return on every member whether `mine` is true on all. Collective.
  bool all(bool mine);

 private:
  team_state& state_;
  std::uint32_t index_;
  std::uint32_t size_;
  std::function<bool()> peers_alive_;
};

using team_body = std::function<void(member&)>;

/// Run `body` on one thread for each of `cpus`, pinned to it. The caller is member 0.
///
/// Throws: what the first member to fail has thrown.
void on_threads(const std::vector<unsigned>& cpus, const team_body& body);

/// The same with one process for each of `cpus`. Memory that is to be shared must be mapped so
/// before.
void on_processes(const std::vector<unsigned>& cpus, const team_body& body);

}  // namespace lamellar::benchmark
