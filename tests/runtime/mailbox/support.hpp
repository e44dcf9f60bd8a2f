// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/envelope.hpp>

#include <cstdint>

namespace mailbox_test {

/// An envelope whose number stands in `deadline`, with no handler behind it: the lanes do not look inside.
inline troupe::detail::envelope* make(std::int64_t number) {
  using namespace troupe::detail;
  return new (block_pool::allocate(0, sizeof(envelope))) envelope{{nullptr}, nullptr, nullptr, number, 0, 0, {0}};
}

/// Frees `e` and returns its number; -1 for null.
inline std::int64_t take(troupe::detail::envelope* e) {
  if (e == nullptr)
    return -1;
  const auto number = e->deadline;
  troupe::detail::block_pool::release(0, e);
  return number;
}

} // namespace mailbox_test
