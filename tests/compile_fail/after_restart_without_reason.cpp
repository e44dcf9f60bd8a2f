// SPDX-License-Identifier: BSD-3-Clause
// Claim: an actor whose `after_restart` takes no reason, so that nobody would call it, does not compile.
#include <troupe/system.hpp>

#include <exception>

struct one {};

class target : public troupe::actor<target, one> {
public:
  void on(const one&) {}
#ifdef TROUPE_MUST_NOT_COMPILE
  void after_restart() {}
#else
  void after_restart(const std::exception_ptr&) {}
#endif
};

void use(troupe::system& s) { s.spawn<target>(); }
