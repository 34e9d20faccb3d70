// SPDX-License-Identifier: BSD-3-Clause
#include "fabric.hpp"

#include <fmt/format.h>

#include <array>
#include <lamellar/lamellae/error.hpp>
#include <utility>

#include "parts.hpp"
#include "probe.hpp"
#include "provider_choice.hpp"

namespace lamellar::lamellae {

fabric::fabric(const fabric_choice& choice) {
  std::string tried;
  for (provider_info& info : fitting_providers(choice)) {
    const std::string name =
        fmt::format("{} ({})", info->fabric_attr->prov_name,
                    info->domain_attr->name ? info->domain_attr->name : "");
    std::string refused;
    try {
      const probe_result found = try_it(*info, choice);
      refused = found.refusal;
      if (refused.empty()) {
        parts_ = std::make_unique<parts>(std::move(info), choice);
        parts_->able.atomics = found.atomics;
        return;
      }
    } catch (const provider_refused& e) {
      refused = e.what();
    }
    tried.append(tried.empty() ? "" : "; ").append(name).append(": ").append(refused);
  }
  throw refusal(choice, fmt::format("what fits does not work here: {}", tried));
}

// By an endpoint that has itself as its only peer, and does not stay: each connection makes
// every poll of some providers dearer.
probe_result fabric::try_it(const fi_info& info, const fabric_choice& choice) {
  provider_info copy{libfabric().dupinfo(&info)};
  if (copy == nullptr) throw provider_refused{"no memory for its attributes"};
  probe_space space;  // outlives what it is tried with: something may be under way in it
  parts_ = std::make_unique<parts>(std::move(copy), choice);
  const std::array itself{address()};
  parts_->connect(itself, 0);
  const std::uint32_t messages = 2 * parts_->incoming.buffer_bytes() / choice.message_bytes;
  const probe_result found = try_out(*this, space, choice.message_bytes, messages);
  parts_.reset();
  return found;
}

fabric::~fabric() = default;

const fabric_abilities& fabric::able() const { return parts_->able; }

std::vector<std::byte> fabric::address() const { return parts_->net.address(); }

void fabric::connect(std::span<const std::vector<std::byte>> addresses, std::uint32_t me) {
  parts_->connect(addresses, me);
}

std::byte* fabric::take_buffer() {
  send_item* const item = parts_->outgoing.take();
  return item == nullptr ? nullptr : item->data();
}

void fabric::give_back(std::byte* buffer) { parts_->outgoing.give_back(send_item::of(buffer)); }

void fabric::send(std::uint32_t peer, std::byte* buffer, std::uint32_t bytes) {
  send_item& item = *send_item::of(buffer);
  item.bytes = bytes;
  const gate::pass pass = parts_->alone.enter();
  parts_->send(peer, item);
}

std::uint32_t fabric::poll(std::span<fabric_arrival> into) {
  parts& p = *parts_;
  {
    const gate::pass pass = p.alone.enter_last();
    p.retry();
    p.read_completions();
    p.note_all();
  }
  return p.incoming.take(into);
}

void fabric::release(const fabric_arrival& which) { parts_->incoming.release(which); }

exposed_memory fabric::expose(std::span<std::byte> memory) {
  const gate::pass pass = parts_->alone.enter();
  return parts_->moving.expose(memory);
}

void fabric::hide(const exposed_memory& which) noexcept {
  const gate::pass pass = parts_->alone.enter();
  parts_->moving.hide(which);
}

bool fabric::put(std::uint32_t peer, const remote_memory& to, std::uint64_t offset,
                 std::span<const std::byte> from, transfer& done) {
  const gate::pass pass = parts_->alone.enter();
  // A put only reads; a request has one pointer for both.
  auto* const bytes = const_cast<std::byte*>(from.data());
  return parts_->move(
      {transfers::request::kind::put, peer, 0, to.address + offset, to.key, bytes, from.size()},
      done);
}

bool fabric::get(std::uint32_t peer, const remote_memory& from, std::uint64_t offset,
                 std::span<std::byte> into, transfer& done) {
  const gate::pass pass = parts_->alone.enter();
  return parts_->move({transfers::request::kind::get, peer, 0, from.address + offset, from.key,
                       into.data(), into.size()},
                      done);
}

bool fabric::fetch_add(std::uint32_t peer, const remote_memory& to, std::uint64_t offset,
                       std::uint64_t by, std::uint64_t& before, transfer& done) {
  const gate::pass pass = parts_->alone.enter();
  auto* const word = reinterpret_cast<std::byte*>(&before);
  return parts_->fetch_add({transfers::request::kind::fetch_add, peer, 0, to.address + offset,
                            to.key, word, sizeof before},
                           by, before, done);
}

bool fabric::busy() const {
  return parts_->messages.load(std::memory_order_relaxed) != 0 ||
         parts_->moves.load(std::memory_order_relaxed) != 0;
}

std::uint64_t fabric::ignored() const { return parts_->incoming.ignored(); }

std::optional<fabric_failure> fabric::failure() const {
  if (!parts_->has_failure.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard alone{parts_->failure_mutex};
  return parts_->first_failure;
}

void fabric::refuse_registration_after(std::uint32_t successes) {
  endpoint::refuse_registration_after(successes);
}

}  // namespace lamellar::lamellae
