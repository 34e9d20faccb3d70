// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <rdma/fabric.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "fabric.hpp"
#include "provider_choice.hpp"

// Why a provider cannot be used, found out by asking for everything but one thing.
namespace lamellar::lamellae {
namespace {

/// Every bit but the two that mean a whole mode of old.
constexpr int any_mr_mode = ~(FI_MR_BASIC | FI_MR_SCALABLE);

struct need {
  std::string_view words;
  void (*leave_out)(fi_info& hints);
};

constexpr std::array needs{
    need{"has no messages (FI_MSG)", [](fi_info& hints) { hints.caps &= ~FI_MSG; }},
    need{"cannot read and write remote memory (FI_RMA)",
         [](fi_info& hints) { hints.caps &= ~FI_RMA; }},
    need{"cannot receive several messages into one buffer (FI_MULTI_RECV)",
         [](fi_info& hints) { hints.caps &= ~FI_MULTI_RECV; }},
    need{"keeps no order among messages (FI_ORDER_SAS)",
         [](fi_info& hints) { hints.tx_attr->msg_order = hints.rx_attr->msg_order = 0; }},
    need{"does not tell when written data has arrived (FI_DELIVERY_COMPLETE)",
         [](fi_info& hints) { hints.tx_attr->op_flags = 0; }},
    need{"wants memory to be registered in a way that is not supported (mr_mode)",
         [](fi_info& hints) { hints.domain_attr->mr_mode = any_mr_mode; }},
    need{"wants something of its user that is not supported (mode)",
         [](fi_info& hints) { hints.mode = ~std::uint64_t{0}; }},
    need{"may not be used by threads in turns (FI_THREAD_DOMAIN)",
         [](fi_info& hints) { hints.domain_attr->threading = FI_THREAD_UNSPEC; }},
    need{"may lose what does not fit into its queues (FI_RM_ENABLED)",
         [](fi_info& hints) { hints.domain_attr->resource_mgmt = FI_RM_UNSPEC; }},
};

/// A domain of a provider.
struct place {
  std::string name;
  std::string domain;
  bool operator==(const place&) const = default;
};

place place_of(const fi_info& info) {
  const char* const domain = info.domain_attr->name;
  return {info.fabric_attr->prov_name, domain == nullptr ? "" : domain};
}

bool is_among(const place& which, const std::vector<provider_info>& all) {
  return std::any_of(all.begin(), all.end(),
                     [&](const provider_info& one) { return place_of(*one) == which; });
}

/// What `which`, which has endpoints of the right type, lacks.
std::string missing(const place& which) {
  const std::string_view fault = known_fault(which.name);
  if (!fault.empty()) return std::string{fault};
  for (const need& one : needs) {
    const provider_info hints = what_is_needed();
    one.leave_out(*hints);
    if (is_among(which, ask(hints.get()))) return std::string{one.words};
  }
  return "lacks several things that are needed at once";
}

/// Providers that are there but found nothing to work with; helpers of others are left out.
std::vector<std::string> without_device(const std::vector<place>& seen) {
  std::vector<std::string> names;
  fi_info* list = nullptr;
  if (libfabric().getinfo(FI_VERSION(1, 14), nullptr, nullptr, FI_PROV_ATTR_ONLY, nullptr,
                          &list) != 0) {
    return names;
  }
  const provider_info owner{list};
  for (const fi_info* one = list; one != nullptr; one = one->next) {
    const std::string_view name = one->fabric_attr->prov_name;
    const bool known = std::any_of(
        seen.begin(), seen.end(), [&](const place& p) { return names_provider(name, p.name); });
    if (!known && !name.starts_with("ofi_")) names.emplace_back(name);
  }
  return names;
}

}  // namespace

std::vector<provider_report> fabric::providers() {
  std::vector<provider_report> reports;
  std::vector<place> seen;
  for (const provider_info& one : able_providers()) {
    const place here = place_of(*one);
    if (std::find(seen.begin(), seen.end(), here) != seen.end()) continue;
    seen.push_back(here);
    reports.push_back({here.name, here.domain, {}});
  }
  const std::vector<place> able = seen;
  for (const provider_info& one : ask(nullptr)) {
    const place here = place_of(*one);
    if (std::find(seen.begin(), seen.end(), here) != seen.end()) continue;
    seen.push_back(here);
    // What can be used through another provider on top of it is in the list already.
    const bool serves = std::any_of(able.begin(), able.end(), [&](const place& p) {
      return p.domain == here.domain && names_provider(here.name, p.name);
    });
    if (serves) continue;
    const provider_info any_datagrams{libfabric().dupinfo(nullptr)};
    any_datagrams->ep_attr->type = FI_EP_RDM;
    any_datagrams->mode = ~std::uint64_t{0};
    any_datagrams->domain_attr->mr_mode = any_mr_mode;
    reports.push_back({here.name, here.domain,
                       is_among(here, ask(any_datagrams.get()))
                           ? missing(here)
                           : "has no reliable datagrams (FI_EP_RDM)"});
  }
  for (std::string& name : without_device(seen)) {
    reports.push_back({std::move(name), {}, "finds no device on this machine"});
  }
  return reports;
}

std::string fabric::library() {
  const std::uint32_t version = libfabric().version();
  return fmt::format("libfabric {}.{}", FI_MAJOR(version), FI_MINOR(version));
}

}  // namespace lamellar::lamellae
