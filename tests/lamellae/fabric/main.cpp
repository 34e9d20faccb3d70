// SPDX-License-Identifier: BSD-3-Clause
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>

#include "fabric/signals.hpp"
#include "fabric_group.hpp"

namespace {

void (*handler_of_termination())(int) {
  struct sigaction now {};
  ::sigaction(SIGTERM, nullptr, &now);
  return now.sa_handler;
}

// As it was before doctest took it.
void (*at_start)(int) = nullptr;
void (*kept)(int) = nullptr;

void of_our_own(int) {}

}  // namespace

std::string lamellar::lamellae::tested_provider() {
  const char* const named = std::getenv("FABRIC_TEST_PROVIDER");
  return named == nullptr ? "tcp" : named;
}

TEST_CASE("signals do what they did before libfabric was loaded, and our own handlers stay") {
  CHECK((at_start == SIG_DFL));
  CHECK((kept == &of_our_own));
}

int main(int argc, char** argv) {
  lamellar::lamellae::take_back_signals();
  at_start = handler_of_termination();
  std::signal(SIGTERM, &of_our_own);
  lamellar::lamellae::take_back_signals();
  kept = handler_of_termination();
  std::signal(SIGTERM, SIG_DFL);
  return doctest::Context{argc, argv}.run();
}
