// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <lamellar/substrate/detail/frame_pool.hpp>
#include <new>

namespace lamellar::detail {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void* take_frame(std::size_t bytes) { return ::operator new(bytes); }
void give_frame_back(void* frame, std::size_t) noexcept { ::operator delete(frame); }

#else

namespace {

constexpr std::size_t granule = 64;
constexpr std::size_t classes = 16;             // up to 1 KiB
constexpr std::size_t kept_bytes = 512u << 10;  // of each class

struct free_frame {
  free_frame* next;
};

struct free_list {
  free_frame* first = nullptr;
  std::size_t count = 0;
};

// Memory only, no state of a PE. Trivial, so that using it needs no check whether it was made.
constinit thread_local std::array<free_list, classes> lists{};
constinit thread_local bool ended = false;

/// Frees what the thread has kept, at its end.
struct last_rites {
  ~last_rites() {
    ended = true;
    for (free_list& list : lists) {
      while (list.first != nullptr) {
        free_frame* const next = list.first->next;
        ::operator delete(list.first);
        list.first = next;
      }
    }
  }
  void be_there() {}
};
thread_local last_rites at_exit;

}  // namespace

void* take_frame(std::size_t bytes) {
  const std::size_t which = (bytes - 1) / granule;
  if (which >= classes) {
    return ::operator new(bytes);
  }
  free_list& list = lists[which];
  if (list.first == nullptr) [[unlikely]] {
    at_exit.be_there();
    return ::operator new((which + 1) * granule);
  }
  free_frame* const frame = list.first;
  list.first = frame->next;
  --list.count;
  return frame;
}

void give_frame_back(void* frame, std::size_t bytes) noexcept {
  const std::size_t which = (bytes - 1) / granule;
  if (which >= classes || ended) {
    ::operator delete(frame);
    return;
  }
  free_list& list = lists[which];
  if (list.count * (which + 1) * granule >= kept_bytes) {
    ::operator delete(frame);
    return;
  }
  if (list.first == nullptr) [[unlikely]] {
    at_exit.be_there();
  }
  list.first = new (frame) free_frame{list.first};
  ++list.count;
}

#endif

}  // namespace lamellar::detail
