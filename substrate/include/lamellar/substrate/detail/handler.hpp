// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/handler_shape.hpp>
#include <lamellar/substrate/on_caller.hpp>
#include <lamellar/substrate/record.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <memory>
#include <source_location>
#include <span>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

// How a handler is run: the loop over the records of a run, its results and its failures, and
// what is left to do when a coroutine handler ends.
//
// Thread-safety: the thread that runs it.
namespace lamellar::detail {

/// The object numbered `number`. Throws: corrupt_message if it is not here or of another type.
object_entry& find_object(engine& at, std::uint32_t number, const std::type_info& type);
/// Throws corrupt_message: `found`, the object of this number, is not here or of another type.
[[noreturn]] void wrong_object(const object_entry* found, std::uint32_t number,
                               const char* type);

/// Makes handles, and changes what they are handles of.
struct darc_access {
  template <class T>
  static darc<T> handle(engine& at, std::uint32_t number);
  /// One of the type that handlers take.
  template <class T>
  static handle_of<T> for_handler(engine& at, std::uint32_t number) {
    return handle_of<T>{handle<T>(at, number)};
  }
  /// The object becomes one of another kind; `source` is emptied if all agree. Collective.
  template <class To, class From>
  static task<To> convert(From* source, std::source_location where);
  /// The same object for whoever holds its only handle. Collective. Throws: still_referenced.
  template <class T>
  static task<darc<T>> claim(darc<T>* source, std::source_location where);
};

/// A handler has returned a message for the caller. See run_returned.hpp.
template <class G, class... Args>
void return_to_caller(execution& at, ticket t, bool is_call,
                      const returned_message<G, Args...>& message);

template <class R>
void answer_with(execution& at, ticket t, const R& value) {
  if constexpr (is_returned_message<R>) {
    return_to_caller(at, t, true, value);
  } else if constexpr (inline_answer<R>) {
    at.home.answer<bitwise_size<R>>(at, t, &value);
  } else {
    // What the answer holds is kept alive until somebody has read it.
    struct contents {
      const R* value;
      noted_handles handles;
      std::size_t bytes = 0;
    } all{&value, {}};
    byte_writer measure{std::span<std::byte>{}};
    measure.note_handles_in(all.handles);
    encode<R>(measure, value);
    all.bytes = measure.size();
    const std::size_t listed = all.handles.empty() ? 0 : all.handles.bytes();
    at.home.answer_bytes_to(
        at.here, at.from, t, all.bytes + listed,
        [](void* of, std::byte* out) {
          const auto& c = *static_cast<const contents*>(of);
          record<R>::write(out, *c.value);
          if (!c.handles.empty()) {
            c.handles.write(out + c.bytes);
          }
        },
        &all, listed != 0);
  }
}

/// A handler has ended with `value`; answer it if somebody called.
template <bool Call, class R>
void end_with(execution& at, [[maybe_unused]] ticket t, const R& value) {
  if constexpr (Call) {
    answer_with<R>(at, t, value);
  } else if constexpr (is_returned_message<R>) {
    return_to_caller(at, t, false, value);
  }
}

/// The text of the exception that is being handled.
std::string text_of_current_exception();

/// A coroutine handler that has not ended yet: what to do when it does.
template <class R, class F>
struct unended {
  engine* home;
  std::uint32_t from;
  ticket answer;
  bool is_call;
  std::unique_ptr<F> callable;  // kept alive for it; empty callables need none
  std::string (*handler_name)();

  static void finish(promise_base& base, void* data) {
    const std::unique_ptr<unended> self{static_cast<unended*>(data)};
    auto frame =
        std::coroutine_handle<promise<R>>::from_promise(static_cast<promise<R>&>(base));
    self->complete(frame.promise());
    frame.destroy();
    self->home->handler_ended();
  }

  void complete(promise<R>& ended) {
    lane& here = home->here();
    handler_scope as_handler{here};
    execution at{*home, here, from};
    try {
      if constexpr (std::is_void_v<R>) {
        ended.take();
        if (is_call) {
          home->answer<0>(at, answer, nullptr);
        }
      } else {
        const R value = ended.take();
        if (is_call) {
          end_with<true>(at, answer, value);
        } else {
          end_with<false>(at, answer, value);
        }
      }
      if (!is_call) {
        home->acknowledge(here, from, 1, 0, {});
      }
    } catch (...) {
      const std::string text = text_of_current_exception();
      if (is_call) {
        home->answer_error_to(here, from, answer, handler_name(), text);
      } else {
        home->acknowledge(here, from, 1, 1, {home->me(), handler_name(), text});
      }
    }
  }
};

/// The code of one handler; `registered<handler<...>>` gives it its number.
template <class F, class Object, bool Call, class... Given>
struct handler {
  using s = shape<F, Object, Given...>;
  using object = Object;
  using value_type = typename s::value;
  using result = typename s::result;
  static constexpr std::size_t record_bytes = s::fixed ? s::layout::size : variable_record;
  static constexpr bool acknowledged = s::is_coroutine && !Call;

  static std::string name() { return handler_table::readable(typeid(F).name()); }

  static void run(execution& at, const run_header& run, std::span<const std::byte> records) {
    context where{at.home, at.from};
    Object* part = nullptr;
    if constexpr (!std::is_void_v<Object>) {
      part = static_cast<Object*>(at.home.objects().find(run.object)->part);
    }
    if constexpr (s::bulk::is) {
      run_span(at, run, records, where, part);
    } else {
      run_each(at, run, records, where, part);
    }
  }

 private:
  template <class Callable, class... Args>
  static decltype(auto) invoke(Callable& f, context& where, Object* part,
                               [[maybe_unused]] execution& at,
                               [[maybe_unused]] std::uint32_t number, Args&&... args) {
    if constexpr (s::takes == head::context_object) {
      if constexpr (std::invocable<Callable&, context&, Object&, Args...>) {
        return f(where, *part, std::forward<Args>(args)...);
      } else {
        return f(where, darc_access::for_handler<Object>(at.home, number),
                 std::forward<Args>(args)...);
      }
    } else if constexpr (s::takes == head::object) {
      if constexpr (std::invocable<Callable&, Object&, Args...>) {
        return f(*part, std::forward<Args>(args)...);
      } else {
        return f(darc_access::for_handler<Object>(at.home, number),
                 std::forward<Args>(args)...);
      }
    } else if constexpr (s::takes == head::context) {
      return f(where, std::forward<Args>(args)...);
    } else {
      return f(std::forward<Args>(args)...);
    }
  }

  static void run_span(execution& at, const run_header& run, std::span<const std::byte> records,
                       context& where, Object* part) {
    using value = typename s::bulk::record_type;
    static_assert(alignof(value) <= 8, "records of a span handler are aligned to 8 bytes");
    static_assert(!is_returned_message<result>,
                  "a span handler cannot return messages: write a handler of one record");
    static_assert(std::is_empty_v<F>, "a span handler has no state: its records carry it");
    static_assert(bitwise<value>,
                  "a span handler reads its records in place: they must be "
                  "plain values");
    static_assert(
        !bitwise<value> || s::fixed,
        "a record of a span handler is at most 2016 bytes; write a handler that takes "
        "one such value instead");
    F f{};
    const std::span<const value> all{reinterpret_cast<const value*>(records.data()), run.count};
    [[maybe_unused]] std::uint32_t next = 0;  // the first call without an answer
    try {
      if constexpr (std::is_void_v<result>) {
        invoke(f, where, part, at, run.object, all);
        if constexpr (Call) {
          for (; next < run.count; ++next) {
            at.home.answer<0>(at, run.extra + next, nullptr);
          }
        }
      } else {
        std::vector<result> results(run.count);
        invoke(f, where, part, at, run.object, all, std::span<result>{results});
        if constexpr (Call) {
          for (; next < run.count; ++next) {
            answer_with<result>(at, run.extra + next, results[next]);
          }
        }
      }
    } catch (...) {
      const std::string text = text_of_current_exception();
      if constexpr (Call) {
        for (; next < run.count; ++next) {
          at.home.answer_error_to(at.here, at.from, run.extra + next, name(), text);
        }
      } else {
        at.failed(name(), text);
      }
    }
  }

  static void run_each(execution& at, const run_header& run, std::span<const std::byte> records,
                       context& where, Object* part) {
    std::uint32_t acknowledge_now = 0;
    std::uint32_t failed_now = 0;
    failure first;
    std::size_t next = 0;
    for (std::uint32_t k = 0; k < run.count; ++k) {
      std::span<const std::byte> one;
      if constexpr (s::fixed) {
        one = records.subspan(next, s::layout::size);
        next += s::layout::size;
      } else {
        std::uint64_t length = 0;
        std::memcpy(&length, records.data() + next, sizeof(length));
        one = records.subspan(next + sizeof(length), length);
        next += variable_bytes(length);
      }
      try {
        if (!run_record(at, run, one, run.extra + k, where, part)) {
          continue;
        }
        ++acknowledge_now;
      } catch (...) {
        const std::string text = text_of_current_exception();
        if constexpr (Call) {
          at.home.answer_error_to(at.here, at.from, run.extra + k, name(), text);
        } else if constexpr (acknowledged) {
          ++acknowledge_now;
          if (failed_now++ == 0) {
            first = {at.home.me(), name(), text};
          }
        } else {
          at.failed(name(), text);
        }
      }
    }
    if constexpr (acknowledged) {
      if (acknowledge_now != 0) {
        at.home.acknowledge(at.here, at.from, acknowledge_now, failed_now, first);
      }
    }
  }

  /// False if a coroutine goes on and will see to the rest itself.
  static bool run_record(execution& at, const run_header& run, std::span<const std::byte> bytes,
                         ticket t, context& where, Object* part) {
    const auto with = [&](auto& f, auto&&... args) -> decltype(auto) {
      return invoke(f, where, part, at, run.object, std::forward<decltype(args)>(args)...);
    };
    if constexpr (s::is_coroutine) {
      return start(at, bytes, t, with);
    } else if constexpr (std::is_void_v<value_type>) {
      call_with(at.home, bytes, with);
      if constexpr (Call) {
        at.home.answer<0>(at, t, nullptr);
      }
    } else {
      const value_type value = call_with(at.home, bytes, with);
      end_with<Call>(at, t, value);
    }
    return true;
  }

  /// Decode one record and call the handler with it.
  template <class With>
  static decltype(auto) call_with([[maybe_unused]] engine& home,
                                  std::span<const std::byte> bytes, const With& with) {
    const auto go = [&](auto&&... args) -> decltype(auto) {
      if constexpr (s::carried) {
        return with(std::forward<decltype(args)>(args)...);  // the callable comes first
      } else {
        F f{};
        return with(f, std::forward<decltype(args)>(args)...);
      }
    };
    if constexpr (s::carried) {
      return std::apply(
          [&](auto& f, auto&... rest) -> decltype(auto) { return go(f, std::move(rest)...); },
          as_lvalue(s::layout::read(bytes, &home)));
    } else if constexpr (s::fixed) {
      return s::layout::apply_unchecked(go, bytes.data(), &home);
    } else {
      return std::apply(
          [&](auto&... values) -> decltype(auto) { return go(std::move(values)...); },
          as_lvalue(s::layout::read(bytes, &home)));
    }
  }

  template <class Tuple>
  static Tuple& as_lvalue(Tuple&& temporary) {
    return temporary;  // lives to the end of the full expression
  }

  template <class With>
  static bool start(execution& at, std::span<const std::byte> bytes, ticket t,
                    const With& with) {
    std::unique_ptr<F> kept;
    task<value_type> body = [&] {
      if constexpr (s::carried) {
        auto values = s::layout::read(bytes, &at.home);
        return std::apply(
            [&](auto& f, auto&... rest) {
              kept = std::make_unique<F>(std::move(f));
              return with(*kept, std::move(rest)...);
            },
            values);
      } else {
        return call_with(at.home, bytes, with);
      }
    }();
    body.start();
    if (body.finished()) {
      if constexpr (std::is_void_v<value_type>) {
        body.get();
        if constexpr (Call) {
          at.home.answer<0>(at, t, nullptr);
        }
      } else {
        const value_type value = body.get();
        end_with<Call>(at, t, value);
      }
      return true;
    }
    at.home.handler_suspended();
    auto* rest =
        new unended<value_type, F>{&at.home, at.from, t, Call, std::move(kept), &handler::name};
    auto frame = body.release();
    if (!frame.promise().notify(&unended<value_type, F>::finish, rest)) {
      unended<value_type, F>::finish(frame.promise(), rest);
    }
    return false;
  }
};

}  // namespace lamellar::detail
