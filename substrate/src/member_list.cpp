// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <lamellar/substrate/detail/member_list.hpp>

namespace lamellar::detail {

member_list::member_list(std::vector<std::uint32_t> pes)
    : count_{static_cast<std::uint32_t>(pes.size())} {
  if (pes.empty()) {
    return;
  }
  first_ = pes[0];
  stride_ = pes.size() > 1 && pes[1] > pes[0] ? pes[1] - pes[0] : 1;
  bool even = true;
  for (std::uint32_t k = 0; k < count_; ++k) {
    even = even && pes[k] == first_ + k * stride_;
  }
  if (even) {
    return;
  }
  for (std::uint32_t k = 0; k < count_; ++k) {
    by_pe_.emplace_back(pes[k], k);
  }
  std::sort(by_pe_.begin(), by_pe_.end());
  listed_ = std::move(pes);
}

std::optional<std::uint32_t> member_list::position_of(std::uint32_t pe) const {
  if (!listed_.empty()) {
    const auto found = std::lower_bound(by_pe_.begin(), by_pe_.end(), std::pair{pe, 0u});
    return found != by_pe_.end() && found->first == pe ? std::optional{found->second}
                                                       : std::nullopt;
  }
  if (pe < first_ || (pe - first_) % stride_ != 0 || (pe - first_) / stride_ >= count_) {
    return std::nullopt;
  }
  return (pe - first_) / stride_;
}

}  // namespace lamellar::detail
