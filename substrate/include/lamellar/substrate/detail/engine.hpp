// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <lamellar/substrate/detail/block_pool.hpp>
#include <lamellar/substrate/detail/collective_scope.hpp>
#include <lamellar/substrate/detail/execution.hpp>
#include <lamellar/substrate/detail/failure_log.hpp>
#include <lamellar/substrate/detail/handler_table.hpp>
#include <lamellar/substrate/detail/lane.hpp>
#include <lamellar/substrate/detail/mail.hpp>
#include <lamellar/substrate/detail/message.hpp>
#include <lamellar/substrate/detail/object_table.hpp>
#include <lamellar/substrate/detail/one_sided_table.hpp>
#include <lamellar/substrate/detail/peer_line.hpp>
#include <lamellar/substrate/detail/region_counts.hpp>
#include <lamellar/substrate/detail/reply_slot.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/detail/symmetric_heap.hpp>
#include <lamellar/substrate/detail/tally.hpp>
#include <lamellar/substrate/detail/team_part.hpp>
#include <lamellar/substrate/detail/unsent.hpp>
#include <lamellar/substrate/statistics.hpp>
#include <lamellar/substrate/task.hpp>
#include <map>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// The machine of one PE, in eight rooms:
//   aggregator.cpp      records into buffers, buffers to the lamella, what spills
//   dispatcher.cpp      arrived buffers into runs, runs to handlers
//   answers.cpp         answers into buffers, and into the slots that wait for them
//   large_messages.cpp  messages larger than a buffer, in pieces
//   offered_messages.cpp  those that the network fetches in one
//   lines.cpp           a lone call over one cache line
//   progress.cpp        who polls, who waits, where coroutines go on
//   waves.cpp           barrier and quiesce
//   workers.cpp         the threads beside the main one
//
// Thread-safety: a PE's own threads only. With one thread there is no lock on any path.
namespace lamellar {
class world;
}

namespace lamellar::detail {

engine& engine_of(lamellar::world& of);

/// Ends the job: the program used the library wrongly. Prints PE, operation and place.
[[noreturn]] void misuse(const engine* at, const std::string& what,
                         std::source_location where = std::source_location::current());

/// What a step of progress may resume.
enum class resume : std::uint8_t {
  anywhere,  ///< inside a send, or a handler that waits: handlers and tasks
  all        ///< inside a wait of the body: the body's own coroutines as well
};

class doctor;
struct statistics_books;
struct traffic_book;

class engine {
 public:
  engine(std::unique_ptr<lamellae::lamella> transport, const lamellae::settings& s,
         lamellar::world* facade);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// Compare handler tables with all PEs and start the workers. Collective.
  void open();
  /// Serve until everybody's messages are handled, then stop the workers. Collective.
  void close();

  std::uint32_t me() const { return me_; }
  std::uint32_t size() const { return size_; }
  std::uint32_t threads() const { return threads_; }
  lamellae::lamella& transport() { return *lamella_; }
  statistics read_statistics() const;
  /// nullptr unless statistics are wanted.
  statistics_books* counted() const { return counted_.get(); }
  region_counts* counted_regions() const { return region_counts_.get(); }
  /// The memory of this PE that its peers can reach.
  symmetric_heap& heap() { return heap_; }
  lamellar::world& facade() const { return *facade_; }

  // ---- lanes ----
  /// The calling thread's lane.
  lane& here() {
    if (threads_ == 1) [[likely]] {
      return *lanes_[0];
    }
    // No state of a PE: only a short way to what find_lane() would find again.
    static thread_local struct {
      std::uint64_t world;
      lane* found;
    } last{0, nullptr};
    if (last.world != world_number_) {
      last = {world_number_, &find_lane()};
    }
    return *last.found;
  }
  bool on_main_thread() const;

  // ---- aggregator ----
  /// Room for a fixed record of `Bytes` bytes in the open run of `key` for `to`.
  template <std::size_t Bytes>
  std::byte* append(lane& from, std::uint32_t to, std::uint64_t key, bool acknowledged) {
    destination& d = from.current[to];
    if constexpr (Bytes == 0) {
      if (d.key != key || d.count == most_empty_records) [[unlikely]] {
        open_run(from, to, key, {0, false, acknowledged}, 0);
      }
      ++d.count;
      return d.cursor;
    } else {
      if (d.key != key || static_cast<std::size_t>(d.limit - d.cursor) < Bytes) [[unlikely]] {
        open_run(from, to, key, {Bytes, false, acknowledged}, Bytes);
      }
      std::byte* at = d.cursor;
      d.cursor = at + Bytes;
      return at;
    }
  }
  /// Room for a variable record of `bytes` bytes, which must be at most largest_record().
  std::byte* append_variable(lane& from, std::uint32_t to, std::uint64_t key, std::size_t bytes,
                             bool acknowledged);
  /// Room for one record of a call, and the slot that its answer will fill.
  template <std::size_t Bytes>
  std::pair<std::byte*, reply_slot*> append_call(lane& from, std::uint32_t to,
                                                 std::uint64_t key, const call_terms& terms) {
    destination& d = from.current[to];
    if (d.key != key || d.count == reply_block::slots ||
        static_cast<std::size_t>(d.limit - d.cursor) < Bytes) [[unlikely]] {
      wait_for_reply_space(from);
      open_run(from, to, key, {Bytes, true, false}, Bytes);
    }
    std::byte* at = d.cursor;
    d.cursor = at + Bytes;
    return {at, hand_out_slot(d, to, key, terms)};
  }
  std::pair<std::byte*, reply_slot*> append_variable_call(lane& from, std::uint32_t to,
                                                          std::uint64_t key, std::size_t bytes,
                                                          const call_terms& terms);
  /// Take back the record that was appended last, of `bytes` bytes: writing it has thrown.
  /// `counted`: it is variable.
  void withdraw(lane& from, std::uint32_t to, std::size_t bytes, bool counted);
  /// The same for a call.
  void withdraw_call(lane& from, std::uint32_t to, std::size_t bytes, reply_slot& slot);
  /// The largest variable record that fits into a buffer; longer ones go by send_large().
  std::size_t largest_record() const { return largest_record_; }
  /// Ship one run that is larger than a buffer: header and one variable record of `bytes`
  /// bytes, written by `write(state, out)`. With `call`, a call, whose slot goes to `slot`.
  void send_large(lane& from, std::uint32_t to, std::uint64_t key, std::size_t bytes,
                  void (*write)(void* state, std::byte* out), void* state, bool acknowledged,
                  const call_terms* call, reply_slot** slot, ticket answers = 0);
  /// Ship `to`'s open buffer if no other call to it is unanswered; the caller has just appended
  /// a call.
  void ship_lone_call(lane& from, std::uint32_t to) {
    if (tally(unanswered_[to], 1, shared_) == 0) {
      tally(unanswered_total_, 1, shared_);
      ship(from, to);
    } else {
      tally(unanswered_total_, 1, shared_);
    }
  }
  /// The request line to `to`, if a lone request may go over it now.
  lamellae::line* free_line(lane& from, std::uint32_t to) {
    if (!has_lines_ || from.index != 0 || from.in_handler() || to == me_ ||
        lines_[to].call != nullptr || from.current[to].cursor != from.current[to].start ||
        unanswered_[to].load(std::memory_order_relaxed) != 0) {
      return nullptr;
    }
    return lines_[to].out;
  }
  /// Fill in all of the request but its arguments, which come next, at line_arguments(on).
  reply_slot* begin_call_on_line(lamellae::line& on, std::uint32_t to, std::uint64_t key,
                                 std::uint16_t bytes, std::uint32_t bytes_of_answer,
                                 const call_terms& terms);
  /// Take back the call whose arguments should have gone into the line to `to`.
  void withdraw_call_on_line(std::uint32_t to);
  void publish_line(std::uint32_t to) {
    if (counted_ != nullptr) [[unlikely]] {
      count_line(to);
    }
    peer_line& line = lines_[to];
    line.out->request.state.store(++line.asked, std::memory_order_release);
  }

  /// Ship all open buffers of the lane.
  void flush(lane& from) {
    if (!from.in_handler()) {
      from.put_off.drain();
      flush(from, lamellae::traffic::body);
    }
    flush(from, lamellae::traffic::handler);
  }
  void flush(lane& from, lamellae::traffic kind);
  void ship(lane& from, std::uint32_t to) { ship(from, to, from.sending_as()); }
  /// Make room for `bytes` bytes in a run of `key` for each PE; only for few PEs.
  void prepare_room(lane& from, std::uint64_t key, run_kind kind, std::size_t bytes);

  // ---- dispatcher ----
  /// Where the answer to a call goes: `Bytes` bytes.
  template <std::size_t Bytes>
  void answer(execution& at, ticket t, const void* value) {
    if (at.on_line != nullptr) {
      std::memcpy(at.on_line->answer.payload, value, Bytes);
      at.answered_on_line = true;
      return;
    }
    answer_value_to(at.here, at.from, t, value, Bytes);
  }
  void answer_value_to(lane& here, std::uint32_t to, ticket t, const void* value,
                       std::size_t bytes);
  void answer_bytes_to(lane& here, std::uint32_t to, ticket t, std::size_t bytes,
                       void (*write)(void* state, std::byte* out), void* state,
                       bool holds_handles);
  void answer_error_to(lane& here, std::uint32_t to, ticket t, std::string_view handler,
                       std::string_view text);
  /// `count` handlers that a send from `to` started have ended, `failures` of them by a throw.
  void acknowledge(lane& here, std::uint32_t to, std::uint32_t count, std::uint32_t failures,
                   const failure& first);
  void acknowledged(std::uint64_t count) { tally(acknowledgements_, count, shared_); }
  /// Remember `count` failures in messages that this PE sent. `report`: they complete a posted
  /// buffer that the receiver has marked as failed.
  void log_failures(std::uint64_t count, const failure& first, bool report);
  /// What has been logged and was not taken yet.
  std::uint64_t failures() { return failures_.count(); }
  failure_log take_failures() { return failures_.take(); }
  /// The holder of a slot is done with it.
  void discard_answer(reply_slot& slot);
  object_table& objects() { return objects_; }
  mail_room& mail() { return mail_; }
  one_sided_table& one_sided() { return one_sided_; }
  /// Run `f` while no handler of the object runs on this PE.
  void enter_exclusively(object_entry& object, void (*f)(void*), void* state,
                         std::source_location where);

  /// A receiver has fetched message `number` of this PE.
  void offered_is_fetched(std::uint64_t number);

  // ---- progress ----
  /// Poll once and do what can be done. Returns whether anything was done.
  bool progress(lane& here, resume what);
  void wait_until(bool (*holds)(void*), void* state, const char* what,
                  std::source_location where);
  void wait_for_reply(reply_slot& slot, std::source_location where);
  void resume_later(std::coroutine_handle<> what, place where);
  /// Resume `what` after the next poll of a wait.
  void resume_after_poll(std::coroutine_handle<> what) { after_poll_.push_back(what); }
  /// Resume `what` after the poll that finds that `of` is complete; nullptr: after the next
  /// one.
  void resume_after_transfer(const lamellae::transfer* of, std::coroutine_handle<> what);
  void wait_all(std::source_location where);
  /// Say what this PE waits for, if a report is wanted.
  void answer_if_asked() {
    if (my_page_ != nullptr) {
      const std::uint32_t number = asked_->load(std::memory_order_acquire);
      if (number != my_page_->answered.load(std::memory_order_relaxed)) {
        answer_doctor(number);
      }
    }
  }
  /// This PE has waited in vain for so long.
  void check_patience(double seconds);
  std::string name_of_handler(std::uint16_t id) const;
  /// Say it, if warnings are wanted and this PE has not said anything of that kind before.
  enum class warning : std::uint8_t {
    dropped_reply,
    blocking_handler,
    long_handler,
    long_step
  };
  bool warns() const { return settings_.warnings; }
  void warn(warning kind, const std::string& text);
  /// Work that is under way on this PE without a message in flight.
  void work_begins() { tally(sent_, 1, shared_); }
  void work_ends() { tally(executed_, 1, shared_); }
  void handler_suspended() {
    tally(suspended_, 1, shared_);
    work_begins();
  }
  void handler_ended() {
    tally(resumed_, 1, shared_);
    work_ends();
  }
  /// Whether more coroutine handlers wait than should.
  bool many_suspended() const {
    return suspended_.load(std::memory_order_relaxed) -
               resumed_.load(std::memory_order_relaxed) >=
           most_suspended;
  }
  void task_spawned() {
    tally(tasks_, 1, shared_);
    work_begins();
  }
  void task_ended() {
    if (shared_) {
      flush(here(), lamellae::traffic::handler);  // what it sent must be known to wait_all
    }
    tally(tasks_, ~std::uint64_t{0}, shared_);
    work_ends();
  }
  void check_line(std::uint32_t peer);

  // ---- waves ----
  /// The team of all PEs.
  team_part& all_pes() { return all_pes_; }
  /// Whether everything that this PE has sent to `others`, and its tasks, is handled.
  bool all_handled_by(const member_list& others);
  /// Barriers and quiesces that this PE has begun.
  std::uint64_t waves_started() const { return wave_started_; }
  /// Runs of the program's messages that this PE has sent; flush first.
  std::uint64_t runs_sent() const { return runs_sent_.load(std::memory_order_acquire); }
  /// `kind`: what the barrier belongs to; all PEs must bring the same.
  task<> barrier(std::source_location where, std::uint64_t kind);
  task<> quiesce(std::source_location where);
  /// `co_await next_poll{&engine}` suspends until the body's next poll.
  struct next_poll {
    engine* at;
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) const {
      teach_home(waiting, at);
      at->resume_after_poll(waiting);
    }
    void await_resume() const noexcept {}
  };
  std::uint32_t next_object_number() { return next_object_++; }
  /// A number for an object of a team whose first PE is this one.
  std::uint32_t next_team_object_number();
  std::uint64_t epoch() const { return epoch_; }

 private:
  friend class collective_scope;

  lane& find_lane();

  // aggregator.cpp
  void open_run(lane& from, std::uint32_t to, std::uint64_t key, run_kind kind,
                std::size_t first_record);
  void close_run(destination& d);
  void count_run(std::uint16_t handler) {
    tally(runs_sent_, handler >= first_handler && handler != letter_handler_, shared_);
  }
  void open_buffer(lane& from, std::uint32_t to);
  void ship(lane& from, std::uint32_t to, lamellae::traffic kind);
  void ship_to_peer(lane& from, destination& d, std::uint32_t to, lamellae::traffic kind,
                    std::size_t bytes);
  bool post_block(std::uint32_t to, lamellae::traffic kind, std::span<const std::byte> what);
  /// Whether a message of so many bytes to that PE is better fetched than sent in pieces.
  bool should_offer(std::uint32_t to, std::size_t bytes) const;
  /// Memory that the network reaches, for a message; none if there is no more.
  std::byte* take_offered(std::size_t bytes);
  /// The queue's entry for a message in memory of take_offered().
  outgoing make_offer(std::byte* message, std::size_t bytes);
  void withdraw_offered(std::byte* message);
  void keep_waiting(std::uint32_t to, lamellae::traffic kind, outgoing what);
  void ship_to_self(lane& from, destination& d, lamellae::traffic kind, std::size_t bytes);
  void queue_to_self(lane& from, const self_buffer& what);
  std::size_t memory_of(const self_buffer& what) const {
    return what.pooled ? buffer_capacity_ : what.bytes;
  }
  bool drain(std::uint32_t to, lamellae::traffic kind);
  bool drain_all();
  bool post_one(std::uint32_t to, lamellae::traffic kind, outgoing& what);
  void discard(const outgoing& what);
  std::byte* take_block(lane& from);
  bool may_wait(const lane& from) const { return !from.in_handler() && from.deferred == 0; }
  std::byte* append_answer(lane& here, std::uint32_t to, ticket t, std::size_t bytes);
  void answer_variable(lane& here, std::uint32_t to, std::uint16_t kind, ticket t,
                       std::size_t bytes, void (*write)(void* state, std::byte* out),
                       void* state);
  void wait_for_reply_space(lane& from);
  reply_slot* hand_out_slot(destination& d, std::uint32_t to, std::uint64_t key,
                            const call_terms& terms) {
    reply_slot* slot = &d.block->slot[d.count++];
    tally(d.block->live, 1, shared_);
    slot->begin(to, static_cast<std::uint32_t>(key >> 16), terms);
    return slot;
  }

  // dispatcher.cpp
  void run_handler(execution& at, const handler_node& node, const run_header& run,
                   std::span<const std::byte> records) {
    if (shared_ && at.here.index != 0) {
      run_as_asked(at, node, run, records);
      return;
    }
    const std::uint32_t before = running_->load(std::memory_order_relaxed);
    running_->store(node.id, std::memory_order_relaxed);
    run_as_asked(at, node, run, records);
    running_->store(before, std::memory_order_relaxed);
  }
  void run_as_asked(execution& at, const handler_node& node, const run_header& run,
                    std::span<const std::byte> records) {
    if (!observes_) [[likely]] {
      node.run(at, run, records);
    } else {
      run_counted(at, node, run, records);
    }
  }
  void run_counted(execution& at, const handler_node& node, const run_header& run,
                   std::span<const std::byte> records);
  /// Let a coroutine go on that has waited: a handler's, or a spawned task's.
  void resume_step(const lane& here, std::coroutine_handle<> next) {
    if (!observes_) [[likely]] {
      next.resume();
    } else {
      resume_watched(here, next);
    }
  }
  void resume_watched(const lane& here, std::coroutine_handle<> next);
  /// The line of the call that a run of this PE's own calls begins with, if it is known.
  std::source_location place_of_own_call(const execution& at, const run_header& run);
  // statistics.cpp; only if statistics are wanted
  traffic_book& book_for(std::uint32_t to);
  void count_buffer(std::uint32_t to, std::span<const std::byte> buffer);
  /// A piece of a large message; `first`: the message's header, with its first piece.
  void count_fragment(std::uint32_t to, std::size_t bytes, const run_header* first);
  void count_offer(std::uint32_t to, const outgoing& what);
  void count_line(std::uint32_t to);
  bool run_one(execution& at, const run_header& run, std::span<const std::byte> records);
  void take_answers(std::uint32_t from, const run_header& run,
                    std::span<const std::byte> records);
  /// `by`: the PE that made the answer.
  void fill(reply_slot& slot, reply_slot::status how, std::span<const std::byte> bytes,
            std::uint32_t by);
  void fill_variable(reply_slot& slot, std::uint16_t kind, std::span<const std::byte> bytes,
                     std::uint32_t by);
  /// Hold what an answer holds, all or nothing; `why`: what cannot be held.
  bool hold_all(const listed_handles& list, std::string& why);
  /// The slot of a call whose answer is made on this PE, or nullptr.
  reply_slot* slot_answered_here(ticket t);
  void answered(std::uint32_t by) {
    tally(unanswered_[by], ~0u, shared_);
    tally(unanswered_total_, ~std::uint64_t{0}, shared_);
  }
  void run_buffer(execution& at, std::span<const std::byte> buffer);
  void postpone(execution& at, object_entry& object, const run_header& run,
                std::span<const std::byte> records);
  void run_postponed(lane& here, postponed_run& run);
  /// One part of an unfinished buffer is done.
  void settle(execution& at);
  void leave_object(lane& here, object_entry& object);
  void report(lane& here, std::uint32_t to, source counted_as, std::uint64_t failures,
              const failure& first);
  void execute_copy(lane& here, std::span<const std::byte> buffer, std::uint32_t from,
                    source counted_as);
  void take_fragment(lane& here, const lamellae::in_buffer& buffer);
  void take_offer(lane& here, const lamellae::in_buffer& buffer);
  task<> fetch_offered(message_offer offer, std::uint32_t from);
  void execute_arrived(lane& here, const lamellae::in_buffer& buffer);
  void release(const lamellae::in_buffer& buffer, bool handled, bool failed);
  void count_handled(source counted_as, std::uint32_t from, bool failed);
  bool serve_lines(lane& here);
  /// Look at the request lines alone, for a moment: a request that is seen at once is answered
  /// in half the time.
  void watch_lines();
  void serve_line(lane& here, std::uint32_t peer);

  // progress.cpp
  bool poll_messages(lane& here);
  bool look_at_transfers();
  bool spin_for_line(reply_slot& slot);
  bool run_own_queue(lane& here);
  bool resume_ready(lane& here, resume what);
  std::string what_it_waits_for();
  void answer_doctor(std::uint32_t number);
  void throw_failures();
  /// What bodies sent waits while this PE cannot get rid of what its handlers have sent, or
  /// keeps much for objects that are in use. What its own body has sent does not
  /// count: two PEs would refuse each other for ever.
  bool accepts_bodies() {
    if (handler_bytes_.load(std::memory_order_relaxed) >= spill_mark_) {
      return false;
    }
    return !many_suspended() || waited_in_vain();
  }
  /// Whether no suspended handler has ended for a while: they may wait for what a body sends.
  bool waited_in_vain();
  void serve_suspended(lane& here);

  // waves.cpp
  void check_order(std::source_location where);
  void check_agreement(const lamellae::wave& result, std::uint64_t tag,
                       std::source_location where) const;
  /// Whether the wave that has begun is back. Ends the job if another PE is in another
  /// collective.
  bool wave_is_back(lamellae::wave& result, std::uint64_t tag, std::source_location where);
  /// Begin a wave that counts what was sent and what was executed.
  void begin_count(std::uint64_t releases);
  /// Tell all PEs which objects this one holds no handles of. Returns how much is new.
  std::uint64_t announce_releases();
  /// Destroy the objects of which nobody held a handle at the end of the epoch before.
  bool is_released(object_entry& object);
  /// Let no weak handle revive what this step may retire.
  void offer_released();
  void retire_released();

  // statistics.cpp
  void print_statistics();

  // workers.cpp
  void start_workers();
  void stop_workers();
  void work(std::uint32_t index);

  std::unique_ptr<lamellae::lamella> lamella_;
  lamellae::settings settings_;
  lamellar::world* facade_;
  const handler_table& handlers_;
  std::uint16_t letter_handler_;
  std::uint64_t world_number_;  // of this process, from 1; never used again
  std::uint32_t me_;
  std::uint32_t size_;
  std::uint32_t threads_;
  bool shared_;  // several threads
  bool has_lines_;
  bool observes_;  // statistics or warnings are wanted
  bool charges_;   // the lamella wants to know how much is done
  bool oversubscribed_;
  std::size_t buffer_capacity_;
  std::size_t own_capacity_;  // of buffers to this PE itself: small, so that they stay in cache
  std::size_t largest_record_;
  std::size_t budget_;           // this PE's share, for private buffers
  std::size_t spill_mark_;       // beyond it no body's buffers are accepted
  std::size_t largest_message_;  // nobody can have sent more than there is memory

  std::vector<std::unique_ptr<lane>> lanes_;
  block_pool blocks_;
  reply_pool replies_;
  std::unique_ptr<statistics_books> counted_;
  std::unique_ptr<region_counts> region_counts_;
  symmetric_heap heap_;  // outlives the objects that have memory in it
  one_sided_table one_sided_;
  object_table objects_;
  mail_room mail_;
  team_part all_pes_;
  std::uint32_t next_object_ = 1;
  std::uint32_t next_team_object_ = 0;

  std::deque<peer_box> boxes_;
  std::vector<peer_line> lines_;  // by peer; calls: main thread, serving: the thread that polls
  // Raised when a request is served, lowered by looks in vain: how likely the next one is.
  std::atomic<std::uint32_t> expected_requests_{0};
  std::vector<std::uint32_t> lines_in_use_;  // main thread: peers that lines_ holds a call for
  std::vector<std::atomic<std::uint32_t>> unanswered_;  // calls per peer; sender and answerer
  std::atomic<std::uint64_t> unanswered_total_{0};
  std::atomic<std::uint32_t> filling_{0};  // with workers: buffers begun and not yet shipped
  std::atomic<std::size_t> private_bytes_{0};  // in buffers that the lamella has not taken yet
  std::atomic<std::size_t> handler_bytes_{0};  // those of them that handlers have sent, and
                                               // runs that wait for an object in use
  std::atomic<std::uint32_t> waiting_boxes_{0};  // queues in boxes_ that are not empty

  spin_lock own_lock_;  // guards own_queue_
  std::deque<self_buffer> own_queue_;
  std::atomic<std::size_t> own_queued_{0};

  // Counts for quiesce: what this PE has given out and what it has done, buffers and tasks
  // alike.
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> executed_{0};
  std::atomic<std::uint64_t> own_sent_{0};  // for wait_all: buffers to itself
  std::atomic<std::uint64_t> own_executed_{0};
  std::atomic<std::uint64_t> acknowledgements_{0};
  std::atomic<std::uint64_t> acknowledgements_due_{0};
  std::atomic<std::uint64_t> tasks_{0};
  std::atomic<std::uint64_t> runs_sent_{0};  // without letters of collectives
  std::atomic<std::uint64_t> suspended_{0};  // coroutine handlers that had to wait
  std::atomic<std::uint64_t> resumed_{0};    // those of them that have ended

  // While too many wait, whoever polls: how many had ended, and when that was seen.
  static constexpr std::uint64_t most_suspended = 16384;
  std::atomic<std::uint64_t> ended_before_{0};
  std::atomic<std::uint64_t> ended_at_ns_{0};
  std::atomic<std::uint64_t> reports_{0};  // failure reports arrived for posted buffers

  failure_collector failures_;  // in messages that this PE has sent

  spin_lock offers_lock_;                       // guards the next two
  std::map<std::uint64_t, heap_block> offers_;  // messages that nobody has fetched yet
  std::uint64_t next_offer_ = 1;

  std::map<std::pair<std::uint32_t, std::uint64_t>, assembly> assemblies_;
  spin_lock assembly_lock_;  // guards assemblies_

  // With one thread: what the last poll has found and nobody has begun with. A handler that
  // waits goes on with these before it polls again: what it waits for may need their slots.
  static constexpr std::size_t buffers_per_poll = 16;
  std::array<lamellae::in_buffer, buffers_per_poll> found_;
  std::uint32_t next_found_ = 0;
  std::uint32_t end_found_ = 0;

  // With several threads:
  spin_lock poll_lock_;     // one thread polls
  spin_lock arrived_lock_;  // guards arrived_
  std::deque<lamellae::in_buffer> arrived_;
  spin_lock release_lock_;  // poll, release and settle take turns

  spin_lock ready_lock_;  // guards the two queues
  std::deque<std::coroutine_handle<>> ready_main_;
  std::deque<std::coroutine_handle<>> ready_anywhere_;
  std::atomic<std::size_t> ready_count_{0};
  std::vector<std::coroutine_handle<>> after_poll_;  // main thread

  struct awaited_transfer {
    const lamellae::transfer* of;
    std::coroutine_handle<> waiting;
    place where;
  };
  spin_lock transfers_lock_;  // guards transfers_
  std::vector<awaited_transfer> transfers_;
  std::atomic<std::size_t> transfers_count_{0};

  std::uint64_t wave_started_ = 0;  // main thread: collectives take turns in the order of start
  std::uint64_t wave_ended_ = 0;
  std::uint64_t known_executed_ = 0;  // sum over PEs, in the last wave of the last quiesce
  std::uint64_t epoch_ = 0;           // quiesces ended

  std::vector<const collective_scope*> collectives_;  // main thread: those that this PE is in
  std::atomic<std::uint32_t> warned_{0};              // a bit for each kind; any thread
  bool complained_ = false;                           // main thread
  lamellae::bulletin* my_page_ = nullptr;             // where this PE says how it does
  std::atomic<std::uint32_t>* asked_ = nullptr;       // reports wanted, on PE 0's page
  std::atomic<std::uint32_t> no_page_running_{0};     // stands in for a page's
  std::atomic<std::uint32_t>* running_;               // main thread: the handler that runs
  std::unique_ptr<doctor> doctor_;                    // on one PE of the process

  std::vector<std::thread> workers_;
  std::atomic<bool> stopping_{false};
};

}  // namespace lamellar::detail
