// SPDX-License-Identifier: BSD-3-Clause
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstdlib>

#include "fabric_group.hpp"

std::string lamellar::lamellae::tested_provider() {
  const char* const named = std::getenv("FABRIC_TEST_PROVIDER");
  return named == nullptr ? "tcp" : named;
}
