// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rdma/fabric.h>

#include <cstddef>
#include <cstdint>

// Messages carry who sent them and a number, in the word that a provider can send along: a
// provider that keeps messages in order may still complete a long one after a short one that
// follows it. Where a provider has no such word it must be trusted.
//
// A number is a hint, never a reason to drop or to hold back for long: a stranger who forges
// one delays nothing.
namespace lamellar::lamellae {

class message_numbers {
 public:
  message_numbers(const fi_info& info, std::size_t peers)
      : half_bits_{info.rx_attr->comp_order & FI_ORDER_STRICT ? 0u
                   : info.domain_attr->cq_data_size >= 8      ? 32u
                   : info.domain_attr->cq_data_size >= 4      ? 16u
                                                              : 0u} {
    if (peers > std::size_t{mask()} + 1) half_bits_ = 0;
  }

  /// Whether messages are numbered.
  explicit operator bool() const { return half_bits_ != 0; }

  std::uint64_t word(std::uint32_t from, std::uint32_t number) const {
    return (std::uint64_t{from} << half_bits_) | (number & mask());
  }
  std::uint32_t from(std::uint64_t word) const {
    return static_cast<std::uint32_t>(word >> half_bits_) & mask();
  }
  /// By how many messages `word` is ahead of number `next`; negative: behind.
  std::int32_t ahead(std::uint64_t word, std::uint32_t next) const {
    const std::uint32_t difference = static_cast<std::uint32_t>(word) - next;
    return static_cast<std::int32_t>(difference << (32 - half_bits_)) >> (32 - half_bits_);
  }

 private:
  std::uint32_t mask() const { return half_bits_ >= 32 ? ~0u : (1u << half_bits_) - 1; }
  std::uint32_t half_bits_;
};

}  // namespace lamellar::lamellae
