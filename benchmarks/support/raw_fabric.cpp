// SPDX-License-Identifier: BSD-3-Clause
#include "raw_fabric.hpp"

#include <fmt/format.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <lamellar/lamellae/settings.hpp>
#include <lamellar/substrate/darc.hpp>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "timing.hpp"

namespace lamellar::benchmark {
namespace {

constexpr std::uint64_t receive_bytes = 1 << 20;
constexpr std::uint64_t sends_under_way = 64;

void check(std::int64_t code, std::string_view step) {
  if (code < 0) {
    throw std::runtime_error(
        fmt::format("raw_fabric: {}: {}", step, fi_strerror(static_cast<int>(-code))));
  }
}

/// Do `attempt` until the provider takes it.
template <class Attempt, class Progress>
void insist(Attempt attempt, Progress progress, std::string_view step) {
  for (;;) {
    const auto code = attempt();
    if (code == 0) return;
    if (code != -FI_EAGAIN) check(code, step);
    progress();
  }
}

template <class Owned, class Open>
void make(Owned& owned, std::string_view step, Open open) {
  typename Owned::pointer made = nullptr;
  check(open(&made), step);
  owned.reset(made);
}

struct cards {
  std::vector<std::byte> from[2];
};

struct leave_card {
  std::uint32_t which;
  void operator()(cards& here, std::span<const std::byte> card) const {
    here.from[which].assign(card.begin(), card.end());
  }
};

}  // namespace

raw_fabric::raw_fabric(world& w)
    : world_{w}, contexts_(sends_under_way + window), busy_(contexts_.size()) {
  if (w.size() < 2) throw std::runtime_error("raw_fabric: two PEs are needed");
  if (w.me() == pe(0)) part_ = part::asks;
  if (w.me() == pe(w.size() - 1)) part_ = part::serves;
  const auto chosen = lamellae::settings::from_environment();
  const std::string name = chosen.rofi_provider.empty() ? "tcp" : chosen.rofi_provider;
  if (takes_part()) open(name, chosen.rofi_domain);
  meet(w);
}

raw_fabric::~raw_fabric() { endpoint_.reset(); }

void raw_fabric::open(const std::string& provider, const std::string& domain) {
  const std::unique_ptr<fi_info, void (*)(fi_info*)> hints{fi_allocinfo(), &fi_freeinfo};
  hints->ep_attr->type = FI_EP_RDM;
  hints->caps = FI_MSG | FI_RMA | FI_MULTI_RECV;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->tx_attr->msg_order = hints->rx_attr->msg_order = FI_ORDER_SAS;
  hints->domain_attr->mr_mode =
      FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_LOCAL | FI_MR_ENDPOINT;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  hints->fabric_attr->prov_name = strdup(provider.c_str());
  if (!domain.empty()) hints->domain_attr->name = strdup(domain.c_str());
  fi_info* found = nullptr;
  check(fi_getinfo(FI_VERSION(1, 14), nullptr, nullptr, 0, hints.get(), &found),
        "looking for provider " + provider);
  info_.reset(found);
  provider_ = info_->fabric_attr->prov_name;
  make(fabric_, "fi_fabric",
       [&](fid_fabric** made) { return fi_fabric(info_->fabric_attr, made, nullptr); });
  make(domain_, "fi_domain",
       [&](fid_domain** made) { return fi_domain(fabric_.get(), info_.get(), made, nullptr); });
  fi_av_attr table{};
  table.type = FI_AV_TABLE;
  make(addresses_, "fi_av_open",
       [&](fid_av** made) { return fi_av_open(domain_.get(), &table, made, nullptr); });
  fi_cq_attr queue{};
  queue.format = FI_CQ_FORMAT_DATA;
  queue.size = 4096;
  make(completions_, "fi_cq_open",
       [&](fid_cq** made) { return fi_cq_open(domain_.get(), &queue, made, nullptr); });
  make(endpoint_, "fi_endpoint",
       [&](fid_ep** made) { return fi_endpoint(domain_.get(), info_.get(), made, nullptr); });
  check(fi_ep_bind(endpoint_.get(), &addresses_->fid, 0), "fi_ep_bind");
  check(fi_ep_bind(endpoint_.get(), &completions_->fid, FI_TRANSMIT | FI_RECV), "fi_ep_bind");
  std::size_t least = longest_message;
  check(
      fi_setopt(&endpoint_->fid, FI_OPT_ENDPOINT, FI_OPT_MIN_MULTI_RECV, &least, sizeof least),
      "fi_setopt");
  check(fi_enable(endpoint_.get()), "fi_enable");

  received_.resize(std::size(buffers_) * receive_bytes);
  outgoing_.resize(sends_under_way * longest_message);
  exposed_.resize((window + 1) * longest_transfer);
  own_.resize((window + 1) * longest_transfer);
  std::size_t k = 0;
  for (std::vector<std::byte>* const memory : {&received_, &outgoing_, &exposed_, &own_}) {
    make(registered_[k], "fi_mr_reg", [&](fid_mr** made) {
      return fi_mr_reg(
          domain_.get(), memory->data(), memory->size(),
          FI_SEND | FI_RECV | FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE, 0, 100 + k,
          0, made, nullptr);
    });
    if (info_->domain_attr->mr_mode & FI_MR_ENDPOINT) {
      check(fi_mr_bind(registered_[k].get(), &endpoint_->fid, 0), "fi_mr_bind");
      check(fi_mr_enable(registered_[k].get()), "fi_mr_enable");
    }
    ++k;
  }
  for (std::size_t b = 0; b < std::size(buffers_); ++b) {
    buffers_[b].data = received_.data() + b * receive_bytes;
    lay_out(buffers_[b]);
  }
}

// The two exchange what they must know of each other through the job.
void raw_fabric::meet(world& w) {
  const darc<cards> all = darc<cards>::create(w).get();
  if (takes_part()) {
    std::vector<std::byte> mine(16 + 256);
    const bool is_virtual = info_->domain_attr->mr_mode & FI_MR_VIRT_ADDR;
    const std::uint64_t words[2] = {
        is_virtual ? reinterpret_cast<std::uint64_t>(exposed_.data()) : 0,
        fi_mr_key(registered_[2].get())};
    std::memcpy(mine.data(), words, sizeof words);
    std::size_t length = mine.size() - sizeof words;
    check(fi_getname(&endpoint_->fid, mine.data() + sizeof words, &length), "fi_getname");
    mine.resize(sizeof words + length);
    all.send_all(leave_card{part_ == part::asks ? 0u : 1u}, mine);
  }
  w.quiesce().get();
  if (!takes_part()) return;
  const std::vector<std::byte>& other = all->from[part_ == part::asks ? 1 : 0];
  std::memcpy(&peer_memory_, other.data(), 8);
  std::memcpy(&peer_key_, other.data() + 8, 8);
  if (fi_av_insert(addresses_.get(), other.data() + 16, 1, &to_, 0, nullptr) != 1) {
    throw std::runtime_error("raw_fabric: the peer's address is not taken");
  }
}

void raw_fabric::lay_out(receive_buffer& which) {
  iovec place{which.data, receive_bytes};
  void* descriptor = fi_mr_desc(registered_[0].get());
  fi_msg message{};
  message.msg_iov = &place;
  message.desc = &descriptor;
  message.iov_count = 1;
  message.addr = FI_ADDR_UNSPEC;
  message.context = &which.context;
  check(fi_recvmsg(endpoint_.get(), &message, FI_MULTI_RECV), "fi_recvmsg");
}

void raw_fabric::progress() {
  std::array<fi_cq_data_entry, 64> entries;
  const auto count = fi_cq_read(completions_.get(), entries.data(), entries.size());
  if (count == -FI_EAGAIN) {
    sched_yield();
    return;
  }
  if (count == -FI_EAVAIL) {
    fi_cq_err_entry wrong{};
    fi_cq_readerr(completions_.get(), &wrong, 0);
    check(-std::int64_t{wrong.err}, "an operation");
  }
  check(count, "fi_cq_read");
  for (std::int64_t k = 0; k < count; ++k) {
    const fi_cq_data_entry& entry = entries[static_cast<std::size_t>(k)];
    if (entry.flags & FI_RECV) {
      std::uint64_t number = 0;
      std::memcpy(&number, entry.buf, sizeof number);
      right_ = right_ && number == arrived_;
      ++arrived_;
    } else if (!(entry.flags & FI_MULTI_RECV)) {
      busy_[static_cast<std::size_t>(static_cast<fi_context2*>(entry.op_context) -
                                     contexts_.data())] = 0;
      --under_way_;
    }
    if (entry.flags & FI_MULTI_RECV) {
      lay_out(*reinterpret_cast<receive_buffer*>(entry.op_context));
    }
  }
}

void raw_fabric::finish_own() {
  while (under_way_ != 0) progress();
}

void raw_fabric::send(std::uint64_t bytes) {
  const std::uint64_t slot = sent_ % sends_under_way;
  std::byte* const data = outgoing_.data() + slot * longest_message;
  while (busy_[slot]) progress();
  std::memcpy(data, &sent_, sizeof sent_);
  ++sent_;
  const auto again = [&] { progress(); };
  if (bytes <= info_->tx_attr->inject_size) {
    insist([&] { return fi_inject(endpoint_.get(), data, bytes, to_); }, again, "fi_inject");
    return;
  }
  insist(
      [&] {
        return fi_send(endpoint_.get(), data, bytes, fi_mr_desc(registered_[1].get()), to_,
                       &contexts_[slot]);
      },
      again, "fi_send");
  busy_[slot] = 1;
  ++under_way_;
}

void raw_fabric::await_messages(std::uint64_t count) {
  while (arrived_ < count) progress();
}

double raw_fabric::round_trips(std::uint64_t bytes, std::uint64_t rounds) {
  world_.barrier().get();
  const stopwatch watch;
  const std::uint64_t before = arrived_;
  for (std::uint64_t k = 1; k <= rounds && takes_part(); ++k) {
    if (part_ == part::asks) send(bytes);
    await_messages(before + k);
    if (part_ == part::serves) send(bytes);
  }
  finish_own();
  const double seconds = watch.seconds();
  world_.barrier().get();
  return seconds;
}

// A message back says that all have arrived.
double raw_fabric::stream(std::uint64_t bytes, std::uint64_t messages, bool both_ways) {
  world_.barrier().get();
  const stopwatch watch;
  const std::uint64_t before = arrived_;
  if (part_ == part::asks) {
    for (std::uint64_t k = 0; k < messages; ++k) send(bytes);
    await_messages(before + (both_ways ? messages : 0) + 1);
  } else if (part_ == part::serves) {
    for (std::uint64_t k = 0; k < messages && both_ways; ++k) send(bytes);
    await_messages(before + messages);
    send(8);
  }
  finish_own();
  const double seconds = watch.seconds();
  world_.barrier().get();
  return seconds;
}

double raw_fabric::puts(std::uint64_t bytes, std::uint64_t operations, bool lose_one) {
  return transfer(bytes, operations, true, lose_one);
}

double raw_fabric::gets(std::uint64_t bytes, std::uint64_t operations, bool lose_one) {
  return transfer(bytes, operations, false, lose_one);
}

// The last operation has a place of its own, so that it is missed where it is missing. What is
// put is there when that is complete which says so.
double raw_fabric::transfer(std::uint64_t bytes, std::uint64_t operations, bool writes,
                            bool lose_one) {
  ++round_;
  if (part_ == part::asks) stamp(own_, bytes, writes ? round_ : 0);
  if (part_ == part::serves) stamp(exposed_, bytes, writes ? 0 : round_);
  world_.barrier().get();
  const stopwatch watch;
  double seconds = 0;
  if (part_ == part::asks) {
    const std::uint64_t last = operations - 1;
    for (std::uint64_t k = 0; k < last; ++k) issue(k % window, k % window, bytes, writes);
    if (!lose_one) issue(last % window, window, bytes, writes);
    finish_own();
    seconds = watch.seconds();
    if (!writes) right_ = right_ && is_stamped(own_, bytes, operations);
    send(8);
  } else if (part_ == part::serves) {
    await_messages(arrived_ + 1);
    if (writes) right_ = right_ && is_stamped(exposed_, bytes, operations);
  }
  world_.barrier().get();
  return seconds;
}

void raw_fabric::issue(std::uint64_t slot, std::uint64_t place, std::uint64_t bytes,
                       bool writes) {
  const std::uint64_t context = sends_under_way + slot;
  while (busy_[context]) progress();
  const iovec here{own_.data() + place * bytes, bytes};
  const fi_rma_iov there{peer_memory_ + place * bytes, bytes, peer_key_};
  void* descriptor = fi_mr_desc(registered_[3].get());
  fi_msg_rma message{};
  message.msg_iov = &here;
  message.desc = &descriptor;
  message.iov_count = 1;
  message.addr = to_;
  message.rma_iov = &there;
  message.rma_iov_count = 1;
  message.context = &contexts_[context];
  insist(
      [&] {
        return writes ? fi_writemsg(endpoint_.get(), &message,
                                    FI_COMPLETION | FI_DELIVERY_COMPLETE)
                      : fi_readmsg(endpoint_.get(), &message, FI_COMPLETION);
      },
      [&] { progress(); }, writes ? "fi_writemsg" : "fi_readmsg");
  busy_[context] = 1;
  ++under_way_;
}

// The first and the last word of each place.
void raw_fabric::stamp(std::vector<std::byte>& memory, std::uint64_t bytes,
                       std::uint64_t mark) const {
  for (std::uint64_t place = 0; place <= window; ++place) {
    std::memcpy(memory.data() + place * bytes, &mark, sizeof mark);
    std::memcpy(memory.data() + (place + 1) * bytes - sizeof mark, &mark, sizeof mark);
  }
}

bool raw_fabric::is_stamped(const std::vector<std::byte>& memory, std::uint64_t bytes,
                            std::uint64_t operations) const {
  for (std::uint64_t place = 0; place <= window; ++place) {
    if (place != window && place >= operations - 1) continue;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::memcpy(&first, memory.data() + place * bytes, sizeof first);
    std::memcpy(&last, memory.data() + (place + 1) * bytes - sizeof last, sizeof last);
    if (first != round_ || last != round_) return false;
  }
  return true;
}

}  // namespace lamellar::benchmark
