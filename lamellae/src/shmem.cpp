// SPDX-License-Identifier: BSD-3-Clause
#include "shmem.hpp"

#include <utility>

#include "mapped_lamella.hpp"
#include "segments.hpp"

namespace lamellar::lamellae {
namespace {

class shmem_lamella final : public mapped_lamella {
 public:
  shmem_lamella(host_place place, const settings& s, std::shared_ptr<bootstrap> from)
      : mapped_lamella{place.index, place.memory.arena(), place.memory.layout()},
        from_{std::move(from)},
        memory_{std::move(place.memory)},
        segments_{{memory_.fd(), &memory_.page().end},
                  {memory_.huge_fd(), &memory_.page().huge_end}} {
    able_.mapped = s.mapped;
    able_.lines = s.mapped;
    able_.pes_on_host = size();
    able_.index_on_host = me();
    able_.oversubscribed = std::uint64_t{size()} * s.threads > place.hardware_threads;
  }

  const char* name() const override { return "shmem"; }

  segment allocate_segment(std::size_t bytes) override { return segments_.allocate(bytes); }
  void free_segment(const segment& which) override { segments_.free(which); }
  std::byte* mapped(std::uint32_t, std::uint64_t key, std::size_t bytes) override {
    return able_.mapped ? segments_.mapped(key, bytes) : nullptr;
  }

  void finished() override {
    if (from_ != nullptr) from_->finished();
  }

 private:
  std::shared_ptr<bootstrap> from_;
  job_memory memory_;
  shared_segments segments_;
};

}  // namespace

std::unique_ptr<lamella> make_shmem(host_place place, const settings& s,
                                    std::shared_ptr<bootstrap> from) {
  return std::make_unique<shmem_lamella>(std::move(place), s, std::move(from));
}

}  // namespace lamellar::lamellae
