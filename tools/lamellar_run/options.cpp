// SPDX-License-Identifier: BSD-3-Clause
#include "options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <lamellar/lamellae/error.hpp>
#include <string_view>

namespace lamellar::run {

const char* const help_text =
    R"(Run a program as N processes (PEs) that share this machine's memory.

  lamellar-run -n N [options] PROGRAM [ARGUMENTS...]

  -n, --pes N         number of PEs
  -t, --threads T     threads of each PE (sets LAMELLAR_THREADS)
  -l, --lamella NAME  how bytes move: shmem, the default, or rofi, which uses the network as well
      --hosts H       pretend that the PEs are on H hosts, in blocks: to try network code on one
                      machine (gives each PE a LAMELLAR_HOST_ID)
      --label         put "[PE k] " before each line of output
  -h, --help          this text
      --version       the version

Interrupt, terminate, hang-up, user 1 and user 2 signals go on to every PE; the second interrupt and
the second terminate end the job. When a PE fails, is killed, is stopped for longer than
LAMELLAR_PEER_TIMEOUT, or ends without finishing, the others are ended too, and so is whatever
they have started. The result is the exit code of the first PE that failed, or 128 plus the number
of the signal that killed it. PE 0 reads the standard input; the others find it empty.

Under lamellar-run each PE finds its number in LAMELLAR_PE and the number of PEs in
LAMELLAR_JOB_PES. OMP_WAIT_POLICY=passive and OMP_PROC_BIND=false are set unless they are set
already, since processes that share cores must not spin for work.
)";

namespace {

std::uint32_t number(std::string_view option, std::string_view value) {
  std::uint32_t parsed = 0;
  const auto [end, failure] =
      std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (failure != std::errc{} || end != value.data() + value.size() || parsed == 0) {
    throw config_error{fmt::format("{} {}: not accepted; write a whole number, 1 or more",
                                   option, value.empty() ? "''" : value)};
  }
  return parsed;
}

}  // namespace

options parse(int argc, char** argv) {
  options result;
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  std::size_t at = 0;
  for (; at < words.size() && words[at].starts_with('-'); ++at) {
    std::string_view word = words[at];
    if (word == "--") {
      ++at;
      break;
    }
    // --option=value, or -n4
    std::string_view value;
    bool has_value = false;
    if (const auto equals = word.find('='); word.starts_with("--") && equals != word.npos) {
      value = word.substr(equals + 1);
      word = word.substr(0, equals);
      has_value = true;
    } else if (!word.starts_with("--") && word.size() > 2) {
      value = word.substr(2);
      word = word.substr(0, 2);
      has_value = true;
    }
    const auto value_of_option = [&] {
      if (has_value) return value;
      if (at + 1 == words.size()) {
        throw config_error{
            fmt::format("{}: its value is missing; see lamellar-run --help", word)};
      }
      return words[++at];
    };
    if (word == "-n" || word == "--pes") {
      result.pes = number(word, value_of_option());
    } else if (word == "-t" || word == "--threads") {
      result.threads = number(word, value_of_option());
    } else if (word == "-l" || word == "--lamella") {
      result.lamella = value_of_option();
    } else if (word == "--hosts") {
      result.hosts = number(word, value_of_option());
    } else if (word == "--label" && !has_value) {
      result.label = true;
    } else if ((word == "-h" || word == "--help") && !has_value) {
      result.help = true;
    } else if (word == "--version" && !has_value) {
      result.version = true;
    } else {
      throw config_error{fmt::format("{}: no such option; see lamellar-run --help", words[at])};
    }
  }
  result.command.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
  if (result.help || result.version) return result;
  if (result.pes == 0) {
    throw config_error{"how many PEs? write lamellar-run -n N PROGRAM [ARGUMENTS...]"};
  }
  if (result.hosts > result.pes) {
    throw config_error{fmt::format("--hosts {}: more than the {} PEs; write 1 to {}",
                                   result.hosts, result.pes, result.pes)};
  }
  if (result.command.empty()) {
    throw config_error{"which program? write lamellar-run -n N PROGRAM [ARGUMENTS...]"};
  }
  return result;
}

}  // namespace lamellar::run
