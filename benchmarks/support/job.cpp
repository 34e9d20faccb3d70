// SPDX-License-Identifier: BSD-3-Clause
#include "job.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/run.hpp>
#include <optional>
#include <span>
#include <utility>

#include "machine.hpp"

namespace lamellar::benchmark {
namespace {

struct refusals {
  std::uint64_t count = 0;
};

struct refuse {
  void operator()(refusals& here) const { ++here.count; }
};

struct longest {
  std::vector<double> seconds;
};

struct take_longer {
  void operator()(longest& here, std::span<const double> seconds) const {
    here.seconds.resize(seconds.size());
    for (std::size_t k = 0; k < seconds.size(); ++k) {
      here.seconds[k] = std::max(here.seconds[k], seconds[k]);
    }
  }
};

struct tell_pinning {
  std::string operator()() const { return pinning_of_this_thread(); }
};

// Collective: the others answer while they wait in the barrier.
void state_job(world& w, report* out) {
  if (out != nullptr) {
    out->state("lamella",
               fmt::format("{}, {} PEs x {} threads", w.lamella(), w.size(), w.threads()));
    for (std::uint32_t k = 0; k < w.size(); ++k) {
      out->state(fmt::format("PE {}", k), w.call(w.at(k), tell_pinning{}).get());
    }
  }
  w.barrier().get();
}

}  // namespace

int run_job(int argc, char** argv, const std::string& name, const options& common,
            const job_body& body) {
  return run(argc, argv, [&](world& w) -> int {
    std::optional<report> out;
    if (w.me() == pe(0)) out.emplace(name, common);
    state_job(w, out ? &*out : nullptr);
    body(w, out ? &*out : nullptr);
    return out ? out->finish() : 0;
  });
}

bool on_all(world& w, bool mine) {
  const darc<refusals> votes = darc<refusals>::create(w).get();
  if (!mine) votes.send_all(refuse{});
  w.quiesce().get();
  return votes->count == 0;
}

std::vector<double> slowest(world& w, const std::vector<double>& samples) {
  const darc<longest> all = darc<longest>::create(w).get();
  all.send_all(take_longer{}, samples);
  w.quiesce().get();
  return all->seconds;
}

result job_result(const world& w, std::string name, const options& common) {
  result r;
  r.name = std::move(name);
  r.lamella = std::string(w.lamella());
  r.pes = w.size();
  r.threads = w.threads();
  r.repetitions = common.repetitions;
  return r;
}

}  // namespace lamellar::benchmark
