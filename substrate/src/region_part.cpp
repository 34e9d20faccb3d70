// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/detail/region_part.hpp>
#include <lamellar/substrate/error.hpp>
#include <utility>

namespace lamellar::detail {

namespace {

/// What a PE tells the others of its part.
struct region_offer {
  region_shape shape;
  std::uint64_t key = 0;
  std::uint64_t segment_bytes = 0;
  std::uint64_t offset = 0;
  lamellae::remote_memory remote;
  std::string refused;  // why it has no memory; empty: it has
};

/// By position in the team.
using region_offers = std::vector<region_offer>;

std::string text_of(const region_shape& shape) {
  return fmt::format("{} elements of type {} ({} bytes)", shape.count,
                     handler_table::readable(shape.element.c_str()), shape.element_bytes);
}

task<region_offers> exchange_offers(located_team of, region_offer mine) {
  const collective all{of, collective_kind::region_creation};
  if constexpr (checked_build) {
    co_await all.agree();
  }
  region_offers offers;
  for (const letter_bytes& one : co_await all.exchange(to_letter(mine), 0)) {
    offers.push_back(from_letter<region_offer>(one, all.home()));
  }
  co_return offers;
}

void check_agreement(const engine& here, const region_offers& offers,
                     const member_list& members, std::source_location where) {
  for (std::uint32_t k = 1; k < members.size(); ++k) {
    if (offers[k].shape != offers[0].shape) {
      misuse(&here,
             fmt::format("shared_memory_region::create: PE {} asks for {}, PE {} for {}; all "
                         "PEs must ask for the same",
                         members.at(0), text_of(offers[0].shape), members.at(k),
                         text_of(offers[k].shape)),
             where);
    }
  }
}

region_offer make_offer(engine& here, const region_shape& wanted, heap_block& got) {
  region_offer mine;
  mine.shape = wanted;
  try {
    got = here.heap().allocate(bytes_of_elements(wanted.count, wanted.element_bytes),
                               region_part::heap_name);
  } catch (const out_of_memory& e) {
    mine.refused = e.what();
  }
  mine.key = got.key;
  mine.segment_bytes = got.segment_bytes;
  mine.offset = got.offset;
  mine.remote = got.remote;
  return mine;
}

/// By PE: where its memory is mapped here.
std::vector<std::byte*> bases_of(engine& here, const region_offers& offers,
                                 const member_list& members, const heap_block& own) {
  std::vector<std::byte*> bases(here.size(), nullptr);
  for (std::uint32_t k = 0; k < members.size(); ++k) {
    const std::uint32_t pe = members.at(k);
    const region_offer& offer = offers[k];
    if (pe == here.me()) {
      bases[pe] = own.data;
    } else if (offer.shape.count != 0) {
      std::byte* const segment = here.transport().mapped(pe, offer.key, offer.segment_bytes);
      bases[pe] = segment == nullptr ? nullptr : segment + offer.offset;
    }
  }
  return bases;
}

/// By PE: where the network reaches it.
std::vector<network_place> places_of(engine& here, const region_offers& offers,
                                     const member_list& members) {
  std::vector<network_place> places;
  if (!here.transport().able().transfers) return places;
  places.resize(here.size());
  for (std::uint32_t k = 0; k < members.size(); ++k) {
    places[members.at(k)] = {offers[k].remote, offers[k].offset};
  }
  return places;
}

}  // namespace

region_part::region_part(engine* at, std::uint64_t bytes_of_element, std::uint64_t elements,
                         heap_block own, std::vector<std::byte*> mapped,
                         std::vector<network_place> unmapped, member_list all)
    : home{at},
      element_bytes{bytes_of_element},
      count{elements},
      block{own},
      bases{std::move(mapped)},
      places{std::move(unmapped)},
      members{std::move(all)} {}

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
  heap_block own;
  const region_offer mine = make_offer(here, wanted, own);
  const region_offers offers = co_await exchange_offers(of, mine);
  const member_list& members = team_access::part(of.value).members;
  check_agreement(here, offers, members, of.where);
  for (const region_offer& offer : offers) {
    if (!offer.refused.empty()) {  // the first one's text, on all PEs
      here.heap().free(own, region_part::heap_name);
      throw out_of_memory{offer.refused};
    }
  }
  std::vector<std::byte*> bases = bases_of(here, offers, members, own);
  std::vector<network_place> places = places_of(here, offers, members);
  co_return co_await darc_of_parts::create(of, &here, wanted.element_bytes, wanted.count, own,
                                           std::move(bases), std::move(places), members);
}

}  // namespace lamellar::detail
