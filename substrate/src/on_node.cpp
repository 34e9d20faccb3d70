// SPDX-License-Identifier: BSD-3-Clause
#include <Kokkos_Core.hpp>
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <lamellar/substrate/on_node.hpp>
#include <mutex>

namespace lamellar::on_node {

namespace {

using host = Kokkos::DefaultHostExecutionSpace;

// Shorter loops are done before another thread has woken up.
constexpr std::size_t least_chunk = 512;

void finalize() {
  if (Kokkos::is_initialized()) {
    Kokkos::finalize();
  }
}

void initialize(std::uint32_t threads) {
#if KOKKOS_VERSION >= 30700
  Kokkos::InitializationSettings settings;
  settings.set_num_threads(static_cast<int>(threads));
  settings.set_disable_warnings(true);
#else
  Kokkos::InitArguments settings;
  settings.num_threads = static_cast<int>(threads);
  settings.disable_warnings = true;
#endif
  Kokkos::initialize(settings);
  std::atexit(finalize);
}

/// Whether this thread may give work to Kokkos: up to 3.7 its OpenMP space accepts it from one
/// thread only, and refuses others by an exception. A property of the library and the thread,
/// the same for all PEs.
bool this_thread_may_dispatch() {
  thread_local const bool may = [] {
    try {
      Kokkos::parallel_for(Kokkos::RangePolicy<host>(0, 1), [](int) {});
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }();
  return may;
}

/// Set while Kokkos' threads are in use. Whoever sets it by exchange (acquire) may use them,
/// and clears it (release).
std::atomic<bool> busy{false};

/// The first exception of a loop's chunks.
struct first_exception {
  std::mutex lock;  // guards thrown
  std::exception_ptr thrown;

  void keep(std::exception_ptr exception) {
    const std::scoped_lock hold{lock};
    if (!thrown) {
      thrown = std::move(exception);
    }
  }
};

}  // namespace

void start(std::uint32_t threads) {
  static std::once_flag once;
  std::call_once(once, [&] {
    if (!Kokkos::is_initialized()) {
      initialize(std::max<std::uint32_t>(threads, 1));
    }
  });
}

std::size_t detail::count_chunks(const execution& how, std::size_t n) {
  if (how.threads() == 1 || n < 2 * least_chunk) {
    return 1;
  }
  start(how.threads());
  if (!this_thread_may_dispatch()) {
    return 1;
  }
  const auto available = static_cast<std::size_t>(std::max(host().concurrency(), 1));
  return std::min({std::size_t{how.threads()}, available, n / least_chunk});
}

void detail::run_chunks(std::size_t chunks, void (*body)(void*, std::size_t), void* context) {
  if (busy.exchange(true,
                    std::memory_order_acquire)) {  // a loop in a loop, or another thread's
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
      body(context, chunk);
    }
    return;
  }
  first_exception first;
  // One index a chunk and one chunk a thread. Kokkos copies the functor, so it holds pointers
  // only.
  const auto run = [body, context, keep = &first](std::size_t chunk) {
    try {
      body(context, chunk);
    } catch (...) {
      keep->keep(std::current_exception());
    }
  };
  using policy = Kokkos::RangePolicy<host, Kokkos::Schedule<Kokkos::Static>,
                                     Kokkos::IndexType<std::size_t>>;
  Kokkos::parallel_for("lamellar::on_node", policy{0, chunks, Kokkos::ChunkSize{1}}, run);
  host().fence();
  busy.store(false, std::memory_order_release);
  if (first.thrown) {
    std::rethrow_exception(first.thrown);
  }
}

}  // namespace lamellar::on_node
