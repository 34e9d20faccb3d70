// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lamellar/lamellae/lamella.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fabric/fabric.hpp"

// Several fabrics in one process, who know each other as PE 0, 1, ... The provider is tcp, or
// what FABRIC_TEST_PROVIDER names.
namespace lamellar::lamellae {

/// The provider that is tested.
std::string tested_provider();

inline fabric_choice tested_choice() {
  fabric_choice choice;
  choice.provider = tested_provider();
  choice.address = "127.0.0.0/8";
  if (choice.provider == "shm") choice.address.clear();
  return choice;
}

class fabric_group {
 public:
  using taker = std::function<void(std::uint32_t pe, const fabric_arrival& what)>;

  explicit fabric_group(std::uint32_t size, const fabric_choice& choice = tested_choice()) {
    std::vector<std::vector<std::byte>> addresses;
    for (std::uint32_t pe = 0; pe < size; ++pe) {
      all_.push_back(std::make_unique<fabric>(choice));
      addresses.push_back(all_.back()->address());
    }
    for (std::uint32_t pe = 0; pe < size; ++pe) all_[pe]->connect(addresses, pe);
  }

  fabric& operator[](std::uint32_t pe) { return *all_[pe]; }
  void close(std::uint32_t pe) { all_[pe].reset(); }

  /// Poll all in turn, giving what arrives to `take`, until `reached`; false after half a
  /// minute.
  template <class Reached>
  bool until(Reached reached, const taker& take) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!reached()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::uint32_t found = 0;
      for (std::uint32_t pe = 0; pe < all_.size(); ++pe) {
        if (all_[pe] == nullptr) continue;
        std::array<fabric_arrival, 16> arrivals;
        const std::uint32_t count = all_[pe]->poll(arrivals);
        for (std::uint32_t k = 0; k < count; ++k) take(pe, arrivals[k]);
        found += count;
      }
      if (found == 0) std::this_thread::yield();
    }
    return true;
  }
  /// What arrives is released unseen.
  template <class Reached>
  bool until(Reached reached) {
    return until(reached, [this](std::uint32_t pe, const fabric_arrival& what) {
      all_[pe]->release(what);
    });
  }
  /// Poll until `begin` says yes and what it began has ended; whether all that went well.
  template <class Begin>
  bool completed(transfer& done, Begin begin) {
    bool begun = false;
    return until([&] {
             begun = begun || begin();
             return begun && done.pending.load(std::memory_order_acquire) == 0;
           }) &&
           !done.failed.load(std::memory_order_relaxed);
  }

 private:
  std::vector<std::unique_ptr<fabric>> all_;
};

/// Send `bytes` bytes that begin with `words`, as soon as there is a buffer. False: not now.
inline bool send_words(fabric& from, std::uint32_t to, std::array<std::uint64_t, 2> words,
                       std::uint32_t bytes) {
  std::byte* const buffer = from.take_buffer();
  if (buffer == nullptr) return false;
  std::memset(buffer, static_cast<int>(words[1] & 0xff), bytes);
  std::memcpy(buffer, words.data(), sizeof words);
  from.send(to, buffer, bytes);
  return true;
}

inline std::array<std::uint64_t, 2> words_of(const fabric_arrival& what) {
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), what.data, sizeof words);
  return words;
}

/// Whether what follows the words is what send_words() has written, to the last byte.
inline bool is_whole(const fabric_arrival& what) {
  const auto filling = static_cast<std::byte>(words_of(what)[1] & 0xff);
  for (std::uint32_t k = 16; k < what.bytes; ++k) {
    if (what.data[k] != filling) return false;
  }
  return reinterpret_cast<std::uintptr_t>(what.data) % 16 == 0;
}

}  // namespace lamellar::lamellae
