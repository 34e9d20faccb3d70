// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <string>

// A bar for people who wait, on standard error; nothing where that is no terminal.
inline void show_progress(std::uint64_t done, std::uint64_t all) {
  if (all != 0 && isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "\r[{:<40}] {:3}%{}", std::string(done * 40 / all, '#'),
               done * 100 / all, done == all ? "\n" : "");
  }
}
