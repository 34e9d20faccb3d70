// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

// The seam between what a message means (above) and how its bytes move (below). A lamella joins
// one PE to its peers. It is called per buffer, never per element, and it interprets no
// payload.
//
// Vocabulary
//   channel   one direction between two PEs in one traffic class; its buffers arrive in order
//   post      give a filled buffer to its channel
//   release   the receiver is done with a buffer's memory: the slot may be filled again
//   handled   everything that the buffer asked for has been done; counted per sender
//   wave      one all-reduce of a few counters, from which barriers and termination are made
//
// Promises of every lamella
//   - what is posted arrives exactly once, whole, unless a PE is lost
//   - acquire() of one class never depends on the other class being received
//   - nothing here runs a handler, blocks, or waits for a peer, except exchange()
//
// Thread-safety: acquire and post are safe for different peers at once, and for one peer and
// class by one thread at a time. poll, release and settle: one thread at a time. Waves: one
// thread at a time. The rest is constant after construction or says so.
namespace lamellar::lamellae {

inline constexpr std::size_t cache_line = 64;

/// Buffers sent by a body wait while their receiver is overloaded; those sent by handlers are
/// always received, so that an overloaded PE can get rid of its work.
enum class traffic : std::uint8_t { body = 0, handler = 1 };
inline constexpr std::uint32_t traffic_classes = 2;

/// What a lamella can do; constant.
struct capabilities {
  std::uint32_t buffer_bytes = 0;   ///< payload bytes of one buffer
  std::uint32_t channel_depth = 0;  ///< buffers that every channel has at least
  bool lines = false;               ///< request_line() and serving_line() are there
  bool mapped = false;              ///< peers' segments can be loaded and stored
  bool transfers = false;       ///< put() and get() are there, for peers that are not mapped
  bool oversubscribed = false;  ///< more threads than cores on this host: yield early
  bool in_turns = false;        ///< one PE runs at a time: see below, at idle()
  std::uint32_t pes_in_process = 1;  ///< PEs that share this process, this one included
  std::uint32_t pes_on_host = 1;     ///< PEs that share this host's cores, this one included
  std::uint32_t index_on_host = 0;   ///< this one's number among them
};

/// A buffer to fill: `capacity` payload bytes, 16-byte aligned. Empty: no credit now.
struct out_buffer {
  std::byte* data = nullptr;
  std::uint32_t capacity = 0;
  explicit operator bool() const { return data != nullptr; }
};

/// An arrived buffer, readable in place until it is released. Not initialised by default: polls
/// are frequent, arrivals are not.
struct in_buffer {
  const std::byte* data;
  std::uint32_t bytes;
  std::uint32_t from;
  std::uint32_t slot;   ///< the lamella's own
  std::uint16_t flags;  ///< as given to post()
  traffic kind;
};

/// How far the buffers posted to one peer have come, both classes together.
struct delivery {
  std::uint64_t posted = 0;
  std::uint64_t handled = 0;
  std::uint64_t failed = 0;  ///< handled, but something in them threw
};

/// What a PE adds to a wave, and what the wave yields: sums over all PEs, and whether all tags
/// were equal.
struct wave {
  std::uint64_t sums[4] = {};
  std::uint64_t tag = 0;          ///< what this PE believes the collective to be
  std::uint32_t disagreeing = 0;  ///< out: a PE whose tag differs from mine, if !agreed
  std::uint64_t other_tag = 0;    ///< out: its tag
  bool agreed = true;             ///< out
};

/// A line between an ordered pair of PEs, for a lone request and its answer: a shared cache
/// line for each. One line for both would take half the time while the asking PE looks just
/// after the answer is there, and twice as long whenever it looks before: each look takes the
/// line away from the PE that is about to write. The contents belong to the layer above; all
/// zero when the job opens. `state` is written last.
struct alignas(2 * cache_line) line {
  struct alignas(cache_line) half {
    std::atomic<std::uint32_t> state;  ///< its writer: release; the other PE reads: acquire
    std::byte payload[cache_line - sizeof(std::uint32_t)];
  };
  half request;  ///< the asking PE writes
  half answer;   ///< the serving PE writes
};

/// A segment as the network names it: what a PE on another host needs for put() and get(). It
/// travels.
struct remote_memory {
  std::uint64_t address = 0;
  std::uint64_t key = 0;
  std::uint64_t reachable = 0;  ///< 0: the network cannot reach it
};

/// Bytes on their way to or from a peer's memory. Must live, and stay where it is, until
/// nothing is pending.
struct transfer {
  std::atomic<std::uint32_t> pending{0};  ///< whoever polls lowers it, release
  std::atomic<bool> failed{false};        ///< set before that
};

/// Memory of this PE that its peers may reach. `key` and `remote` travel; `data` is this PE's
/// address.
struct segment {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  std::uint64_t key = 0;
  remote_memory remote;
  std::size_t page_bytes = 4096;  ///< the kind of pages that was really got
};

/// A page on which a PE says how it does, for the others to read. All zero when the job opens.
struct alignas(cache_line) bulletin {
  static constexpr std::size_t page_bytes = 4096;

  /// On PE 0's page: reports that were asked for; any PE adds, all look.
  std::atomic<std::uint32_t> asked;
  /// On PE 0's page: when the last one was asked for; and whether one was because of a wait.
  std::atomic<std::uint64_t> asked_at_ns;
  std::atomic<std::uint32_t> waited_too_long;
  /// The number of the last report that `text` answers. The owner writes, after the text.
  std::atomic<std::uint32_t> answered;
  /// The handler that the owner runs now; 0: none. Only the owner writes.
  std::atomic<std::uint32_t> running;
  std::uint32_t bytes;
  char text[page_bytes - 64];
};
static_assert(sizeof(bulletin) == bulletin::page_bytes);

/// Lamellae of one process lie in cache lines of their own.
class alignas(cache_line) lamella {
 public:
  virtual ~lamella() = default;
  lamella(const lamella&) = delete;
  lamella& operator=(const lamella&) = delete;

  std::uint32_t me() const { return me_; }
  std::uint32_t size() const { return size_; }
  const capabilities& able() const { return able_; }
  virtual const char* name() const = 0;

  /// Give every PE everybody's blob. Collective, blocking, for start-up. Result: by PE number.
  virtual std::vector<std::vector<std::byte>> exchange(std::span<const std::byte> mine) = 0;

  /// The next buffer to fill for `peer` (not this PE itself), or an empty one when the channel
  /// is full. Asking again before post() returns the same buffer.
  virtual out_buffer acquire(std::uint32_t peer, traffic kind) = 0;
  /// Ship the acquired buffer's first `bytes` bytes.
  virtual void post(std::uint32_t peer, traffic kind, std::uint32_t bytes,
                    std::uint16_t flags) = 0;
  /// What has been posted goes now, where it might have been kept to share a message with more.
  /// Threads: any.
  virtual void flush() {}
  /// Fetch arrived buffers: at most one per channel and call, at most `into.size()`; those of
  /// class `body` only if `bodies`. Returns their number. A channel yields its buffers in
  /// order, and yields the next one even while earlier ones are not released.
  virtual std::uint32_t poll(std::span<in_buffer> into, bool bodies) = 0;
  /// Free the memory of `buffer`. Any order. `handled`: also count it as handled (`failed`: and
  /// that something in it threw); otherwise settle() does so later.
  virtual void release(const in_buffer& buffer, bool handled, bool failed) = 0;
  /// Count one buffer from `peer`, released before, as handled.
  virtual void settle(std::uint32_t peer, bool failed) = 0;
  /// How far what this PE posted to `peer` has come.
  virtual delivery delivered(std::uint32_t peer) const = 0;

  /// The line on which this PE asks `peer`; nullptr without `able().lines`.
  virtual line* request_line(std::uint32_t peer) = 0;
  /// The line on which `peer` asks this PE.
  virtual line* serving_line(std::uint32_t peer) = 0;

  /// Start a wave. Collective; one at a time.
  virtual void begin_wave(const wave& mine) = 0;
  /// Whether the wave has come back; if so `result` holds it and the next may begin.
  virtual bool end_wave(wave& result) = 0;

  /// Zeroed memory that peers can reach, at least `bytes` long. Not collective. Threads: any.
  /// Throws: out_of_memory, naming LAMELLAR_HEAP_SIZE.
  virtual segment allocate_segment(std::size_t bytes) = 0;
  virtual void free_segment(const segment& which) = 0;
  /// Where `peer`'s segment `key` of `bytes` bytes is mapped here, or nullptr. Threads: any.
  virtual std::byte* mapped(std::uint32_t peer, std::uint64_t key, std::size_t bytes) = 0;

  /// Write to `peer`'s segment, or read from it, `offset` bytes from its begin, without a
  /// handler. Only if able().transfers and where nothing is mapped. False: not now; poll, and
  /// try again. `done.pending` is raised before this returns true and lowered by the poll that
  /// finds the end: then the bytes are where they belong. Threads: any.
  virtual bool put(std::uint32_t peer, const remote_memory& to, std::uint64_t offset,
                   std::span<const std::byte> from, transfer& done) {
    static_cast<void>(peer), static_cast<void>(to), static_cast<void>(offset);
    static_cast<void>(from), static_cast<void>(done);
    return false;
  }
  virtual bool get(std::uint32_t peer, const remote_memory& from, std::uint64_t offset,
                   std::span<std::byte> into, transfer& done) {
    static_cast<void>(peer), static_cast<void>(from), static_cast<void>(offset);
    static_cast<void>(into), static_cast<void>(done);
    return false;
  }

  /// The page of `pe`, at the same place as long as this lamella lives; nullptr if it cannot be
  /// seen from here. Threads: any.
  virtual bulletin* page_of(std::uint32_t pe) {
    static_cast<void>(pe);
    return nullptr;
  }

  /// A number that all PEs of `peer`'s host share, and no others.
  virtual std::uint32_t host_of(std::uint32_t peer) const {
    static_cast<void>(peer);
    return 0;
  }

  /// Nanoseconds of a clock that never goes back.
  virtual std::uint64_t now_ns() const = 0;
  /// This PE has left in good order; from now on its end is not a loss.
  virtual void finished() = 0;

  // Where PEs take turns (`able().in_turns`), one that waits must say so, and neither sleep nor
  // spin: nobody else runs meanwhile. Elsewhere nobody calls these.

  /// This PE waits, and has found nothing to do. Returns when there may be something.
  virtual void idle() {}
  /// It has waited in vain for LAMELLAR_HANG_SECONDS. May end the job.
  virtual void overdue() {}
  /// It has handled `records` records since it last said so.
  virtual void charge(std::uint64_t records) { static_cast<void>(records); }
  /// `what()` says what this PE waits for, when it does.
  virtual void describe_waiting(std::function<std::string()> what) { static_cast<void>(what); }

 protected:
  lamella(std::uint32_t me, std::uint32_t size) : me_{me}, size_{size} {}
  capabilities able_;

 private:
  std::uint32_t me_;
  std::uint32_t size_;
};

}  // namespace lamellar::lamellae
