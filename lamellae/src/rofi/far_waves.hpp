// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <vector>

#include "far_channels.hpp"
#include "wire.hpp"

// Waves over several hosts: each host first adds up in its shared memory, the first PE of each
// host then adds up with those of the others, by recursive doubling, and the result comes back
// to the host through its shared memory again.
//
// Thread-safety: one thread at a time.
namespace lamellar::lamellae {

/// The all-reduce between the first PEs of hosts: log2(hosts) messages of each, and one more
/// to and from the hosts beyond a power of two.
class host_reduction {
 public:
  /// `leaders`: by host, its first PE. `host`: the one whose leader this PE is.
  host_reduction(far_channels& over, std::vector<std::uint32_t> leaders, std::uint32_t host);

  void begin(const wave_part& mine);
  /// Go on as far as possible. Whether `result` holds the end.
  bool step(wave_part& result);

 private:
  struct action {
    enum class kind : std::uint8_t { send, merge, take } what;
    std::uint32_t host;
    std::uint32_t step;
  };
  bool find(std::uint32_t step, wave_part& found);

  far_channels& over_;
  std::vector<std::uint32_t> leaders_;
  std::vector<action> plan_;  // the same in each wave
  std::size_t next_ = 0;
  wave_part sum_{};
};

class far_waves {
 public:
  /// `host`: the lamella of the PEs of this host; `pes`: their numbers in the job.
  far_waves(lamella& host, std::vector<std::uint32_t> pes, std::vector<std::uint32_t> leaders,
            std::uint32_t host_number, far_channels& over);

  void begin(const wave& mine);
  bool end(wave& result);

 private:
  enum class phase : std::uint8_t { gather, reduce, tell, explain };

  void begin_telling();

  lamella& host_;
  std::vector<std::uint32_t> pes_;
  bool leads_;
  host_reduction between_;
  phase now_ = phase::gather;
  std::uint64_t round_ = 0;
  wave mine_;
  wave_part all_{};
};

}  // namespace lamellar::lamellae
