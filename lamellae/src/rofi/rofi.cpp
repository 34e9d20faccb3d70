// SPDX-License-Identifier: BSD-3-Clause
#include "rofi.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "../fabric/fabric.hpp"
#include "../host_aggregation.hpp"
#include "../shmem.hpp"
#include "control.hpp"
#include "far_channels.hpp"
#include "far_waves.hpp"
#include "introduction.hpp"
#include "places.hpp"
#include "relay.hpp"

namespace lamellar::lamellae {
namespace {

using clock = std::chrono::steady_clock;

/// Memory for the buffers of one direction between two PEs, both classes.
constexpr std::uint32_t bytes_of_direction = 128 << 10;
/// By which the network counts on those that come from a host to its gateway.
constexpr std::uint32_t messages_of_a_host = 8;
constexpr std::size_t usual_buffer_bytes = 16 << 10;
/// What the usual provider still sends at once, without asking the receiver first.
constexpr std::uint32_t longest_eager = 16 << 10;
/// Polls between two looks at the network while PEs of this host keep this one busy.
constexpr std::uint32_t polls_between_looks = 16;
constexpr std::uint32_t polls_between_checks = 256;
constexpr auto patience_at_end = std::chrono::seconds{5};
/// Of whoever ends the job, with a PE that is to say what it waits for.
constexpr auto patience_with_answers = std::chrono::milliseconds{200};
/// Farewells take another way than messages, and may come later than the end of a connection.
constexpr auto patience_with_failures = std::chrono::seconds{1};

class rofi_lamella final : public lamella {
 public:
  rofi_lamella(std::shared_ptr<bootstrap> from, places where, std::unique_ptr<lamella> host,
               const std::vector<introduction>& all, const host_aggregation& plan,
               const settings& s)
      : lamella{from->me(), from->size()},
        bootstrap_{std::move(from)},
        places_{std::move(where)},
        host_{std::move(host)},
        plan_{plan},
        depth_{plan.on ? plan.depth
                       : std::clamp<std::uint32_t>(
                             bytes_of_direction / traffic_classes / host_->able().buffer_bytes,
                             2, 16)},
        address_{address_for(all, s)},
        fabric_{choose(s)},
        carrier_{make_carrier(all[0].secret[2])},
        far_{*carrier_, me(), places_.far(), depth_, buffer_bytes(), all[0].secret[2]},
        waves_{*host_, places_.pes, places_.leaders(), places_.this_host(), far_} {
    able_ = host_->able();
    able_.buffer_bytes = buffer_bytes();
    able_.channel_depth = std::min(able_.channel_depth, depth_);
    able_.lines = able_.lines && places_.pes.size() > 1;
    able_.mapped = able_.mapped && s.mapped;
    able_.transfers = places_.has_far();
    share_cores(all, s);
    meet(all[0].secret, s);
  }

  ~rofi_lamella() override {
    // Before anything goes that its thread looks at.
    control_.reset();
  }

  const char* name() const override { return "rofi"; }

  std::vector<std::vector<std::byte>> exchange(std::span<const std::byte> mine) override {
    if (!places_.has_far()) return bootstrap_->exchange(mine);
    // Whoever has not come to the exchange yet may wait for what is still on its way from here.
    auto others = std::async(std::launch::async, [&] { return bootstrap_->exchange(mine); });
    while (others.wait_for(std::chrono::microseconds{200}) != std::future_status::ready) {
      const std::lock_guard lock{far_mutex_};
      far_.poll({}, false);
    }
    return others.get();
  }

  // --- channels ---

  out_buffer acquire(std::uint32_t peer, traffic kind) override {
    if (!is_near(peer)) return far_.acquire(peer, kind);
    out_buffer room = host_->acquire(places_.near[peer], kind);
    room.capacity = std::min(room.capacity, able_.buffer_bytes);
    return room;
  }
  void post(std::uint32_t peer, traffic kind, std::uint32_t bytes,
            std::uint16_t flags) override {
    if (is_near(peer)) {
      host_->post(places_.near[peer], kind, bytes, flags);
    } else {
      far_.post(peer, kind, bytes, flags);
    }
  }
  void flush() override { far_.flush(); }
  std::uint32_t poll(std::span<in_buffer> into, bool bodies) override {
    std::uint32_t found = 0;
    if (places_.pes.size() > 1) {
      found = host_->poll(into, bodies);
      for (in_buffer& one : into.first(found)) one.from = places_.pes[one.from];
    }
    if (places_.has_far() && (found == 0 || ++polls_since_look_ == polls_between_looks)) {
      polls_since_look_ = 0;
      const std::lock_guard lock{far_mutex_};
      found += far_.poll(into.subspan(found), bodies);
      if (++polls_since_check_ >= polls_between_checks) check_network();
    }
    return found;
  }
  void release(const in_buffer& buffer, bool handled, bool failed) override {
    if (is_near(buffer.from)) {
      in_buffer there = buffer;
      there.from = places_.near[buffer.from];
      host_->release(there, handled, failed);
    } else {
      const std::lock_guard lock{far_mutex_};
      far_.release(buffer, handled, failed);
    }
  }
  void settle(std::uint32_t peer, bool failed) override {
    if (is_near(peer)) {
      host_->settle(places_.near[peer], failed);
    } else {
      const std::lock_guard lock{far_mutex_};
      far_.settle(peer, failed);
    }
  }
  delivery delivered(std::uint32_t peer) const override {
    return is_near(peer) ? host_->delivered(places_.near[peer]) : far_.delivered(peer);
  }

  line* request_line(std::uint32_t peer) override {
    return is_near(peer) ? host_->request_line(places_.near[peer]) : nullptr;
  }
  line* serving_line(std::uint32_t peer) override {
    return is_near(peer) ? host_->serving_line(places_.near[peer]) : nullptr;
  }

  void begin_wave(const wave& mine) override {
    if (places_.has_far()) {
      const std::lock_guard lock{far_mutex_};
      waves_.begin(mine);
    } else {
      host_->begin_wave(mine);
    }
  }
  bool end_wave(wave& result) override {
    if (!places_.has_far()) return host_wave_is_back(result);
    const std::lock_guard lock{far_mutex_};
    if (waves_.end(result)) return true;
    far_.poll({}, false);  // nobody else may do so meanwhile
    return false;
  }

  // --- memory ---

  segment allocate_segment(std::size_t bytes) override {
    segment made = host_->allocate_segment(bytes);
    if (!places_.has_far()) return made;
    exposed_memory exposed;
    try {
      exposed = fabric_.expose({made.data, made.bytes});
    } catch (...) {
      host_->free_segment(made);
      throw;
    }
    made.remote = exposed.name;
    const std::lock_guard lock{mutex_};
    exposed_[made.data] = exposed;
    return made;
  }
  void free_segment(const segment& which) override {
    exposed_memory exposed;
    {
      const std::lock_guard lock{mutex_};
      if (const auto at = exposed_.find(which.data); at != exposed_.end()) {
        exposed = at->second;
        exposed_.erase(at);
      }
    }
    if (exposed.handle != nullptr) fabric_.hide(exposed);
    host_->free_segment(which);
  }
  std::byte* mapped(std::uint32_t peer, std::uint64_t key, std::size_t bytes) override {
    return is_near(peer) ? host_->mapped(places_.near[peer], key, bytes) : nullptr;
  }
  bool put(std::uint32_t peer, const remote_memory& to, std::uint64_t offset,
           std::span<const std::byte> from, transfer& done) override {
    return fabric_.put(peer, to, offset, from, done);
  }
  bool get(std::uint32_t peer, const remote_memory& from, std::uint64_t offset,
           std::span<std::byte> into, transfer& done) override {
    return fabric_.get(peer, from, offset, into, done);
  }

  // --- the rest ---

  bulletin* page_of(std::uint32_t pe) override {
    return control_ != nullptr ? control_->page_of(pe) : near_page(pe);
  }
  std::uint32_t host_of(std::uint32_t peer) const override { return places_.hosts[peer]; }
  std::uint64_t now_ns() const override { return host_->now_ns(); }

  void finished() override {
    // What has been sent must be on its way before the endpoint goes.
    const auto end = clock::now() + patience_at_end;
    while (carrier_->busy() && clock::now() < end) {
      far_.poll({}, false);
      std::this_thread::yield();
    }
    if (control_ != nullptr) control_->leave();
    host_->finished();
    bootstrap_->finished();
  }

 private:
  bool is_near(std::uint32_t peer) const { return places_.near[peer] != places::nobody; }
  std::uint32_t buffer_bytes() const {
    const std::uint32_t whole = host_->able().buffer_bytes;
    if (plan_.on) return std::min(whole, plan_.payload_bytes());
    const auto header = static_cast<std::uint32_t>(sizeof(wire_header));
    return whole <= longest_eager ? std::min(whole, longest_eager - header) : whole;
  }
  bulletin* near_page(std::uint32_t pe) {
    return is_near(pe) ? host_->page_of(places_.near[pe]) : nullptr;
  }
  bool host_wave_is_back(wave& result) {
    if (!host_->end_wave(result)) return false;
    if (!result.agreed) result.disagreeing = places_.pes[result.disagreeing];
    return true;
  }

  /// Hosts may be pretended, or containers of one machine: what counts is who shares cores.
  void share_cores(const std::vector<introduction>& all, const settings& s) {
    able_.pes_on_host = 0;
    for (std::uint32_t pe = 0; pe < size(); ++pe) {
      if (all[pe].machine != all[me()].machine) continue;
      if (pe == me()) able_.index_on_host = able_.pes_on_host;
      ++able_.pes_on_host;
    }
    if (able_.pes_on_host > places_.pes.size()) {
      able_.oversubscribed = std::uint64_t{able_.pes_on_host} * s.threads >
                             static_cast<std::uint64_t>(sysconf(_SC_NPROCESSORS_ONLN));
    }
  }

  fabric_choice choose(const settings& s) const {
    fabric_choice choice;
    choice.provider = s.rofi_provider;
    choice.domain = s.rofi_domain;
    choice.address = address_for_provider(address_, s);
    if (plan_.on) {
      choice.message_bytes = plan_.message_bytes;
      const auto neighbours = static_cast<std::uint32_t>(places_.pes.size());
      choice.expected_messages = (places_.host_count() / neighbours + 1) * messages_of_a_host;
      return choice;
    }
    choice.message_bytes = (buffer_bytes() + static_cast<std::uint32_t>(sizeof(wire_header)) +
                            wire_alignment - 1) /
                           wire_alignment * wire_alignment;
    const auto peers = static_cast<std::uint32_t>(size() - places_.pes.size());
    choice.expected_messages = peers * traffic_classes * depth_ + 16;
    return choice;
  }

  std::unique_ptr<carrier> make_carrier(std::uint64_t tag) {
    if (!plan_.on) return std::make_unique<direct_carrier>(fabric_);
    auto made = std::make_unique<host_relay>(fabric_, places_, me(), plan_, tag);
    relay_ = made.get();
    return made;
  }

  /// Exchange addresses with all PEs; from here on a lost PE is noticed.
  void meet(const job_secret& secret, const settings& s) {
    auto addresses = bootstrap_->exchange(fabric_.address());
    for (std::uint32_t pe = 0; pe < size(); ++pe) {
      if (is_near(pe)) addresses[pe].clear();
    }
    fabric_.connect(addresses, me());
    if (!places_.has_far()) return;
    if (relay_ != nullptr) relay_->meet(*host_, *bootstrap_);
    control_settings rules;
    rules.address = address_;
    rules.secret = secret;
    rules.timeout_s = s.peer_timeout_s;
    rules.own = near_page(me());
    rules.near_page = [this](std::uint32_t pe) { return near_page(pe); };
    rules.now_ns = [this] { return now_ns(); };
    rules.lost = [this](std::uint32_t pe, const std::string& why) {
      // The launcher has noticed too, and its request to end must not silence the reason.
      outlast_launcher();
      end_job(pe, why + what_this_pe_does());
    };
    control_ = std::make_unique<control>(*bootstrap_, std::move(rules));
  }

  static void outlast_launcher() {
    struct sigaction now {};
    if (sigaction(SIGTERM, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
      signal(SIGTERM, SIG_IGN);
    }
  }

  /// As for a report, if the PE answers soon. Any thread but the PE's own.
  std::string what_this_pe_does() {
    bulletin& own = *near_page(me());
    const std::uint32_t number = page_of(0)->asked.fetch_add(1) + 1;
    const auto end = clock::now() + patience_with_answers;
    while (own.answered.load(std::memory_order_acquire) < number) {
      if (clock::now() > end) return fmt::format("; PE {}: computes", me());
      std::this_thread::sleep_for(std::chrono::microseconds{100});
    }
    const std::string_view all{own.text, std::min<std::size_t>(own.bytes, sizeof(own.text))};
    return fmt::format("; PE {}: {}", me(), all.substr(0, all.find('\n')));
  }

  [[noreturn]] void end_job(std::uint32_t lost, const std::string& why) {
    std::string text = fmt::format("PE {} is lost: {}", lost, why);
    if (!is_near(lost)) {
      const delivery it = far_.delivered(lost);
      if (it.posted != it.handled) {
        text += fmt::format("; it has not handled {} buffers of messages from PE {}",
                            it.posted - it.handled, me());
      }
    }
    abort_job(1, text);
  }

  /// End the job if the network has failed, unless the PE concerned has left in good order.
  void check_network() {
    polls_since_check_ = 0;
    const auto failure = fabric_.failure();
    if (!failure) return;
    if (failed_at_ == clock::time_point{}) failed_at_ = clock::now();
    const bool has_left = failure->peer < size() && control_->has_left(failure->peer);
    if (has_left || clock::now() - failed_at_ < patience_with_failures) return;
    const std::string what = fmt::format("{}: {}", failure->operation, failure->reason);
    if (failure->peer < size()) end_job(failure->peer, what);
    abort_job(1, fmt::format("the network failed PE {}: {}", me(), what));
  }

  std::shared_ptr<bootstrap> bootstrap_;
  places places_;
  std::unique_ptr<lamella> host_;
  host_aggregation plan_;
  std::uint32_t depth_;
  std::string address_;  // where this PE listens
  fabric fabric_;
  host_relay* relay_ = nullptr;  // the carrier, if the plan says so
  std::unique_ptr<carrier> carrier_;
  far_channels far_;
  far_waves waves_;
  std::unique_ptr<control> control_;
  std::uint32_t polls_since_look_ = 0;
  std::uint32_t polls_since_check_ = 0;
  clock::time_point failed_at_{};
  // Whoever polls and whoever is in a wave may be different threads; both look at far_.
  std::mutex far_mutex_;
  std::mutex mutex_;  // guards the next
  std::map<const std::byte*, exposed_memory> exposed_;
};

}  // namespace

std::unique_ptr<lamella> open_rofi(const settings& given, std::shared_ptr<bootstrap> from) {
  settings s = given;
  if (!s.buffer_bytes_given) s.buffer_bytes = usual_buffer_bytes;
  const std::vector<introduction> all = introduce_all(*from, s);
  if (!s.mapped) from->pretend_one_pe_per_host();
  host_place place = share_host_memory(*from, s);
  places where{*from, place.pes};
  const host_aggregation plan = plan_host_aggregation(s, from->size(), where.host_count());
  if (plan.on) s.buffer_bytes = plan.packet_bytes;
  auto host = make_shmem(std::move(place), s, nullptr);
  return std::make_unique<rofi_lamella>(std::move(from), std::move(where), std::move(host), all,
                                        plan, s);
}

}  // namespace lamellar::lamellae
