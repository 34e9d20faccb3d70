// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <lamellar/substrate/run.hpp>
#include <vector>

namespace lamellar::detail {

namespace {

/// End the job by what is being thrown.
[[noreturn]] void end_by_exception(std::uint32_t me) {
  try {
    throw;
  } catch (const std::exception& e) {
    lamellae::abort_job(1, fmt::format("PE {}: {}", me, e.what()));
  } catch (...) {
    lamellae::abort_job(
        1, fmt::format("PE {}: something that is not a std::exception was thrown", me));
  }
}

/// One PE from start to end. Whatever goes wrong ends the job: the others would wait for ever.
int run_pe(std::unique_ptr<lamellae::lamella> transport, const lamellae::settings& s,
           const std::function<int(world&)>& one) {
  const std::uint32_t me = transport->me();
  const std::uint32_t on_host = transport->able().pes_on_host;
  if (s.threads > 1 && transport->able().pes_in_process == 1) {
    on_node::start(s.threads);  // before pinning, so that its threads get cores of their own
  }
  if (s.pin && !transport->able().in_turns) {
    lamellae::pin_this_thread(transport->able().index_on_host, on_host, 0, s.threads);
  }
  const lamellae::inside_job inside{me};
  try {
    world w{std::move(transport), s};
    try {
      const int code = one(w);
      engine_of(w).close();
      return code;
    } catch (...) {
      // While the world stands: its end would look to the others as if this PE left.
      end_by_exception(me);
    }
  } catch (...) {
    end_by_exception(me);
  }
}

}  // namespace

int run_job(const lamellae::settings& s, const std::function<int(world&)>& one) {
  lamellae::job job = lamellae::open_job(s);
  std::vector<int> codes(job.pes.size(), 0);
  job.run([&](std::size_t k) { codes[k] = run_pe(std::move(job.pes[k]), s, one); });
  for (const int code : codes) {
    if (code != 0) {
      if (!job.replay.empty()) {
        std::fputs(fmt::format("lamellar: a PE returned {}; the same run again: {}\n", code,
                               job.replay)
                       .c_str(),
                   stderr);
      }
      return code;
    }
  }
  return 0;
}

int run_job_from_environment(const std::function<int(world&)>& one) {
  try {
    return run_job(lamellae::settings::from_environment(), one);
  } catch (const error& e) {
    std::fputs(fmt::format("lamellar: {}\n", e.what()).c_str(), stderr);
    return 2;
  }
}

}  // namespace lamellar::detail
