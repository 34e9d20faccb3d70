// SPDX-License-Identifier: BSD-3-Clause
#include "job_memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <lamellar/lamellae/error.hpp>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "environment.hpp"
#include "membership.hpp"

namespace lamellar::lamellae {
namespace {

constexpr std::size_t small_page = 4096;
constexpr char file_name[] = "lamellar-job";  // as /proc shows it; no name in a file system
constexpr unsigned on_2_mib_pages = MFD_HUGETLB | 21U << 26;  // log2 of the size, where it goes

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

[[noreturn]] void refuse(int fd, const std::string& why) {
  throw config_error{fmt::format("{}={}: {}", job_fd_variable, fd, why)};
}

/// What must be known of a job page before it is trusted.
struct header {
  std::uint32_t version;
  std::uint32_t pes;
  std::size_t arena_bytes;
  std::array<std::byte, 16> secret;
  int huge_fd;
  bool is_whole;  ///< the file is as long as it must be
};

/// Nothing: the file is not a job's memory.
std::optional<header> read_header(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::size_t>(status.st_size) < small_page) {
    return std::nullopt;
  }
  void* const first = mmap(nullptr, small_page, PROT_READ, MAP_SHARED, fd, 0);
  if (first == MAP_FAILED) return std::nullopt;
  const auto& page = *static_cast<const job_page*>(first);
  header seen{page.version, page.pes, page.arena_bytes, page.secret, page.huge_job_fd, false};
  const bool is_right = page.mark == job_page::right_mark;
  munmap(first, small_page);
  if (!is_right) return std::nullopt;
  seen.is_whole =
      static_cast<std::size_t>(status.st_size) >= arena_start(seen.pes) + seen.arena_bytes;
  return seen;
}

config_error stranger(std::int32_t process, std::string_view why) {
  return config_error{fmt::format(
      "cannot open the memory that process {} has made for the PEs of this host: {}; let the "
      "PEs of a host run as one user and see each other's processes in /proc (one container, "
      "one PID namespace), or give each its own LAMELLAR_HOST_ID, so that they use the network",
      process, why)};
}

/// Open a file that another process of this job has made. Looks first whether it is one: in
/// another PID namespace the number belongs to anybody.
int open_in_process(std::int32_t process, int fd) {
  const std::string path = fmt::format("/proc/{}/fd/{}", process, fd);
  char target[64] = {};
  if (readlink(path.c_str(), target, sizeof target - 1) < 0) {
    throw stranger(process, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  if (!std::string_view{target}.starts_with(fmt::format("/memfd:{}", file_name))) {
    throw stranger(process, fmt::format("{} is something else", path));
  }
  const int opened = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (opened < 0) throw stranger(process, fmt::format("{}: {}", path, std::strerror(errno)));
  return opened;
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
  const int fd = memfd_create(file_name, 0);
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
  job_memory created{fd, create_huge_file(), static_cast<std::byte*>(at), bytes};
  auto* page = new (at) job_page{};
  page->version = job_page::right_version;
  page->pes = pes;
  page->buffer_bytes = buffer_bytes;
  page->budget_bytes = budget_bytes;
  page->arena_bytes = layout.total_bytes();
  page->launcher = getpid();
  page->huge_job_fd = created.huge_fd_;
  if (getrandom(page->secret.data(), page->secret.size(), 0) < 0) fail("draw a mark for");
  page->end = segments_start(pes, layout.total_bytes());
  page->mark = job_page::right_mark;
  return created;
}

job_memory::whereabouts job_memory::where() const {
  return {getpid(), fd_, huge_fd_, page().secret};
}

job_memory job_memory::open(int fd, std::uint32_t pes) {
  if (fcntl(fd, F_GETFD) < 0) {
    refuse(fd,
           "no such descriptor; whatever stands between lamellar-run and this program closes "
           "descriptors, or the variable was left over: then unset it");
  }
  const auto seen = read_header(fd);
  if (!seen) refuse(fd, "not a job's memory; unset it, or start the program with lamellar-run");
  if (seen->version != job_page::right_version) {
    refuse(fd, fmt::format("made by a lamellar-run of another version (its memory has version "
                           "{}, this program reads {}); use the one that was built with the "
                           "program",
                           seen->version, job_page::right_version));
  }
  if (seen->pes != pes || !seen->is_whole) {
    refuse(fd, fmt::format("made for {} PEs, but {}={}", seen->pes, job_pes_variable, pes));
  }
  job_memory opened = map(fd, seen->huge_fd, pes, seen->arena_bytes);
  if (opened.layout().total_bytes() != seen->arena_bytes) {
    refuse(fd, "made by a lamellar-run of another build; use the one built with the program");
  }
  opened.keep_from_children();
  return opened;
}

job_memory job_memory::open(const whereabouts& at, std::uint32_t pes) {
  const int fd = open_in_process(at.process, at.fd);
  const auto seen = read_header(fd);
  if (!seen || seen->version != job_page::right_version || seen->secret != at.secret ||
      seen->pes != pes || !seen->is_whole) {
    close(fd);
    throw stranger(at.process, "it belongs to another job");
  }
  // Without it, segments of the others on reserved huge pages could not be reached.
  const int huge_fd = at.huge_fd < 0 ? -1 : open_in_process(at.process, at.huge_fd);
  return map(fd, huge_fd, pes, seen->arena_bytes);
}

job_memory job_memory::again() const {
  const int fd = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  const int huge_fd = huge_fd_ < 0 ? -1 : fcntl(huge_fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0 || (huge_fd < 0 && huge_fd_ >= 0)) {
    throw out_of_memory{
        fmt::format("no descriptor is left for the memory that the PEs share: {}; raise the "
                    "limit of open files (ulimit -n)",
                    std::strerror(errno))};
  }
  return map(fd, huge_fd, page().pes, page().arena_bytes);
}

job_memory job_memory::map(int fd, int huge_fd, std::uint32_t pes, std::size_t arena_bytes) {
  const std::size_t bytes = arena_start(pes) + arena_bytes;
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (at == MAP_FAILED) {
    throw out_of_memory{
        fmt::format("cannot map the {} MiB that the PEs share: {}; lower "
                    "LAMELLAR_JOB_BUDGET or raise the limit (ulimit -v)",
                    bytes >> 20, std::strerror(errno))};
  }
  return {fd, huge_fd, static_cast<std::byte*>(at), bytes};
}

void job_memory::keep_from_children() const {
  fcntl(fd_, F_SETFD, FD_CLOEXEC);
  if (huge_fd_ >= 0) fcntl(huge_fd_, F_SETFD, FD_CLOEXEC);
}

job_memory::job_memory(job_memory&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)},
      huge_fd_{std::exchange(other.huge_fd_, -1)},
      base_{std::exchange(other.base_, nullptr)},
      bytes_{other.bytes_} {}

job_memory::~job_memory() {
  if (base_ == nullptr) return;
  forget_shared_job(page());
  if (huge_fd_ >= 0) close(huge_fd_);
  munmap(base_, bytes_);
  close(fd_);
}

}  // namespace lamellar::lamellae
