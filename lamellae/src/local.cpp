// SPDX-License-Identifier: BSD-3-Clause
#include "local.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <lamellar/lamellae/error.hpp>

#include "mapped_lamella.hpp"
#include "pinning.hpp"
#include "segments.hpp"

namespace lamellar::lamellae {

namespace {

constexpr std::uint32_t most_pes = 4096;  // each is a thread with a stack

/// Anonymous memory, zeroed, committed on touch.
class anonymous_memory {
 public:
  explicit anonymous_memory(std::size_t bytes) : bytes_{bytes} {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
      throw out_of_memory(
          fmt::format("cannot map {} MiB for message buffers: {}; lower "
                      "LAMELLAR_JOB_BUDGET or start fewer PEs",
                      bytes >> 20, std::strerror(errno)));
    }
    data_ = static_cast<std::byte*>(at);
  }
  ~anonymous_memory() { ::munmap(data_, bytes_); }
  anonymous_memory(const anonymous_memory&) = delete;
  anonymous_memory& operator=(const anonymous_memory&) = delete;

  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_;
};

class local_lamella final : public mapped_lamella {
 public:
  local_lamella(std::uint32_t me, std::shared_ptr<anonymous_memory> arena,
                const arena_layout& layout, const settings& s)
      : mapped_lamella{me, arena->data(), layout}, arena_{std::move(arena)} {
    able_.mapped = s.mapped;
    able_.lines = s.mapped;
    able_.pes_in_process = layout.pes();
    able_.pes_on_host = layout.pes();
    able_.index_on_host = me;
    able_.oversubscribed =
        std::uint64_t{layout.pes()} * s.threads > hardware_threads_available();
  }

  const char* name() const override { return "local"; }

  segment allocate_segment(std::size_t bytes) override {
    return allocate_private_segment(bytes);
  }
  void free_segment(const segment& which) override { free_private_segment(which); }

  std::byte* mapped(std::uint32_t, std::uint64_t key, std::size_t) override {
    return able_.mapped ? reinterpret_cast<std::byte*>(key) : nullptr;
  }

  void finished() override {}

 private:
  std::shared_ptr<anonymous_memory> arena_;
};

}  // namespace

std::vector<std::unique_ptr<lamella>> open_local(const settings& s) {
  if (s.pes > most_pes) {
    throw config_error(
        fmt::format("LAMELLAR_PES={}: one process holds at most {} PEs; start "
                    "more processes with lamellar-run",
                    s.pes, most_pes));
  }
  const arena_layout layout = arena_layout::plan(s.pes, s.buffer_bytes, s.job_budget / 2);
  auto arena = std::make_shared<anonymous_memory>(layout.total_bytes());
  std::vector<std::unique_ptr<lamella>> pes;
  for (std::uint32_t pe = 0; pe < s.pes; ++pe) {
    pes.push_back(std::make_unique<local_lamella>(pe, arena, layout, s));
  }
  return pes;
}

}  // namespace lamellar::lamellae
