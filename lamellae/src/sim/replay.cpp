// SPDX-License-Identifier: BSD-3-Clause
#include "replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <vector>

#include "../environment.hpp"

namespace lamellar::lamellae::sim {
namespace {

/// As one word for a shell.
std::string quoted(std::string_view word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) {
    return std::string{word};
  }
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text += c;
    }
  }
  text += "'";
  return text;
}

/// What decides the run and is not as a user would find it.
std::vector<std::string> assignments(const settings& s) {
  const settings usual;
  std::vector<std::string> all{fmt::format("{}=sim", lamella_variable),
                               fmt::format("{}={}", pes_variable, s.pes),
                               fmt::format("{}={}", sim_seed_variable, s.sim.seed)};
  const auto add = [&](const char* name, const auto& value, const auto& by_default) {
    if (value != by_default) all.push_back(fmt::format("{}={}", name, value));
  };
  const auto number = [](bool yes) { return yes ? 1 : 0; };
  add("LAMELLAR_SIM_DELAY", number(s.sim.delay), 1);
  add("LAMELLAR_SIM_REORDER", number(s.sim.reorder), 1);
  add("LAMELLAR_SIM_SPLIT", number(s.sim.split), 1);
  add("LAMELLAR_SIM_PES_PER_HOST", s.sim.pes_per_host, usual.sim.pes_per_host);
  add("LAMELLAR_SIM_LATENCY_NS", s.sim.latency_ns, usual.sim.latency_ns);
  add("LAMELLAR_SIM_HOST_LATENCY_NS", s.sim.host_latency_ns, usual.sim.host_latency_ns);
  add("LAMELLAR_SIM_BYTE_NS", s.sim.byte_ns, usual.sim.byte_ns);
  add("LAMELLAR_SIM_MESSAGE_NS", s.sim.message_ns, usual.sim.message_ns);
  add("LAMELLAR_SIM_RECORD_NS", s.sim.record_ns, usual.sim.record_ns);
  add("LAMELLAR_BUFFER_BYTES", s.buffer_bytes, usual.buffer_bytes);
  add("LAMELLAR_MAPPED", number(s.mapped), 1);
  if (s.host_aggregation) add("LAMELLAR_HOST_AGGREGATION", number(*s.host_aggregation), 2);
  if (s.sim.kill_pe) {
    all.push_back(fmt::format("LAMELLAR_SIM_KILL={}@{}", *s.sim.kill_pe, s.sim.kill_step));
  }
  const auto name_of = [](std::string_view assignment) {
    return assignment.substr(0, assignment.find('='));
  };
  for (const std::string& set : assignments_in_environment()) {
    const std::string_view name = name_of(set);
    const bool is_known = name == "LAMELLAR_SIM_TRACE" ||
                          std::any_of(all.begin(), all.end(), [&](const std::string& known) {
                            return name_of(known) == name;
                          });
    if (!is_known) all.push_back(set);
  }
  return all;
}

}  // namespace

std::string replay_command(const settings& s) {
  std::string command;
  for (const std::string& each : assignments(s)) {
    command += quoted(each);
    command += ' ';
  }
  std::ifstream in{"/proc/self/cmdline", std::ios::binary};
  std::string word;
  for (bool is_first = true; std::getline(in, word, '\0'); is_first = false) {
    if (!is_first) command += ' ';
    command += quoted(word);
  }
  return command;
}

std::string summary(const settings& s, const simulation_result& of) {
  const simulated_pe& all = of.total;
  const std::uint32_t per_host = s.sim.pes_per_host == 0 ? s.pes : s.sim.pes_per_host;
  return fmt::format(
      "lamellar: simulated: {} PEs on {} hosts, seed {}: {:.6f} s of virtual time, {} turns\n"
      "lamellar: simulated: {} messages of {} bytes, between hosts {} of {} bytes; {} records "
      "handled; {} waves\n"
      "lamellar: simulated: at most {} bytes of buffers to one PE at a time, {} to those of "
      "one "
      "host, and {} peers of one PE\n",
      s.pes, (s.pes + per_host - 1) / per_host, of.seed,
      static_cast<double>(all.time_ns) * 1e-9, of.steps, all.messages, all.bytes,
      all.network_messages, all.network_bytes, all.records, of.waves, all.peak_buffer_bytes,
      of.peak_host_bytes, all.peers);
}

}  // namespace lamellar::lamellae::sim
