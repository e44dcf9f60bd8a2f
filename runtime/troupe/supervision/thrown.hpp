// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <exception>
#include <type_traits>
#include <typeinfo>

namespace troupe::detail {

/// What `why` holds, if a handler `catch (const E&)` would take it; else null. Lives as long as `why`.
///
/// Where libstdc++ is the library nothing is thrown for that, which makes a look at a failure some hundred times cheaper
/// than the failure itself: `exception_ptr` is there one pointer to the object, and `__do_catch` is the question that the
/// unwinder asks (what P2927, `exception_ptr_cast`, gives a name).
template <class E>
const E* thrown_as(const std::exception_ptr& why) noexcept {
  if (why == nullptr)
    return nullptr;
#if defined(__GLIBCXX__)
  if constexpr (std::is_class_v<E>) {
    void* object = nullptr;
    static_assert(sizeof(why) == sizeof(object));
    __builtin_memcpy(&object, &why, sizeof(object));
    return typeid(E).__do_catch(why.__cxa_exception_type(), &object, 1) ? static_cast<const E*>(object) : nullptr;
  }
#endif
  try {
    std::rethrow_exception(why);
  } catch (const E& e) {
    return &e;
  } catch (...) {
    return nullptr;
  }
}

} // namespace troupe::detail
