// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/member_list.hpp>
#include <lamellar/substrate/record.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

// The machinery under exchange.hpp. During an exchange each PE has an *end*: what arrives is
// handed on there, and counted until everything that the members have announced is there.
//
// An exchange does not use quiesce to find its end: it would wait for the program's other
// messages and tasks as well, and report their failures.
//
// Thread-safety: handlers of an end run one at a time, on any thread of the PE; the body starts
// an exchange and waits for `complete`.
namespace lamellar::detail {

/// Items that have come in one message.
struct arrived_items {
  team_position from;
  std::uint64_t first;  ///< where they belong, if they have a place
  std::uint64_t count;
  std::span<const std::byte> bytes;  ///< plain, or encoded back to back
  engine* home;                      ///< what handles among them are attached to
};

/// One PE's end of an exchange.
struct exchange_end_base {
  using take_function = void (*)(void* state, const arrived_items& what);

  exchange_end_base(const team& of, take_function f, void* with, std::string called);

  /// Hand on what has arrived. After the first failure it is counted and dropped.
  void take(context& at, std::uint64_t first, std::uint64_t count,
            std::span<const std::byte> bytes);
  /// A member has sent `items` items here, and sends no more.
  void announced(std::uint64_t items);
  /// The exception that is being handled was thrown by `handler` on this PE.
  void failed(const std::string& handler);

  // Constant.
  engine* home;
  member_list members;
  take_function taker;
  void* state;
  std::string name;  ///< of what takes

  // Handlers, one at a time; the body when `complete`.
  std::uint64_t came = 0;
  std::uint64_t expected = 0;
  std::uint32_t unannounced;
  failure_log failures;

  // The last handler writes, release; the body reads, acquire.
  std::atomic<bool> complete{false};

 private:
  void look_whether_complete();
};

/// `Kind` says of what: PEs whose ends are of different kinds do not make an exchange.
template <class Kind>
struct exchange_end : exchange_end_base {
  using exchange_end_base::exchange_end_base;
};

/// Small plain items one by one; they arrive in rows.
template <class T, class End>
struct take_items {
  void operator()(context& at, End& end, std::span<const T> items) const {
    end.take(at, 0, items.size(), std::as_bytes(items));
  }
};

/// Items that have been gathered into one piece.
template <class End>
struct take_piece {
  void operator()(context& at, End& end, std::uint64_t first, std::uint64_t count,
                  std::span<const std::byte> bytes) const {
    end.take(at, first, count, bytes);
  }
};

template <class End>
struct take_announcement {
  void operator()(End& end, std::uint64_t items) const { end.announced(items); }
};

/// How many bytes of items a message may have that shall fit into one buffer.
inline std::size_t piece_bytes_of(const engine& home) {
  constexpr std::size_t overhead = 48;  // numbers and lengths of the message
  return home.largest_record() - overhead;
}

/// Encodes the items for each member, and ships them in pieces that fill a buffer.
template <class End>
class piece_sender {
 public:
  /// `sent`: by position, gets the number of items that were shipped.
  piece_sender(const darc<End>& ends, std::vector<std::uint64_t>& sent)
      : ends_{ends},
        sent_{sent},
        piece_bytes_{piece_bytes_of(*ends->home)},
        pieces_(ends->members.size()) {}

  /// Send `item` to position `to`. `place`: where it belongs there; the items of a member have
  /// places in a row. Throws: what serialising it throws; the item is not sent then.
  template <class T>
  void add(std::uint32_t to, const T& item, std::uint64_t place = 0) {
    piece& open = pieces_[to];
    if (open.bytes.empty()) {
      open.bytes.resize(piece_bytes_);
    }
    std::size_t size = record<T>::try_write(std::span{open.bytes}.subspan(open.used), item);
    if (size > open.bytes.size() - open.used) {
      ship(to);
      open.bytes.resize(std::max(piece_bytes_, size));
      size = record<T>::try_write(open.bytes, item);
    }
    if (open.count == 0) {
      open.first = place;
    }
    open.used += size;
    ++open.count;
    if (open.used >= piece_bytes_) {
      ship(to);
    }
  }

  void finish() {
    for (std::uint32_t to = 0; to < pieces_.size(); ++to) {
      ship(to);
    }
  }

 private:
  struct piece {
    std::vector<std::byte> bytes;
    std::size_t used = 0;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };

  void ship(std::uint32_t to) {
    piece& open = pieces_[to];
    if (open.count == 0) {
      return;
    }
    ends_.send(pe{ends_->members.at(to)}, take_piece<End>{}, open.first, open.count,
               std::span<const std::byte>{open.bytes}.first(open.used));
    sent_[to] += open.count;
    open.used = 0;
    open.count = 0;
  }

  const darc<End>& ends_;
  std::vector<std::uint64_t>& sent_;
  std::size_t piece_bytes_;
  std::vector<piece> pieces_;
};

/// Say to each member how many items it was sent, wait for all that come here, and then throw
/// on every member if something has failed on one. Collective.
template <class End>
task<> finish_exchange(located_team of, const darc<End>* ends, std::vector<std::uint64_t> sent,
                       failure_log failures, const char* what);
/// The last part of it: `mine` is what failed here. Collective. Throws: remote_error.
task<> throw_if_failed(located_team of, failure_log mine);

/// Add the exception that is being handled to `log`.
void add_failure(failure_log& log, const engine& at, const std::string& thrower);
/// Ends the job if no exchange may begin here: in a handler, or on a PE that is no member.
void check_exchange(const located_team& of, const char* what);
/// Ends the job: item `index` has a destination outside the team.
[[noreturn]] void no_such_destination(const located_team& of, const char* what,
                                      std::size_t index, std::uint32_t to);
/// Ends the job: item `index` goes elsewhere than it did when it was counted.
[[noreturn]] void changed_destination(const located_team& of, std::size_t index,
                                      std::uint32_t to);

/// Ends the job: there is not one count for each member.
void check_row_counts(const located_team& of, std::size_t counts);

// ---- templates ------------------------------------------------------------------------------

template <class End>
task<> finish_exchange(located_team of, const darc<End>* ends, std::vector<std::uint64_t> sent,
                       failure_log failures, const char* what) {
  End& mine = ends->local();
  engine& home = *mine.home;
  {
    const collective_scope waiting{home, what, of.where};
    for (std::uint32_t k = 0; k < sent.size(); ++k) {
      ends->send(pe{mine.members.at(k)}, take_announcement<End>{}, sent[k]);
    }
    home.flush(home.here());
    while (!mine.complete.load(std::memory_order_acquire)) {
      co_await engine::next_poll{&home};
    }
  }
  if (failures.count == 0) {
    failures.first = mine.failures.first;
  }
  failures.count += mine.failures.count;
  co_await throw_if_failed(of, std::move(failures));
}

}  // namespace lamellar::detail
