// SPDX-License-Identifier: BSD-3-Clause
#include "control.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <string_view>
#include <utility>

namespace lamellar::lamellae {
namespace {

using namespace std::chrono_literals;

constexpr auto beat_interval = 250ms;
constexpr auto look_interval = 50;  // ms, at pages and at silence
constexpr auto patience_with_strangers = 2s;
constexpr std::size_t most_strangers = 256;
constexpr double start_patience_s = 30;

/// What a PE says of itself to be listened to.
struct endpoint {
  std::uint16_t port;
  char address[62];
};

std::string half(const job_secret& secret, std::size_t which) {
  std::string bytes(2 * sizeof(secret[0]), '\0');
  std::memcpy(bytes.data(), &secret[2 * which], bytes.size());
  return bytes;
}

/// In the same time whatever differs.
bool same(std::string_view a, std::string_view b) {
  unsigned differ = a.size() == b.size() ? 0 : 1;
  for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k) {
    differ |= static_cast<unsigned char>(a[k] ^ b[k]);
  }
  return differ == 0;
}

void raise(std::atomic<std::uint32_t>& to, std::uint32_t value) {
  std::uint32_t now = to.load();
  while (now < value && !to.compare_exchange_weak(now, value)) {
  }
}

}  // namespace

job_secret make_job_secret() {
  job_secret made{};
  auto* at = reinterpret_cast<char*>(made.data());
  for (std::size_t got = 0; got < sizeof(made);) {
    const ssize_t now = getrandom(at + got, sizeof(made) - got, 0);
    if (now > 0) got += static_cast<std::size_t>(now);
  }
  return made;
}

control::control(bootstrap& from, control_settings s)
    : me_{from.me()},
      size_{from.size()},
      set_{std::move(s)},
      lines_(from.me() == 0 ? from.size() : 1),
      left_{std::make_unique<std::atomic<bool>[]>(from.size())},
      copies_(from.size()) {
  for (std::uint32_t pe = 0; pe < size_; ++pe) {
    if (set_.near_page(pe) == nullptr) copies_[pe] = std::make_unique<bulletin>();
  }
  if (pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0) {
    throw error{fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  }
  endpoint mine{};
  if (me_ == 0) {
    listener_ = listen_on(set_.address, mine.port);
    set_.address.copy(mine.address, sizeof(mine.address) - 1);
  }
  const auto all = from.exchange(std::as_bytes(std::span{&mine, std::size_t{me_ == 0}}));
  if (me_ == 0) {
    listen_for_all();
  } else {
    if (all[0].size() != sizeof(endpoint)) throw error{"PE 0 does not say where it listens"};
    endpoint first{};
    std::memcpy(&first, all[0].data(), sizeof(first));
    connect_to_first(first.address, first.port);
  }
  asked_before_ = page_of(0)->asked.load();
  thread_ = std::thread{[this] { serve(); }};
}

control::~control() {
  stop();
  if (listener_ >= 0) close(listener_);
  close(wake_[0]);
  close(wake_[1]);
}

bulletin* control::page_of(std::uint32_t pe) {
  return copies_[pe] != nullptr ? copies_[pe].get() : set_.near_page(pe);
}

void control::wake() {
  const char any = 0;
  [[maybe_unused]] const auto written = write(wake_[1], &any, 1);
}

void control::leave() {
  says_farewell_.store(true);
  stop();
}

void control::stop() {
  if (!thread_.joinable()) return;
  leaving_.store(true);
  wake();
  thread_.join();
}

// --- coming together ---

void control::listen_for_all() {
  const auto end = clock::now() + std::chrono::duration<double>(start_patience_s);
  const auto missing = [this] {
    std::string text;
    for (std::uint32_t pe = 1; pe < size_; ++pe) {
      if (lines_[pe] == nullptr) text += fmt::format("{}{}", text.empty() ? "" : ", ", pe);
    }
    return text;
  };
  while (!missing().empty()) {
    if (clock::now() > end) {
      throw config_error{fmt::format(
          "PEs {} have not connected to PE 0 at {} within {} s; if that is not an interface "
          "that their hosts reach, name one by LAMELLAR_ROFI_ADDRESS, as 10.1.0.0/16",
          missing(), set_.address, start_patience_s)};
    }
    std::vector<pollfd> wait{{listener_, POLLIN, 0}};
    for (const auto& one : strangers_) wait.push_back({one->socket(), POLLIN, 0});
    poll(wait.data(), wait.size(), look_interval);
    look_at_strangers();
  }
}

void control::look_at_strangers() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) break;
    if (strangers_.size() == most_strangers) {
      close(socket);
      continue;
    }
    strangers_.push_back(std::make_unique<connection>(socket));
  }
  std::vector<frame> said;
  for (auto& one : strangers_) {
    said.clear();
    const bool open = one->read_on(said);
    if (!said.empty()) {
      const frame& hello = said.front();
      const bool is_member = hello.kind == frame_kind::hello && hello.pe != 0 &&
                             hello.pe < size_ && lines_[hello.pe] == nullptr &&
                             same(hello.text, half(set_.secret, 0));
      if (is_member) {
        one->send({frame_kind::welcome, 0, 0, 0, half(set_.secret, 1)});
        lines_[hello.pe] = std::move(one);
        continue;
      }
    }
    if (!open || !said.empty() || clock::now() - one->begun() > patience_with_strangers) {
      one.reset();
    }
  }
  std::erase(strangers_, nullptr);
}

void control::connect_to_first(const std::string& address, std::uint16_t port) {
  std::string why = "no answer";
  const int socket = connect_to(address, port, start_patience_s, why);
  if (socket >= 0) {
    auto made = std::make_unique<connection>(socket);
    made->send({frame_kind::hello, me_, 0, 0, half(set_.secret, 0)});
    const auto end = clock::now() + std::chrono::duration<double>(start_patience_s);
    std::vector<frame> said;
    bool open = true;
    while (open && said.empty() && clock::now() < end) {
      pollfd wait{socket, POLLIN, 0};
      poll(&wait, 1, look_interval);
      open = made->read_on(said);
    }
    if (!said.empty() && said.front().kind == frame_kind::welcome &&
        same(said.front().text, half(set_.secret, 1))) {
      lines_[0] = std::move(made);
      return;
    }
    why = open ? "whoever listens there is not PE 0 of this job" : made->trouble();
  }
  throw config_error{fmt::format(
      "PE {} cannot reach PE 0 at {}, port {}: {}; if that is not an interface that this host "
      "reaches, name one by LAMELLAR_ROFI_ADDRESS, as 10.1.0.0/16",
      me_, address, port, why)};
}

// --- the thread ---

void control::serve() {
  std::vector<pollfd> wait;
  std::vector<std::uint32_t> whose;
  last_beat_ = clock::now();
  while (!leaving_.load()) {
    wait.assign(1, {wake_[0], POLLIN, 0});
    whose.clear();
    for (std::uint32_t k = 0; k < lines_.size(); ++k) {
      if (lines_[k] == nullptr) continue;
      const short out = lines_[k]->wants_to_write() ? POLLOUT : 0;
      wait.push_back({lines_[k]->socket(), static_cast<short>(POLLIN | out), 0});
      whose.push_back(k);
    }
    const std::size_t known = wait.size();
    if (listener_ >= 0) wait.push_back({listener_, POLLIN, 0});
    for (const auto& one : strangers_) wait.push_back({one->socket(), POLLIN, 0});
    poll(wait.data(), wait.size(), look_interval);

    for (std::size_t k = 1; k < known; ++k) {
      const std::uint32_t pe = whose[k - 1];
      if (lines_[pe] == nullptr || wait[k].revents == 0) continue;
      if ((wait[k].revents & POLLOUT) != 0) lines_[pe]->write_on();
      read_from(pe, *lines_[pe]);
    }
    if (listener_ >= 0) look_at_strangers();  // all members are here: turns everybody away
    beat(clock::now());
    copy_pages();
  }
  if (says_farewell_.load()) send_to_all({frame_kind::leave, me_, 0, 0, {}}, me_);
  // What the system has not taken by then is not worth waiting for: its reader is gone.
  const auto end = clock::now() + 1s;
  for (auto& line : lines_) {
    while (line != nullptr && line->wants_to_write() && clock::now() < end) {
      pollfd ready{line->socket(), POLLOUT, 0};
      poll(&ready, 1, look_interval);
      if (!line->write_on()) break;
    }
    line.reset();
  }
}

void control::read_from(std::uint32_t pe, connection& line) {
  std::vector<frame> said;
  const bool open = line.read_on(said);
  const std::string trouble = line.trouble();
  for (const frame& one : said) obey(me_ == 0 ? pe : one.pe, one);
  if (open) return;
  lines_[pe].reset();
  if (!has_left(pe))
    end_of(pe,
           fmt::format("its process has ended, or the connection to it broke ({})", trouble));
}

void control::obey(std::uint32_t from, const frame& what) {
  if (from >= size_) return;
  switch (what.kind) {
    case frame_kind::leave:
      left_[from].store(true, std::memory_order_release);
      if (me_ == 0) send_to_all({frame_kind::leave, from, 0, 0, {}}, from);
      break;
    case frame_kind::lost:
      if (what.pe < size_) end_of(what.pe, what.text);
      break;
    case frame_kind::asked: {
      bulletin& first = *page_of(0);
      raise(first.waited_too_long, what.more);
      if (first.asked.load() < what.number) first.asked_at_ns.store(set_.now_ns());
      raise(first.asked, what.number);
      break;
    }
    case frame_kind::page: {
      if (what.pe >= size_ || copies_[what.pe] == nullptr) break;
      bulletin& copy = *copies_[what.pe];
      copy.running.store(what.more, std::memory_order_relaxed);
      copy.bytes = static_cast<std::uint32_t>(std::min(what.text.size(), sizeof(copy.text)));
      std::memcpy(copy.text, what.text.data(), copy.bytes);
      copy.answered.store(what.number, std::memory_order_release);
      break;
    }
    default:
      break;  // a beat
  }
  if (me_ == 0 && what.kind == frame_kind::page) send_to_all(what, from);
}

void control::end_of(std::uint32_t pe, const std::string& why) {
  if (std::exchange(is_over_, true)) return;
  if (me_ == 0) {
    send_to_all({frame_kind::lost, pe, 0, 0, why}, pe);
    for (auto& line : lines_) {
      if (line != nullptr) line->write_on();
    }
  }
  set_.lost(pe, why);
}

void control::send_to_all(const frame& what, std::uint32_t except) {
  for (std::uint32_t pe = 0; pe < lines_.size(); ++pe) {
    if (lines_[pe] != nullptr && (me_ != 0 || pe != except)) lines_[pe]->send(what);
  }
}

void control::beat(clock::time_point now) {
  if (now - last_beat_ >= beat_interval) {
    last_beat_ = now;
    send_to_all({frame_kind::beat, me_, 0, 0, {}}, me_);
  }
  if (set_.timeout_s <= 0) return;
  for (std::uint32_t pe = 0; pe < lines_.size(); ++pe) {
    if (lines_[pe] == nullptr || has_left(pe)) continue;
    const double silent = std::chrono::duration<double>(now - lines_[pe]->heard()).count();
    if (silent > set_.timeout_s) {
      end_of(pe,
             fmt::format("nothing was heard of it for {:.1f} s (LAMELLAR_PEER_TIMEOUT): its "
                         "host or the link to it is down, or its process is stopped",
                         silent));
    }
  }
}

void control::copy_pages() {
  // Questions: from whoever asks to PE 0, from there to all.
  bulletin& first = *page_of(0);
  const std::uint32_t asked = first.asked.load();
  const std::uint32_t waited = first.waited_too_long.load();
  if (asked > asked_before_ || waited > waited_before_) {
    asked_before_ = asked;
    waited_before_ = waited;
    send_to_all({frame_kind::asked, me_, asked, waited, {}}, me_);
  }
  // Answers: of this PE; and what it does instead of answering.
  const std::uint32_t answered = set_.own->answered.load(std::memory_order_acquire);
  const std::uint32_t running = set_.own->running.load(std::memory_order_relaxed);
  if (answered != answered_before_ || (answered != asked && running != running_before_)) {
    answered_before_ = answered;
    running_before_ = running;
    const std::size_t bytes = std::min<std::size_t>(set_.own->bytes, sizeof(set_.own->text));
    send_to_all({frame_kind::page, me_, answered, running, std::string{set_.own->text, bytes}},
                me_);
  }
}

}  // namespace lamellar::lamellae
