// SPDX-License-Identifier: BSD-3-Clause
#include "sim.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "../membership.hpp"
#include "../memory.hpp"
#include "network.hpp"
#include "replay.hpp"
#include "scheduler.hpp"

namespace lamellar::lamellae {
namespace {

constexpr std::uint32_t most_pes = 4096;
constexpr std::size_t page = 4096;
constexpr std::uint64_t clock_ns = 20;  // to read it; a loop that waits for a time comes there

/// What the PEs of a simulated job share. Destroyed when the last of them is.
struct simulated_job {
  explicit simulated_job(const settings& chosen)
      : s{chosen}, turns{s, s.pes}, net{s, s.pes, turns}, blobs(s.pes) {}

  settings s;
  sim::scheduler turns;
  sim::network net;
  std::vector<std::vector<std::byte>> blobs;  // of the exchange that is under way
  std::mutex segment_lock;                    // guards the two below: a PE may have threads
  std::map<std::uint64_t, segment> segments;  // by key
  std::uint64_t next_key = 1;
};

class sim_lamella final : public lamella {
 public:
  sim_lamella(std::uint32_t me, std::shared_ptr<simulated_job> all)
      : lamella{me, all->s.pes}, all_{std::move(all)} {
    const std::uint32_t per_host = all_->s.sim.pes_per_host;
    able_.buffer_bytes = all_->net.buffer_bytes();
    able_.channel_depth = all_->net.depth();
    able_.mapped = all_->s.mapped;
    able_.in_turns = true;
    able_.pes_in_process = size();
    able_.pes_on_host = per_host == 0 || per_host > size() ? size() : per_host;
  }

  const char* name() const override { return "sim"; }

  std::vector<std::vector<std::byte>> exchange(std::span<const std::byte> mine) override {
    all_->blobs[me()].assign(mine.begin(), mine.end());
    meet();  // all have written
    std::vector<std::vector<std::byte>> blobs = all_->blobs;
    meet();  // all have read
    return blobs;
  }

  out_buffer acquire(std::uint32_t peer, traffic kind) override {
    return net().acquire(me(), peer, kind);
  }
  void post(std::uint32_t peer, traffic kind, std::uint32_t bytes,
            std::uint16_t flags) override {
    net().post(me(), peer, kind, bytes, flags);
  }
  void flush() override { net().flush(me()); }
  std::uint32_t poll(std::span<in_buffer> into, bool bodies) override {
    return net().poll(me(), into, bodies);
  }
  void release(const in_buffer& buffer, bool handled, bool failed) override {
    net().release(me(), buffer, handled, failed);
  }
  void settle(std::uint32_t peer, bool failed) override { net().settle(me(), peer, failed); }
  delivery delivered(std::uint32_t peer) const override { return net().delivered(me(), peer); }

  line* request_line(std::uint32_t) override { return nullptr; }
  line* serving_line(std::uint32_t) override { return nullptr; }

  void begin_wave(const wave& mine) override { net().begin_wave(me(), mine); }
  bool end_wave(wave& result) override { return net().end_wave(me(), result); }

  segment allocate_segment(std::size_t bytes) override;
  void free_segment(const segment& which) override;
  std::byte* mapped(std::uint32_t peer, std::uint64_t key, std::size_t bytes) override;

  std::uint32_t host_of(std::uint32_t peer) const override { return peer / able_.pes_on_host; }

  std::uint64_t now_ns() const override {
    turns().work(me(), clock_ns);
    return turns().now(me());
  }
  void finished() override { turns().log(me(), "has finished"); }

  void idle() override { turns().wait(me(), true); }
  void overdue() override { turns().overdue(me()); }
  void charge(std::uint64_t records) override { net().charge(me(), records); }
  void describe_waiting(std::function<std::string()> what) override {
    all_->turns.describe_waiting(me(), std::move(what));
  }

 private:
  /// All there is to do goes through one of these two: what the watchdog counts.
  sim::scheduler& turns() const {
    all_->turns.called();
    return all_->turns;
  }
  sim::network& net() const {
    all_->turns.called();
    return all_->net;
  }

  void meet() {
    wave w;
    begin_wave(w);
    while (!end_wave(w)) idle();
  }

  std::shared_ptr<simulated_job> all_;
};

segment sim_lamella::allocate_segment(std::size_t bytes) {
  segment made;
  made.bytes = (std::max(bytes, std::size_t{1}) + page - 1) / page * page;
  void* at = MAP_FAILED;
  const std::size_t left = memory_available();
  if (made.bytes >= bytes && made.bytes <= left) {
    at =
        ::mmap(nullptr, made.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (at == MAP_FAILED) {
    throw out_of_memory(fmt::format(
        "cannot get a segment of {} MiB: {} MiB of memory are left; ask for less, lower "
        "LAMELLAR_HEAP_SIZE or start fewer PEs",
        bytes >> 20, left >> 20));
  }
  made.data = static_cast<std::byte*>(at);
  made.page_bytes = page;
  {
    const std::lock_guard lock{all_->segment_lock};
    made.key = all_->next_key++;
    all_->segments[made.key] = made;
  }
  turns().log(me(), "allocates segment {} of {} bytes", made.key, made.bytes);
  return made;
}

void sim_lamella::free_segment(const segment& which) {
  turns().log(me(), "frees segment {}", which.key);
  {
    const std::lock_guard lock{all_->segment_lock};
    all_->segments.erase(which.key);
  }
  ::munmap(which.data, which.bytes);
}

std::byte* sim_lamella::mapped(std::uint32_t, std::uint64_t key, std::size_t bytes) {
  if (!able_.mapped) return nullptr;
  const std::lock_guard lock{all_->segment_lock};
  const auto found = all_->segments.find(key);
  return found == all_->segments.end() || bytes > found->second.bytes ? nullptr
                                                                      : found->second.data;
}

/// Run the job, say how to repeat it if it ends out of turn, and give its result.
void run_simulated(simulated_job& all, const std::string& replay,
                   const std::function<void(std::size_t)>& as_pe) {
  note_for_abort([&] {
    all.turns.flush_trace();
    return fmt::format("lamellar: this was simulated, seed {}; the same run again: {}\n",
                       all.s.sim.seed, replay);
  });
  all.turns.run([&](std::uint32_t me) { as_pe(me); });
  note_for_abort(nullptr);
  simulation_result result = all.net.result();
  result.seed = all.s.sim.seed;
  if (all.s.statistics) std::fputs(sim::summary(all.s, result).c_str(), stderr);
  if (all.s.sim.result != nullptr) *all.s.sim.result = std::move(result);
}

}  // namespace

job open_sim(const settings& s) {
  if (s.threads > 1) {
    throw config_error(fmt::format(
        "LAMELLAR_THREADS={}: a simulated PE has one thread; unset it, or use another "
        "LAMELLAR_LAMELLA",
        s.threads));
  }
  if (s.pes > most_pes) {
    throw config_error(
        fmt::format("LAMELLAR_PES={}: one process simulates at most {} PEs", s.pes, most_pes));
  }
  if (s.sim.kill_pe && *s.sim.kill_pe >= s.pes) {
    throw config_error(fmt::format("LAMELLAR_SIM_KILL={}@{}: there is no PE {} among {}",
                                   *s.sim.kill_pe, s.sim.kill_step, *s.sim.kill_pe, s.pes));
  }
  auto all = std::make_shared<simulated_job>(s);
  job opened;
  for (std::uint32_t pe = 0; pe < s.pes; ++pe) {
    opened.pes.push_back(std::make_unique<sim_lamella>(pe, all));
  }
  opened.replay = sim::replay_command(s);
  opened.take_turns = [all, replay = opened.replay](const auto& as_pe) {
    run_simulated(*all, replay, as_pe);
  };
  return opened;
}

}  // namespace lamellar::lamellae
