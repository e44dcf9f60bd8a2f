// SPDX-License-Identifier: BSD-3-Clause
// Claim: arguments that do not fit the actor's constructor do not compile.
#include <troupe/system.hpp>

#include <string>

struct one {};

class target : public troupe::actor<target, one> {
public:
  explicit target(std::string) {}
  void on(const one&) {}
};

void use(troupe::system& s) {
  s.spawn<target>("text");
#ifdef TROUPE_MUST_NOT_COMPILE
  s.spawn<target>(1, 2);
#endif
}
