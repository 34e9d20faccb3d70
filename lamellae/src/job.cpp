// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/lamellae/job.hpp>

#include <fmt/format.h>

#include <lamellar/lamellae/error.hpp>

#include "local.hpp"

namespace lamellar::lamellae {

std::vector<std::string_view> lamella_names() { return {"local"}; }

job open_job(const settings& s) {
  if (s.lamella.empty() || s.lamella == "local") {
    return {open_local(s)};
  }
  throw config_error(
      fmt::format("LAMELLAR_LAMELLA={}: not in this build; use local", s.lamella));
}

}  // namespace lamellar::lamellae
