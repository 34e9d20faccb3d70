// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <string>
#include <vector>

#include "environment.hpp"

namespace {

using lamellar::config_error;
using lamellar::lamellae::launch_from_environment;
using lamellar::lamellae::settings;
using lamellar::lamellae::value_in_environment;
using lamellar::lamellae::variable;
using lamellar::lamellae::variables;

/// Sets a variable for as long as it lives.
class with {
 public:
  with(std::string name, const std::string& value) : name_{std::move(name)} {
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~with() { ::unsetenv(name_.c_str()); }
  with(const with&) = delete;
  with& operator=(const with&) = delete;

 private:
  std::string name_;
};

settings read(const std::string& name, const std::string& value) {
  const with set{name, value};
  return settings::from_environment();
}

/// The text of the config_error that reading `name=value` throws; empty when it throws none.
std::string refusal(const std::string& name, const std::string& value) {
  try {
    read(name, value);
  } catch (const config_error& e) {
    return e.what();
  }
  return {};
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct wrong {
  const char* name;
  std::vector<const char*> values;
};

const wrong ill_formed[] = {
    {"LAMELLAR_LAMELLA", {"", "Local", "shm", "local ", "carrier-pigeon"}},
    {"LAMELLAR_PES",
     {"", "0", "-1", "+2", "2.5", "two", "4 ", " 4", "65537", "99999999999999999"}},
    {"LAMELLAR_THREADS", {"", "0", "-1", "1025", "2x"}},
    {"LAMELLAR_PIN", {"", "2", "YES!", "y", "-1"}},
    {"LAMELLAR_HOST_ID", {""}},
    {"LAMELLAR_HEAP_SIZE",
     {"", "0", "K", "63K", "-1M", "1.5G", "1MB", "1 M", "18446744073709551615K", "16777216T"}},
    {"LAMELLAR_JOB_BUDGET", {"", "0", "1023K", "lots", "1Q"}},
    {"LAMELLAR_BUFFER_BYTES", {"", "0", "1K", "2047", "3000", "2M", "8KK"}},
    {"LAMELLAR_MAPPED", {"", "maybe", "10"}},
    {"LAMELLAR_HOST_AGGREGATION", {"", "maybe", "2"}},
    {"LAMELLAR_PEER_TIMEOUT", {"", "-1", "5s", "nan", "inf", "1e10", "0x10", "5,0"}},
    {"LAMELLAR_HANG_SECONDS", {"", "-0.5", "never"}},
    {"LAMELLAR_STATISTICS", {"", "verbose", "2"}},
    {"LAMELLAR_WARNINGS", {"", "verbose", "2"}},
    {"LAMELLAR_ROFI_PROVIDER", {""}},
    {"LAMELLAR_ROFI_DOMAIN", {""}},
    {"LAMELLAR_ROFI_ADDRESS", {""}},
    {"LAMELLAR_SIM_SEED", {"", "-1", "0x10", "1.5", "18446744073709551616"}},
    {"LAMELLAR_SIM_DELAY", {"", "2"}},
    {"LAMELLAR_SIM_REORDER", {"", "some"}},
    {"LAMELLAR_SIM_SPLIT", {"", "2"}},
    {"LAMELLAR_SIM_KILL", {"", "2", "@5", "2@", "2@x", "-1@5", "70000@5", "2@5@5"}},
    {"LAMELLAR_SIM_TRACE", {""}},
    {"LAMELLAR_SIM_SILENCE_SECONDS", {"", "-1"}},
    {"LAMELLAR_SIM_PES_PER_HOST", {"", "0", "-1"}},
    {"LAMELLAR_SIM_LATENCY_NS", {"", "-1", "2us", "nan", "1e10"}},
    {"LAMELLAR_SIM_HOST_LATENCY_NS", {"", "-1"}},
    {"LAMELLAR_SIM_BYTE_NS", {"", "-0.1"}},
    {"LAMELLAR_SIM_MESSAGE_NS", {"", "-1"}},
    {"LAMELLAR_SIM_RECORD_NS", {"", "-1"}},
};

}  // namespace

TEST_CASE("an environment without our variables gives the defaults") {
  const settings s = settings::from_environment();
  CHECK(s.lamella.empty());
  CHECK(s.pes == 1);
  CHECK(s.threads == 1);
  CHECK(s.heap_size == 0);
  CHECK(s.job_budget == 0);
  CHECK(s.buffer_bytes == 8192);
  CHECK(s.mapped);
  CHECK(s.peer_timeout_s == 5.0);
  CHECK(s.hang_s == 600.0);
  CHECK_FALSE(s.statistics);
  CHECK(s.pin);
  CHECK(s.sim == lamellar::lamellae::simulation{});
}

TEST_CASE("each variable sets its own value") {
  CHECK(read("LAMELLAR_LAMELLA", "local").lamella == "local");
  CHECK(read("LAMELLAR_PES", "64").pes == 64);
  CHECK(read("LAMELLAR_THREADS", "2").threads == 2);
  CHECK(read("LAMELLAR_HOST_ID", "rack 3").host_id == "rack 3");
  CHECK(read("LAMELLAR_HOST_ID", "auto").host_id.empty());
  CHECK(read("LAMELLAR_HEAP_SIZE", "64K").heap_size == 65536);
  CHECK(read("LAMELLAR_HEAP_SIZE", "auto").heap_size == 0);
  CHECK(read("LAMELLAR_JOB_BUDGET", "3G").job_budget == std::size_t{3} << 30);
  CHECK(read("LAMELLAR_JOB_BUDGET", "1t").job_budget == std::size_t{1} << 40);
  CHECK(read("LAMELLAR_JOB_BUDGET", "2000000").job_budget == 2000000);
  CHECK(read("LAMELLAR_BUFFER_BYTES", "2048").buffer_bytes == 2048);
  CHECK(read("LAMELLAR_BUFFER_BYTES", "1m").buffer_bytes == 1048576);
  CHECK(read("LAMELLAR_PEER_TIMEOUT", "0").peer_timeout_s == 0.0);
  CHECK(read("LAMELLAR_PEER_TIMEOUT", "2.5").peer_timeout_s == 2.5);
  CHECK(read("LAMELLAR_HANG_SECONDS", "1e3").hang_s == 1000.0);
  CHECK(read("LAMELLAR_ROFI_PROVIDER", "tcp;ofi_rxm").rofi_provider == "tcp;ofi_rxm");
  CHECK(read("LAMELLAR_ROFI_DOMAIN", "eth0").rofi_domain == "eth0");
  CHECK(read("LAMELLAR_ROFI_ADDRESS", "10.0.0.0/24").rofi_address == "10.0.0.0/24");
}

TEST_CASE("the variables of a simulated job set their own values") {
  CHECK(read("LAMELLAR_SIM_SEED", "18446744073709551615").sim.seed == ~std::uint64_t{0});
  CHECK_FALSE(read("LAMELLAR_SIM_DELAY", "0").sim.delay);
  CHECK_FALSE(read("LAMELLAR_SIM_REORDER", "0").sim.reorder);
  CHECK_FALSE(read("LAMELLAR_SIM_SPLIT", "0").sim.split);
  const auto killed = read("LAMELLAR_SIM_KILL", "2@1500").sim;
  CHECK(killed.kill_pe == 2);
  CHECK(killed.kill_step == 1500);
  CHECK(read("LAMELLAR_SIM_TRACE", "a file").sim.trace == "a file");
  CHECK(read("LAMELLAR_SIM_SILENCE_SECONDS", "0.5").sim.silence_s == 0.5);
  CHECK(read("LAMELLAR_SIM_PES_PER_HOST", "32").sim.pes_per_host == 32);
  CHECK(read("LAMELLAR_SIM_LATENCY_NS", "900").sim.latency_ns == 900);
  CHECK(read("LAMELLAR_SIM_HOST_LATENCY_NS", "90").sim.host_latency_ns == 90);
  CHECK(read("LAMELLAR_SIM_BYTE_NS", "0.04").sim.byte_ns == 0.04);
  CHECK(read("LAMELLAR_SIM_MESSAGE_NS", "9").sim.message_ns == 9);
  CHECK(read("LAMELLAR_SIM_RECORD_NS", "2.5").sim.record_ns == 2.5);
}

TEST_CASE("a simulated job has four PEs and shows less patience unless told otherwise") {
  const with simulated{"LAMELLAR_LAMELLA", "sim"};
  const settings s = settings::from_environment();
  CHECK(s.pes == 4);
  CHECK(s.hang_s == 10);
  CHECK(read("LAMELLAR_PES", "1").pes == 1);
  CHECK(read("LAMELLAR_HANG_SECONDS", "600").hang_s == 600);
}

TEST_CASE("a yes or no may be written in four ways each") {
  for (const char* const yes : {"1", "yes", "on", "true"}) {
    CHECK(read("LAMELLAR_STATISTICS", yes).statistics);
  }
  for (const char* const no : {"0", "no", "off", "false"}) {
    CHECK_FALSE(read("LAMELLAR_MAPPED", no).mapped);
    CHECK_FALSE(read("LAMELLAR_PIN", no).pin);
  }
}

TEST_CASE("an ill-formed value is refused by name, with the value and what is accepted") {
  for (const wrong& w : ill_formed) {
    for (const char* const value : w.values) {
      const std::string text = refusal(w.name, value);
      CAPTURE(w.name);
      CAPTURE(value);
      CAPTURE(text);
      CHECK(mentions(text, std::string{w.name} + "=" + value + ":"));
      CHECK(mentions(text, "write "));
    }
  }
}

TEST_CASE("every variable that a user sets has ill-formed values above") {
  for (const variable& v : variables()) {
    if (v.default_value.empty()) continue;  // set by lamellar-run or a PE, for others
    const bool listed = std::any_of(std::begin(ill_formed), std::end(ill_formed),
                                    [&](const wrong& w) { return v.name == w.name; });
    CHECK_MESSAGE(listed, v.name);
  }
}

TEST_CASE("the defaults in the table are the defaults") {
  const settings usual;
  for (const variable& v : variables()) {
    if (v.default_value.empty()) continue;
    const settings s = read(std::string{v.name}, std::string{v.default_value});
    CAPTURE(v.name);
    CHECK(s.lamella == usual.lamella);
    CHECK(s.pes == usual.pes);
    CHECK(s.threads == usual.threads);
    CHECK(s.host_id == usual.host_id);
    CHECK(s.heap_size == usual.heap_size);
    CHECK(s.job_budget == usual.job_budget);
    CHECK(s.buffer_bytes == usual.buffer_bytes);
    CHECK(s.mapped == usual.mapped);
    CHECK(s.host_aggregation == usual.host_aggregation);
    CHECK(s.peer_timeout_s == usual.peer_timeout_s);
    CHECK(s.hang_s == usual.hang_s);
    CHECK(s.rofi_provider == usual.rofi_provider);
    CHECK(s.rofi_domain == usual.rofi_domain);
    CHECK(s.rofi_address == usual.rofi_address);
    CHECK(s.statistics == usual.statistics);
    CHECK(s.pin == usual.pin);
    CHECK(s.sim == usual.sim);
  }
}

TEST_CASE("an unknown variable is refused and the nearest known one named") {
  const struct {
    const char* wrong;
    const char* meant;
  } typos[] = {{"LAMELLAR_PE_S", "LAMELLAR_PES"},
               {"LAMELLAR_PSE", "LAMELLAR_PES"},
               {"LAMELLAR_THREAD", "LAMELLAR_THREADS"},
               {"LAMELLAR_HEAPSIZE", "LAMELLAR_HEAP_SIZE"},
               {"LAMELLAR_lamella", "LAMELLAR_LAMELLA"},
               {"LAMELLAR_STATISTIC", "LAMELLAR_STATISTICS"},
               {"LAMELLAR_BUFER_BYTES", "LAMELLAR_BUFFER_BYTES"}};
  for (const auto& typo : typos) {
    const std::string text = refusal(typo.wrong, "1");
    CAPTURE(text);
    CHECK(text.rfind(typo.wrong, 0) == 0);
    CHECK(mentions(text, std::string{typo.meant} + " "));
  }
}

TEST_CASE("variables of others are left alone") {
  const with near{"LAMELLA_PES", "x"};
  const with nearer{"LAMELLAR", "x"};
  CHECK_NOTHROW(settings::from_environment());
}

TEST_CASE("the table says what a reader needs, once for each variable") {
  std::vector<std::string_view> seen;
  for (const variable& v : variables()) {
    CHECK(v.name.substr(0, 9) == "LAMELLAR_");
    CHECK(v.meaning.size() > 20);
    CHECK(v.meaning.back() == '.');
    CHECK(std::find(seen.begin(), seen.end(), v.name) == seen.end());
    seen.push_back(v.name);
  }
}

TEST_CASE("the value in the environment is given as it was written") {
  const variable& pes =
      *std::find_if(variables().begin(), variables().end(),
                    [](const variable& v) { return v.name == "LAMELLAR_PES"; });
  CHECK_FALSE(value_in_environment(pes).has_value());
  const with set{"LAMELLAR_PES", "nonsense"};
  CHECK(value_in_environment(pes) == "nonsense");
}

TEST_CASE("the default budget is a part of the machine's memory") {
  CHECK(lamellar::lamellae::default_job_budget() > std::size_t{1} << 20);
}

TEST_CASE("without a launcher there is no launch") {
  CHECK_FALSE(launch_from_environment().has_value());
}

TEST_CASE("a launcher's variables tell the place in the job") {
  const with fd{"LAMELLAR_JOB_FD", "7"};
  const with pes{"LAMELLAR_JOB_PES", "4"};
  {
    const with pe{"LAMELLAR_PE", "3"};
    const auto here = launch_from_environment();
    REQUIRE(here.has_value());
    CHECK(here->job_fd == 7);
    CHECK(here->pe == 3);
    CHECK(here->pes == 4);
    CHECK_NOTHROW(settings::from_environment());
  }
  SUBCASE("a part of them is refused") {
    CHECK_THROWS_WITH_AS(launch_from_environment(), doctest::Contains("LAMELLAR_PE is missing"),
                         config_error);
  }
  SUBCASE("a PE outside the job is refused") {
    const with pe{"LAMELLAR_PE", "4"};
    CHECK_THROWS_WITH_AS(launch_from_environment(), doctest::Contains("from 0 to 3"),
                         config_error);
  }
}
