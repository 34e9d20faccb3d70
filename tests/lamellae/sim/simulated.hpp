// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>

// Small simulated jobs that use the seam alone.
namespace lamellar::testing {

using namespace lamellar::lamellae;

inline settings simulated(std::uint32_t pes, std::uint64_t seed) {
  settings s;
  s.lamella = "sim";
  s.pes = pes;
  s.sim.seed = seed;
  return s;
}

/// Run `body(lamella&)` as each PE, and return what the job has done.
inline simulation_result run(settings s, const std::function<void(lamella&)>& body) {
  simulation_result result;
  s.sim.result = &result;
  const job all = open_job(s);
  all.run([&](std::size_t k) {
    try {
      body(*all.pes[k]);
      all.pes[k]->finished();
    } catch (...) {
      abort_job(1, "a requirement was not met");
    }
  });
  return result;
}

inline void send(lamella& pe, std::uint32_t to, std::uint32_t bytes, std::uint16_t flags = 0,
                 traffic kind = traffic::body) {
  out_buffer out;
  while (!(out = pe.acquire(to, kind))) pe.idle();
  std::memset(out.data, flags, bytes);
  pe.post(to, kind, bytes, flags);
}

inline in_buffer receive(lamella& pe) {
  in_buffer one;
  while (pe.poll({&one, 1}, true) == 0) pe.idle();
  return one;
}

/// Wait for all PEs.
inline void meet(lamella& pe) {
  wave w;
  pe.begin_wave(w);
  while (!pe.end_wave(w)) pe.idle();
}

}  // namespace lamellar::testing
