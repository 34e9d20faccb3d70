// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/one_sided_table.hpp>
#include <lamellar/substrate/detail/system_messages.hpp>
#include <lamellar/substrate/error.hpp>
#include <vector>

namespace lamellar::detail {

one_sided_table::~one_sided_table() {
  for (const auto& [name, entry] : entries_) {
    if (name.first == home_.me()) {
      home_.heap().free(entry->block, heap_name);
    }
  }
}

one_sided_entry& one_sided_table::make(std::size_t bytes) {
  auto made = std::make_unique<one_sided_entry>();
  one_sided_entry& entry = *made;
  entry.block = home_.heap().allocate(bytes, heap_name);
  entry.base = entry.block.data;
  entry.handles.store(1, std::memory_order_relaxed);
  entry.holders = 1;
  const std::lock_guard lock{mutex_};
  entry.name = {
      home_.me(),         next_number_++, entry.block.key,   entry.block.segment_bytes,
      entry.block.offset, bytes,          entry.block.remote};
  entries_.emplace(id{home_.me(), entry.name.number}, std::move(made));
  return entry;
}

one_sided_entry& one_sided_table::own(std::uint32_t number) {
  const auto found = entries_.find({home_.me(), number});
  if (found == entries_.end()) {
    throw corrupt_message(fmt::format(
        "one-sided memory region {} of PE {} does not exist (any more): its last handle had "
        "gone before a quiesce",
        number, home_.me()));
  }
  return *found->second;
}

one_sided_entry& one_sided_table::arrive(const one_sided_name& name) {
  const std::uint32_t me = home_.me();
  if (name.owner >= home_.size()) {
    throw corrupt_message(
        fmt::format("a handle of a one-sided memory region of PE {}, in a world of {}",
                    name.owner, home_.size()));
  }
  if (name.bytes > name.segment_bytes || name.offset > name.segment_bytes - name.bytes) {
    throw corrupt_message("a one-sided memory region that exceeds its segment");
  }
  bool is_first = false;
  one_sided_entry* entry = nullptr;
  {
    const std::lock_guard lock{mutex_};
    if (name.owner == me) {
      entry = &own(name.number);
      if (!entry->held) {
        entry->held = true;
        ++entry->holders;
      }
    } else {
      auto& place = entries_[{name.owner, name.number}];
      is_first = place == nullptr;
      if (is_first) {
        place = std::make_unique<one_sided_entry>();
        place->name = name;
        if (std::byte* segment =
                name.bytes == 0
                    ? nullptr
                    : home_.transport().mapped(name.owner, name.key, name.segment_bytes);
            segment != nullptr) {
          place->base = segment + name.offset;
        }
        place->place = {name.remote, name.offset};
      }
      entry = place.get();
    }
    entry->handles.fetch_add(1, std::memory_order_relaxed);
  }
  if (is_first) {
    send_hold(home_, name.owner, name.number);
  }
  return *entry;
}

void one_sided_table::drop(const one_sided_name& name) {
  const std::lock_guard lock{mutex_};
  entries_.at({name.owner, name.number})->handles.fetch_sub(1, std::memory_order_release);
}

std::span<std::byte> one_sided_table::find(std::uint32_t number) {
  const std::lock_guard lock{mutex_};
  const one_sided_entry& entry = own(number);
  return {entry.block.data, entry.block.bytes};
}

void one_sided_table::hold(std::uint32_t number) {
  const std::lock_guard lock{mutex_};
  ++own(number).holders;
}

void one_sided_table::let_go(std::uint32_t number, std::uint64_t epoch) {
  const std::lock_guard lock{mutex_};
  // Whoever held what was not there any more has been told so.
  if (const auto found = entries_.find({home_.me(), number}); found != entries_.end()) {
    ++found->second->let_go[epoch % 2];
  }
}

void one_sided_table::announce(std::uint64_t epoch) {
  std::vector<id> gone;
  {
    const std::lock_guard lock{mutex_};
    for (auto at = entries_.begin(); at != entries_.end();) {
      one_sided_entry& entry = *at->second;
      if (entry.handles.load(std::memory_order_acquire) != 0) {
        ++at;
      } else if (entry.name.owner == home_.me()) {
        if (entry.held) {
          entry.held = false;
          --entry.holders;
        }
        ++at;
      } else {
        gone.push_back(at->first);
        at = entries_.erase(at);
      }
    }
  }
  for (const auto& [owner, number] : gone) {
    send_let_go(home_, owner, number, epoch);
  }
}

void one_sided_table::retire(std::uint64_t epoch) {
  const std::lock_guard lock{mutex_};
  for (auto at = entries_.lower_bound({home_.me(), 0});
       at != entries_.end() && at->first.first == home_.me();) {
    one_sided_entry& entry = *at->second;
    entry.holders -= std::exchange(entry.let_go[epoch % 2], 0);
    if (entry.holders != 0) {
      ++at;
      continue;
    }
    home_.heap().free(entry.block, heap_name);
    at = entries_.erase(at);
  }
}

}  // namespace lamellar::detail
