// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/detail/system_messages.hpp>
#include <lamellar/substrate/world.hpp>
#include <string>
#include <string_view>

namespace lamellar::detail {

namespace {

failure failure_from(std::uint32_t on, std::string_view handler, std::string_view text) {
  return {on, std::string{handler}, std::string{text}};
}

struct take_failure_report {
  void operator()(context& at, std::uint64_t failures, std::uint32_t on,
                  bool completes_a_buffer, std::string_view handler,
                  std::string_view text) const {
    engine_of(at.world())
        .log_failures(failures, failure_from(on, handler, text), completes_a_buffer);
  }
};

struct take_acknowledgement {
  void operator()(context& at, std::uint64_t count) const {
    engine_of(at.world()).acknowledged(count);
  }
};

struct take_failed_acknowledgement {
  void operator()(context& at, std::uint64_t count, std::uint64_t failures, std::uint32_t on,
                  std::string_view handler, std::string_view text) const {
    engine& here = engine_of(at.world());
    here.log_failures(failures, failure_from(on, handler, text), false);
    here.acknowledged(count);
  }
};

struct take_release {
  void operator()(context& at, std::uint32_t number, std::int32_t change,
                  std::uint64_t epoch) const {
    engine& here = engine_of(at.world());
    if (object_entry* object = here.objects().find(number); object != nullptr) {
      object->lock.lock();
      object->released += static_cast<std::uint32_t>(change);
      object->released_in = std::max(object->released_in, epoch);
      object->lock.unlock();
    }
  }
};

struct take_fetched {
  void operator()(context& at, std::uint64_t number) const {
    engine_of(at.world()).offered_is_fetched(number);
  }
};

struct take_hold {
  void operator()(context& at, std::uint32_t number) const {
    engine_of(at.world()).one_sided().hold(number);
  }
};

struct take_let_go {
  void operator()(context& at, std::uint32_t number, std::uint64_t epoch) const {
    engine_of(at.world()).one_sided().let_go(number, epoch);
  }
};

/// Longer texts are cut: a report must fit into a buffer.
std::string_view short_text(std::string_view text) { return text.substr(0, 600); }

}  // namespace

void send_failure_report(engine& at, lane& here, std::uint32_t to, std::uint64_t failures,
                         const failure& first, bool completes_a_buffer) {
  const exempt_scope beyond_budget{here};
  send_message<void>(at, to, 0, take_failure_report{}, failures, first.on, completes_a_buffer,
                     short_text(first.handler), short_text(first.text));
}

void send_acknowledgement(engine& at, lane& here, std::uint32_t to, std::uint64_t count,
                          std::uint64_t failures, const failure& first) {
  const exempt_scope beyond_budget{here};
  if (failures == 0) {
    send_message<void>(at, to, 0, take_acknowledgement{}, count);
  } else {
    send_message<void>(at, to, 0, take_failed_acknowledgement{}, count, failures, first.on,
                       short_text(first.handler), short_text(first.text));
  }
}

void send_release(engine& at, const object_entry& object, int change, std::uint64_t epoch) {
  const std::uint32_t holders = object.members == nullptr ? at.size() : object.members->size();
  for (std::uint32_t k = 0; k < holders; ++k) {
    send_message<void>(at, object.members == nullptr ? k : object.members->at(k), 0,
                       take_release{}, object.number, change, epoch);
  }
}

void send_fetched(engine& at, std::uint32_t to, std::uint64_t number) {
  const exempt_scope beyond_budget{at.here()};
  send_message<void>(at, to, 0, take_fetched{}, number);
}

void send_hold(engine& at, std::uint32_t owner, std::uint32_t number) {
  const exempt_scope beyond_budget{at.here()};
  send_message<void>(at, owner, 0, take_hold{}, number);
}

void send_let_go(engine& at, std::uint32_t owner, std::uint32_t number, std::uint64_t epoch) {
  send_message<void>(at, owner, 0, take_let_go{}, number, epoch);
}

std::string text_of_current_exception() {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something that is not a std::exception";
  }
}

void no_such_pe(const engine& at, const located_pe& to) {
  misuse(&at,
         "there is no PE " + std::to_string(to.value.index()) + " in a world of " +
             std::to_string(at.size()),
         to.where);
}

void no_part_there(const engine& at, const located_pe& to, std::uint32_t object) {
  misuse(&at,
         fmt::format("PE {} has no part of object {}, which belongs to a team without it",
                     to.value.index(), object),
         to.where);
}

}  // namespace lamellar::detail
