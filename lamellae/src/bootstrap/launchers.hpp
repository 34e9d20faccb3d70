// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../environment.hpp"
#include "bootstrap.hpp"

// The launchers that we know, and how to tell from the environment which one has started this
// process. No state. Threads: any.
namespace lamellar::lamellae {

/// A launcher other than lamellar-run, as far as it says.
struct other_launcher {
  std::string name;                  ///< as users know it
  bool speaks_pmix = false;          ///< has a PMIx server for its processes
  std::optional<std::uint32_t> pes;  ///< processes that it has started; nothing: not said
};
std::optional<other_launcher> other_launcher_from_environment();

/// Whether it has started one process, and offers it no job to join.
bool leaves_alone(const other_launcher& by);

/// Those whose jobs a program of this build joins, as one would write them.
std::vector<std::string_view> launcher_names();

/// The place that lamellar-run gave this process. Collective. Throws: config_error.
std::unique_ptr<bootstrap> make_launcher_bootstrap(const launch& place, const settings& s);

/// The place that a PMIx server gives this process. Collective. Throws: config_error.
std::unique_ptr<bootstrap> make_pmix_bootstrap(std::string launcher, const settings& s);

}  // namespace lamellar::lamellae
