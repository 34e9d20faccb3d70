// SPDX-License-Identifier: BSD-3-Clause
#include "waiting.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <string>

#include "doctor.hpp"
#include "statistics_books.hpp"

namespace lamellar::detail {

namespace {

std::string place_of(std::source_location where) {
  return fmt::format("{}:{}", where.file_name(), where.line());
}

}  // namespace

void waiting::begin_pause() {
  paused_ = true;
  paused_at_ns_ = at_.transport().now_ns();
}

void waiting::end_of_pause() {
  paused_ = false;
  if (outer_ == nullptr && on_.index == 0) {
    at_.counted()->waited_ns.fetch_add(at_.transport().now_ns() - paused_at_ns_,
                                       std::memory_order_relaxed);
  }
}

void waiting::look_around() {
  at_.answer_if_asked();
  const std::uint64_t now = at_.transport().now_ns();
  if (idle_ == looks_around) {
    idle_since_ns_ = now;
  }
  at_.check_patience(static_cast<double>(now - idle_since_ns_) * 1e-9);
}

void engine::check_patience(double seconds) {
  if (settings_.hang_s <= 0 || complained_ || seconds < settings_.hang_s) {
    return;
  }
  complained_ = true;
  lamella_->overdue();
  const std::string because = fmt::format(
      "PE {} has waited {:.1f} s in vain, and goes on; LAMELLAR_HANG_SECONDS sets "
      "when this is said",
      me_, seconds);
  if (my_page_ == nullptr) {
    std::fputs(
        fmt::format("lamellar: PE {} {}\n  ({})\n", me_, what_it_waits_for(), because).c_str(),
        stderr);
    return;
  }
  if (lamella_->page_of(0)->waited_too_long.exchange(1) == 0) {
    doctor::ask(because);
  }
}

void engine::warn(warning kind, const std::string& text) {
  const auto bit = std::uint32_t{1} << static_cast<unsigned>(kind);
  if (settings_.warnings && (warned_.fetch_or(bit) & bit) == 0) {
    std::fputs(fmt::format("lamellar: PE {}: {} (said once; LAMELLAR_WARNINGS=0 silences it)\n",
                           me_, text)
                   .c_str(),
               stderr);
  }
}

std::string engine::what_it_waits_for() {
  const waiting* const innermost = lanes_[0]->wait;
  std::string text;
  for (const collective_scope* in : collectives_) {
    text += fmt::format("{}in {} ({}), which not all PEs have reached or left",
                        text.empty() ? "" : "; ", in->what(), place_of(in->where()));
  }
  if (innermost == nullptr) {
    text += text.empty() ? "waits for what it polls for" : "";
  } else if (text.empty() || innermost->what() != a_task) {  // the task is the collective's
    text += fmt::format("{}waits for {}", text.empty() ? "" : "; ", innermost->what());
    if (innermost->peer() != waiting::no_peer) {
      text += fmt::format(" at PE {}", innermost->peer());
    }
    const waiting* placed = innermost;
    while (placed != nullptr && placed->where().line() == 0) {
      placed = placed->outer();
    }
    if (placed != nullptr) {
      text += fmt::format(" ({})", place_of(placed->where()));
    }
  }

  std::string more;
  const auto add = [&more](const std::string& next) {
    more += more.empty() ? "" : "; ";
    more += next;
  };
  if (shared_) {
    // Workers may be handing out the slots that say more.
    for (std::uint32_t peer = 0; peer < size_; ++peer) {
      if (const std::uint32_t calls = unanswered_[peer].load(); calls != 0) {
        add(fmt::format("{} of its calls are unanswered by PE {}", calls, peer));
      }
    }
  } else {
    std::map<std::pair<std::uint32_t, std::uint16_t>, std::uint32_t> calls;
    replies_.for_each_unanswered([&](const reply_block& block, const reply_slot& slot) {
      ++calls[{slot.peer.load(std::memory_order_relaxed), block.handler}];
    });
    for (const auto& [what, count] : calls) {
      add(fmt::format("{} of its calls of {} are unanswered by PE {}", count,
                      name_of_handler(what.second), what.first));
    }
  }
  for (std::uint32_t peer = 0; peer < size_; ++peer) {
    if (peer == me_) {
      continue;
    }
    peer_box& box = boxes_[peer];
    box.lock.lock();
    const lamellae::delivery d = lamella_->delivered(peer);
    box.lock.unlock();
    if (d.posted != d.handled) {
      add(fmt::format("PE {} has not handled {} of its buffers", peer, d.posted - d.handled));
    }
  }
  if (const std::uint64_t tasks = tasks_.load(); tasks != 0) {
    add(fmt::format("{} of its spawned tasks have not ended", tasks));
  }
  if (const std::uint64_t handlers = suspended_.load() - resumed_.load(); handlers != 0) {
    add(fmt::format("{} coroutine handlers wait on it", handlers));
  }
  for (const object_entry* object : objects_.all()) {
    if (object->who_waits != nullptr) {
      if (const std::string waiters = object->who_waits(object->part); !waiters.empty()) {
        add(fmt::format("object {}: {}", object->number, waiters));
      }
    }
  }
  return more.empty() ? text : fmt::format("{}\n{}", text, more);
}

}  // namespace lamellar::detail
