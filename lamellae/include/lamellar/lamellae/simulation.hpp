// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What a user chooses about a simulated job, and what it tells afterwards. The lamella `sim`
// runs the PEs of a job one at a time in one process, in an order that follows from a seed, and
// keeps a virtual clock by a cost model. docs/simulator.md says how to use it.
//
// Plain data: no thread-safety of its own.
namespace lamellar::lamellae {

/// What a simulated PE did, and its virtual time at the end.
struct simulated_pe {
  std::uint64_t time_ns = 0;
  std::uint64_t messages = 0;           ///< buffers that it has posted
  std::uint64_t bytes = 0;              ///< in them
  std::uint64_t network_messages = 0;   ///< those of them to PEs on other hosts
  std::uint64_t network_bytes = 0;      ///< in these
  std::uint64_t records = 0;            ///< that it has handled
  std::uint64_t peak_buffer_bytes = 0;  ///< most at a time, of buffers to it not yet released
  std::uint32_t peers = 0;              ///< PEs to which it has posted anything
};

/// What a simulated job did. Totals are over all PEs, `time_ns` is that of the last one.
struct simulation_result {
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;  ///< turns that PEs have had
  std::uint64_t waves = 0;  ///< all-reduces, of which barriers and quiesces are made
  simulated_pe total;       ///< peaks and peers: the largest of any PE
  /// Most at a time, of buffers to the PEs of one host and of those that it gathers for others.
  std::uint64_t peak_host_bytes = 0;
  std::vector<simulated_pe> pes;
};

/// Which run of a job is simulated, and what things cost there.
struct simulation {
  /// Same seed, same program, same run. With 0 nothing is left to chance: no delays, reorders
  /// or splits, so that times follow from the costs below alone.
  std::uint64_t seed = 1;
  bool delay = true;    ///< buffers, credits and PEs are held up now and then
  bool reorder = true;  ///< what has arrived on different channels is given in any order
  bool split = true;    ///< few buffers at a time; smaller and fewer buffers in some runs

  /// Lose this PE at its first turn from step `kill_step` on; nothing: lose none.
  std::optional<std::uint32_t> kill_pe;
  std::uint64_t kill_step = 0;

  std::string trace;      ///< a file to write every event to; empty: none
  double silence_s = 10;  ///< real time; name a PE that keeps its turn for so long; 0: never
  std::uint32_t pes_per_host = 0;  ///< PEs 0 to n-1 share the first host, and so on; 0: all do

  double latency_ns = 1500;      ///< from host to host
  double host_latency_ns = 200;  ///< from PE to PE of one host
  double byte_ns = 0.08;         ///< of a host's network link, or of a copy within a host
  double message_ns = 250;       ///< work at either end, for each buffer
  double record_ns = 5;          ///< work of the PE that handles it, for each record

  /// Filled in when the job has ended, unless null. Must live so long.
  simulation_result* result = nullptr;

  friend bool operator==(const simulation&, const simulation&) = default;
};

}  // namespace lamellar::lamellae
