// SPDX-License-Identifier: BSD-3-Clause
#include "probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <span>
#include <string_view>
#include <thread>

namespace lamellar::lamellae {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds{10};

class attempt {
 public:
  attempt(fabric& with, probe_space& space, std::uint32_t message_bytes)
      : net_{with}, space_{space}, bytes_{message_bytes} {}

  std::string messages(std::uint32_t count) {
    std::uint32_t sent = 0;
    const bool in_time = until([&] {
      // One ahead of what has arrived would never fill a buffer while others wait in it.
      for (; sent < count && sent < arrived_ + 8; ++sent) {
        std::byte* const buffer = net_.take_buffer();
        if (buffer == nullptr) break;
        std::memset(buffer, static_cast<int>(sent & 0xff), bytes_);
        net_.send(0, buffer, sent % 8 == 7 ? 16 : bytes_);
      }
      return arrived_ == count || wrong_;
    });
    if (wrong_) return "sends messages that arrive altered or in another order";
    return in_time ? std::string{} : said("sends messages that do not arrive");
  }

  std::string memory() {
    auto& [exposed, source, back, before, done] = space_;
    for (std::size_t k = 0; k < source.size(); ++k) source[k] = (k + 1) * 0x9e3779b97f4a7c15;
    const exposed_memory there = net_.expose(std::as_writable_bytes(std::span{exposed}));
    const auto all = std::as_bytes(std::span{source});
    if (!ended([&] { return net_.put(0, there.name, 0, all, done); }) || exposed != source) {
      return said("does not write remote memory");
    }
    const auto part = std::as_writable_bytes(std::span{back}.first(back.size() - 1));
    if (!ended([&] { return net_.get(0, there.name, 8, part, done); }) ||
        !std::equal(source.begin() + 1, source.end(), back.begin())) {
      return said("does not read remote memory");
    }
    net_.hide(there);
    return {};
  }

  bool atomics() {
    auto& [exposed, source, back, before, done] = space_;
    exposed[1] = 7;
    const exposed_memory there = net_.expose(std::as_writable_bytes(std::span{exposed}));
    const bool right =
        ended([&] { return net_.fetch_add(0, there.name, 8, 35, before, done); }) &&
        before == 7 && exposed[1] == 42;
    net_.hide(there);
    return right;
  }

 private:
  /// Poll until `reached`, for a while.
  template <class Reached>
  bool until(Reached reached) {
    const auto deadline = clock::now() + patience;
    while (!reached()) {
      if (net_.failure() || clock::now() > deadline) return false;
      std::array<fabric_arrival, 16> arrivals;
      const std::uint32_t count = net_.poll(arrivals);
      for (std::uint32_t k = 0; k < count; ++k) {
        look_at(arrivals[k]);
        net_.release(arrivals[k]);
      }
      if (count == 0) std::this_thread::yield();
    }
    return true;
  }

  void look_at(const fabric_arrival& what) {
    const auto expected = static_cast<std::byte>(arrived_ & 0xff);
    if (what.bytes != (arrived_ % 8 == 7 ? 16 : bytes_) || what.data[0] != expected ||
        what.data[what.bytes - 1] != expected) {
      wrong_ = true;
    }
    ++arrived_;
  }

  template <class Begin>
  bool ended(Begin begin) {
    bool begun = false;
    return until([&] {
             begun = begun || begin();
             return begun && space_.done.pending.load(std::memory_order_acquire) == 0;
           }) &&
           !space_.done.failed.load(std::memory_order_relaxed);
  }

  std::string said(std::string_view what) const {
    const auto failure = net_.failure();
    return failure ? fmt::format("{}: {}", what, failure->reason) : std::string{what};
  }

  fabric& net_;
  probe_space& space_;
  const std::uint32_t bytes_;
  std::uint32_t arrived_ = 0;
  bool wrong_ = false;
};

}  // namespace

probe_result try_out(fabric& with, probe_space& space, std::uint32_t message_bytes,
                     std::uint32_t messages) {
  attempt tried{with, space, message_bytes};
  probe_result result;
  result.refusal = tried.messages(messages);
  if (result.refusal.empty()) result.refusal = tried.memory();
  if (result.refusal.empty() && with.able().atomics) result.atomics = tried.atomics();
  return result;
}

}  // namespace lamellar::lamellae
