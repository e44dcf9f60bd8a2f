// SPDX-License-Identifier: BSD-3-Clause
// Claim: a handler whose return type does not convert to the message's reply does not compile.
#include <troupe/system.hpp>

#include <string>

struct question {
  using reply = int;
};

class target : public troupe::actor<target, question> {
public:
#ifdef TROUPE_MUST_NOT_COMPILE
  std::string on(const question&) { return "not a number"; }
#else
  int on(const question&) { return 1; }
#endif
};

void use(troupe::system& s) { s.spawn<target>(); }
