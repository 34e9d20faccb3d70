// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <coroutine>
#include <cstdint>
#include <source_location>

// The little that coroutines and replies need to know of the engine that drives them.
namespace lamellar::detail {

class engine;

/// Where a suspended coroutine goes on: on its PE's main thread, between the body's own steps,
/// or on any thread of the PE.
enum class place : std::uint8_t { main, anywhere };

/// The place of the code that is running now.
place running_place(engine& at);

/// Queue `what`; it goes on in a later step of a wait, never inside this call.
void resume_later(engine& at, std::coroutine_handle<> what, place where);

/// What task::get() waits for.
inline constexpr const char* a_task = "a task";

/// Make progress until `holds(state)`. What is waited for is said by `what`, by whom by
/// `where`.
void wait_until(engine& at, bool (*holds)(void*), void* state, const char* what,
                std::source_location where);

class group_count;

/// A task that was spawned has ended; `group`: or nullptr.
void spawned_task_ended(engine& at, group_count* group) noexcept;

/// Ends the job: a task was used that is empty, moved away, or was never one.
[[noreturn]] void no_such_task();

}  // namespace lamellar::detail
