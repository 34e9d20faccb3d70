// SPDX-License-Identifier: BSD-3-Clause
#include "signals.hpp"

#include <dlfcn.h>

#include <csignal>
#include <string_view>

namespace lamellar::lamellae {
namespace {

/// Whether `handler` lies in one of the libraries that do so.
bool is_uninvited(void (*handler)(int)) {
  Dl_info where{};
  if (dladdr(reinterpret_cast<void*>(handler), &where) == 0) return false;
  const std::string_view path = where.dli_fname;
  const std::string_view file = path.substr(path.rfind('/') + 1);
  return file.starts_with("libinfinipath.") || file.starts_with("libpsm2.");
}

}  // namespace

void take_back_signals() {
  for (const int number : {SIGINT, SIGILL, SIGABRT, SIGBUS, SIGSEGV, SIGTERM, SIGFPE}) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) != 0) continue;
    if (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN) continue;
    if (!is_uninvited(now.sa_handler)) continue;
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    ::sigaction(number, &usual, nullptr);
  }
}

}  // namespace lamellar::lamellae
