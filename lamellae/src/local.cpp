// SPDX-License-Identifier: BSD-3-Clause
#include "local.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include <lamellar/lamellae/error.hpp>

#include "mapped_lamella.hpp"

namespace lamellar::lamellae {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::uint32_t most_pes = 4096;  // each is a thread with a stack

/// Anonymous memory, zeroed, committed on touch.
class anonymous_memory {
 public:
  explicit anonymous_memory(std::size_t bytes) : bytes_{bytes} {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
      throw out_of_memory(fmt::format("cannot map {} MiB for message buffers: {}; lower "
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
    able_.pes_on_host = layout.pes();
    able_.oversubscribed =
        std::uint64_t{layout.pes()} * s.threads > std::thread::hardware_concurrency();
  }

  const char* name() const override { return "local"; }

  segment allocate_segment(std::size_t bytes) override {
    const std::size_t rounded = (bytes + huge_page - 1) / huge_page * huge_page;
    // One huge page more, so that the start can be aligned and the rest given back.
    void* at = ::mmap(nullptr, rounded + huge_page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
      throw out_of_memory(fmt::format(
          "cannot map a segment of {} MiB: {}; lower LAMELLAR_HEAP_SIZE or ask for less",
          rounded >> 20, std::strerror(errno)));
    }
    auto address = reinterpret_cast<std::uintptr_t>(at);
    const std::uintptr_t aligned = (address + huge_page - 1) / huge_page * huge_page;
    if (aligned != address) {
      ::munmap(at, aligned - address);
    }
    if (const std::size_t tail = address + huge_page - aligned; tail != 0) {
      ::munmap(reinterpret_cast<void*>(aligned + rounded), tail);
    }
    segment it;
    it.data = reinterpret_cast<std::byte*>(aligned);
    it.bytes = rounded;
    it.key = aligned;
    it.page_bytes = ::madvise(it.data, rounded, MADV_HUGEPAGE) == 0 ? huge_page : 4096;
    return it;
  }

  void free_segment(const segment& which) override { ::munmap(which.data, which.bytes); }

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
    throw config_error(fmt::format("LAMELLAR_PES={}: one process holds at most {} PEs; start "
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
