// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

// Memory for coroutine frames: what a thread gave back last it takes first. A frame that is
// freed by another thread than made it stays with that thread; what a thread keeps is bounded.
// Sanitizers see plain new and delete, so that they find who uses a frame after its end.
//
// Thread-safety: any thread.
namespace lamellar::detail {

void* take_frame(std::size_t bytes);
void give_frame_back(void* frame, std::size_t bytes) noexcept;

}  // namespace lamellar::detail
