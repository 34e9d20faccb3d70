// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/mail.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

// One collective on one of its PEs: the letters between its members, and the check that all of
// them are in the same one. What collectives are made of.
//
// Thread-safety: main thread.
namespace lamellar::detail {

using letter_bytes = std::vector<std::byte>;

/// A letter that holds one plain value.
template <class Value>
letter_bytes bytes_of(const Value& value) {
  static_assert(std::is_trivially_copyable_v<Value>);
  const auto* const first = reinterpret_cast<const std::byte*>(&value);
  return {first, first + sizeof(value)};
}
template <class Value>
Value value_of(const letter_bytes& bytes) {
  Value value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

/// What a collective is; its name stands in collective.cpp.
enum class collective_kind : std::uint32_t {
  barrier,
  quiesce,
  broadcast,
  reduce,
  all_reduce,
  inclusive_scan,
  exclusive_scan,
  gather,
  all_gather,
  scatter,
  all_to_all,
  team_creation,
  object_creation,
  region_creation
};

/// A fingerprint of what must agree between PEs.
class fingerprint {
 public:
  fingerprint& add(std::uint64_t value) {
    print_ = (print_ ^ value) * 0x9e3779b97f4a7c15u;
    print_ ^= print_ >> 29;
    return *this;
  }
  fingerprint& add(std::string_view text) {
    for (const char c : text) {
      add(static_cast<unsigned char>(c));
    }
    return *this;
  }
  operator std::uint64_t() const { return print_; }  // NOLINT: it is one

 private:
  std::uint64_t print_ = 0x243f6a8885a308d3u;
};

class collective {
 public:
  /// The first step of a last part that follows others.
  static constexpr std::uint32_t last_steps = 64;

  /// Begin it: from here on it is the next one of its team. `agreed`: what all PEs must bring.
  /// Ends the job if this PE is no member, or if a handler is running.
  collective(const located_team& on, collective_kind kind, std::uint64_t agreed = 0);

  std::uint32_t size() const { return part_.members.size(); }
  std::uint32_t position() const { return part_.position; }
  engine& home() const { return *part_.home; }

  void send(std::uint32_t to, std::uint32_t step, std::span<const std::byte> bytes) const;
  /// The bytes that the member at `from` has sent in this step. Ends the job if it is in
  /// another collective.
  task<letter_bytes> receive(std::uint32_t from, std::uint32_t step) const;

  /// Exchange letters with all members first, so that a member in another collective is found
  /// at once, even where each would wait for the other. Steps: from 2^16.
  task<> agree() const { return meet(1u << 16); }

  /// The root's bytes, everywhere. Steps: from `step` to step + 31. Logarithmic.
  task<letter_bytes> spread(std::uint32_t root, letter_bytes mine, std::uint32_t step) const;
  /// Everybody's bytes by position, on the root; nothing elsewhere. Step: `step`.
  task<std::vector<letter_bytes>> collect(std::uint32_t root, letter_bytes mine,
                                          std::uint32_t step) const;
  /// Everybody's bytes by position, everywhere. Steps: from `step` to step + 32.
  task<std::vector<letter_bytes>> exchange(letter_bytes mine, std::uint32_t step) const;
  /// Wait until all members are here. Steps: from `step` to step + 31. Logarithmic.
  task<> meet(std::uint32_t step) const;

  /// Throw on every member what the first of them has to report, with the number of all. Some
  /// member has something to report. Steps: from `step` to step + 32.
  task<> throw_failures(std::uint32_t step) const;

  /// Ends the job: the collective was called with what cannot be.
  [[noreturn]] void misused(const std::string& what) const;
  /// misused(), unless `root` is a position, or there is one value for each member.
  void check_root(team_position root) const;
  void check_count(std::size_t values) const;

 private:
  team keep_;  // its part outlives this
  team_part& part_;
  collective_scope waiting_;
  std::uint32_t sequence_;
  collective_mark mark_;
};

const char* collective_name(collective_kind kind);

}  // namespace lamellar::detail
