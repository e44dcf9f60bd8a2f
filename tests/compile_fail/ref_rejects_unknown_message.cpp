// SPDX-License-Identifier: BSD-3-Clause
// Claim: a message that the actor does not handle does not compile.
#include <troupe/system.hpp>

struct known {};
struct unknown {};

class target : public troupe::actor<target, known> {
public:
  void on(const known&) {}
};

void use(const troupe::ref<target>& r) {
  r.tell(known{});
  (void)r.ask(known{});
#ifdef TROUPE_MUST_NOT_COMPILE
  r.tell(unknown{});
#endif
}
