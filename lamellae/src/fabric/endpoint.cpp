// SPDX-License-Identifier: BSD-3-Clause
#include "endpoint.hpp"

#include <fmt/format.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_errno.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <lamellar/lamellae/error.hpp>
#include <random>
#include <string_view>

namespace lamellar::lamellae {
namespace {

constexpr std::size_t least_completions = 4096;
constexpr std::size_t most_receives = 512;
constexpr int key_attempts = 16;

/// Registrations that still succeed; negative: all.
std::atomic<std::int64_t> registrations_left{-1};

void check(int code, std::string_view step) {
  if (code != 0) throw provider_refused{fmt::format("{}: {}", step, reason_of(code))};
}

/// Take over what `open` makes.
template <class Owned, class Open>
void make(Owned& owned, std::string_view step, Open open) {
  typename Owned::pointer made = nullptr;
  check(open(&made), step);
  owned.reset(made);
}

std::uint64_t random_key(std::size_t bytes) {
  std::random_device device;
  const std::uint64_t key = (std::uint64_t{device()} << 32) | device();
  return bytes >= sizeof key ? key : key & ((std::uint64_t{1} << (8 * bytes)) - 1);
}

bool refused_for_a_test() {
  std::int64_t left = registrations_left.load(std::memory_order_relaxed);
  if (left < 0) return false;
  // From 0 it goes to -1: one refusal, then all succeed again.
  return registrations_left.fetch_sub(1, std::memory_order_relaxed) == 0;
}

}  // namespace

std::string reason_of(std::int64_t code) {
  return libfabric().strerror(static_cast<int>(std::abs(code)));
}

endpoint::endpoint(provider_info info, std::uint32_t message_bytes) : info_{std::move(info)} {
  // Receive buffers are large and few; some providers reserve memory for as many as they allow.
  info_->rx_attr->size = std::min(info_->rx_attr->size, most_receives);
  make(fabric_, "opening it", [&](fid_fabric** made) {
    return libfabric().fabric(info_->fabric_attr, made, nullptr);
  });
  make(domain_, "opening its domain",
       [&](fid_domain** made) { return fi_domain(fabric_.get(), info_.get(), made, nullptr); });
  fi_av_attr addresses{};
  addresses.type =
      info_->domain_attr->av_type == FI_AV_UNSPEC ? FI_AV_TABLE : info_->domain_attr->av_type;
  make(av_, "making a table of addresses",
       [&](fid_av** made) { return fi_av_open(domain_.get(), &addresses, made, nullptr); });
  fi_cq_attr completions{};
  completions.format = FI_CQ_FORMAT_DATA;
  completions.wait_obj = FI_WAIT_NONE;
  completions.size =
      std::max(least_completions, 2 * (info_->tx_attr->size + info_->rx_attr->size));
  make(cq_, "making a queue of completions",
       [&](fid_cq** made) { return fi_cq_open(domain_.get(), &completions, made, nullptr); });
  make(ep_, "making an endpoint",
       [&](fid_ep** made) { return fi_endpoint(domain_.get(), info_.get(), made, nullptr); });
  check(fi_ep_bind(ep_.get(), &av_->fid, 0), "giving the endpoint its table of addresses");
  check(fi_ep_bind(ep_.get(), &cq_->fid, FI_TRANSMIT | FI_RECV),
        "giving the endpoint its queue of completions");
  set_least_room(message_bytes);
}

// To be set before the endpoint is enabled: afterwards some providers take it and do nothing.
// The provider shm of libfabric 1 looks at what enabling makes, and breaks.
void endpoint::set_least_room(std::size_t bytes) {
  const bool afterwards = std::string_view{info_->fabric_attr->prov_name} == "shm";
  const auto set = [&] {
    check(fi_setopt(&ep_->fid, FI_OPT_ENDPOINT, FI_OPT_MIN_MULTI_RECV, &bytes, sizeof bytes),
          "setting when a receive buffer is full");
  };
  if (!afterwards) set();
  check(fi_enable(ep_.get()), "enabling the endpoint");
  if (afterwards) set();
}

std::vector<std::byte> endpoint::address() const {
  std::size_t bytes = 0;
  fi_getname(&ep_->fid, nullptr, &bytes);
  std::vector<std::byte> name(bytes);
  check(fi_getname(&ep_->fid, name.data(), &bytes), "asking for the endpoint's address");
  name.resize(bytes);
  return name;
}

std::vector<fi_addr_t> endpoint::learn(std::span<const std::vector<std::byte>> addresses) {
  std::vector<fi_addr_t> learnt(addresses.size(), FI_ADDR_NOTAVAIL);
  const std::size_t bytes = address().size();
  for (std::size_t pe = 0; pe < addresses.size(); ++pe) {
    if (addresses[pe].empty()) continue;
    std::vector<std::byte> one = addresses[pe];
    if (info_->addr_format == FI_ADDR_STR) {
      one.push_back({});  // its end, whatever the peer has sent
    } else if (one.size() != bytes) {
      throw error{fmt::format(
          "the network address of PE {} has {} bytes, where provider {} has {}: does it use "
          "another provider? Name one with LAMELLAR_ROFI_PROVIDER",
          pe, one.size(), info_->fabric_attr->prov_name, bytes)};
    }
    const int inserted = fi_av_insert(av_.get(), one.data(), 1, &learnt[pe], 0, nullptr);
    if (inserted != 1) {
      throw error{fmt::format("provider {} does not take the network address of PE {}: {}",
                              info_->fabric_attr->prov_name, pe,
                              inserted < 0 ? reason_of(inserted) : "it is not valid")};
    }
  }
  return learnt;
}

registration endpoint::register_memory(std::span<std::byte> memory, std::uint64_t access) {
  const bool ours = !wants(FI_MR_PROV_KEY);
  fid_mr* made = nullptr;
  int code = -FI_ENOKEY;
  for (int k = 0; code == -FI_ENOKEY && k < key_attempts; ++k) {
    const std::uint64_t key = ours ? random_key(info_->domain_attr->mr_key_size) : 0;
    code = refused_for_a_test() ? -FI_ENOMEM
                                : fi_mr_reg(domain_.get(), memory.data(), memory.size(), access,
                                            0, key, 0, &made, nullptr);
  }
  registration result{made};
  if (code == 0 && wants(FI_MR_ENDPOINT)) {
    code = fi_mr_bind(made, &ep_->fid, 0);
    if (code == 0) code = fi_mr_enable(made);
  }
  if (code != 0) {
    throw out_of_memory{fmt::format(
        "the network (provider {}) refuses to register {} bytes of memory: {}. Raise the limit "
        "of locked memory (ulimit -l unlimited), or lower LAMELLAR_HEAP_SIZE or "
        "LAMELLAR_JOB_BUDGET",
        info_->fabric_attr->prov_name, memory.size(), reason_of(code))};
  }
  return result;
}

void endpoint::refuse_registration_after(std::uint32_t successes) {
  registrations_left.store(successes, std::memory_order_relaxed);
}

}  // namespace lamellar::lamellae
