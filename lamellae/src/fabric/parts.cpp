// SPDX-License-Identifier: BSD-3-Clause
#include "parts.hpp"

#include <fmt/format.h>
#include <rdma/fi_atomic.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_tagged.h>

#include <array>
#include <utility>

namespace lamellar::lamellae {
namespace {

constexpr std::size_t completions_at_once = 64;

/// Buffers that may be under way, and as many again that are being filled, and some for words
/// between lamellae.
std::size_t most_send_buffers(const fabric_choice& choice) {
  return 2 * std::size_t{choice.expected_messages} + 64;
}

bool can_fetch_add(fid_ep* ep) {
  std::size_t count = 0;
  return fi_fetch_atomicvalid(ep, FI_UINT64, FI_SUM, &count) == 0 && count > 0;
}

}  // namespace

fabric::parts::parts(provider_info info, const fabric_choice& choice)
    : net{std::move(info), choice.message_bytes},
      numbers{net.info(), 0},
      outgoing{net, choice.message_bytes, most_send_buffers(choice)},
      incoming{net, choice},
      moving{net, choice.register_local_memory} {
  const fi_info& got = net.info();
  able.provider = got.fabric_attr->prov_name;
  able.domain = got.domain_attr->name == nullptr ? "" : got.domain_attr->name;
  able.inject_bytes = got.tx_attr->inject_size;
  able.longest_transfer = got.ep_attr->max_msg_size;
  able.chooses_keys = !net.wants(FI_MR_PROV_KEY);
  able.virtual_addresses = net.wants(FI_MR_VIRT_ADDR);
  able.registers_local_memory = net.wants(FI_MR_LOCAL);
  able.atomics = (got.caps & FI_ATOMIC) != 0 && can_fetch_add(net.ep());
  const std::int64_t code = incoming.post();
  if (code != 0) {
    throw provider_refused{fmt::format("laying out receive buffers: {}", reason_of(code))};
  }
}

// Registrations that belong to an endpoint must end before it does; others after it, since it
// might still write to the memory.
fabric::parts::~parts() {
  if (net.wants(FI_MR_ENDPOINT)) {
    moving.unregister();
    incoming.unregister();
    outgoing.unregister();
  }
  net.close();
  moving.abandon();
}

void fabric::parts::connect(std::span<const std::vector<std::byte>> addresses,
                            std::uint32_t number) {
  const std::vector<fi_addr_t> learnt = net.learn(addresses);
  numbers = message_numbers{net.info(), addresses.size()};
  peers.assign(addresses.size(), {});
  for (std::size_t pe = 0; pe < learnt.size(); ++pe) peers[pe].address = learnt[pe];
  me = number;
  incoming.expect(static_cast<std::uint32_t>(addresses.size()));
}

bool fabric::parts::reachable(std::uint32_t peer, const char* what) {
  if (peer < peers.size() && peers[peer].address != FI_ADDR_NOTAVAIL) return true;
  note({peer, fmt::format("{} PE {}", what, peer), "it has no address on this network"});
  return false;
}

void fabric::parts::send(std::uint32_t peer, send_item& item) {
  if (!reachable(peer, "a message to")) {
    outgoing.give_back(&item);
    return;
  }
  peer_state& to = peers[peer];
  item.peer = peer;
  item.next = nullptr;
  item.number = numbers.word(me, to.sent++);
  messages.store(messages.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (to.first_waiting == nullptr && offer(item)) return;
  (to.first_waiting == nullptr ? to.first_waiting : to.last_waiting->next) = &item;
  to.last_waiting = &item;
  if (!to.listed) waiting.push_back(peer);
  to.listed = true;
}

bool fabric::parts::offer(send_item& item) {
  const bool copied = item.bytes <= able.inject_bytes;
  const fi_addr_t to = peers[item.peer].address;
  std::int64_t code;
  if (numbers) {
    code = copied ? fi_injectdata(net.ep(), item.data(), item.bytes, item.number, to)
                  : fi_senddata(net.ep(), item.data(), item.bytes, item.descriptor, item.number,
                                to, &item.context);
  } else {
    code = copied
               ? fi_inject(net.ep(), item.data(), item.bytes, to)
               : fi_send(net.ep(), item.data(), item.bytes, item.descriptor, to, &item.context);
  }
  if (code == -FI_EAGAIN) return false;
  if (code != 0) {
    note({item.peer, fmt::format("a message of {} bytes to PE {}", item.bytes, item.peer),
          reason_of(code)});
  }
  if (code != 0 || copied) sent(item);
  return true;
}

void fabric::parts::sent(send_item& item) {
  messages.store(messages.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  outgoing.give_back(&item);
}

void fabric::parts::retry() {
  for (std::size_t k = 0; k < waiting.size();) {
    peer_state& to = peers[waiting[k]];
    while (to.first_waiting != nullptr) {
      // Once it is offered it may be somebody else's.
      send_item* const next = to.first_waiting->next;
      if (!offer(*to.first_waiting)) break;
      to.first_waiting = next;
    }
    if (to.first_waiting != nullptr) {
      ++k;
      continue;
    }
    to.listed = false;
    waiting[k] = waiting.back();
    waiting.pop_back();
  }
  moving.retry(fresh);
  const std::int64_t code = incoming.post();
  if (code != 0) note({fabric_failure::no_peer, "laying out receive buffers", reason_of(code)});
}

void fabric::parts::read_completions() {
  std::array<fi_cq_data_entry, completions_at_once> entries;
  const auto count = fi_cq_read(net.cq(), entries.data(), entries.size());
  if (count > 0) {
    for (std::int64_t k = 0; k < count; ++k) {
      const fi_cq_data_entry& entry = entries[static_cast<std::size_t>(k)];
      if (entry.op_context == nullptr) continue;
      auto& op = *static_cast<operation*>(entry.op_context);
      switch (op.what) {
        case operation::kind::message:
          sent(static_cast<send_item&>(op));
          break;
        case operation::kind::receive:
          incoming.completed(entry);
          break;
        case operation::kind::transfer:
          moving.completed(op, fresh);
          break;
      }
    }
  } else if (count == -FI_EAVAIL) {
    read_failure();
  } else if (count != -FI_EAGAIN && count != 0) {
    note({fabric_failure::no_peer, "reading completions", reason_of(count)});
  }
}

void fabric::parts::read_failure() {
  fi_cq_err_entry entry{};
  if (fi_cq_readerr(net.cq(), &entry, 0) <= 0) return;
  std::string reason = reason_of(entry.err);
  if (entry.prov_errno != 0) {
    char buffer[256] = {};
    const char* const words =
        fi_cq_strerror(net.cq(), entry.prov_errno, entry.err_data, buffer, sizeof buffer);
    if (words != nullptr && words[0] != '\0' && reason != words) {
      reason.append(" (").append(words).append(")");
    }
  }
  if (entry.op_context == nullptr) {
    note({fabric_failure::no_peer, "a message that was copied at once", std::move(reason)});
    return;
  }
  end_in_vain(*static_cast<operation*>(entry.op_context), entry, reason);
}

void fabric::parts::end_in_vain(operation& op, const fi_cq_err_entry& entry,
                                const std::string& reason) {
  switch (op.what) {
    case operation::kind::message: {
      auto& item = static_cast<send_item&>(op);
      note({item.peer, fmt::format("a message of {} bytes to PE {}", item.bytes, item.peer),
            reason});
      sent(item);
      break;
    }
    case operation::kind::receive:
      // A message that is too long, or broke off: who needs it will miss it.
      incoming.failed(entry);
      break;
    case operation::kind::transfer:
      moving.failed(op, reason, fresh);
      break;
  }
}

void fabric::parts::note(fabric_failure what) {
  const std::lock_guard alone_with_it{failure_mutex};
  if (first_failure) return;
  first_failure = std::move(what);
  has_failure.store(true, std::memory_order_release);
}

void fabric::parts::note_all() {
  for (fabric_failure& one : fresh) note(std::move(one));
  fresh.clear();
  moves.store(moving.under_way(), std::memory_order_relaxed);
}

bool fabric::parts::move(transfers::request what, transfer& done) {
  const bool writes = what.what == transfers::request::kind::put;
  if (!reachable(what.peer, writes ? "a put to" : "a get from")) {
    done.failed.store(true, std::memory_order_release);
    return true;
  }
  what.address = peers[what.peer].address;
  const bool begun = moving.begin(what, done, fresh);
  note_all();
  return begun;
}

bool fabric::parts::fetch_add(transfers::request what, std::uint64_t by, std::uint64_t& before,
                              transfer& done) {
  if (!reachable(what.peer, "a fetch_add at")) {
    done.failed.store(true, std::memory_order_release);
    return true;
  }
  what.address = peers[what.peer].address;
  const bool begun = moving.begin_fetch_add(what, by, before, done, fresh);
  note_all();
  return begun;
}

}  // namespace lamellar::lamellae
