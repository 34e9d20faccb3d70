// SPDX-License-Identifier: BSD-3-Clause
#include "environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "memory.hpp"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace lamellar::lamellae {
namespace {

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;
constexpr std::uint32_t most_pes = 65536;
constexpr std::uint32_t most_threads = 1024;
constexpr std::uint32_t simulated_pes = 4;
constexpr double simulated_hang_s = 10;

[[noreturn]] void refuse(std::string_view name, std::string_view value,
                         std::string_view accepted) {
  throw config_error{fmt::format("{}={}: not accepted; write {}", name, value, accepted)};
}

/// All of `text` as a number, or nothing.
template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint32_t count(std::string_view name, std::string_view value, std::uint32_t least,
                    std::uint32_t most) {
  const auto number = parse<std::uint32_t>(value);
  if (!number || *number < least || *number > most) {
    refuse(name, value, fmt::format("a whole number from {} to {}", least, most));
  }
  return *number;
}

/// A number of bytes with an optional suffix; nothing when it is none or does not fit.
std::optional<std::size_t> size(std::string_view value) {
  if (value.empty()) return std::nullopt;
  unsigned shift = 0;
  switch (value.back()) {
    case 'k':
    case 'K':
      shift = 10;
      break;
    case 'm':
    case 'M':
      shift = 20;
      break;
    case 'g':
    case 'G':
      shift = 30;
      break;
    case 't':
    case 'T':
      shift = 40;
      break;
    default:
      break;
  }
  if (shift != 0) value.remove_suffix(1);
  const auto number = parse<std::size_t>(value);
  if (!number || *number > std::numeric_limits<std::size_t>::max() >> shift)
    return std::nullopt;
  return *number << shift;
}

/// A size of at least `least` bytes, or 0 for "auto".
std::size_t size_or_auto(std::string_view name, std::string_view value, std::size_t least) {
  if (value == "auto") return 0;
  const auto bytes = size(value);
  if (!bytes || *bytes < least) {
    refuse(name, value,
           fmt::format("auto, or bytes as a whole number with K, M, G or T after it if wanted, "
                       "at least {}K",
                       least / kib));
  }
  return *bytes;
}

std::size_t buffer_size(std::string_view name, std::string_view value) {
  const auto bytes = size(value);
  if (!bytes || !std::has_single_bit(*bytes) || *bytes < 2 * kib || *bytes > mib) {
    refuse(name, value, "auto, or a power of two from 2K to 1M");
  }
  return *bytes;
}

bool yes_or_no(std::string_view name, std::string_view value) {
  for (const char* const yes : {"1", "yes", "on", "true"}) {
    if (value == yes) return true;
  }
  for (const char* const no : {"0", "no", "off", "false"}) {
    if (value == no) return false;
  }
  refuse(name, value, "1, yes, on or true, or 0, no, off or false");
}

double seconds(std::string_view name, std::string_view value) {
  const auto number = parse<double>(value);
  if (!number || !std::isfinite(*number) || *number < 0 || *number > 1e9) {
    refuse(name, value, "seconds from 0 to 1e9, decimals allowed; 0 means never");
  }
  return *number;
}

std::uint64_t whole_number(std::string_view name, std::string_view value) {
  const auto number = parse<std::uint64_t>(value);
  if (!number) refuse(name, value, "a whole number from 0 to 2^64 - 1");
  return *number;
}

/// Nanoseconds in the cost model.
double cost(std::string_view name, std::string_view value) {
  const auto number = parse<double>(value);
  if (!number || !std::isfinite(*number) || *number < 0 || *number > 1e9) {
    refuse(name, value, "nanoseconds from 0 to 1e9, decimals allowed");
  }
  return *number;
}

/// Anything but nothing; empty for auto.
std::string word(std::string_view name, std::string_view value, std::string_view example) {
  if (value.empty()) refuse(name, value, fmt::format("auto, or a name such as {}", example));
  return value == "auto" ? std::string{} : std::string{value};
}

/// PE@STEP.
void kill(simulation& into, std::string_view name, std::string_view value) {
  if (value == "none") return;
  const auto at = value.find('@');
  const auto pe = parse<std::uint32_t>(value.substr(0, at));
  const auto step = parse<std::uint64_t>(at == std::string_view::npos ? std::string_view{}
                                                                      : value.substr(at + 1));
  if (!pe || *pe >= most_pes || !step) {
    refuse(name, value, "PE@STEP, two whole numbers, such as 2@1500, or none");
  }
  into.kill_pe = *pe;
  into.kill_step = *step;
}

std::string known_lamella(std::string_view name, std::string_view value) {
  if (value == "auto") return {};
  const auto names = lamella_names();
  if (std::find(names.begin(), names.end(), value) == names.end()) {
    if (value == "rofi") {
      throw config_error{fmt::format(
          "{}=rofi: this build has no network: install libfabric (on Debian: apt-get install "
          "libfabric-dev) and build again",
          name)};
    }
    refuse(name, value,
           fmt::format("auto, or one of those in this build: {}", fmt::join(names, ", ")));
  }
  return std::string{value};
}

/// A variable, and what its value does to the settings. Those that lamellar-run sets for the
/// processes that it starts are read by launch_from_environment() and change no setting.
struct row {
  variable shown;
  void (*apply)(settings& into, std::string_view name, std::string_view value);
};

using text = std::string_view;
constexpr auto set_by_launcher = [](settings&, text, text) {};

constexpr std::array table{
    row{{lamella_variable, "auto",
         "How bytes move: local (PEs are threads of one process), shmem (processes on one "
         "host), "
         "rofi (processes on several) or sim (a simulated job in one process); auto is shmem "
         "or "
         "rofi under a launcher, else local."},
        [](settings& s, text name, text value) { s.lamella = known_lamella(name, value); }},
    row{{pes_variable, "1",
         "PEs in this process, as threads or simulated (then 4 if not set); under a launcher "
         "use "
         "its -n."},
        [](settings& s, text name, text value) { s.pes = count(name, value, 1, most_pes); }},
    row{{threads_variable, "1",
         "Threads of each PE, the main one included; never chosen from the number of cores."},
        [](settings& s, text name, text value) {
          s.threads = count(name, value, 1, most_threads);
        }},
    row{{"LAMELLAR_PIN", "1", "Bind each thread of a PE to its own core."},
        [](settings& s, text name, text value) { s.pin = yes_or_no(name, value); }},
    row{{host_id_variable, "auto",
         "A name of this host: PEs with equal ones share memory, others use the network; set "
         "on "
         "all PEs or on none; auto is what the launcher says."},
        [](settings& s, text name, text value) {
          if (value.empty()) refuse(name, value, "auto, or any other text");
          s.host_id = value == "auto" ? "" : value;
        }},
    row{{"LAMELLAR_HEAP_SIZE", "auto",
         "Bytes that a PE's symmetric heap, in which memory regions lie, may grow to; K, M, G, "
         "T after it; auto is its share of three quarters of the memory that a process may "
         "use."},
        [](settings& s, text name, text value) {
          s.heap_size = size_or_auto(name, value, 64 * kib);
        }},
    row{{"LAMELLAR_JOB_BUDGET", "auto",
         "Bytes for message buffers and waiting messages of the whole job; auto is a quarter "
         "of the memory that a process may use."},
        [](settings& s, text name, text value) {
          s.job_budget = size_or_auto(name, value, mib);
        }},
    row{{"LAMELLAR_BUFFER_BYTES", "auto",
         "Bytes of one message buffer, a power of two from 2K to 1M; auto is 8K, or 16K where "
         "PEs are on several hosts."},
        [](settings& s, text name, text value) {
          s.buffer_bytes_given = value != "auto";
          if (s.buffer_bytes_given) s.buffer_bytes = buffer_size(name, value);
        }},
    row{{"LAMELLAR_MAPPED", "1",
         "Reach the memory of PEs on the same host by loads and stores; 0 sends messages "
         "instead."},
        [](settings& s, text name, text value) { s.mapped = yes_or_no(name, value); }},
    row{{"LAMELLAR_HOST_AGGREGATION", "auto",
         "Gather what the PEs of a host send to those of another one, and hand it out there: "
         "memory for buffers then grows with hosts, not with PEs; auto: for more than 64 PEs."},
        [](settings& s, text name, text value) {
          if (value != "auto") s.host_aggregation = yes_or_no(name, value);
        }},
    row{{"LAMELLAR_PEER_TIMEOUT", "5",
         "Seconds after which a PE that shows no sign of life counts as lost; 0 means never."},
        [](settings& s, text name, text value) { s.peer_timeout_s = seconds(name, value); }},
    row{{hang_variable, "600",
         "Seconds without progress after which each PE says what it waits for; 0 means never. "
         "Under sim they are virtual, 10 if not set, and the job ends."},
        [](settings& s, text name, text value) { s.hang_s = seconds(name, value); }},
    row{{"LAMELLAR_STATISTICS", "0", "Print counters when the job ends."},
        [](settings& s, text name, text value) { s.statistics = yes_or_no(name, value); }},
    row{{"LAMELLAR_WARNINGS", "auto",
         "Say, once of each kind and PE, what is allowed and likely a mistake: an answer that "
         "nobody takes, a handler that blocks, one that runs for a second. auto: in checked "
         "builds."},
        [](settings& s, text name, text value) {
          if (value != "auto") s.warnings = yes_or_no(name, value);
        }},
    row{{"LAMELLAR_ROFI_PROVIDER", "auto",
         "Network between hosts, as lamellar-info names the providers; auto: the fastest."},
        [](settings& s, text name, text value) { s.rofi_provider = word(name, value, "tcp"); }},
    row{{"LAMELLAR_ROFI_DOMAIN", "auto", "Interface or device of that provider."},
        [](settings& s, text name, text value) { s.rofi_domain = word(name, value, "eth0"); }},
    row{{"LAMELLAR_ROFI_ADDRESS", "auto",
         "Address of the interface, or of its network as all hosts share it: 10.0.0.0/24."},
        [](settings& s, text name, text value) {
          s.rofi_address = word(name, value, "10.0.0.0/24");
        }},
    row{{sim_seed_variable, "1",
         "Which run of a simulated job: same seed, same run; with 0 nothing is left to "
         "chance."},
        [](settings& s, text name, text value) { s.sim.seed = whole_number(name, value); }},
    row{{"LAMELLAR_SIM_DELAY", "1", "Hold up simulated messages and PEs now and then."},
        [](settings& s, text name, text value) { s.sim.delay = yes_or_no(name, value); }},
    row{{"LAMELLAR_SIM_REORDER", "1",
         "Give what has arrived from different simulated PEs in any order."},
        [](settings& s, text name, text value) { s.sim.reorder = yes_or_no(name, value); }},
    row{{"LAMELLAR_SIM_SPLIT", "1",
         "Give simulated PEs few buffers at a time, and in some runs smaller and fewer ones."},
        [](settings& s, text name, text value) { s.sim.split = yes_or_no(name, value); }},
    row{{"LAMELLAR_SIM_KILL", "none",
         "PE@STEP: lose that simulated PE at its first turn from that step of the trace on."},
        [](settings& s, text name, text value) { kill(s.sim, name, value); }},
    row{{"LAMELLAR_SIM_TRACE", "none", "A file to write every event of a simulated job to."},
        [](settings& s, text name, text value) {
          if (value.empty()) refuse(name, value, "the name of a file, or none");
          s.sim.trace = value == "none" ? "" : value;
        }},
    row{{"LAMELLAR_SIM_SILENCE_SECONDS", "10",
         "Real seconds without a call of the library after which the simulated PE whose turn "
         "it is gets named; 0 means never."},
        [](settings& s, text name, text value) { s.sim.silence_s = seconds(name, value); }},
    row{{"LAMELLAR_SIM_PES_PER_HOST", "auto",
         "Simulated PEs that share a host; auto: all of them."},
        [](settings& s, text name, text value) {
          s.sim.pes_per_host = value == "auto" ? 0 : count(name, value, 1, most_pes);
        }},
    row{{"LAMELLAR_SIM_LATENCY_NS", "1500", "Nanoseconds from one simulated host to another."},
        [](settings& s, text name, text value) { s.sim.latency_ns = cost(name, value); }},
    row{{"LAMELLAR_SIM_HOST_LATENCY_NS", "200",
         "Nanoseconds from one simulated PE to another on its host."},
        [](settings& s, text name, text value) { s.sim.host_latency_ns = cost(name, value); }},
    row{{"LAMELLAR_SIM_BYTE_NS", "0.08",
         "Nanoseconds for each byte, of a simulated host's network link or, if less than 0.08, "
         "of a copy."},
        [](settings& s, text name, text value) { s.sim.byte_ns = cost(name, value); }},
    row{{"LAMELLAR_SIM_MESSAGE_NS", "250",
         "Nanoseconds of work for each buffer, for the simulated PE at either end."},
        [](settings& s, text name, text value) { s.sim.message_ns = cost(name, value); }},
    row{{"LAMELLAR_SIM_RECORD_NS", "5",
         "Nanoseconds of work for each record, for the simulated PE that handles it."},
        [](settings& s, text name, text value) { s.sim.record_ns = cost(name, value); }},
    row{{pe_variable, "", "Number of this PE; set by lamellar-run."}, set_by_launcher},
    row{{job_pes_variable, "", "Number of PEs of the job; set by lamellar-run."},
        set_by_launcher},
    row{{job_fd_variable, "", "Descriptor of the job's shared memory; set by lamellar-run."},
        set_by_launcher},
    row{{joined_variable, "",
         "The place that a PE has taken in a job; set by the PE for what it starts."},
        set_by_launcher},
};

constexpr auto shown = [] {
  std::array<variable, table.size()> all{};
  for (std::size_t i = 0; i < table.size(); ++i) all[i] = table[i].shown;
  return all;
}();

/// How many letters must be changed, added or dropped to make `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> above(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(above[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t kept = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = above[j + 1];
      above[j + 1] = std::min({kept, diagonal + 1, above[j] + 1});
    }
  }
  return above.back();
}

/// The nearest of the variables that a user sets.
std::string_view nearest_name(std::string_view unknown) {
  std::string_view nearest;
  for (const variable& v : shown) {
    if (v.default_value.empty()) continue;
    if (nearest.empty() || edit_distance(unknown, v.name) < edit_distance(unknown, nearest)) {
      nearest = v.name;
    }
  }
  return nearest;
}

}  // namespace

settings settings::from_environment() {
  settings result;
  bool has_pes = false;
  bool has_hang = false;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view assignment{*entry};
    if (!assignment.starts_with("LAMELLAR_")) continue;
    const auto equals = assignment.find('=');
    const std::string_view name = assignment.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : assignment.substr(equals + 1);
    const auto* const known = std::find_if(table.begin(), table.end(),
                                           [&](const row& r) { return r.shown.name == name; });
    if (known == table.end()) {
      throw config_error{
          fmt::format("{}: no such variable; the nearest is {} (lamellar-info lists all)", name,
                      nearest_name(name))};
    }
    known->apply(result, name, value);
    has_pes = has_pes || name == pes_variable;
    has_hang = has_hang || name == hang_variable;
  }
  if (result.lamella == "sim") {
    if (!has_pes) result.pes = simulated_pes;
    if (!has_hang) result.hang_s = simulated_hang_s;
  }
  return result;
}

std::span<const variable> variables() { return shown; }

std::optional<std::string> value_in_environment(const variable& which) {
  const char* const value = std::getenv(std::string{which.name}.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::optional<std::string> foreign_variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

void set_for_children(const char* name, const std::string& value) {
  setenv(name, value.c_str(), 1);
}

std::vector<std::string> assignments_in_environment() {
  std::vector<std::string> found;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::string_view{*entry}.starts_with("LAMELLAR_")) found.emplace_back(*entry);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<launch> launch_from_environment() {
  const char* const fd = std::getenv(job_fd_variable);
  const char* const pe = std::getenv(pe_variable);
  const char* const pes = std::getenv(job_pes_variable);
  if (fd == nullptr && pe == nullptr && pes == nullptr) return std::nullopt;
  for (const auto& [name, value] : {std::pair{job_fd_variable, fd}, std::pair{pe_variable, pe},
                                    std::pair{job_pes_variable, pes}}) {
    if (value == nullptr) {
      throw config_error{fmt::format(
          "{} is missing, but other variables of a launcher are set; lamellar-run sets {}, {} "
          "and {} together: unset them to run without it",
          name, job_fd_variable, pe_variable, job_pes_variable)};
    }
  }
  launch found;
  found.pes = count(job_pes_variable, pes, 1, most_pes);
  found.pe = count(pe_variable, pe, 0, found.pes - 1);
  found.job_fd = static_cast<int>(
      count(job_fd_variable, fd, 0, std::uint32_t{std::numeric_limits<int>::max()}));
  return found;
}

std::size_t default_job_budget() { return memory_limit() / 4; }

}  // namespace lamellar::lamellae
