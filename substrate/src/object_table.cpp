// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/substrate/detail/object_table.hpp>
#include <lamellar/substrate/team.hpp>

namespace lamellar::detail {

std::uint64_t kind_of_object(const std::type_info& type) {
  std::uint64_t print = 0;
  for (const char* c = type.name(); *c != 0; ++c) {
    print = (print ^ static_cast<unsigned char>(*c)) * 0x100000001b3u;
  }
  return print | 1;
}

object_table::~object_table() {
  // Parts may hold handles of each other: all parts go before the first entry does.
  for (object_entry* entry : live_) {
    entry->destroy(entry->part);
    entry->made_on.reset();  // holds a handle, too
  }
  for (const object_entry* entry : live_) {
    delete entry;
  }
  for (std::uint32_t c = 0; c < most_chunks; ++c) {
    delete chunks_[c].load(std::memory_order_relaxed);
  }
}

void object_table::insert(std::unique_ptr<object_entry> entry) {
  const std::uint32_t number = entry->number;
  if (number >= first_team_object) {
    live_.push_back(entry.get());
    team_lock_.lock();
    of_teams_.emplace(number, entry.release());
    team_lock_.unlock();
    return;
  }
  const std::uint32_t c = number / per_chunk;
  if (c >= most_chunks) {
    throw out_of_memory("more than 4 million distributed objects in one job; reuse them");
  }
  chunk* at = chunks_[c].load(std::memory_order_relaxed);
  if (at == nullptr) {
    at = new chunk;
    chunks_[c].store(at, std::memory_order_release);
  }
  live_.push_back(entry.get());
  at->entries[number % per_chunk].store(entry.release(), std::memory_order_release);
}

object_entry* object_table::find_of_team(std::uint32_t number) const {
  team_lock_.lock();
  const auto found = of_teams_.find(number);
  object_entry* const entry = found == of_teams_.end() ? nullptr : found->second;
  team_lock_.unlock();
  return entry;
}

object_entry* object_table::revive(std::uint32_t number, const char* type) {
  erase_lock_.lock();
  object_entry* entry = find(number);
  if (entry != nullptr && (std::strcmp(entry->type, type) != 0 || !entry->try_hold())) {
    entry = nullptr;
  }
  erase_lock_.unlock();
  return entry;
}

void object_table::erase(std::uint32_t number) {
  object_entry* entry = find(number);
  if (entry == nullptr) {
    return;
  }
  erase_lock_.lock();
  if (number >= first_team_object) {
    team_lock_.lock();
    of_teams_.erase(number);
    team_lock_.unlock();
  } else {
    chunks_[number / per_chunk]
        .load(std::memory_order_relaxed)
        ->entries[number % per_chunk]
        .store(nullptr, std::memory_order_release);
  }
  erase_lock_.unlock();
  live_.erase(std::find(live_.begin(), live_.end(), entry));
  entry->destroy(entry->part);
  delete entry;
}

}  // namespace lamellar::detail
