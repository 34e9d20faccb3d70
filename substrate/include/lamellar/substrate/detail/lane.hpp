// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/substrate/detail/deferred_updates.hpp>
#include <lamellar/substrate/detail/message.hpp>
#include <lamellar/substrate/detail/reply_slot.hpp>
#include <vector>

// What one thread of a PE keeps for sending: an open buffer per peer and traffic class. A
// record is appended with two comparisons and a store; everything else happens once per buffer.
//
// Thread-safety: a lane belongs to one thread.
namespace lamellar::detail {

/// How the records of a run are laid out and accounted for.
struct run_kind {
  std::uint16_t record_bytes = 0;  ///< or variable_record
  bool call = false;               ///< each record has a reply slot
  bool acknowledged = false;       ///< the receiver tells when the handlers have ended
};

/// The open buffer for one peer. Never reads what it has written: a published line belongs to
/// the receiver's cache.
struct alignas(lamellae::cache_line) destination {
  static constexpr std::uint64_t no_run = ~std::uint64_t{0};

  std::uint64_t key = no_run;    ///< object << 16 | handler of the open run
  std::byte* cursor = nullptr;   ///< where the next record goes
  std::byte* limit = nullptr;    ///< records end before this
  std::byte* run = nullptr;      ///< the open run's header, written when the run is closed
  std::byte* start = nullptr;    ///< the buffer; nullptr: none open
  reply_block* block = nullptr;  ///< where the open run's answers go
  std::uint32_t count = 0;       ///< records, where they cannot be told from the bytes
  std::uint32_t extra = 0;       ///< as in run_header
  run_kind kind;
  bool listed = false;  ///< in the lane's list of open buffers
};
static_assert(sizeof(destination) == lamellae::cache_line);

struct object_entry;
class waiting;

struct lane {
  lane(engine& owner, std::uint32_t pes, std::uint32_t number) : home{&owner}, index{number} {
    for (auto& peers : out) {
      peers.resize(pes);
    }
    current = out[0].data();
  }

  lamellae::traffic sending_as() const {
    return current == out[0].data() ? lamellae::traffic::body : lamellae::traffic::handler;
  }
  bool in_handler() const { return current != out[0].data(); }

  engine* home;
  destination* current;  ///< the open buffers of the class in which running code sends
  std::vector<destination> out[lamellae::traffic_classes];
  std::vector<std::uint32_t> open[lamellae::traffic_classes];  ///< peers with an open buffer
  std::uint32_t index;
  std::uint32_t depth = 0;     ///< handlers on this thread's stack
  std::uint32_t deferred = 0;  ///< defer_handlers() scopes
  bool exempt = false;  ///< what is being sent may exceed the budget: an answer, a report
  const void* token = nullptr;
  deferred_updates put_off;            // of the body, which runs on lane 0
  const waiting* wait = nullptr;       ///< the innermost wait on this thread's stack
  std::vector<object_entry*> serving;  ///< objects whose handlers are on this thread's stack
};

/// While this lives, what runs on the lane's thread is a handler.
class handler_scope {
 public:
  explicit handler_scope(lane& on) : on_{on}, before_{on.current} {
    on_.current = on_.out[static_cast<std::size_t>(lamellae::traffic::handler)].data();
    ++on_.depth;
  }
  ~handler_scope() {
    on_.current = before_;
    --on_.depth;
  }
  handler_scope(const handler_scope&) = delete;
  handler_scope& operator=(const handler_scope&) = delete;

 private:
  lane& on_;
  destination* before_;
};

/// While this lives, what runs on the lane's thread sends what may exceed the budget: an answer
/// or a report.
class exempt_scope {
 public:
  explicit exempt_scope(lane& on) : as_handler_{on}, on_{on}, before_{on.exempt} {
    on_.exempt = true;
  }
  ~exempt_scope() { on_.exempt = before_; }
  exempt_scope(const exempt_scope&) = delete;
  exempt_scope& operator=(const exempt_scope&) = delete;

 private:
  handler_scope as_handler_;
  lane& on_;
  bool before_;
};

}  // namespace lamellar::detail
