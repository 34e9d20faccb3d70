// SPDX-License-Identifier: BSD-3-Clause
#define DOCTEST_CONFIG_IMPLEMENT
#include "ladder.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/settings.hpp>

namespace lamellar::ladder {
namespace {

job& the_job() {
  static job only = open_job(settings::from_environment());
  return only;
}

void run_one(lamella& pe, const std::function<void(lamella&)>& body) {
  const std::string where = "PE " + std::to_string(pe.me());
  const auto run = [&] {
    body(pe);
    meet(pe);
  };
  try {
    if (pe.able().in_turns) {
      run();  // doctest keeps what it is told for its thread, which is that of all PEs here
    } else {
      INFO(where);
      run();
    }
  } catch (const std::exception& e) {
    abort_job(1, where + ": " + e.what());
  } catch (...) {
    abort_job(1, where + ": a requirement was not met");
  }
}

}  // namespace

void meet(lamella& pe) {
  wave mine;
  pe.begin_wave(mine);
  wait_until([&] { return pe.end_wave(mine); }, "all PEs");
}

void on_every_pe(const std::function<void(lamella&)>& body) {
  the_job().run([&body](std::size_t k) { run_one(*the_job().pes[k], body); });
}

}  // namespace lamellar::ladder

int main(int argc, char** argv) {
  doctest::Context context{argc, argv};
  int result = EXIT_FAILURE;
  try {
    lamellar::ladder::the_job();
    result = context.run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "cannot open the job: %s\n", e.what());
    return EXIT_FAILURE;
  }
  for (const auto& pe : lamellar::ladder::the_job().pes) pe->finished();
  return result;
}
