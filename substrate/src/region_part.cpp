// SPDX-License-Identifier: BSD-3-Clause
#include <cxxabi.h>
#include <fmt/format.h>

#include <lamellar/substrate/detail/region_part.hpp>
#include <lamellar/substrate/error.hpp>
#include <utility>

namespace lamellar::detail {

namespace {

struct take_offer {
  void operator()(context& from, region_part& part, const region_offer& offer) const {
    part.offers[from.origin().index()] = offer;
    part.arrived.fetch_add(1, std::memory_order_release);
  }
};

bool all_offers_are_there(void* of) {
  const auto& part = *static_cast<const region_part*>(of);
  return part.arrived.load(std::memory_order_acquire) == part.members.size();
}

std::string text_of(const region_shape& shape) {
  return fmt::format("{} elements of type {} ({} bytes)", shape.count,
                     handler_table::readable(shape.element.c_str()), shape.element_bytes);
}

void check_agreement(const region_part& part, std::source_location where) {
  const std::uint32_t first = part.members.at(0);
  for (std::uint32_t k = 1; k < part.members.size(); ++k) {
    const std::uint32_t other = part.members.at(k);
    if (part.offers[other].shape != part.offers[first].shape) {
      misuse(part.home,
             fmt::format("shared_memory_region::create: PE {} asks for {}, PE {} for {}; all "
                         "PEs must ask for the same",
                         first, text_of(part.offers[first].shape), other,
                         text_of(part.offers[other].shape)),
             where);
    }
  }
}

/// The first PE that has no memory makes all throw.
void check_memory(region_part& part) {
  for (std::uint32_t k = 0; k < part.members.size(); ++k) {
    const std::uint32_t other = part.members.at(k);
    if (!part.offers[other].refused.empty()) {
      const std::string why = part.offers[other].refused;
      part.home->heap().free(std::exchange(part.block, {}), region_part::heap_name);
      throw out_of_memory{why};
    }
  }
}

void map_parts(region_part& part) {
  engine& here = *part.home;
  for (std::uint32_t k = 0; k < part.members.size(); ++k) {
    const std::uint32_t other = part.members.at(k);
    const region_offer& offer = part.offers[other];
    if (other == here.me() || part.shape.count == 0) {
      continue;
    }
    std::byte* const segment = here.transport().mapped(other, offer.key, offer.segment_bytes);
    if (segment != nullptr) {
      part.bases[other].store(segment + offer.offset, std::memory_order_release);
    }
  }
}

}  // namespace

region_part::region_part(engine* at, region_shape of, heap_block got, member_list all)
    : home{at},
      shape{std::move(of)},
      block{got},
      bases(at->size()),
      members{std::move(all)},
      offers(at->size()) {
  bases[at->me()].store(block.data, std::memory_order_release);
}

region_part::~region_part() { home->heap().free(block, heap_name); }

task<> all_of_them(std::vector<completion<>> each) {
  for (completion<>& one : each) {
    co_await one;
  }
}

void check_member(const darc_of_parts& parts, const located_pe& to) {
  if (!parts->members.position_of(to.value.index())) {
    no_part_there(*parts->home, to, parts.number());
  }
}

task<darc_of_parts> create_region(located_team of, region_shape wanted) {
  engine& here = engine_of(of.value.where());
  region_offer mine;
  mine.shape = wanted;
  heap_block got;
  try {
    got = here.heap().allocate(bytes_of_elements(wanted.count, wanted.element_bytes),
                               region_part::heap_name);
  } catch (const out_of_memory& e) {
    mine.refused = e.what();
  }
  mine.key = got.key;
  mine.segment_bytes = got.segment_bytes;
  mine.offset = got.offset;
  darc_of_parts parts = co_await darc_of_parts::create(of, &here, std::move(wanted), got,
                                                       team_access::part(of.value).members);
  // Everybody has a part now. Each tells all: nobody needs to be asked, and who has left here
  // keeps nobody waiting.
  const collective_scope waiting{here, "the creation of a memory region", of.where};
  parts.send_all(take_offer{}, mine);
  here.flush(here.here());
  co_await here.until(all_offers_are_there, &parts.local());
  check_agreement(parts.local(), of.where);
  check_memory(parts.local());
  map_parts(parts.local());
  std::vector<region_offer>().swap(parts->offers);
  co_return parts;
}

}  // namespace lamellar::detail
