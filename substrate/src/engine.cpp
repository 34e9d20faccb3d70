// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/group_count.hpp>

#include "doctor.hpp"
#include "statistics_books.hpp"

namespace lamellar::detail {

namespace {

/// Any thread that opens a world.
constinit std::atomic<std::uint64_t> next_world_number{1};

constexpr std::size_t own_buffer_bytes = 2048;
constexpr std::size_t most_spilled_before_refusing = std::size_t{1} << 20;

/// One PE's share of what the job may keep in private buffers.
std::size_t share_of_budget(const lamellae::settings& s, std::uint32_t pes) {
  const std::size_t all = s.job_budget != 0 ? s.job_budget : lamellae::default_job_budget();
  return std::max(std::size_t{1} << 20, all / 2 / pes);
}

/// What one PE's symmetric heap may grow to.
std::size_t heap_limit(const lamellae::settings& s, const lamellae::capabilities& able) {
  return s.heap_size != 0 ? s.heap_size : lamellae::default_job_budget() * 3 / able.pes_on_host;
}

}  // namespace

void misuse(const engine* at, const std::string& what, std::source_location where) {
  lamellae::abort_job(
      70, fmt::format("{}{} ({}:{})",
                      at != nullptr ? fmt::format("PE {}: ", at->me()) : std::string{}, what,
                      where.file_name(), where.line()));
}

engine::engine(std::unique_ptr<lamellae::lamella> transport, const lamellae::settings& s,
               lamellar::world* facade)
    : lamella_{std::move(transport)},
      settings_{s},
      facade_{facade},
      handlers_{handler_table::instance()},
      letter_handler_{letter_handler()},
      world_number_{next_world_number.fetch_add(1, std::memory_order_relaxed)},
      me_{lamella_->me()},
      size_{lamella_->size()},
      threads_{std::max(1u, s.threads)},
      shared_{threads_ > 1},
      has_lines_{lamella_->able().lines && threads_ == 1},
      observes_{s.statistics || s.warnings},
      charges_{lamella_->able().in_turns},
      oversubscribed_{lamella_->able().oversubscribed},
      buffer_capacity_{lamella_->able().buffer_bytes},
      own_capacity_{threads_ == 1 ? std::min(own_buffer_bytes, buffer_capacity_)
                                  : buffer_capacity_},
      largest_record_{own_capacity_ - sizeof(run_header) - 16},
      budget_{share_of_budget(s, size_)},
      spill_mark_{std::min(budget_ / 2, most_spilled_before_refusing)},
      largest_message_{4 * lamellae::default_job_budget()},
      blocks_{buffer_capacity_, shared_},
      replies_{this, shared_},
      counted_{s.statistics ? std::make_unique<statistics_books>(handlers_.size()) : nullptr},
      region_counts_{s.statistics ? std::make_unique<region_counts>() : nullptr},
      heap_{*lamella_, heap_limit(s, lamella_->able())},
      one_sided_{*this},
      objects_{shared_},
      mail_{this, shared_},
      all_pes_{this, 0, member_list{0, 1, size_}, me_},
      lines_(size_),
      unanswered_(size_),
      own_lock_{shared_},
      failures_{shared_},
      assembly_lock_{shared_},
      poll_lock_{shared_},
      arrived_lock_{shared_},
      release_lock_{shared_},
      ready_lock_{shared_},
      my_page_{lamella_->page_of(me_)},
      running_{my_page_ != nullptr ? &my_page_->running : &no_page_running_} {
  if (my_page_ != nullptr) {
    asked_ = &lamella_->page_of(0)->asked;
  }
  for (std::uint32_t peer = 0; peer < size_; ++peer) {
    boxes_.emplace_back(shared_);
  }
  for (std::uint32_t index = 0; index < threads_; ++index) {
    lanes_.push_back(std::make_unique<lane>(*this, size_, index));
  }
  if (lamella_->able().in_turns) {
    lamella_->describe_waiting([this] { return what_it_waits_for(); });
  }
  if (lamella_->able().lines) {
    for (std::uint32_t peer = 0; peer < size_; ++peer) {
      if (peer != me_) {
        lines_[peer].out = lamella_->request_line(peer);
        lines_[peer].in = lamella_->serving_line(peer);
      }
    }
  }
}

collective_scope::collective_scope(engine& at, const char* what, std::source_location where)
    : at_{at}, what_{what}, where_{where} {
  at_.collectives_.push_back(this);
}

collective_scope::~collective_scope() { std::erase(at_.collectives_, this); }

std::uint32_t engine::next_team_object_number() {
  const std::uint64_t number =
      std::uint64_t{next_team_object_++} * size_ + me_ + first_team_object;
  if (number > ~std::uint32_t{0}) {
    throw out_of_memory("too many distributed objects of teams in one job; reuse them");
  }
  return static_cast<std::uint32_t>(number);
}

engine::~engine() {
  if (!workers_.empty()) {
    stop_workers();
  }
}

void log_lost_exception(engine& at, group_count* group, const std::exception_ptr& thrown) {
  failure lost{at.me(), "of a spawned task", "unknown"};
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    lost.text = e.what();
  } catch (...) {
    lost.text = "something that is not a std::exception";
  }
  if (group != nullptr) {
    group->failed(lost);
  } else {
    at.log_failures(1, lost, false);
  }
}

void engine::open() {
  // Both ends of every message must mean the same function by the same number.
  std::vector<std::byte> digest(sizeof(std::uint64_t));
  const std::uint64_t mine = handlers_.digest();
  std::memcpy(digest.data(), &mine, sizeof(mine));
  const auto digests = lamella_->exchange(digest);
  const bool equal = std::all_of(digests.begin(), digests.end(),
                                 [&](const auto& other) { return other == digest; });
  if (!equal) {
    const std::string listing = handlers_.listing();
    std::vector<std::byte> text(listing.size());
    std::memcpy(text.data(), listing.data(), listing.size());
    const auto listings = lamella_->exchange(text);
    // All PEs find the same words: whichever is first to end the job says them.
    const auto lines_of = [](const std::vector<std::byte>& blob) {
      std::vector<std::string> lines;
      std::string line;
      for (const std::byte b : blob) {
        if (b == std::byte{'\n'}) {
          lines.push_back(std::move(line));
          line.clear();
        } else {
          line.push_back(static_cast<char>(b));
        }
      }
      return lines;
    };
    const auto first = lines_of(listings[0]);
    for (std::uint32_t peer = 1; peer < size_; ++peer) {
      const auto other = lines_of(listings[peer]);
      const auto differs =
          std::mismatch(first.begin(), first.end(), other.begin(), other.end());
      if (differs.first == first.end() && differs.second == other.end()) {
        continue;
      }
      const auto show = [](auto at, auto end) {
        return at == end ? std::string{"no further handler"} : *at;
      };
      lamellae::abort_job(
          71, fmt::format("PE 0 and PE {} run different programs: where PE 0 has handler\n  "
                          "{}\nPE {} has\n  {}\nStart the same executable on all PEs",
                          peer, show(differs.first, first.end()), peer,
                          show(differs.second, other.end())));
    }
    lamellae::abort_job(
        71,
        "PEs run different builds of a program, whose handlers have the same names but "
        "cannot be told apart alike; start the same executable on all PEs");
  }
  start_workers();
  const bool first_here = lamella_->able().pes_in_process == 1 || me_ == 0;
  if (first_here && my_page_ != nullptr && !lamella_->able().in_turns) {
    doctor_ = std::make_unique<doctor>(*this);
  }
}

void engine::close() {
  quiesce(std::source_location::current()).get();
  stop_workers();
  doctor_ = nullptr;
  if (counted_ != nullptr) {
    print_statistics();
  }
  lamella_->finished();
}

}  // namespace lamellar::detail
