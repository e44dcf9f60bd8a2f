// SPDX-License-Identifier: BSD-3-Clause
// Claim: a request that the actor does not handle does not compile.
#include <troupe/system.hpp>

struct known {};
struct unknown {};

class target : public troupe::actor<target, known> {
public:
  void on(const known&) {}
};

void use(const troupe::ref<target>& r) {
  (void)r.ask(known{});
#ifdef TROUPE_MUST_NOT_COMPILE
  (void)r.ask(unknown{});
#endif
}
