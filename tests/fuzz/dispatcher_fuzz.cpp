// SPDX-License-Identifier: BSD-3-Clause
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <lamellar/lamellae/job.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/message.hpp>
#include <lamellar/substrate/world.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../support/scripted_lamella.hpp"

// Whatever buffers arrive from a peer, a PE handles or refuses them, keeps its books in order,
// and goes on. An input is one buffer; its first byte says as what it arrives. Inputs are
// mutated from buffers that a sound peer would send, for few others get past the headers.

namespace lamellar::lamellae {
/// The table of variables asks; no transport is linked here.
std::vector<std::string_view> lamella_names() { return {}; }
}  // namespace lamellar::lamellae

using lamellar::task;
using lamellar::world;
using lamellar::testing::scripted_lamella;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

struct table {
  std::uint64_t sum = 0;
};
struct texts {
  std::vector<std::string> all;
};

struct lonely_world {
  explicit lonely_world(std::uint32_t me) {
    auto transport = std::make_unique<scripted_lamella>(me);
    script = transport.get();
    lamellar::lamellae::settings s;
    s.job_budget = 64 << 20;
    s.pin = false;
    w = std::make_unique<world>(std::move(transport), s);
    tables = lamellar::darc<table>::create(*w).get();
    others = lamellar::darc<texts>::create(*w).get();
    script->posted().clear();
  }
  scripted_lamella* script;
  std::unique_ptr<world> w;
  lamellar::darc<table> tables;
  lamellar::darc<texts> others;
};

std::vector<std::vector<std::uint8_t>> sound_inputs() {
  lonely_world sender{1};
  world& w = *sender.w;
  const lamellar::pe to = w.at(0);
  for (std::uint64_t k = 0; k < 4; ++k) {
    sender.tables.send(
        to, [](table& t, std::span<const std::uint64_t> v) { t.sum += v.size(); }, k);
  }
  w.flush();
  sender.others.send(
      to,
      [](texts& t, const std::vector<std::string>& more) {
        t.all.assign(more.begin(), more.end());
      },
      std::vector<std::string>{"a", "", "text"});
  sender.others.send(
      to, [](texts& t, std::string_view s) { t.all = {std::string{s}}; }, "text");
  w.flush();
  w.send(to, [] {});
  w.send(
      to, [](std::map<std::string, std::vector<int>>) {},
      std::map<std::string, std::vector<int>>{{"k", {1, 2}}});
  w.send(
      to, [](std::span<const double> d, int) { (void)d.size(); }, std::vector<double>{1, 2}, 3);
  w.send(
      to, [](const lamellar::darc<table>& t) { (void)static_cast<bool>(t); }, sender.tables);
  w.flush();
  (void)w.call(
      to, [](int a) { return a; }, 1);
  (void)w.call(
      to, [](std::string_view s) { return std::string{s}; }, "text");
  w.flush();
  (void)w.call(
      to, [](lamellar::context, std::string s) -> task<std::string> { co_return s; }, "t");
  (void)sender.tables.call(to, [](table& t) { return t.sum; });
  (void)w.call(
      to, [](int) { throw 42; }, 1);
  w.flush();
  w.send(
      to, [](std::string_view) {}, std::string(8200, 'x'));
  std::vector<std::vector<std::uint8_t>> all;
  for (const auto& one : sender.script->posted()) {
    std::vector<std::uint8_t> input{static_cast<std::uint8_t>(one.flags)};
    const auto* from = reinterpret_cast<const std::uint8_t*>(one.bytes.data());
    input.insert(input.end(), from, from + one.bytes.size());
    all.push_back(std::move(input));
  }
  return all;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  static const auto sound = sound_inputs();
  if (size < 2 || seed % 16 == 0) {
    const auto& chosen = sound[seed / 16 % sound.size()];
    size = std::min(chosen.size(), most);
    std::memcpy(data, chosen.data(), size);
  }
  return LLVMFuzzerMutate(data, size, most);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<lonely_world> pe;
  static int inputs = 0;
  if (inputs++ % 1000 == 0) pe = std::make_unique<lonely_world>(0);
  if (size == 0) return 0;
  const auto flags = static_cast<std::uint16_t>(data[0] & 1);
  const auto kind = (data[0] & 2) != 0 ? lamellar::lamellae::traffic::handler
                                       : lamellar::lamellae::traffic::body;
  if (flags != 0 && size > sizeof(lamellar::detail::fragment_header)) {
    lamellar::detail::fragment_header header;
    std::memcpy(&header, data + 1, sizeof(header));
    if (header.total > 1 << 24) return 0;  // refused, or memory that this machine may not have
  }
  // Somebody waits, so that answers find slots.
  auto number = pe->w->call(
      pe->w->at(1), [](int a) { return a; }, 1);
  auto text = pe->w->call(
      pe->w->at(1), [](int) { return std::string{}; }, 1);
  pe->w->flush();
  pe->script->deliver({reinterpret_cast<const std::byte*>(data + 1), size - 1}, flags, kind);
  while (pe->w->poll()) {
  }
  pe->w->flush();
  if (pe->script->unsettled() != 0) std::abort();
  try {
    if (text.ready()) (void)text.get();
    if (number.ready()) (void)number.get();
  } catch (const lamellar::error&) {
  }
  pe->script->posted().clear();
  return 0;
}
