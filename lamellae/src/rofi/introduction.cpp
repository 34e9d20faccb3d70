// SPDX-License-Identifier: BSD-3-Clause
#include "introduction.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <lamellar/lamellae/error.hpp>
#include <span>
#include <type_traits>

#include "connection.hpp"

namespace lamellar::lamellae {
namespace {

constexpr const char* loopback = "127.0.0.1";

static_assert(std::is_trivially_copyable_v<introduction>);

introduction introduce(const settings& s) {
  introduction mine{};
  mine.secret = make_job_secret();
  std::string boot;
  std::ifstream{"/proc/sys/kernel/random/boot_id"} >> boot;
  mine.machine = std::hash<std::string>{}(boot);
  struct stat seen {};
  if (stat("/proc/self/ns/net", &seen) == 0) mine.network = seen.st_ino;
  mine.buffer_bytes = s.buffer_bytes;
  mine.mapped = s.mapped ? 1 : 0;
  mine.host_aggregation = !s.host_aggregation ? 0 : *s.host_aggregation ? 1 : 2;
  mine.peer_timeout_s = s.peer_timeout_s;
  return mine;
}

}  // namespace

std::vector<introduction> introduce_all(bootstrap& from, const settings& s) {
  const introduction mine = introduce(s);
  std::vector<introduction> all;
  for (const auto& bytes : from.exchange(std::as_bytes(std::span{&mine, 1}))) {
    if (bytes.size() != sizeof(introduction)) {
      throw config_error{fmt::format("PE {} runs another version of this program", all.size())};
    }
    std::memcpy(&all.emplace_back(), bytes.data(), sizeof(introduction));
  }
  const auto must_agree = [&](const char* variable, auto member) {
    for (std::size_t pe = 1; pe < all.size(); ++pe) {
      if (all[pe].*member == all[0].*member) continue;
      throw config_error{fmt::format(
          "{}: {} on PE 0, {} on PE {}; give the launcher the variable for all PEs (mpirun -x "
          "{})",
          variable, all[0].*member, all[pe].*member, pe, variable)};
    }
  };
  must_agree("LAMELLAR_BUFFER_BYTES", &introduction::buffer_bytes);
  must_agree("LAMELLAR_MAPPED", &introduction::mapped);
  must_agree("LAMELLAR_HOST_AGGREGATION", &introduction::host_aggregation);
  must_agree("LAMELLAR_PEER_TIMEOUT", &introduction::peer_timeout_s);
  return all;
}

std::string address_for(const std::vector<introduction>& all, const settings& s) {
  const bool one_machine = std::all_of(all.begin(), all.end(), [&](const introduction& it) {
    return it.machine == all[0].machine && it.network == all[0].network;
  });
  return one_machine && s.rofi_address.empty() ? loopback
                                               : address_of_interface(s.rofi_address);
}

std::string address_for_provider(const std::string& address, const settings& s) {
  return address == loopback ? address : s.rofi_address;
}

}  // namespace lamellar::lamellae
