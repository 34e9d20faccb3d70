// SPDX-License-Identifier: BSD-3-Clause
#include "session.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/job.hpp>
#include <sstream>
#include <thread>

#include "rofi/introduction.hpp"

namespace lamellar::librofi {
namespace {

using namespace lamellae;

constexpr std::size_t longest_small = 8192;
constexpr std::uint32_t most_not_taken = 32;
constexpr std::size_t page = 4096;

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> found;
  std::istringstream in{list};
  for (std::string one; std::getline(in, one, ';');) {
    if (!one.empty()) found.push_back(one);
  }
  return found;
}

/// The first choice that works, in the order of the lists; any provider at last.
std::unique_ptr<fabric> open_fabric(const std::string& providers, const std::string& domains,
                                    fabric_choice choice) {
  std::vector<std::string> wanted = words(providers);
  wanted.emplace_back();
  std::vector<std::string> in = words(domains);
  in.emplace_back();
  for (const std::string& provider : wanted) {
    for (const std::string& domain : in) {
      choice.provider = provider;
      choice.domain = domain;
      try {
        return std::make_unique<fabric>(choice);
      } catch (const config_error&) {
        if (provider.empty() && domain.empty()) throw;
      }
    }
  }
  return nullptr;
}

std::uint64_t group_of(const std::vector<std::uint32_t>& pes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint32_t pe : pes) hash = (hash ^ pe) * 0x100000001b3;
  return hash;
}

std::size_t padded(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

}  // namespace

session::session(const std::string& providers, const std::string& domains) {
  const settings s = settings::from_environment();
  bootstrap_ = find_bootstrap(s);
  if (bootstrap_ != nullptr) {
    me_ = bootstrap_->me();
    size_ = bootstrap_->size();
  }
  not_taken_.resize(size_);
  if (size_ == 1) return;
  const std::vector<introduction> members = introduce_all(*bootstrap_, s);
  const std::string address = address_for(members, s);
  fabric_choice choice;
  choice.address = address_for_provider(address, s);
  choice.message_bytes = static_cast<std::uint32_t>(padded(sizeof(header) + longest_small));
  choice.expected_messages = size_ * (most_not_taken + 4);
  fabric_ = open_fabric(s.rofi_provider.empty() ? providers : s.rofi_provider,
                        s.rofi_domain.empty() ? domains : s.rofi_domain, choice);
  meet(members[0].secret, address);
}

void session::meet(const job_secret& secret, const std::string& address) {
  tag_ = secret[2];
  fabric_->connect(bootstrap_->exchange(fabric_->address()), me_);
  page_ = std::make_unique<bulletin>();
  control_settings rules;
  rules.address = address;
  rules.secret = secret;
  rules.own = page_.get();
  rules.near_page = [this](std::uint32_t pe) { return pe == me_ ? page_.get() : nullptr; };
  rules.lost = [this](std::uint32_t pe, const std::string& why) {
    const std::string text = fmt::format("process {} is lost: {}", pe, why);
    bootstrap_->abort(1, text);
    abort_job(1, text);
  };
  control_ = std::make_unique<control>(*bootstrap_, std::move(rules));
}

session::~session() {
  if (size_ > 1) {
    try {
      wait();
      barrier(all());
      lock held{mutex_};
      for (auto& [start, one] : areas_) drop(one);
      wait_until(held, "its last messages", [this] { return !fabric_->busy(); });
    } catch (const std::exception&) {
      // Somebody is gone; there is nobody to tell.
    }
    control_->leave();
  } else {
    for (auto& [start, one] : areas_) drop(one);
  }
  if (bootstrap_ != nullptr) bootstrap_->finished();
}

std::vector<std::uint32_t> session::all() const {
  std::vector<std::uint32_t> pes(size_);
  for (std::uint32_t pe = 0; pe < size_; ++pe) pes[pe] = pe;
  return pes;
}

// --- progress ---

void session::progress(lock&) {
  if (fabric_ == nullptr) return;
  std::array<fabric_arrival, 16> arrived;
  const std::uint32_t got = fabric_->poll(arrived);
  for (std::uint32_t k = 0; k < got; ++k) {
    take(arrived[k]);
    fabric_->release(arrived[k]);
  }
}

void session::wait_until(lock& held, const char* what, const std::function<bool()>& holds) {
  for (unsigned idle = 0; !holds(); ++idle) {
    progress(held);
    if (idle % 256 == 255) {
      if (const auto failure = fabric_->failure()) {
        throw error{fmt::format("waiting for {}: the network failed: {}: {}", what,
                                failure->operation, failure->reason)};
      }
    }
    held.unlock();
    if (idle > 2000) {
      std::this_thread::sleep_for(std::chrono::microseconds{20});
    } else {
      std::this_thread::yield();
    }
    held.lock();
  }
}

void session::take(const fabric_arrival& one) {
  header about;
  if (one.bytes < sizeof(about)) return;
  std::memcpy(&about, one.data, sizeof(about));
  if (about.tag != tag_ || about.from >= size_) return;
  switch (about.what) {
    case kind::small: {
      if (about.bytes > one.bytes - sizeof(about)) return;
      const std::byte* const from = one.data + sizeof(about);
      messages_.push_back({about, {from, from + about.bytes}});
      break;
    }
    case kind::large:
      messages_.push_back({about, {}});
      break;
    case kind::taken:
      if (about.bytes != 0) {
        large_[about.number] = true;
      } else if (not_taken_[about.from] != 0) {
        --not_taken_[about.from];
      }
      break;
    case kind::step:
    case kind::part:
      steps_[{about.group, about.number, about.bytes, about.from}] = {about.address,
                                                                      about.where};
      break;
  }
}

void session::ship(lock& held, std::uint32_t to, header about,
                   std::span<const std::byte> bytes) {
  about.tag = tag_;
  about.from = me_;
  std::byte* buffer = nullptr;
  wait_until(held, "room for a message", [&] {
    buffer = fabric_->take_buffer();
    return buffer != nullptr;
  });
  std::memcpy(buffer, &about, sizeof(about));
  if (!bytes.empty()) std::memcpy(buffer + sizeof(about), bytes.data(), bytes.size());
  const std::size_t used = sizeof(about) + bytes.size();
  std::memset(buffer + used, 0, padded(used) - used);
  fabric_->send(to, buffer, static_cast<std::uint32_t>(padded(used)));
}

void session::flush() {
  lock held{mutex_};
  progress(held);
}

// --- memory of others ---

session::area& session::area_of(const void* here, std::size_t bytes, std::uint32_t id) {
  const auto* const at = static_cast<const std::byte*>(here);
  auto found = areas_.upper_bound(at);
  if (found != areas_.begin()) {
    area& one = std::prev(found)->second;
    const auto offset = static_cast<std::size_t>(at - one.data);
    if (offset < one.bytes && bytes <= one.bytes - offset) {
      if (one.parts[id].address != 0) return one;
      throw error{fmt::format("process {} has no part of the memory at {}", id, here)};
    }
  }
  throw error{fmt::format("the {} bytes at {} are not in memory of rofi_alloc", bytes, here)};
}

void session::transfer(bool is_put, void* here, const void* there, std::size_t bytes,
                       std::uint32_t id, bool wait) {
  lock held{mutex_};
  const void* const symmetric = is_put ? here : there;
  area& in = area_of(symmetric, bytes, id);
  if (id == me_) {
    std::memmove(here, there, bytes);
    return;
  }
  const auto offset =
      static_cast<std::uint64_t>(static_cast<const std::byte*>(symmetric) - in.data);
  const remote_memory name = in.parts[id].name;
  lamellae::transfer own;
  lamellae::transfer& done = wait ? own : under_way_;
  wait_until(held, "room for a transfer", [&] {
    return is_put
               ? fabric_->put(id, name, offset, {static_cast<const std::byte*>(there), bytes},
                              done)
               : fabric_->get(id, name, offset, {static_cast<std::byte*>(here), bytes}, done);
  });
  if (!wait) return;
  wait_until(held, "a transfer", [&own] { return own.pending.load() == 0; });
  if (own.failed.load()) {
    throw error{fmt::format("a transfer of {} bytes, process {}, failed", bytes, id)};
  }
}

void session::put(void* dst, const void* src, std::size_t bytes, std::uint32_t id, bool wait) {
  transfer(true, dst, src, bytes, id, wait);
}

void session::get(void* dst, const void* src, std::size_t bytes, std::uint32_t id, bool wait) {
  transfer(false, dst, src, bytes, id, wait);
}

void session::wait() {
  lock held{mutex_};
  wait_until(held, "puts and gets", [this] { return under_way_.pending.load() == 0; });
  if (under_way_.failed.exchange(false)) throw error{"a put or get has failed"};
}

void* session::remote_address(const void* here, std::uint32_t id) {
  const lock held{mutex_};
  const area& in = area_of(here, 1, id);
  const auto offset = static_cast<std::uint64_t>(static_cast<const std::byte*>(here) - in.data);
  return reinterpret_cast<void*>(in.parts[id].address + offset);
}

void* session::local_address(const void* there, std::uint32_t id) {
  const lock held{mutex_};
  const auto at = reinterpret_cast<std::uint64_t>(there);
  for (const auto& [start, one] : areas_) {
    const std::uint64_t base = one.parts[id].address;
    if (base != 0 && at >= base && at - base < one.bytes) return one.data + (at - base);
  }
  throw error{fmt::format("{} is in no memory of process {}", there, id)};
}

// --- messages ---

void session::send(std::uint32_t id, const void* from, std::size_t bytes) {
  lock held{mutex_};
  const auto* const first = static_cast<const std::byte*>(from);
  if (id == me_) {
    header about{};
    about.what = kind::small;
    about.from = me_;
    about.bytes = bytes;
    messages_.push_back({about, {first, first + bytes}});
    return;
  }
  header about{};
  about.bytes = bytes;
  if (bytes <= longest_small) {
    wait_until(held, "messages to be received",
               [&] { return not_taken_[id] < most_not_taken; });
    ++not_taken_[id];
    about.what = kind::small;
    ship(held, id, about, {first, bytes});
    return;
  }
  const exposed_memory exposed = fabric_->expose({const_cast<std::byte*>(first), bytes});
  about.what = kind::large;
  about.where = exposed.name;
  about.number = next_large_++;
  large_[about.number] = false;
  ship(held, id, about, {});
  wait_until(held, "a large message to be received", [&] { return large_.at(about.number); });
  large_.erase(about.number);
  fabric_->hide(exposed);
}

void session::receive(void* into, std::size_t bytes) {
  lock held{mutex_};
  wait_until(held, "a message", [this] { return !messages_.empty(); });
  const arrived_message got = std::move(messages_.front());
  messages_.pop_front();
  const bool fits = got.about.bytes <= bytes;
  header answer{};
  answer.what = kind::taken;
  answer.number = got.about.number;
  if (got.about.what == kind::small) {
    if (fits) std::memcpy(into, got.bytes.data(), got.bytes.size());
  } else {
    answer.bytes = 1;
    if (fits) {
      lamellae::transfer done;
      const std::span<std::byte> place{static_cast<std::byte*>(into), got.about.bytes};
      wait_until(held, "room for a transfer",
                 [&] { return fabric_->get(got.about.from, got.about.where, 0, place, done); });
      wait_until(held, "a large message", [&done] { return done.pending.load() == 0; });
    }
  }
  if (got.about.from != me_) ship(held, got.about.from, answer, {});
  if (!fits) {
    throw error{
        fmt::format("a message of {} bytes from process {} does not fit into "
                    "{}",
                    got.about.bytes, got.about.from, bytes)};
  }
}

// --- collectives ---

std::uint64_t session::next_collective(std::uint64_t group) { return collectives_[group]++; }

void session::meet_group(lock& held, const std::vector<std::uint32_t>& pes) {
  const auto mine = std::find(pes.begin(), pes.end(), me_);
  if (mine == pes.end()) throw error{"this process is not in the list of processes"};
  const auto position = static_cast<std::size_t>(mine - pes.begin());
  header about{};
  about.what = kind::step;
  about.group = group_of(pes);
  about.number = next_collective(about.group);
  // Dissemination: in each step everybody hears of twice as many.
  for (std::size_t distance = 1; distance < pes.size(); distance *= 2) {
    about.bytes = distance;
    ship(held, pes[(position + distance) % pes.size()], about, {});
    const std::uint32_t from = pes[(position + pes.size() - distance) % pes.size()];
    const step_id wanted{about.group, about.number, distance, from};
    wait_until(held, "all processes", [&] { return steps_.contains(wanted); });
    steps_.erase(wanted);
  }
}

void session::barrier(const std::vector<std::uint32_t>& pes) {
  lock held{mutex_};
  meet_group(held, pes);
}

void* session::allocate(std::size_t bytes, const std::vector<std::uint32_t>& pes) {
  lock held{mutex_};
  if (std::find(pes.begin(), pes.end(), me_) == pes.end()) {
    throw error{"this process is not in the list of processes"};
  }
  area made;
  made.bytes = (bytes + page - 1) / page * page;
  made.parts.resize(size_);
  void* const at =
      mmap(nullptr, made.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::string refusal;
  if (at == MAP_FAILED) {
    refusal = fmt::format("no memory for {} bytes: {}", bytes, std::strerror(errno));
  } else {
    made.data = static_cast<std::byte*>(at);
    try {
      if (fabric_ != nullptr) made.exposed = fabric_->expose({made.data, made.bytes});
    } catch (const error& e) {
      refusal = e.what();
    }
  }
  // Everybody tells everybody, also that there is nothing to tell.
  header about{};
  about.what = kind::part;
  about.group = group_of(pes);
  about.number = next_collective(about.group);
  about.address = refusal.empty() ? reinterpret_cast<std::uint64_t>(made.data) : 0;
  about.where = made.exposed.name;
  made.parts[me_] = {about.address, about.where};
  for (const std::uint32_t pe : pes) {
    if (pe != me_) ship(held, pe, about, {});
  }
  std::uint32_t refused_by = size_;
  for (const std::uint32_t pe : pes) {
    if (pe != me_) {
      const step_id wanted{about.group, about.number, 0, pe};
      wait_until(held, "all processes to allocate", [&] { return steps_.contains(wanted); });
      made.parts[pe] = steps_.at(wanted);
      steps_.erase(wanted);
    }
    if (made.parts[pe].address == 0) refused_by = std::min(refused_by, pe);
  }
  if (refused_by != size_) {
    drop(made);
    throw error{refusal.empty()
                    ? fmt::format("process {} has no memory for {} bytes", refused_by, bytes)
                    : refusal};
  }
  std::byte* const data = made.data;
  areas_.emplace(data, std::move(made));
  return data;
}

void session::release(void* at, const std::vector<std::uint32_t>& pes) {
  lock held{mutex_};
  const auto found = areas_.find(static_cast<std::byte*>(at));
  if (found == areas_.end()) {
    throw error{fmt::format("{} is not the begin of memory of rofi_alloc", at)};
  }
  wait_until(held, "puts and gets", [this] { return under_way_.pending.load() == 0; });
  meet_group(held, pes);  // nobody writes to it any more
  drop(found->second);
  areas_.erase(found);
}

void session::drop(area& gone) {
  if (gone.exposed.handle != nullptr) fabric_->hide(gone.exposed);
  if (gone.data != nullptr) munmap(gone.data, gone.bytes);
  gone = {};
}

}  // namespace lamellar::librofi
