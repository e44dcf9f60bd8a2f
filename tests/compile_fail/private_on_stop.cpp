// SPDX-License-Identifier: BSD-3-Clause
// Claim: an actor whose `on_stop` is private, so that nobody could call it, does not compile.
#include <troupe/system.hpp>

struct one {};

class target : public troupe::actor<target, one> {
public:
  void on(const one&) {}

#ifdef TROUPE_MUST_NOT_COMPILE
private:
#endif
  void on_stop() {}
};

void use(troupe::system& s) { s.spawn<target>(); }
