// SPDX-License-Identifier: BSD-3-Clause
#include "job_memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <lamellar/lamellae/error.hpp>
#include <new>
#include <utility>

#include "environment.hpp"

namespace lamellar::lamellae {
namespace {

constexpr std::size_t small_page = 4096;
constexpr unsigned on_2_mib_pages = MFD_HUGETLB | 21U << 26;  // log2 of the size, where it goes

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

[[noreturn]] void refuse(int fd, const std::string& why) {
  throw config_error{fmt::format("{}={}: {}", job_fd_variable, fd, why)};
}

/// A file on the system's pool of reserved 2 MiB pages, or -1 when that is empty.
int create_huge_file() {
  std::ifstream in{"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"};
  std::size_t free_pages = 0;
  if (!(in >> free_pages) || free_pages == 0) return -1;
  return memfd_create("lamellar-job-huge", on_2_mib_pages);
}

}  // namespace

std::size_t arena_start(std::uint32_t pes) {
  return round_up(sizeof(job_page) + std::size_t{pes} * sizeof(pe_entry), small_page);
}

std::size_t segments_start(std::uint32_t pes, std::size_t arena_bytes) {
  return round_up(arena_start(pes) + arena_bytes, huge_page);
}

job_memory job_memory::create(std::uint32_t pes, std::size_t buffer_bytes,
                              std::size_t budget_bytes) {
  const arena_layout layout = arena_layout::plan(pes, buffer_bytes, budget_bytes);
  const std::size_t bytes = arena_start(pes) + layout.total_bytes();
  const auto fail = [&](const char* what) {
    throw out_of_memory{fmt::format(
        "cannot {} the {} MiB that {} PEs share: {}; lower LAMELLAR_JOB_BUDGET or start fewer "
        "PEs",
        what, bytes >> 20, pes, std::strerror(errno))};
  };
  // No close-on-exec: the PEs find it by its number.
  const int fd = memfd_create("lamellar-job", 0);
  if (fd < 0) fail("create");
  void* at = MAP_FAILED;
  if (ftruncate(fd, static_cast<off_t>(bytes)) == 0) {
    at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  }
  if (at == MAP_FAILED) {
    const int reason = errno;
    close(fd);
    errno = reason;
    fail("map");
  }
  job_memory created{fd, static_cast<std::byte*>(at), bytes};
  auto* page = new (at) job_page{};
  page->version = job_page::right_version;
  page->pes = pes;
  page->buffer_bytes = buffer_bytes;
  page->budget_bytes = budget_bytes;
  page->arena_bytes = layout.total_bytes();
  page->launcher = getpid();
  page->huge_job_fd = create_huge_file();
  page->end = segments_start(pes, layout.total_bytes());
  page->mark = job_page::right_mark;
  return created;
}

job_memory job_memory::open(int fd, std::uint32_t pes) {
  struct stat status {};
  if (fstat(fd, &status) != 0) {
    refuse(fd,
           "no such descriptor; whatever stands between lamellar-run and this program closes "
           "descriptors, or the variable was left over: then unset it");
  }
  const auto file_bytes = static_cast<std::size_t>(status.st_size);
  if (!S_ISREG(status.st_mode) || file_bytes < small_page) {
    refuse(fd, "not a job's memory; unset it, or start the program with lamellar-run");
  }

  void* first = mmap(nullptr, small_page, PROT_READ, MAP_SHARED, fd, 0);
  if (first == MAP_FAILED) refuse(fd, std::strerror(errno));
  const auto& seen = *static_cast<const job_page*>(first);
  const std::uint64_t mark = seen.mark;
  const std::uint32_t version = seen.version;
  const std::uint32_t its_pes = seen.pes;
  const std::size_t arena_bytes = seen.arena_bytes;
  munmap(first, small_page);
  if (mark != job_page::right_mark) {
    refuse(fd, "not a job's memory; unset it, or start the program with lamellar-run");
  }
  if (version != job_page::right_version) {
    refuse(fd, fmt::format("made by a lamellar-run of another version (its memory has version "
                           "{}, this program reads {}); use the one that was built with the "
                           "program",
                           version, job_page::right_version));
  }
  const std::size_t bytes = arena_start(its_pes) + arena_bytes;
  if (its_pes != pes || file_bytes < bytes) {
    refuse(fd, fmt::format("made for {} PEs, but {}={}", its_pes, job_pes_variable, pes));
  }

  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (at == MAP_FAILED) {
    throw out_of_memory{
        fmt::format("cannot map the {} MiB that the PEs share: {}; lower "
                    "LAMELLAR_JOB_BUDGET or raise the limit (ulimit -v)",
                    bytes >> 20, std::strerror(errno))};
  }
  job_memory opened{fd, static_cast<std::byte*>(at), bytes};
  if (opened.layout().total_bytes() != arena_bytes) {
    refuse(fd, "made by a lamellar-run of another build; use the one built with the program");
  }
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (opened.page().huge_job_fd >= 0) fcntl(opened.page().huge_job_fd, F_SETFD, FD_CLOEXEC);
  return opened;
}

job_memory::job_memory(job_memory&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)},
      base_{std::exchange(other.base_, nullptr)},
      bytes_{other.bytes_} {}

job_memory::~job_memory() {
  if (base_ == nullptr) return;
  if (page().huge_job_fd >= 0) close(page().huge_job_fd);
  munmap(base_, bytes_);
  close(fd_);
}

}  // namespace lamellar::lamellae
