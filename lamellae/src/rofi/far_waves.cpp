// SPDX-License-Identifier: BSD-3-Clause
#include "far_waves.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

namespace lamellar::lamellae {

host_reduction::host_reduction(far_channels& over, std::vector<std::uint32_t> leaders,
                               std::uint32_t host)
    : over_{over}, leaders_{std::move(leaders)} {
  const auto hosts = static_cast<std::uint32_t>(leaders_.size());
  const std::uint32_t core = std::bit_floor(hosts);
  using kind = action::kind;
  // Steps have numbers, so that a part which comes early is not taken for another.
  if (host >= core) {
    plan_.push_back({kind::send, host - core, 0});
    plan_.push_back({kind::take, host - core, 1});
    return;
  }
  const bool has_extra = host + core < hosts;
  if (has_extra) plan_.push_back({kind::merge, host + core, 0});
  std::uint32_t step = 2;
  for (std::uint32_t bit = 1; bit < core; bit *= 2, ++step) {
    plan_.push_back({kind::send, host ^ bit, step});
    plan_.push_back({kind::merge, host ^ bit, step});
  }
  if (has_extra) plan_.push_back({kind::send, host + core, 1});
}

void host_reduction::begin(const wave_part& mine) {
  sum_ = mine;
  next_ = 0;
}

bool host_reduction::find(std::uint32_t step, wave_part& found) {
  std::vector<wave_part>& arrived = over_.arrived_waves();
  const auto at = std::find_if(arrived.begin(), arrived.end(), [&](const wave_part& it) {
    return it.round == sum_.round && it.step == step;
  });
  if (at == arrived.end()) return false;
  found = *at;
  arrived.erase(at);
  return true;
}

bool host_reduction::step(wave_part& result) {
  for (; next_ != plan_.size(); ++next_) {
    const action& now = plan_[next_];
    if (now.what == action::kind::send) {
      wave_part sent = sum_;
      sent.step = now.step;
      if (!over_.send_wave(leaders_[now.host], sent)) return false;
      continue;
    }
    wave_part other;
    if (!find(now.step, other)) return false;
    sum_ = now.what == action::kind::take ? other : merged(sum_, other);
  }
  result = sum_;
  return true;
}

far_waves::far_waves(lamella& host, std::vector<std::uint32_t> pes,
                     std::vector<std::uint32_t> leaders, std::uint32_t host_number,
                     far_channels& over)
    : host_{host},
      pes_{std::move(pes)},
      leads_{host.me() == 0},
      between_{over, std::move(leaders), host_number} {}

void far_waves::begin(const wave& mine) {
  mine_ = mine;
  ++round_;
  now_ = phase::gather;
  host_.begin_wave(mine);
}

void far_waves::begin_telling() {
  // The others of the host learn the sums as the sum of the leader's and their zeros, and that
  // somebody disagrees from a tag that is not theirs.
  wave told;
  told.tag = mine_.tag;
  if (leads_) {
    std::copy(std::begin(all_.sums), std::end(all_.sums), std::begin(told.sums));
    if (all_.agreed == 0) told.tag = ~mine_.tag;
  }
  now_ = phase::tell;
  host_.begin_wave(told);
}

bool far_waves::end(wave& result) {
  if (now_ == phase::gather) {
    wave here;
    if (!host_.end_wave(here)) return false;
    if (leads_) {
      wave_part part{};
      part.round = round_;
      part.agreed = here.agreed ? 1 : 0;
      std::copy(std::begin(here.sums), std::end(here.sums), std::begin(part.sums));
      part.seen[0] = {mine_.tag, pes_[0]};
      if (!here.agreed) part.seen[1] = {here.other_tag, pes_[here.disagreeing]};
      between_.begin(part);
      now_ = phase::reduce;
    } else {
      begin_telling();
    }
  }
  if (now_ == phase::reduce) {
    if (!between_.step(all_)) return false;
    begin_telling();
  }
  if (now_ == phase::tell) {
    wave told;
    if (!host_.end_wave(told)) return false;
    if (told.agreed && (!leads_ || all_.agreed != 0)) {
      result = told;
      result.tag = mine_.tag;
      return true;
    }
    // Whose tags differ: said by the leader as numbers.
    wave who;
    if (leads_) {
      for (std::size_t k = 0; k < 2; ++k) {
        who.sums[2 * k] = all_.seen[k].tag;
        who.sums[2 * k + 1] = all_.seen[k].pe;
      }
    }
    std::copy(std::begin(told.sums), std::end(told.sums), std::begin(result.sums));
    std::copy(std::begin(told.sums), std::end(told.sums), std::begin(all_.sums));
    now_ = phase::explain;
    host_.begin_wave(who);
  }
  wave who;
  if (!host_.end_wave(who)) return false;
  std::copy(std::begin(all_.sums), std::end(all_.sums), std::begin(result.sums));
  const std::size_t other = who.sums[0] == mine_.tag ? 1 : 0;
  result.tag = mine_.tag;
  result.agreed = false;
  result.other_tag = who.sums[2 * other];
  result.disagreeing = static_cast<std::uint32_t>(who.sums[2 * other + 1]);
  return true;
}

}  // namespace lamellar::lamellae
