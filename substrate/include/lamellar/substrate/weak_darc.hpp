// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/darc.hpp>
#include <typeinfo>

// weak_darc<T>: knows an object without keeping it alive. lock() gives a handle while there is
// one to give. It belongs to its PE and does not travel: send the handle that lock() gives.
//
// Thread-safety: as a darc. It must not outlive its world.
namespace lamellar {

template <class T>
class weak_darc {
 public:
  weak_darc() noexcept = default;
  weak_darc(const darc<T>& of) noexcept  // NOLINT: every handle is good for it
      : home_{of.home()}, number_{of.number()} {}

  /// A handle, or an empty one if the object is gone or has been converted. Local.
  ///
  /// An object whose last handle was dropped can be revived until the next quiesce. While that
  /// quiesce decides on the object's end the handle is empty, even if a handle that was under
  /// way on another PE then keeps the object.
  darc<T> lock() const {
    detail::object_entry* entry = home_ == nullptr || number_ == 0
                                      ? nullptr
                                      : home_->objects().revive(number_, typeid(T).name());
    if (entry == nullptr) {
      return {};
    }
    darc<T> handle{detail::object_handle{home_, entry}};
    entry->let_go();  // the handle holds it now
    return handle;
  }

 private:
  detail::engine* home_ = nullptr;
  std::uint32_t number_ = 0;
};

}  // namespace lamellar
