// SPDX-License-Identifier: BSD-3-Clause
// Messages larger than a buffer: they travel in pieces and are put together before they run.
#include <fmt/format.h>

#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <memory>
#include <new>

#include "waiting.hpp"

namespace lamellar::detail {

using lamellae::traffic;

void engine::send_large(lane& from, std::uint32_t to, std::uint64_t key, std::size_t bytes,
                        void (*write)(void* state, std::byte* out), void* state,
                        bool acknowledged, const call_terms* call, reply_slot** slot,
                        ticket answers) {
  const std::size_t whole = sizeof(run_header) + variable_bytes(bytes);
  if (!may_wait(from) && !from.exempt &&
      private_bytes_.load(std::memory_order_relaxed) + whole > budget_) {
    throw out_of_memory(fmt::format(
        "PE {}: a message of {} MiB, sent by a handler or with handlers deferred, exceeds this "
        "PE's share of the job's budget, {} MiB; raise LAMELLAR_JOB_BUDGET",
        me_, whole >> 20, budget_ >> 20));
  }
  const auto free = [](std::byte* block) { ::operator delete (block, std::align_val_t{64}); };
  std::unique_ptr<std::byte, decltype(free)> owned{nullptr, free};
  std::byte* data = should_offer(to, whole) ? take_offered(whole) : nullptr;
  const bool is_offered = data != nullptr;
  if (!is_offered) {
    try {
      owned.reset(static_cast<std::byte*>(::operator new (whole, std::align_val_t{64})));
    } catch (const std::bad_alloc&) {
      throw out_of_memory(fmt::format(
          "PE {}: no memory for a message of {} MiB; send it in pieces", me_, whole >> 20));
    }
    data = owned.get();
  }
  run_header header{};
  header.handler = static_cast<std::uint16_t>(key);
  header.record_bytes = variable_record;
  header.count = 1;
  header.object = static_cast<std::uint32_t>(key >> 16);
  header.extra = answers;
  count_run(header.handler);
  const std::uint64_t length = bytes;
  try {
    write(state, data + sizeof(header) + sizeof(length));
  } catch (...) {
    if (is_offered) withdraw_offered(data);
    throw;
  }
  if (call != nullptr) {
    wait_for_reply_space(from);
    reply_block* block = replies_.take();  // its one use is this slot's
    *slot = &block->slot[0];
    header.extra = block->ticket_of(0);
    (*slot)->begin(to, header.object, *call);
    block->handler = header.handler;
    tally(unanswered_[to], 1, shared_);
    tally(unanswered_total_, 1, shared_);
  } else if (acknowledged) {
    tally(acknowledgements_due_, 1, shared_);
  }
  std::memcpy(data, &header, sizeof(header));
  std::memcpy(data + sizeof(header), &length, sizeof(length));
  owned.release();

  if (to == me_) {
    tally(sent_, 1, shared_);
    tally(own_sent_, 1, shared_);
    if (counted_ != nullptr) [[unlikely]] {
      count_buffer(me_, {data, whole});
    }
    queue_to_self(from, {data, whole, false});
    return;
  }
  const std::size_t piece = buffer_capacity_ - sizeof(fragment_header);
  tally(sent_, is_offered ? 1 : (whole + piece - 1) / piece, shared_);
  outgoing what = is_offered ? make_offer(data, whole) : outgoing{data, whole};
  peer_box& box = boxes_[to];
  box.lock.lock();
  what.message = box.next_message++;
  box.lock.unlock();
  const traffic kind = from.sending_as();
  keep_waiting(to, kind, what);
  drain(to, kind);
  if (kind == traffic::body && may_wait(from)) {
    const auto& queued = box.waiting[static_cast<std::size_t>(kind)];
    waiting patience{*this, from, "room for a large message", {}, to};
    for (;;) {
      box.lock.lock();
      const bool gone = queued.empty();
      box.lock.unlock();
      if (gone) {
        return;
      }
      if (progress(from, resume::anywhere)) {
        patience.reset();
      } else {
        patience.pause();
      }
    }
  }
}

void engine::take_fragment(lane& here, const lamellae::in_buffer& buffer) {
  const auto refuse = [&](const std::string& why) {
    report(here, buffer.from, source::peer, 1,
           {me_, "(none)", fmt::format("corrupt buffer from PE {}: {}", buffer.from, why)});
    release(buffer, true, true);
    tally(executed_, 1, shared_);
  };
  fragment_header header;
  if (buffer.bytes < sizeof(header)) {
    refuse("a piece of a large message without its header");
    return;
  }
  std::memcpy(&header, buffer.data, sizeof(header));
  const std::size_t piece = buffer.bytes - sizeof(header);
  if (header.total > largest_message_) {
    refuse(fmt::format("a piece of a message of {} bytes, more than there is memory",
                       header.total));
    return;
  }
  assembly whole;
  assembly_lock_.lock();
  const auto key = std::pair{buffer.from, header.message};
  auto found = assemblies_.find(key);
  if (found == assemblies_.end()) {
    found = assemblies_.emplace(key, assembly{}).first;
    try {
      // Not zeroed: its pages are touched once, by what arrives.
      found->second.data = std::make_unique_for_overwrite<std::byte[]>(header.total);
      found->second.bytes = header.total;
    } catch (const std::exception&) {
      assemblies_.erase(found);
      assembly_lock_.unlock();
      misuse(this, fmt::format("no memory for a message of {} bytes from PE {}; send it in "
                               "pieces",
                               header.total, buffer.from));
    }
  }
  assembly& into = found->second;
  if (header.total != into.bytes || header.offset > into.bytes ||
      piece > into.bytes - header.offset) {
    assembly_lock_.unlock();
    refuse("a piece of a large message that does not fit into it");
    return;
  }
  std::memcpy(into.data.get() + header.offset, buffer.data + sizeof(header), piece);
  into.received += piece;
  const bool complete = into.received >= into.bytes;
  if (complete) {
    whole = std::move(into);
    assemblies_.erase(found);
  }
  assembly_lock_.unlock();
  if (complete) {
    release(buffer, false, false);
    execute_copy(here, {whole.data.get(), whole.bytes}, buffer.from, source::peer);
  } else {
    release(buffer, true, false);
    tally(executed_, 1, shared_);
  }
}

}  // namespace lamellar::detail
