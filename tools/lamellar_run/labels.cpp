// SPDX-License-Identifier: BSD-3-Clause
#include "labels.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <string_view>

namespace lamellar::run {
namespace {

constexpr std::size_t longest_line = std::size_t{1}
                                     << 16;  // longer ones are passed on in parts

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;  // nobody reads: not a reason to end the job
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

labels::labels(std::uint32_t pes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  streams_.reserve(std::size_t{pes} * 2);
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    for (const int to : {STDOUT_FILENO, STDERR_FILENO}) {
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) {
        const std::string reason = std::strerror(errno);
        for (const stream& s : streams_) {
          close(s.from);
          close(s.child_end);
        }
        throw config_error{fmt::format(
            "--label needs two pipes for each of {} PEs: {}; raise the limit of open files "
            "(ulimit -n) or start fewer PEs",
            pes, reason)};
      }
      fcntl(ends[0], F_SETFL, O_NONBLOCK);
      streams_.push_back({ends[0], ends[1], to, fmt::format("[PE {}] ", pe), {}});
    }
  }
}

labels::~labels() {
  for (const stream& s : streams_) {
    if (s.from >= 0) close(s.from);
    if (s.child_end >= 0) close(s.child_end);
  }
}

void labels::use_in_child(std::uint32_t pe) const {
  dup2(streams_[std::size_t{pe} * 2].child_end, STDOUT_FILENO);
  dup2(streams_[std::size_t{pe} * 2 + 1].child_end, STDERR_FILENO);
}

void labels::close_child_ends() {
  for (stream& s : streams_) {
    close(s.child_end);
    s.child_end = -1;
  }
}

void labels::add_to(std::vector<pollfd>& waiting) const {
  for (const stream& s : streams_) {
    if (s.from >= 0) waiting.push_back({s.from, POLLIN, 0});
  }
}

void labels::pass_on(const std::vector<pollfd>& ready) {
  auto next = ready.begin();
  for (stream& s : streams_) {
    if (s.from < 0) continue;
    while (next != ready.end() && next->fd != s.from) ++next;
    if (next == ready.end()) return;
    if (next->revents != 0) read_some(s);
  }
}

void labels::finish() {
  for (stream& s : streams_) {
    if (s.from >= 0) read_some(s);
    if (!s.line.empty()) write_all(s.to, s.label + s.line + '\n');
    s.line.clear();
  }
}

void labels::read_some(stream& s) {
  char buffer[longest_line];
  for (;;) {
    const ssize_t got = read(s.from, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      close(s.from);
      s.from = -1;
      return;
    }
    std::string_view text{buffer, static_cast<std::size_t>(got)};
    std::string whole;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
      whole += s.label + s.line;
      whole += text.substr(0, end + 1);
      s.line.clear();
      text.remove_prefix(end + 1);
    }
    s.line += text;
    if (s.line.size() >= longest_line) {
      whole += s.label + s.line + '\n';
      s.line.clear();
    }
    write_all(s.to, whole);
  }
}

}  // namespace lamellar::run
