// SPDX-License-Identifier: BSD-3-Clause
// Whatever bytes arrive, a PE says who sent them and goes on.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <lamellar/lamellae/settings.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/message.hpp>
#include <lamellar/substrate/world.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "scripted_lamella.hpp"

using namespace lamellar;
using lamellar::testing::scripted_lamella;
using bytes = std::vector<std::byte>;

namespace {

/// One PE of two, without the other.
struct lonely_world {
  explicit lonely_world(std::uint32_t me) {
    auto transport = std::make_unique<scripted_lamella>(me);
    script = transport.get();
    lamellae::settings s;
    s.job_budget = 64 << 20;
    s.pin = false;
    w = std::make_unique<world>(std::move(transport), s);
  }
  /// Let `buffer` arrive and be handled.
  void feed(const bytes& buffer, std::uint16_t flags = 0,
            lamellae::traffic kind = lamellae::traffic::body) {
    script->deliver(buffer, flags, kind);
    while (w->poll()) {
    }
  }
  scripted_lamella* script;
  std::unique_ptr<world> w;
};

struct table {
  std::uint64_t sum = 0;
};
struct other_table {
  std::string text = "untouched";
};
struct add {
  void operator()(table& t, std::span<const std::uint64_t> values) const {
    for (const std::uint64_t v : values) t.sum += v;
  }
};
struct note {
  void operator()(other_table& t, std::string_view text) const { t.text = text; }
};

/// Buffers of all kinds, as a sound PE 1 sends them to PE 0.
std::vector<scripted_lamella::posted_buffer> sound_buffers() {
  lonely_world sender{1};
  world& w = *sender.w;
  const pe to = w.at(0);
  auto tables = darc<table>::create(w).get();
  auto others = darc<other_table>::create(w).get();
  sender.script->posted().clear();
  const auto ship = [&] { w.flush(); };
  for (std::uint64_t k = 0; k < 20; ++k) tables.send(to, add{}, k);
  ship();
  for (int k = 0; k < 5; ++k)
    others.send(to, note{}, std::string(static_cast<std::size_t>(k) * 3, 'x'));
  tables.send(to, add{}, 1u);
  ship();
  for (int k = 0; k < 3; ++k) w.send(to, [] {});
  w.send(
      to, [](std::vector<std::string>, std::map<std::string, std::vector<int>>) {},
      std::vector<std::string>{"a", "bc", ""},
      std::map<std::string, std::vector<int>>{{"k", {1, 2, 3}}});
  w.send(
      to, [](std::span<const double>, int) {}, std::vector<double>{1, 2}, 3);
  w.send(
      to, [](const darc<table>& t) { (void)static_cast<bool>(t); }, tables);
  ship();
  (void)w.call(
      to, [](int a) { return a; }, 1);
  (void)w.call(
      to, [](std::string_view s) { return std::string{s}; }, "text");
  (void)w.call(
      to, [](context, std::string s) -> task<std::string> { co_return s; }, "text");
  (void)tables.call(to, [](table& t) { return t.sum; });
  ship();
  w.send(
      to, [](std::string_view) {}, std::string(20000, 'x'));
  ship();
  return sender.script->posted();
}

bool says_corrupt(const std::vector<scripted_lamella::posted_buffer>& posted) {
  for (const auto& one : posted) {
    const std::string_view text{reinterpret_cast<const char*>(one.bytes.data()),
                                one.bytes.size()};
    if (text.find("corrupt buffer from PE 1") != std::string_view::npos) return true;
  }
  return false;
}

/// A world with the objects that the sound buffers are for.
struct receiver : lonely_world {
  receiver() : lonely_world{0} {
    tables = darc<table>::create(*w).get();
    others = darc<other_table>::create(*w).get();
    script->posted().clear();
  }
  /// Feed, check that the books are in order, and forget what was said.
  bool complains_of(const bytes& buffer, std::uint16_t flags = 0,
                    lamellae::traffic kind = lamellae::traffic::body) {
    const std::uint64_t failed = script->failed();
    feed(buffer, flags, kind);
    w->flush();
    CHECK(script->unsettled() == 0);
    const bool marked = script->failed() != failed;
    const bool said = says_corrupt(script->posted());
    script->posted().clear();
    if (said) CHECK(marked);
    return marked;
  }
  darc<table> tables;
  darc<other_table> others;
};

detail::run_header header_of(const bytes& buffer) {
  detail::run_header h;
  std::memcpy(&h, buffer.data(), sizeof(h));
  return h;
}
bytes with_header(bytes buffer, const std::function<void(detail::run_header&)>& change) {
  detail::run_header h = header_of(buffer);
  change(h);
  std::memcpy(buffer.data(), &h, sizeof(h));
  return buffer;
}

}  // namespace

TEST_CASE("sound buffers are handled without complaint") {
  receiver r;
  for (const auto& buffer : sound_buffers()) CHECK(!r.complains_of(buffer.bytes, buffer.flags));
  CHECK(r.tables->sum == 190 + 1);
  CHECK(r.others->text == std::string(12, 'x'));
}

TEST_CASE("a buffer cut off at any byte is refused, or is whole up to a run's end") {
  receiver r;
  for (const auto& buffer : sound_buffers()) {
    for (std::size_t length = 0;
         length<buffer.bytes.size(); length += buffer.bytes.size()> 2000 ? 97 : 1) {
      bytes cut = buffer.bytes;
      cut.resize(length);
      const bool complained = r.complains_of(cut, buffer.flags);
      if (buffer.flags == 0 && length % 8 != 0 && length + 8 < buffer.bytes.size()) {
        CHECK(complained);
      }
    }
  }
}

TEST_CASE("headers that make no sense are refused, and the sender is named") {
  receiver r;
  const auto sound = sound_buffers();
  const bytes& adds = sound[0].bytes;
  const bytes& notes = sound[1].bytes;
  const auto refused = [&](const bytes& base, auto change) {
    const std::uint64_t before = r.tables->sum;
    r.feed(with_header(base, change));
    r.w->flush();
    const bool said = says_corrupt(r.script->posted());
    r.script->posted().clear();
    CHECK(r.tables->sum == before);
    CHECK(r.others->text == "untouched");
    return said;
  };
  using header = detail::run_header;
  CHECK(refused(adds, [](header& h) { h.handler = 60000; }));
  CHECK(refused(adds, [](header& h) { h.record_bytes = 4; }));
  CHECK(refused(adds, [](header& h) { h.record_bytes = 0; }));
  CHECK(refused(adds, [](header& h) { h.record_bytes = detail::variable_record; }));
  CHECK(refused(adds, [](header& h) { h.count = 1000000; }));
  CHECK(refused(adds, [](header& h) { h.count = 0xffffffff; }));
  CHECK(refused(notes, [](header& h) { h.count = 0xffffffff; }));
  // An object that is not there; none at all; one of another type.
  CHECK(refused(adds, [](header& h) { h.object = 77; }));
  CHECK(refused(adds, [](header& h) { h.object = 0xffffffff; }));
  CHECK(refused(adds, [](header& h) { h.object = 0; }));
  CHECK(refused(adds, [](header& h) { h.object += 1; }));
  CHECK(refused(notes, [](header& h) { h.object -= 1; }));
  // Answers that nobody waits for.
  for (const std::uint16_t kind :
       {detail::answer_value, detail::answer_bytes, detail::answer_error}) {
    CHECK(refused(adds, [kind](header& h) { h.handler = kind; }));
    CHECK(refused(notes, [kind](header& h) { h.handler = kind; }));
  }
}

TEST_CASE("lengths of records that cannot be are refused") {
  receiver r;
  const bytes base = sound_buffers()[1].bytes;
  for (const std::uint64_t length :
       {~std::uint64_t{0}, ~std::uint64_t{7}, std::uint64_t{1} << 63, std::uint64_t{1} << 32,
        std::uint64_t{100000}, std::uint64_t{1000}}) {
    bytes buffer = base;
    std::memcpy(buffer.data() + sizeof(detail::run_header), &length, sizeof(length));
    CHECK(r.complains_of(buffer));
  }
}

TEST_CASE("a run of records without bytes is no longer than one can be") {
  receiver r;
  const auto sound = sound_buffers();
  bytes empty_runs;
  for (const auto& buffer : sound) {
    const detail::run_header h = header_of(buffer.bytes);
    if (h.record_bytes == 0) empty_runs = buffer.bytes;
  }
  REQUIRE(!empty_runs.empty());
  CHECK(r.complains_of(
      with_header(empty_runs, [](detail::run_header& h) { h.count = 0xffffffff; })));
}

TEST_CASE("answers of the wrong kind or with a broken text reach nobody's memory") {
  lonely_world asker{0};
  world& w = *asker.w;
  const auto answer = [&](std::uint16_t kind, std::uint16_t record_bytes, const bytes& payload,
                          std::uint32_t ticket) {
    bytes buffer(sizeof(detail::run_header));
    const detail::run_header h{kind, record_bytes, 1, 0, ticket};
    std::memcpy(buffer.data(), &h, sizeof(h));
    if (record_bytes == detail::variable_record) {
      const std::uint64_t length = payload.size();
      buffer.resize(sizeof(h) + 8);
      std::memcpy(buffer.data() + sizeof(h), &length, 8);
    }
    buffer.insert(buffer.end(), payload.begin(), payload.end());
    buffer.resize(detail::round_up_8(buffer.size()));
    asker.feed(buffer, 0, lamellae::traffic::handler);
  };
  const auto ticket_of_last_call = [&] {
    w.flush();
    const std::uint32_t ticket = header_of(asker.script->posted().back().bytes).extra;
    asker.script->posted().clear();
    return ticket;
  };
  for (const std::uint16_t kind :
       {detail::answer_value, detail::answer_bytes, detail::answer_error}) {
    for (const std::size_t size : {0u, 1u, 8u, 16u, 32u, 33u, 40u, 100u, 3000u}) {
      for (const std::byte fill : {std::byte{0}, std::byte{1}, std::byte{0xff}}) {
        if (kind == detail::answer_value && size > 32) continue;
        const bytes payload(size, fill);
        const auto record_bytes = kind == detail::answer_value
                                      ? static_cast<std::uint16_t>(size)
                                      : detail::variable_record;
        {
          reply<std::string> text = w.call(
              w.at(1), [](int) { return std::string{}; }, 1);
          answer(kind, record_bytes, payload, ticket_of_last_call());
          if (text.ready()) {
            try {
              (void)text.get();
            } catch (const error&) {
            }
          }
        }
        reply<std::uint64_t> number = w.call(
            w.at(1), [](int) { return std::uint64_t{1}; }, 1);
        answer(kind, record_bytes, payload, ticket_of_last_call());
        if (number.ready()) {
          try {
            (void)number.get();
          } catch (const error&) {
          }
        }
      }
    }
  }
}

TEST_CASE("pieces of large messages that do not fit together are refused") {
  const auto sound = sound_buffers();
  const auto piece = [](std::uint64_t message, std::uint64_t total, std::uint64_t offset,
                        std::size_t size) {
    bytes buffer(sizeof(detail::fragment_header) + size, std::byte{0});
    const detail::fragment_header h{message, total, offset};
    std::memcpy(buffer.data(), &h, sizeof(h));
    return buffer;
  };
  receiver r;
  using detail::fragment_flag;
  CHECK(r.complains_of({}, fragment_flag));
  CHECK(r.complains_of(bytes(10), fragment_flag));
  CHECK(r.complains_of(piece(1, 100, 200, 8), fragment_flag));
  CHECK(r.complains_of(piece(2, 100, ~std::uint64_t{0}, 8), fragment_flag));
  CHECK(r.complains_of(piece(3, 100, 96, 8), fragment_flag));
  CHECK(!r.complains_of(piece(4, 100, 0, 8), fragment_flag));
  CHECK(r.complains_of(piece(4, 200, 8, 8), fragment_flag));
  CHECK(r.complains_of(piece(5, std::uint64_t{1} << 60, 0, 8), fragment_flag));
  CHECK(r.complains_of(piece(6, ~std::uint64_t{0}, 0, 8), fragment_flag));
}

TEST_CASE("a hundred thousand mangled buffers") {
  constexpr std::uint64_t seed = 4711;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random{seed};
  const auto sound = sound_buffers();
  auto r = std::make_unique<receiver>();
  for (int round = 0; round < 100000; ++round) {
    if (round % 1000 == 0) r = std::make_unique<receiver>();
    const auto& base = sound[random() % sound.size()];
    bytes buffer = base.bytes;
    const std::size_t changes = 1 + random() % 4;
    for (std::size_t k = 0; k < changes && !buffer.empty(); ++k) {
      // Mostly in front, where the headers are.
      const std::size_t at =
          random() % std::min<std::size_t>(buffer.size(), random() % 2 ? 64 : 8192);
      switch (random() % 4) {
        case 0:
          buffer[at] ^= static_cast<std::byte>(1u << random() % 8);
          break;
        case 1:
          buffer[at] = static_cast<std::byte>(random());
          break;
        case 2:
          buffer[at] = random() % 2 ? std::byte{0} : std::byte{0xff};
          break;
        default:
          buffer.resize(random() % (buffer.size() + 1));
      }
    }
    const std::uint16_t flags = random() % 50 == 0 ? 1 : base.flags;
    const auto kind = random() % 4 == 0 ? lamellae::traffic::handler : lamellae::traffic::body;
    r->feed(buffer, flags, kind);
    r->w->flush();
    r->script->posted().clear();
  }
}
