// SPDX-License-Identifier: BSD-3-Clause
#include "doctor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

namespace lamellar::detail {

namespace {

using lamellae::bulletin;

constexpr char by_signal = 's';
constexpr char by_wait = 'w';
constexpr char by_end = 'e';

constexpr std::uint64_t same_report_ns = 1'500'000'000;  // longer than one takes

/// What wakes the thread: written by a signal's handler too, so it is a pipe, and one for the
/// process. Never destroyed.
struct bell {
  int read_end = -1;
  int write_end = -1;
  std::mutex mutex;     // guards `because`
  std::string because;  // of the last wait that was reported

  bell() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
    }
    read_end = ends[0];
    write_end = ends[1];
    ::fcntl(write_end, F_SETFL, O_NONBLOCK);
  }

  void ring(char why) {
    const int kept = errno;
    [[maybe_unused]] const auto written = ::write(write_end, &why, 1);
    errno = kept;
  }
};

std::atomic<bell*> the_bell{nullptr};  // set once, by the first doctor of the process

void on_signal(int) {
  if (bell* b = the_bell.load(std::memory_order_acquire); b != nullptr) {
    b->ring(by_signal);
  }
}

/// Take SIGUSR1, unless the program has a use of its own for it.
void install() {
  static std::once_flag once;
  std::call_once(once, [] {
    the_bell.store(new bell, std::memory_order_release);
    struct sigaction now {};
    if (::sigaction(SIGUSR1, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
      struct sigaction mine {};
      mine.sa_handler = on_signal;
      mine.sa_flags = SA_RESTART;
      ::sigaction(SIGUSR1, &mine, nullptr);
    }
  });
}

/// From "lamellar::detail::handler<F, Object, ...>" to "F".
std::string callable_in(const std::string& handler) {
  const std::size_t begin = handler.find('<') + 1;
  int depth = 0;
  for (std::size_t k = begin; k < handler.size(); ++k) {
    const char c = handler[k];
    depth += c == '<' || c == '(' || c == '{' ? 1 : 0;
    depth -= c == '>' || c == ')' || c == '}' ? 1 : 0;
    if (depth == 0 && c == ',') {
      return handler.substr(begin, k - begin);
    }
  }
  return handler;
}

/// "PE 3", "PEs 0-2, 5".
std::string list_of(const std::vector<std::uint32_t>& pes) {
  std::string text = pes.size() == 1 ? "PE " : "PEs ";
  for (std::size_t k = 0; k < pes.size();) {
    std::size_t end = k + 1;
    while (end < pes.size() && pes[end] == pes[end - 1] + 1) {
      ++end;
    }
    text += k == 0 ? "" : ", ";
    text +=
        end - k > 1 ? fmt::format("{}-{}", pes[k], pes[end - 1]) : fmt::format("{}", pes[k]);
    k = end;
  }
  return text;
}

}  // namespace

doctor::doctor(engine& at) : at_{at} {
  install();
  thread_ = std::thread{[this] { serve(); }};
}

doctor::~doctor() {
  the_bell.load()->ring(by_end);
  thread_.join();
}

void doctor::ask(const std::string& because) {
  bell* const b = the_bell.load();
  if (b == nullptr) {
    return;
  }
  {
    const std::lock_guard lock{b->mutex};
    b->because = because;
  }
  b->ring(by_wait);
}

void doctor::serve() {
  bell& b = *the_bell.load();
  for (;;) {
    char why = 0;
    const auto got = ::read(b.read_end, &why, 1);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0 || why == by_end) {
      return;
    }
    if (why == by_signal) {
      report("asked by SIGUSR1", false);
    } else {
      std::string because;
      {
        const std::lock_guard lock{b.mutex};
        because = b.because;
      }
      report(because, true);
    }
  }
}

void doctor::report(const std::string& because, bool insist) {
  using namespace std::chrono;
  lamellae::lamella& over = at_.transport();
  bulletin* const first = over.page_of(0);
  if (over.host_of(over.me()) != over.host_of(0)) {
    // A copy of the page: others may ask at the same moment, which is seen a little later.
    const auto end =
        steady_clock::now() + std::min(milliseconds{2000}, milliseconds{200} * (over.me() + 1));
    while (steady_clock::now() < end) {
      const std::uint64_t asked = first->asked_at_ns.load();
      if (asked != 0 && over.now_ns() - asked < same_report_ns) return;
      std::this_thread::sleep_for(milliseconds{10});
    }
  }
  // Every process of the job may have got the signal: one speaks.
  for (;;) {
    std::uint64_t before = first->asked_at_ns.load();
    const std::uint64_t now = over.now_ns();
    if ((before == 0 || now - before >= same_report_ns) &&
        first->asked_at_ns.compare_exchange_strong(before, now)) {
      break;
    }
    if (!insist) {
      return;
    }
    std::this_thread::sleep_for(milliseconds{50});
  }
  const std::uint32_t number = first->asked.fetch_add(1) + 1;
  const auto answered = [&](std::uint32_t pe) {
    return over.page_of(pe)->answered.load(std::memory_order_acquire) == number;
  };
  const auto end = steady_clock::now() + seconds{1};
  for (std::uint32_t pe = 0; pe < over.size() && steady_clock::now() < end;) {
    if (answered(pe)) {
      ++pe;
    } else {
      std::this_thread::sleep_for(milliseconds{2});
    }
  }

  std::map<std::string, std::vector<std::uint32_t>> same;  // what is said, and who says so
  std::map<std::uint32_t, std::string> details;
  for (std::uint32_t pe = 0; pe < over.size(); ++pe) {
    const bulletin& page = *over.page_of(pe);
    if (!answered(pe)) {
      std::string text = "does not answer: it computes, or its process is stopped";
      if (const std::uint32_t id = page.running.load(std::memory_order_relaxed); id != 0) {
        text = fmt::format("has not come back from a handler: {}",
                           at_.name_of_handler(static_cast<std::uint16_t>(id)));
      }
      same[text].push_back(pe);
      continue;
    }
    const std::string_view text{page.text,
                                std::min<std::size_t>(page.bytes, sizeof(page.text))};
    const std::size_t line = text.find('\n');
    same[std::string{text.substr(0, line)}].push_back(pe);
    if (line != std::string_view::npos) {
      details[pe] = std::string{text.substr(line + 1)};
    }
  }
  std::string text = fmt::format("lamellar: what {} PEs do ({}):\n", over.size(), because);
  std::vector<std::pair<std::string, std::vector<std::uint32_t>>> groups{same.begin(),
                                                                         same.end()};
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  for (const auto& [what, pes] : groups) {
    text += fmt::format("  {}: {}\n", list_of(pes), what);
    for (const std::uint32_t pe : pes) {
      if (const auto more = details.find(pe); more != details.end()) {
        text += fmt::format("    PE {}: {}\n", pe, more->second);
      }
    }
  }
  std::fputs(text.c_str(), stderr);
}

void engine::answer_doctor(std::uint32_t number) {
  bulletin& page = *my_page_;
  const std::string text = what_it_waits_for();
  page.bytes = static_cast<std::uint32_t>(std::min(text.size(), sizeof(page.text)));
  std::memcpy(page.text, text.data(), page.bytes);
  page.answered.store(number, std::memory_order_release);
}

std::string engine::name_of_handler(std::uint16_t id) const {
  const handler_node* node = handlers_.find(id);
  return node == nullptr ? "(unknown)" : callable_in(handler_table::readable(node->name));
}

}  // namespace lamellar::detail
