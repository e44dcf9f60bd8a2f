// SPDX-License-Identifier: BSD-3-Clause
// Claim: a coroutine handler that does not yield the message's reply does not compile.
#include <troupe/system.hpp>

#include <string>

struct question {
  using reply = int;
};

class target : public troupe::actor<target, question> {
public:
#ifdef TROUPE_MUST_NOT_COMPILE
  troupe::task<std::string> on(const question&) { co_return "not a number"; }
#else
  troupe::task<int> on(const question&) { co_return 1; }
#endif
};

void use(troupe::system& s) { s.spawn<target>(); }
