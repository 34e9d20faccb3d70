// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/arena.hpp>
#include <string>

// The memory that the processes of a job share on one host: one anonymous file. lamellar-run
// creates it and every PE inherits it by its descriptor; under other launchers one PE creates
// it and the others open it through /proc. It has no name in any file system, so nothing is
// left when the last process that knows it has ended, however it ended.
//
// Order in the file: job page, one pe_entry for each PE, the arena, then segments, each of
// which starts at a multiple of 2 MiB. A second file of the same kind, on the system's reserved
// huge pages, is there when the system has any.
namespace lamellar::lamellae {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// How far a PE has come. Only ever grows.
enum class pe_state : std::uint32_t {
  outside = 0,   ///< started, has not joined
  joined = 1,    ///< set by the PE
  finished = 2,  ///< set by the PE: it has left in good order
  gone = 3,      ///< set by the launcher: it has ended and had never joined
};

struct pe_entry {
  std::atomic<pe_state> state;  ///< writers as above; peers and the launcher read
  std::atomic<std::int32_t>
      process;  ///< the PE writes before it joins; others read for messages
  /// Half steps of the exchange before there is a lamella; the PE adds, release; others
  /// acquire.
  std::atomic<std::uint64_t> steps;
};

/// The first bytes of the file. What is not atomic is written by the launcher before it starts
/// anybody.
struct job_page {
  static constexpr std::uint64_t right_mark = 0x6c616d656c6c6172;  // "lamellar"
  /// Raised with every change of what lies in the shared memory.
  static constexpr std::uint32_t right_version = 3;

  std::uint64_t mark;
  std::uint32_t version;
  std::uint32_t pes;
  std::uint64_t buffer_bytes;  ///< as given to arena_layout::plan()
  std::uint64_t budget_bytes;  ///< the same
  std::uint64_t arena_bytes;
  std::array<std::byte, 16> secret;     ///< random: tells this memory from any other
  std::int32_t launcher;                ///< the process that has created it
  std::int32_t huge_job_fd;             ///< its file on reserved huge pages, or -1
  std::atomic<std::uint64_t> end;       ///< first free byte of the file; any PE adds
  std::atomic<std::uint64_t> huge_end;  ///< the same of the other file
  /// 0, or 1 + the number of the PE that ends the job and has said why. The first PE to abort
  /// sets it; peers and the launcher read it and keep quiet.
  std::atomic<std::uint32_t> aborted_by;
  std::atomic<std::int32_t> abort_code;  ///< that PE writes, before `aborted_by`
};

/// Where the parts of the file begin.
std::size_t arena_start(std::uint32_t pes);
std::size_t segments_start(std::uint32_t pes, std::size_t arena_bytes);

/// The job page and the entries of all PEs, mapped.
class job_memory {
 public:
  /// Create the memory of a job of `pes` PEs.
  ///
  /// Throws: config_error from arena_layout::plan(); out_of_memory.
  static job_memory create(std::uint32_t pes, std::size_t buffer_bytes,
                           std::size_t budget_bytes);

  /// Where another process finds the memory that one has created. Travels.
  struct whereabouts {
    std::int32_t process = 0;
    std::int32_t fd = -1;
    std::int32_t huge_fd = -1;
    std::array<std::byte, 16> secret{};
  };
  whereabouts where() const;

  /// Map the memory that descriptor `fd` names, and check that a launcher of this version made
  /// it for `pes` PEs. Takes the descriptors over: programs that this process starts get none.
  ///
  /// Throws: config_error, saying what is wrong with LAMELLAR_JOB_FD.
  static job_memory open(int fd, std::uint32_t pes);

  /// Map the memory that another process of this host has created for `pes` PEs.
  ///
  /// Throws: config_error, saying what stands between the two; out_of_memory.
  static job_memory open(const whereabouts& at, std::uint32_t pes);

  /// The same memory once more, with descriptors of its own. Throws: out_of_memory.
  job_memory again() const;

  job_memory(job_memory&& other) noexcept;
  job_memory& operator=(job_memory&&) = delete;
  ~job_memory();

  int fd() const { return fd_; }
  int huge_fd() const { return huge_fd_; }  ///< -1: there is none
  /// Programs that this process starts do not get the memory.
  void keep_from_children() const;
  job_page& page() const { return *reinterpret_cast<job_page*>(base_); }
  pe_entry& entry(std::uint32_t pe) const {
    return reinterpret_cast<pe_entry*>(base_ + sizeof(job_page))[pe];
  }
  std::byte* arena() const { return base_ + arena_start(page().pes); }
  arena_layout layout() const {
    return arena_layout::plan(page().pes, page().buffer_bytes, page().budget_bytes);
  }

 private:
  job_memory(int fd, int huge_fd, std::byte* base, std::size_t bytes)
      : fd_{fd}, huge_fd_{huge_fd}, base_{base}, bytes_{bytes} {}
  /// Map what is known to be right. Takes the descriptors over if it succeeds.
  static job_memory map(int fd, int huge_fd, std::uint32_t pes, std::size_t arena_bytes);

  int fd_;
  int huge_fd_;
  std::byte* base_;
  std::size_t bytes_;
};

}  // namespace lamellar::lamellae
