// SPDX-License-Identifier: BSD-3-Clause
#include "provider_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "interface_choice.hpp"

namespace lamellar::lamellae {
namespace {

constexpr std::uint32_t interface_version = FI_VERSION(1, 14);

// Where connections share them, ofi_rxm keeps 4096 buffers of its own, 64 MiB, for messages
// that nobody expects. Ours are expected: buffers for them are always laid out. What a user has
// set stays.
bool lower_own_buffers() { return ::setenv("FI_OFI_RXM_MSG_RX_SIZE", "128", 0) == 0; }

/// The parts of a name such as tcp;ofi_rxm.
std::vector<std::string_view> parts_of(std::string_view provider) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = provider.find(';');
    parts.push_back(provider.substr(0, end));
    if (end == std::string_view::npos) return parts;
    provider.remove_prefix(end + 1);
  }
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool has_part(std::string_view provider, std::string_view part) {
  const auto parts = parts_of(provider);
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view one) { return same_name(one, part); });
}

std::string_view provider_of(const fi_info& info) { return info.fabric_attr->prov_name; }
std::string_view domain_of(const fi_info& info) {
  return info.domain_attr->name == nullptr ? "" : info.domain_attr->name;
}

/// Where its endpoints would be, as far as that is known beforehand.
std::string source_of(const fi_info& info) {
  return {static_cast<const char*>(info.src_addr), info.src_addr ? info.src_addrlen : 0};
}

const sockaddr* ip_address_of(const fi_info& info) {
  const auto format = info.addr_format;
  const bool is_ip =
      format == FI_SOCKADDR || format == FI_SOCKADDR_IN || format == FI_SOCKADDR_IN6;
  return is_ip ? static_cast<const sockaddr*>(info.src_addr) : nullptr;
}

bool same_place(const fi_info& a, const fi_info& b) {
  return provider_of(a) == provider_of(b) && domain_of(a) == domain_of(b) &&
         source_of(a) == source_of(b);
}

/// Each provider with its domains: "tcp;ofi_rxm (eth0, lo)", or, `with_addresses`,
/// "tcp;ofi_rxm (eth0 10.0.0.7, lo 127.0.0.1)".
std::string list_of(const std::vector<provider_info>& all, bool with_addresses) {
  std::vector<std::pair<std::string_view, std::vector<std::string>>> found;
  for (const provider_info& one : all) {
    const std::string_view name = provider_of(*one);
    if (found.empty() || found.back().first != name) found.push_back({name, {}});
    std::string place{domain_of(*one)};
    const sockaddr* const address = ip_address_of(*one);
    if (with_addresses && address != nullptr) place.append(" ").append(text_of(*address));
    std::vector<std::string>& places = found.back().second;
    if (std::find(places.begin(), places.end(), place) == places.end()) {
      places.push_back(std::move(place));
    }
  }
  std::vector<std::string> entries;
  for (const auto& [name, places] : found) {
    entries.push_back(fmt::format("{} ({})", name, fmt::join(places, ", ")));
  }
  return entries.empty() ? "none" : fmt::format("{}", fmt::join(entries, ", "));
}

/// The variables that `choice` comes from, as assignments.
std::string written(const fabric_choice& choice) {
  std::vector<std::string> assignments;
  const std::array<std::pair<std::string_view, std::string_view>, 3> all{{
      {"LAMELLAR_ROFI_PROVIDER", choice.provider},
      {"LAMELLAR_ROFI_DOMAIN", choice.domain},
      {"LAMELLAR_ROFI_ADDRESS", choice.address},
  }};
  for (const auto& [name, value] : all) {
    if (!value.empty()) assignments.push_back(fmt::format("{}={}", name, value));
  }
  return fmt::format("{}", fmt::join(assignments, " "));
}

}  // namespace

provider_info what_is_needed() {
  provider_info hints{libfabric().dupinfo(nullptr)};
  if (hints == nullptr) throw out_of_memory{"no memory for a request to libfabric"};
  hints->ep_attr->type = FI_EP_RDM;
  hints->caps = FI_MSG | FI_RMA | FI_MULTI_RECV;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->tx_attr->msg_order = FI_ORDER_SAS;
  hints->rx_attr->msg_order = FI_ORDER_SAS;
  hints->tx_attr->op_flags = FI_DELIVERY_COMPLETE;
  hints->domain_attr->mr_mode =
      FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_LOCAL | FI_MR_ENDPOINT;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  hints->domain_attr->control_progress = FI_PROGRESS_MANUAL;
  hints->domain_attr->data_progress = FI_PROGRESS_MANUAL;
  hints->domain_attr->resource_mgmt = FI_RM_ENABLED;
  return hints;
}

std::vector<provider_info> ask(const fi_info* hints) {
  static const bool once [[maybe_unused]] = lower_own_buffers();
  fi_info* list = nullptr;
  std::vector<provider_info> found;
  if (libfabric().getinfo(interface_version, nullptr, nullptr, 0, hints, &list) != 0)
    return found;
  while (list != nullptr) {
    fi_info* const next = list->next;
    list->next = nullptr;
    found.emplace_back(list);
    list = next;
  }
  return found;
}

int rank_of(std::string_view provider) {
  // Slow, for one host only, or stand-ins for others; a user may still name them.
  for (const std::string_view part :
       {"sockets", "udp", "net", "shm", "sm2", "lnx", "ofi_mrail"}) {
    if (has_part(provider, part)) return only_if_named;
  }
  return has_part(provider, "tcp") ? 1 : 0;  // before it: what has hardware of its own
}

std::string_view known_fault(std::string_view provider) {
  if (has_part(provider, "ofi_rxd")) {
    return "breaks inside libfabric when a PE sends to itself (seen with libfabric 1.17)";
  }
  return {};
}

std::vector<provider_info> able_providers() {
  const provider_info hints = what_is_needed();
  std::vector<provider_info> all = ask(hints.get());
  hints->caps |= FI_ATOMIC;
  std::vector<provider_info> with_atomics = ask(hints.get());
  std::vector<provider_info> found;
  for (provider_info& one : all) {
    if (!known_fault(provider_of(*one)).empty()) continue;
    const auto same = [&](const provider_info& other) { return same_place(*one, *other); };
    if (std::any_of(found.begin(), found.end(), same)) continue;
    const auto better = std::find_if(with_atomics.begin(), with_atomics.end(), same);
    if (better != with_atomics.end()) one.reset(libfabric().dupinfo(better->get()));
    if (one != nullptr) found.push_back(std::move(one));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return rank_of(provider_of(*a)) < rank_of(provider_of(*b));
  });
  return found;
}

bool names_provider(std::string_view wanted, std::string_view provider) {
  const auto parts = parts_of(wanted);
  return std::all_of(parts.begin(), parts.end(),
                     [&](std::string_view one) { return has_part(provider, one); });
}

std::vector<provider_info> fitting_providers(const fabric_choice& choice) {
  std::optional<interface_choice> interface;
  if (!choice.address.empty()) {
    interface = interface_choice::read(choice.address);
    if (!interface) {
      throw config_error{fmt::format(
          "LAMELLAR_ROFI_ADDRESS={}: write the address of a network interface, such as "
          "10.0.0.7, or of a network, such as 10.0.0.0/24",
          choice.address)};
    }
  }
  std::vector<provider_info> all = able_providers();
  std::vector<provider_info> found;
  for (provider_info& one : all) {
    if (choice.provider.empty() ? rank_of(provider_of(*one)) >= only_if_named
                                : !names_provider(choice.provider, provider_of(*one))) {
      continue;
    }
    if (!choice.domain.empty() && !same_name(choice.domain, domain_of(*one))) continue;
    const sockaddr* const address = ip_address_of(*one);
    if (interface && (address == nullptr || !interface->contains(*address))) continue;
    found.push_back(std::move(one));
  }
  if (!found.empty()) return found;

  std::string lacks;
  if (!choice.provider.empty()) {
    for (const provider_report& report : fabric::providers()) {
      if (!report.refusal.empty() && names_provider(choice.provider, report.name)) {
        lacks = fmt::format(" ({}: {})", report.name, report.refusal);
        break;
      }
    }
  }
  throw refusal(choice, fmt::format("no provider of libfabric on this machine fits{}", lacks));
}

config_error refusal(const fabric_choice& choice, std::string_view what) {
  const std::string assignments = written(choice);
  if (assignments.empty()) {
    return config_error{
        fmt::format("{}. Those that could be named with LAMELLAR_ROFI_PROVIDER and "
                    "LAMELLAR_ROFI_DOMAIN: {}",
                    what, list_of(able_providers(), !choice.address.empty()))};
  }
  return config_error{
      fmt::format("{}: {}. Those that can be used: {}. Left unset, the best is taken",
                  assignments, what, list_of(able_providers(), !choice.address.empty()))};
}

}  // namespace lamellar::lamellae
