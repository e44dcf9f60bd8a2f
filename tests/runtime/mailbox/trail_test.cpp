// SPDX-License-Identifier: BSD-3-Clause
// Claims: messages of a long row name the one that was sent a fixed number before them, and no others name any.
// Observed in what the envelopes say, which the receiver only uses to fetch memory ahead.
#include <troupe/mailbox/mailbox.hpp>

#include "runtime/mailbox/support.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <deque>

using mailbox_test::make;
using mailbox_test::take;
using troupe::detail::block_pool;
using troupe::detail::envelope;
using troupe::detail::mailbox;
using troupe::detail::trail;

namespace {

/// What `e` names, or null.
const envelope* named_by(const envelope& e) {
  if (e.earlier == 0)
    return nullptr;
  const auto blocks = static_cast<std::intptr_t>(static_cast<std::int32_t>(e.earlier));
  return reinterpret_cast<const envelope*>(reinterpret_cast<std::intptr_t>(&e) +
                                           blocks * static_cast<std::intptr_t>(block_pool::alignment));
}

} // namespace

TEST_CASE("trail: a message of a long row names the one sent `length` before it") {
  mailbox m; // busy
  trail t;
  std::deque<envelope*> sent;
  for (std::int64_t i = 0; i < 40; ++i) {
    auto* e = make(i);
    sent.push_back(e);
    REQUIRE(m.push(e, 100, [&t] { return &t; }) == troupe::detail::push_result::queued);
    const auto n = sent.size();
    CHECK(named_by(*e) == (n > trail::length + 1 ? sent[n - 1 - trail::length] : nullptr));
  }
  for (std::int64_t i = 0; i < 40; ++i)
    CHECK(take(m.pop()) == i);
}

TEST_CASE("trail: a row ends when its sender sends elsewhere") {
  mailbox one;
  mailbox other;
  trail t;
  for (std::int64_t i = 0; i < 20; ++i)
    one.push(make(i), 100, [&t] { return &t; });
  other.push(make(0), 100, [&t] { return &t; });
  for (std::uint32_t i = 0; i < trail::length; ++i) {
    auto* e = make(0);
    one.push(e, 100, [&t] { return &t; });
    CHECK(named_by(*e) == nullptr);
  }
  while (auto* e = one.pop())
    take(e);
  take(other.pop());
}

TEST_CASE("trail: a worker's thread has several, by the mailbox's address, another thread one") {
  const auto* here = reinterpret_cast<const char*>(std::uintptr_t{1} << 20);
  CHECK(trail::toward(here) == trail::toward(here + 512));
  std::array<trail, trail::trails_of_worker> many;
  trail::use(many.data());
  CHECK(trail::toward(here) == many.data());
  CHECK(trail::toward(here + 512) == &many[1]);
  CHECK(trail::toward(here + 512 * trail::trails_of_worker) == many.data());
  trail::use(nullptr);
}

TEST_CASE("trail: messages that wake their receiver, and those without one, name nothing") {
  mailbox m;
  trail t;
  for (std::int64_t i = 0; i < 40; ++i) {
    REQUIRE(m.rest());
    auto* e = make(i);
    REQUIRE(m.push(e, 100, [&t] { return &t; }) == troupe::detail::push_result::queued_and_wake);
    CHECK(named_by(*e) == nullptr);
    CHECK(take(m.pop()) == i);
  }
  for (std::int64_t i = 0; i < 40; ++i) {
    auto* e = make(i);
    m.push(e, 100);
    CHECK(named_by(*e) == nullptr);
    take(m.pop());
  }
}
