// SPDX-License-Identifier: BSD-3-Clause
#define DOCTEST_CONFIG_IMPLEMENT
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <lamellar/substrate/run.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "pes.hpp"

namespace lamellar::testing {
namespace {

world* lasting_world = nullptr;          // of this process, under a launcher
std::atomic<std::uint64_t> failures{0};  // CHECKs that failed in this process
std::atomic<bool> is_repeating{false};   // what another PE has counted already
std::string test_name;                   // written between tests, by the main thread

/// Sees every failed assertion; doctest itself tells only at the end of a test.
struct failure_counter : doctest::IReporter {
  explicit failure_counter(const doctest::ContextOptions&) {}
  void log_assert(const doctest::AssertData& one) override {
    if (!one.m_failed || is_repeating) return;
    ++failures;
    if (const auto pe = lamellae::pe_in_turn()) std::cout << "on PE " << *pe << '\n';
  }
  void log_message(const doctest::MessageData& one) override {
    if (one.m_severity != doctest::assertType::is_warn && !is_repeating) ++failures;
  }
  void test_case_start(const doctest::TestCaseData& which) override {
    test_name = which.m_name;
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("failure_counter", 1, failure_counter);

[[noreturn]] void give_up(world& w, const std::string& why) {
  std::cout.flush();
  lamellae::abort_job(
      1, "PE " + std::to_string(w.me().index()) + ", test '" + test_name + "': " + why);
}

/// The processes' doctests know nothing of each other: tell them who failed.
void share_failures(world& w) {
  static std::vector<std::uint64_t> known(w.size(), 0);
  const std::vector<std::uint64_t> now = w.call_all([] { return failures.load(); }).get();
  is_repeating = true;
  for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
    if (now[pe] != known[pe] && pe != w.me().index()) {
      FAIL_CHECK("PE ", pe, " failed this test");
    }
  }
  is_repeating = false;
  known = now;
  w.barrier().get();
}

void run_here(world& w, const std::function<void(world&)>& body) {
  const auto run = [&] {
    body(w);
    w.quiesce().get();
  };
  try {
    if (w.able().in_turns) {
      run();  // doctest keeps what INFO says for its thread, which is that of all PEs here
    } else {
      const std::string where = "PE " + std::to_string(w.me().index());
      INFO(where);
      run();
    }
    if (&w == lasting_world) share_failures(w);
  } catch (const doctest::detail::TestFailureException&) {
    give_up(w, "a requirement was not met (see above)");
  } catch (const std::exception& e) {
    give_up(w, e.what());
  } catch (...) {
    give_up(w, "something that is not a std::exception was thrown");
  }
}

}  // namespace

void detail::run_on_pes(const std::function<void(world&)>& body) {
  if (lasting_world != nullptr) {
    run_here(*lasting_world, body);
    return;
  }
  const std::uint64_t failures_before = failures;
  const int code = launch(lamellae::settings::from_environment(), [&](world& w) {
    run_here(w, body);
    // A job that can be repeated says how.
    return w.able().in_turns && failures != failures_before ? EXIT_FAILURE : EXIT_SUCCESS;
  });
  CHECK(code == EXIT_SUCCESS);
}

std::mt19937_64 seeded(const world& w, std::uint64_t seed) {
  if (w.me().index() == 0) {
    std::printf("test '%s': seed %llu\n", test_name.c_str(),
                static_cast<unsigned long long>(seed));
  }
  std::seed_seq mixed{seed, std::uint64_t{w.me().index()}};
  return std::mt19937_64{mixed};
}

void progress_until(world& w, const std::function<bool()>& holds, const char* what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (!holds()) {
    w.flush();
    w.poll();
    if (std::chrono::steady_clock::now() > end) {
      throw std::runtime_error(std::string{"waited in vain for "} + what);
    }
  }
}

std::uint64_t resident_bytes() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6)) * 1024;
  }
  throw std::runtime_error("/proc/self/status does not say VmRSS");
}

}  // namespace lamellar::testing

int main(int argc, char** argv) {
  doctest::Context context{argc, argv};
  try {
    if (!lamellar::lamellae::is_launched(lamellar::lamellae::settings::from_environment())) {
      return context.run();
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "cannot open the job: %s\n", e.what());
    return EXIT_FAILURE;
  }
  return lamellar::run(argc, argv, [&context](lamellar::world& w) {
    lamellar::testing::lasting_world = &w;
    const int code = context.run();
    lamellar::testing::lasting_world = nullptr;
    return code;
  });
}
