// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/reply.hpp>

#include "support/stepped_system.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>

/// Whom the tests of replies ask: one who answers or fails, and one who is asleep until the clock moves on.
namespace reply_stage {

using namespace std::chrono_literals;
using support::stepped;
using support::with_mailbox;
using troupe::errc;
using troupe::reply;
using troupe::task;

struct square {
  int n;
  using reply = int;
};
struct text {
  using reply = std::string;
};
struct fail {
  using reply = int;
};
struct note {
  using reply = void;
};

class server : public troupe::actor<server, square, text, fail, note> {
public:
  int on(const square& m) {
    ++calls;
    return m.n * m.n;
  }
  std::string on(const text&) { return "text"; }
  int on(const fail&) { throw std::domain_error{"cannot"}; }
  void on(const note&) {}
  static inline int calls = 0;
};

struct never {
  using reply = int;
};
struct boom {};

inline errc code_of(troupe::result<int> r) {
  REQUIRE_FALSE(r);
  return r.error().code;
}

/// Fails twice at once, so that its supervisor makes it wait: what is sent to it stays queued until the clock moves on.
class sleeper : public troupe::actor<sleeper, never, boom> {
public:
  int on(const never&) { return 5; }
  void on(const boom&) { throw std::runtime_error{"boom"}; }
};

inline troupe::ref<sleeper> start_asleep(troupe::system& sys, troupe::child_options o = {}) {
  o.restart = troupe::transient;
  o.backoff = troupe::backoff_options{.min = 60s, .max = 60s, .jitter = 0.0, .immediate_first = false};
  auto a = sys.root().start<sleeper>("", o);
  a.tell(boom{});
  sys.run_until_idle();
  return a;
}

} // namespace reply_stage
