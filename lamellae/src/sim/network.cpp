// SPDX-License-Identifier: BSD-3-Clause
#include "network.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace lamellar::lamellae::sim {
namespace {

constexpr std::uint64_t look_ns = 20;  // of a poll
/// Of a byte: networks may be slow, and memory is not.
constexpr std::uint64_t slowest_copy_ps = 80;
constexpr std::uint32_t least_buffer = 2048;
constexpr std::uint32_t header = 16;  // as other lamellae have, so that buffers hold as much
constexpr std::uint32_t packet_header = 48;  // of one that is relayed
constexpr std::size_t most_forgotten = 64;
constexpr int nonsense = 0xdd;

std::uint64_t whole(double ns) { return static_cast<std::uint64_t>(std::llround(ns)); }

std::size_t place(traffic kind) { return static_cast<std::size_t>(kind); }

}  // namespace

network::network(const settings& s, std::uint32_t pes, scheduler& turns)
    : turns_{turns},
      pes_{pes},
      pes_per_host_{s.sim.pes_per_host == 0 ? pes : s.sim.pes_per_host},
      plan_{plan_host_aggregation(s, pes, (pes - 1) / pes_per_host_ + 1)},
      buffer_bytes_{plan_.on ? plan_.packet_bytes : static_cast<std::uint32_t>(s.buffer_bytes)},
      latency_ns_{whole(s.sim.latency_ns)},
      host_latency_ns_{whole(s.sim.host_latency_ns)},
      byte_ps_{whole(s.sim.byte_ns * 1000)},
      copy_ps_{std::min(byte_ps_, slowest_copy_ps)},
      message_ps_{whole(s.sim.message_ns * 1000)},
      record_ps_{whole(s.sim.record_ns * 1000)},
      reorders_{s.sim.reorder && turns.is_left_to_chance()},
      links_(std::size_t{pes} * pes),
      ends_(pes) {
  for (endpoint& end : ends_) end.looked_at.resize(std::size_t{pes} * traffic_classes);
  const std::uint32_t hosts = host_of(pes - 1) + 1;
  sending_until_.resize(hosts);
  receiving_until_.resize(hosts);
  host_bytes_.resize(hosts);
  if (plan_.on) {
    outboxes_.resize(std::size_t{hosts} * hosts);
    depth_ = plan_.depth;
  }
  for (round& each : rounds_) each.tags.resize(pes);
  // As a tree of PEs within a host, and of hosts, does it.
  wave_ns_ = static_cast<std::uint64_t>(std::bit_width(std::min(pes, pes_per_host_) - 1)) *
                 host_latency_ns_ +
             static_cast<std::uint64_t>(std::bit_width(hosts - 1)) *
                 (latency_ns_ + message_ps_ / 1000);
  if (!turns.is_left_to_chance()) {
    buffer_bytes_ -= header;
    return;
  }
  // Runs differ in kind: some have few delays and some many, short ones or long ones.
  chance& dice = turns.dice();
  if (s.sim.delay) {
    delay_times_ = static_cast<std::uint32_t>(dice.below(9));
    delay_log_ = static_cast<std::uint32_t>(8 + dice.below(10));
  }
  if (s.sim.split) {
    split_times_ = static_cast<std::uint32_t>(dice.below(7));
    depth_ = 2u << dice.below(3);
    const auto shift = static_cast<std::uint32_t>(dice.below(3));
    buffer_bytes_ = std::max(std::min(least_buffer, buffer_bytes_), buffer_bytes_ >> shift);
  }
  buffer_bytes_ -= header;
}

network::link& network::between(std::uint32_t from, std::uint32_t to) {
  std::unique_ptr<link>& found = links_[std::size_t{from} * pes_ + to];
  if (found == nullptr) found = std::make_unique<link>();
  return *found;
}

std::uint64_t network::delay() {
  if (delay_times_ == 0 || !turns_.dice().happens(delay_times_, 8)) return 0;
  return turns_.dice().skewed(delay_log_);
}

/// When what is sent now arrives. Its bytes take their turn on the links of both hosts.
std::uint64_t network::travel(std::uint32_t from, std::uint32_t to, std::uint64_t bytes) {
  const std::uint64_t now = turns_.now(from);
  const std::uint32_t out = host_of(from);
  const std::uint32_t in = host_of(to);
  if (out == in) return now + host_latency_ns_;
  sending_until_[out] = std::max(sending_until_[out], now) + bytes_ns(bytes);
  const std::uint64_t first_byte = sending_until_[out] - bytes_ns(bytes) + latency_ns_;
  receiving_until_[in] = std::max(receiving_until_[in], first_byte) + bytes_ns(bytes);
  return receiving_until_[in];
}

out_buffer network::acquire(std::uint32_t me, std::uint32_t peer, traffic kind) {
  link& to = between(me, peer);
  auto& filling = to.filling[place(kind)];
  if (filling == nullptr) {
    learn(me, to);
    if (to.posted[place(kind)] - to.known.freed[place(kind)] >= depth_) {
      turns_.refused(me);
      return {};
    }
    if (spare_.empty()) {
      filling = std::make_unique_for_overwrite<std::byte[]>(buffer_bytes_);
    } else {
      filling = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  return {filling.get(), buffer_bytes_};
}

void network::post(std::uint32_t me, std::uint32_t peer, traffic kind, std::uint32_t bytes,
                   std::uint16_t flags) {
  link& to = between(me, peer);
  packet sent;
  sent.data = std::make_unique_for_overwrite<std::byte[]>(bytes);
  std::memcpy(sent.data.get(), to.filling[place(kind)].get(), bytes);
  spare_.push_back(std::move(to.filling[place(kind)]));
  sent.bytes = bytes;
  sent.from = me;
  sent.flags = flags;
  sent.kind = kind;
  sent.number = next_packet_++;

  endpoint& mine = ends_[me];
  const bool leaves_host = host_of(me) != host_of(peer);
  mine.done.peers += to.posted[0] + to.posted[1] == 0;
  ++to.posted[place(kind)];
  ++mine.done.messages;
  mine.done.bytes += bytes;
  if (leaves_host && plan_.on) {
    const std::uint32_t host = host_of(peer);
    outbox& box = outboxes_[std::size_t{host_of(me)} * host_bytes_.size() + host];
    if (box.bytes + bytes + packet_header > plan_.message_bytes) ship(me, host);
    turns_.work(me, copy_ns(bytes));
    turns_.log(me, "gathers {} bytes for {}, {}, #{}", bytes, peer,
               kind == traffic::body ? "body" : "handler", sent.number);
    box.bytes += bytes + packet_header;
    box.packets.push_back({peer, std::move(sent)});
    turns_.acted(me);
    return;
  }
  mine.done.network_messages += leaves_host;
  mine.done.network_bytes += leaves_host ? bytes : 0;
  turns_.work(me, message_ps_ / 1000 + (leaves_host ? 0 : copy_ns(bytes)));
  sent.work_ns = message_ps_ / 1000;
  send(me, peer, std::move(sent), travel(me, peer, bytes) + delay());
  turns_.acted(me);
}

/// `what` is on its way to `peer`, and arrives then, or behind the last one of its channel.
void network::send(std::uint32_t me, std::uint32_t peer, packet what, std::uint64_t arrives) {
  std::uint64_t& last = between(what.from, peer).last_arrival[place(what.kind)];
  last = std::max(last, arrives);
  turns_.log(me, "posts {} bytes to {}, {}, #{}, arrives at {}", what.bytes, peer,
             what.kind == traffic::body ? "body" : "handler", what.number, last);
  count_buffer(peer);
  const when at{last, what.number};
  ends_[peer].arriving.emplace(at, std::move(what));
  turns_.expect(peer, last);
}

void network::count_buffer(std::uint32_t pe) {
  endpoint& theirs = ends_[pe];
  const std::uint64_t one = buffer_bytes_ + header;
  ++theirs.buffers;
  theirs.done.peak_buffer_bytes = std::max(theirs.done.peak_buffer_bytes, theirs.buffers * one);
  std::uint64_t& on_host = host_bytes_[host_of(pe)];
  on_host += one;
  const std::uint64_t gathered = plan_.on ? host_bytes_.size() * plan_.message_bytes : 0;
  peak_host_bytes_ = std::max(peak_host_bytes_, on_host + gathered);
}

/// The first buffer of each channel that has one.
std::vector<network::when> network::candidates(std::uint32_t me, bool bodies,
                                               std::size_t most) {
  endpoint& mine = ends_[me];
  ++mine.polls;
  std::vector<when> found;
  for (const auto& [at, next] : mine.arriving) {
    if (at.first > turns_.now(me) || (!reorders_ && found.size() == most)) break;
    if (next.kind == traffic::body && !bodies) continue;
    std::uint64_t& looked =
        mine.looked_at[std::size_t{next.from} * traffic_classes + place(next.kind)];
    if (std::exchange(looked, mine.polls) != mine.polls) found.push_back(at);
  }
  if (reorders_) {
    for (std::size_t k = found.size(); k > 1; --k) {
      std::swap(found[k - 1], found[turns_.dice().below(k)]);
    }
  }
  if (found.size() > most) found.resize(most);
  return found;
}

std::uint32_t network::poll(std::uint32_t me, std::span<in_buffer> into, bool bodies) {
  turns_.work(me, look_ns);
  turns_.give_way(me);
  endpoint& mine = ends_[me];
  std::size_t most = into.size();
  bool gives_less = false;
  if (split_times_ != 0 && most > 1 && turns_.dice().happens(split_times_, 8)) {
    gives_less = true;
    most = turns_.dice().below(3);
  }
  const std::vector<when> given = candidates(me, bodies, most);
  std::uint32_t count = 0;
  for (const when& at : given) {
    const auto found = mine.arriving.find(at);
    packet& next = mine.held.emplace(mine.next_slot, std::move(found->second)).first->second;
    mine.arriving.erase(found);
    turns_.work(me, next.work_ns);
    turns_.log(me, "takes #{} from {}", next.number, next.from);
    into[count++] = {next.data.get(),  next.bytes, next.from,
                     mine.next_slot++, next.flags, next.kind};
  }
  if (gives_less && !mine.arriving.empty() &&
      mine.arriving.begin()->first.first <= turns_.now(me)) {
    turns_.expect(me, turns_.now(me) + look_ns);  // to look for the rest
  }
  if (count != 0) {
    turns_.acted(me);
  } else {
    flush(me);
    turns_.refused(me);
  }
  return count;
}

/// The buffer has been released: nobody may read it.
void network::forget(std::unique_ptr<std::byte[]> memory, std::uint32_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  static_cast<void>(bytes);
  memory.reset();
#else
  std::memset(memory.get(), nonsense, bytes);
  forgotten_.push_back(std::move(memory));
  if (forgotten_.size() > most_forgotten) forgotten_.pop_front();
#endif
}

void network::release(std::uint32_t me, const in_buffer& buffer, bool handled, bool failed) {
  endpoint& mine = ends_[me];
  const auto found = mine.held.find(buffer.slot);
  turns_.log(me, "releases #{}{}", found->second.number, handled ? ", handled" : "");
  forget(std::move(found->second.data), found->second.bytes);
  mine.held.erase(found);
  --mine.buffers;
  host_bytes_[host_of(me)] -= buffer_bytes_ + header;
  acknowledgement& told = between(buffer.from, me).told;
  ++told.freed[place(buffer.kind)];
  told.handled += handled;
  told.failed += handled && failed;
  tell(me, buffer.from);
}

void network::settle(std::uint32_t me, std::uint32_t peer, bool failed) {
  turns_.log(me, "has handled one of {}", peer);
  acknowledgement& told = between(peer, me).told;
  ++told.handled;
  told.failed += failed;
  tell(me, peer);
}

/// Send the receiver's counts. They go along with other things and cost no message.
void network::tell(std::uint32_t receiver, std::uint32_t sender) {
  link& from = between(sender, receiver);
  acknowledgement next = from.told;
  next.visible_at = std::max(
      from.coming.empty() ? std::uint64_t{0} : from.coming.back().visible_at,
      turns_.now(receiver) +
          (host_of(receiver) == host_of(sender) ? host_latency_ns_ : latency_ns_) + delay());
  if (!from.coming.empty() && from.coming.back().visible_at == next.visible_at) {
    from.coming.back() = next;
  } else {
    from.coming.push_back(next);
    turns_.expect(sender, next.visible_at);
  }
  turns_.acted(receiver);
}

void network::learn(std::uint32_t me, link& to) {
  for (; !to.coming.empty() && to.coming.front().visible_at <= turns_.now(me);
       to.coming.pop_front()) {
    to.known = to.coming.front();
  }
}

delivery network::delivered(std::uint32_t me, std::uint32_t peer) {
  link* const to = links_[std::size_t{me} * pes_ + peer].get();
  if (to == nullptr) return {};
  learn(me, *to);
  const delivery it{to->posted[0] + to->posted[1], to->known.handled, to->known.failed};
  if (it.posted != it.handled) turns_.refused(me);
  return it;
}

void network::begin_wave(std::uint32_t me, const wave& mine) {
  endpoint& here = ends_[me];
  round& at = rounds_[++here.round & 1];
  if (at.begun == 0) at.sums = wave{};
  for (std::size_t k = 0; k < std::size(mine.sums); ++k) at.sums.sums[k] += mine.sums[k];
  at.tags[me] = mine.tag;
  at.last_begun_at = std::max(at.last_begun_at, turns_.now(me));
  here.wave_comes_at = 0;
  turns_.log(me, "begins wave {}, tag {}, sums {} {} {} {}", here.round, mine.tag, mine.sums[0],
             mine.sums[1], mine.sums[2], mine.sums[3]);
  turns_.acted(me);
  if (++at.begun != pes_) return;
  at.begun = 0;
  ++waves_;
  for (std::uint32_t pe = 0; pe < pes_; ++pe) {
    ends_[pe].wave_comes_at = std::max(std::uint64_t{1}, at.last_begun_at + wave_ns_ + delay());
    turns_.expect(pe, ends_[pe].wave_comes_at);
  }
  at.last_begun_at = 0;
}

bool network::end_wave(std::uint32_t me, wave& result) {
  endpoint& here = ends_[me];
  if (here.wave_comes_at == 0 || here.wave_comes_at > turns_.now(me)) {
    turns_.refused(me);
    return false;
  }
  const round& at = rounds_[here.round & 1];
  result = at.sums;
  result.tag = at.tags[me];
  for (std::uint32_t pe = 0; pe < pes_; ++pe) {
    if (at.tags[pe] != result.tag) {
      result.agreed = false;
      result.disagreeing = pe;
      result.other_tag = at.tags[pe];
      break;
    }
  }
  turns_.log(me, "ends wave {}", here.round);
  turns_.acted(me);
  return true;
}

void network::charge(std::uint32_t me, std::uint64_t records) {
  ends_[me].done.records += records;
  turns_.work(me, records * record_ps_ / 1000);
}

simulation_result network::result() const {
  simulation_result all;
  all.steps = turns_.steps();
  all.waves = waves_;
  all.peak_host_bytes = peak_host_bytes_;
  for (std::uint32_t pe = 0; pe < pes_; ++pe) {
    simulated_pe one = ends_[pe].done;
    one.time_ns = turns_.now(pe);
    simulated_pe& total = all.total;
    total.time_ns = std::max(total.time_ns, one.time_ns);
    total.messages += one.messages;
    total.bytes += one.bytes;
    total.network_messages += one.network_messages;
    total.network_bytes += one.network_bytes;
    total.records += one.records;
    total.peak_buffer_bytes = std::max(total.peak_buffer_bytes, one.peak_buffer_bytes);
    total.peers = std::max(total.peers, one.peers);
    all.pes.push_back(one);
  }
  return all;
}

}  // namespace lamellar::lamellae::sim
