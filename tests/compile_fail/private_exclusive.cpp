// SPDX-License-Identifier: BSD-3-Clause
// Claim: an actor whose `exclusive` is private, so that nobody could read it, does not compile.
#include <troupe/system.hpp>

struct one {};

class target : public troupe::actor<target, one> {
#ifndef TROUPE_MUST_NOT_COMPILE
public:
#endif
  static constexpr bool exclusive = true;

public:
  void on(const one&) {}
};

void use(troupe::system& s) { s.spawn<target>(); }
